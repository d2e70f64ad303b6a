import ForwarderCore
import Glibc

/// Takes entries out of files of the delivery log that are not written to any more. A file is replaced as a whole.
struct DeliveryLogEraser {
    let stateDirectory: String
    let eventIDs: Set<String>
    let transactionIDs: Set<String>

    /// Returns how many entries were found.
    func erase(isDryRun: Bool) -> Int {
        guard !eventIDs.isEmpty || !transactionIDs.isEmpty else { return 0 }
        var finder = PersonMarks()
        for id in eventIDs { finder.add(eventID: id) }
        for id in transactionIDs { finder.add(transactionID: id) }
        let marks = finder.makeFinder()
        var count = 0
        for segment in DeliveryLogFiles.segments(in: DeliveryLogFiles.directory(of: stateDirectory)) {
            guard let bytes = try? SmallFile.read(segment.path, limit: .max, isRegular: true),
                bytes.withUnsafeBufferPointer({ marks.finds(in: $0) })
            else { continue }
            var kept: [UInt8] = []
            var found = 0
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                let rest = line.withUnsafeBufferPointer { marks.finds(in: $0) } ? without(Array(line), &found) : line
                if !rest.isEmpty { kept += rest + [UInt8(ascii: "\n")] }
            }
            count += found
            guard !isDryRun, found > 0 else { continue }
            // One that was purged meanwhile comes back for a minute, without them.
            guard (try? SmallFile.replace(segment.path, with: kept)) != nil else { return count - found }
            let time = timespec(tv_sec: Int(segment.changedAt.seconds), tv_nsec: 0)
            _ = [time, time].withUnsafeBufferPointer { utimensat(AT_FDCWD, segment.path, $0.baseAddress, 0) }
        }
        return count
    }

    /// The line without the entries that are meant; empty if there is no other.
    private func without(_ line: [UInt8], _ found: inout Int) -> ArraySlice<UInt8> {
        guard let root = (try? JSONDocument(line))?.root, let entries = root["deliveries"]?.elements else {
            return line[...]
        }
        let kept = entries.filter { entry in
            !(entry["event_id"]?.string.map(eventIDs.contains) ?? false)
                && !(entry["transaction_id"]?.string.map(transactionIDs.contains) ?? false)
        }
        found += entries.count - kept.count
        if kept.isEmpty { return [] }
        var writer = JSONWriter(capacity: line.count)
        writer.object { writer in
            for member in root.members ?? [] {
                writer.name(member.name)
                guard member.name == "deliveries" else {
                    writer.raw(member.value.json)
                    continue
                }
                writer.array { writer in
                    for entry in kept { writer.raw(entry.json) }
                }
            }
        }
        return writer.bytes[...]
    }
}
