import ForwarderCore
import Glibc

/// Looks entries up in the delivery log. Reads the files beside whoever writes them: lines are never changed, and one that
/// is not whole yet is passed over.
struct DeliveryLogReader {
    private let directory: String

    init(stateDirectory: String) {
        directory = DeliveryLogFiles.directory(of: stateDirectory)
    }

    private struct Found {
        var at: Timestamp
        var json: [UInt8]
    }

    /// The entries, newest first, as one JSON object.
    func answer(_ query: DeliveryLogQuery) -> [UInt8] {
        var found: [Found] = []
        let segments = DeliveryLogFiles.segments(in: directory)
        for name in Set(segments.map(\.destination)).sorted() where query.destination ?? name == name {
            found += search(segments.filter { $0.destination == name }, query)
        }
        // Stable, so that what was settled at one moment stays as it was written.
        let order = found.indices.sorted { found[$0].at == found[$1].at ? $0 < $1 : found[$0].at > found[$1].at }
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            writer.name("deliveries")
            writer.array { writer in
                for index in order.prefix(query.limit) { writer.raw(found[index].json) }
            }
        }
        return writer.bytes
    }

    /// Of the files of one destination the newest entries, up to the limit.
    private func search(_ segments: [DeliveryLogFiles.Segment], _ query: DeliveryLogQuery) -> [Found] {
        let wanted = query.transactionID.map { transactionID in
            var writer = JSONWriter()
            writer.object { $0.member("transaction_id", transactionID) }
            return Array(writer.bytes.dropFirst().dropLast())
        }
        var found: [Found] = []
        for segment in segments.reversed() where found.count < query.limit {
            if let since = query.since, segment.changedAt + .seconds(1) < since { break }
            // One that is gone was purged meanwhile.
            guard let bytes = try? SmallFile.read(segment.path, limit: .max, isRegular: true) else { continue }
            var lines = bytes.split(separator: UInt8(ascii: "\n"))[...]
            if bytes.last != UInt8(ascii: "\n") { lines = lines.dropLast() }
            for line in lines.reversed() where found.count < query.limit {
                if let wanted, !line.holds(wanted) { continue }
                guard let root = (try? JSONDocument(Array(line)))?.root else { continue }
                take(root, segment.destination, query, &found)
            }
        }
        return found
    }

    private func take(
        _ line: JSONElement, _ destination: String, _ query: DeliveryLogQuery, _ found: inout [Found]
    ) {
        guard let milliseconds = line["at"]?.integer else { return }
        let at = Timestamp(milliseconds: milliseconds)
        let status = line["status"]?.string
        guard at >= query.since ?? .distantPast, at <= query.until ?? .distantFuture, query.status ?? status == status
        else { return }
        for entry in line["deliveries"]?.elements ?? [] where found.count < query.limit {
            let members = entry.members ?? []
            func text(_ name: String) -> String? { members.first { $0.name == name }?.value.string }
            guard query.event == nil || query.event == text("event"),
                query.goal == nil || query.goal == text("goal"),
                query.transactionID == nil || query.transactionID == text("transaction_id")
            else { continue }
            var writer = JSONWriter(capacity: 256)
            writer.object { writer in
                writer.member("at", LogTime.text(at))
                writer.member("destination", destination)
                for member in line.members ?? [] where !["at", "deliveries"].contains(member.name) {
                    writer.name(member.name)
                    writer.raw(member.value.json)
                }
                for member in members {
                    writer.name(member.name)
                    writer.raw(member.value.json)
                }
            }
            found.append(Found(at: at, json: writer.bytes))
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether these bytes stand in it somewhere.
    func holds(_ wanted: [UInt8]) -> Bool {
        guard let first = wanted.first, wanted.count <= count else { return wanted.isEmpty }
        return withUnsafeBufferPointer { bytes in
            wanted.withUnsafeBufferPointer { wanted in
                var start = 0
                let last = bytes.count - wanted.count
                while start <= last, let found = memchr(bytes.baseAddress! + start, Int32(first), last - start + 1) {
                    let index = bytes.baseAddress!.distance(to: found.assumingMemoryBound(to: UInt8.self))
                    if memcmp(found, wanted.baseAddress!, wanted.count) == 0 { return true }
                    start = index + 1
                }
                return false
            }
        }
    }
}
