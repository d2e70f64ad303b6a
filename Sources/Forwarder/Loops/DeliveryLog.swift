import ForwarderCore
import Glibc

/// Writes the delivery log. It never syncs, and nobody waits for it: a crash of the machine may take its last moments, and
/// what cannot be written is left out and counted. Confined to one thread.
final class DeliveryLog {
    private static let largestSegment: Int64 = 16 << 20
    /// A destination's log is at least so many files, so that so large a part of it goes at once.
    private static let parts = 16

    private let directory: String
    private let lines: DeliveryLogLines
    private var destinations: [DestinationID: (name: String, settings: DeliveryLogSettings)] = [:]
    private var open: [DestinationID: OpenFile] = [:]
    private var line = ByteBuffer(capacity: 64 << 10)

    private struct OpenFile {
        var descriptor: Int32
        var bytes: Int64
        var since: Timestamp
    }

    init(_ plan: Plan) {
        directory = DeliveryLogFiles.directory(of: plan.configuration.state.directory)
        lines = DeliveryLogLines(plan.configuration.input, plan.destinations.map { ($0.id, $0.settings) })
        note(plan)
    }

    deinit {
        rotate()
    }

    func reload(_ plan: Plan) {
        lines.reload(plan.configuration.input, plan.destinations.map { ($0.id, $0.settings) })
        note(plan)
    }

    private func note(_ plan: Plan) {
        for destination in plan.destinations {
            destinations[destination.id] = (destination.settings.name, destination.settings.deliveryLog)
        }
    }

    // MARK: Writing

    /// Returns whether it was written, or is not to be.
    func append(_ settled: SettledDeliveries, of id: DestinationID, at now: Timestamp) -> Bool {
        guard isKept(id) else { return true }
        line.removeAll()
        return lines.append(settled, of: id, at: now, to: &line) == 0 || writeLine(of: id, at: now)
    }

    /// The same for what Microsoft made of conversions: an entry for each goal and day.
    func append(_ days: [GoalDay], of id: DestinationID, at now: Timestamp) -> Bool {
        guard isKept(id) else { return true }
        line.removeAll()
        lines.append(days, at: now, to: &line)
        return writeLine(of: id, at: now)
    }

    private func isKept(_ id: DestinationID) -> Bool { destinations[id]?.settings.maxBytes != nil }

    private func writeLine(of id: DestinationID, at now: Timestamp) -> Bool {
        guard let (name, settings) = destinations[id], let most = settings.maxBytes else { return true }
        let limit = DeliveryLog.segmentLimit(most)
        if let file = open[id], file.bytes > 0, file.bytes + Int64(line.count) > limit { close(id) }
        if open[id] == nil {
            trim(name, to: most - limit)
            guard let file = begin(name, at: now) else { return false }
            open[id] = file
        }
        return write(id)
    }

    private func write(_ id: DestinationID) -> Bool {
        guard let file = open[id] else { return false }
        let isWritten = line.withBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let count = Glibc.write(file.descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = Bytes(rebasing: rest[count...])
            }
            return true
        }
        if isWritten {
            open[id]?.bytes += Int64(line.count)
        } else if ftruncate(file.descriptor, off_t(file.bytes)) != 0 {
            // Half a line is passed over by whoever reads, but nothing may follow it.
            close(id)
        }
        return isWritten
    }

    private func begin(_ name: String, at now: Timestamp) -> OpenFile? {
        mkdir(directory, 0o700)
        let last = DeliveryLogFiles.segments(in: directory).last { $0.destination == name }?.number ?? 0
        let path = DeliveryLogFiles.path(name, last + 1, in: directory)
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        return descriptor < 0 ? nil : OpenFile(descriptor: descriptor, bytes: 0, since: now)
    }

    private func close(_ id: DestinationID) {
        if let file = open.removeValue(forKey: id) { Glibc.close(file.descriptor) }
    }

    /// Closes all files: what is written from now on goes into new ones.
    func rotate() {
        for id in Array(open.keys) { close(id) }
    }

    // MARK: Limits

    private static func segmentLimit(_ most: Int64) -> Int64 { min(largestSegment, most / Int64(parts)) }

    /// Deletes the oldest files of a destination until the others have no more than that.
    private func trim(_ name: String, to most: Int64) {
        let files = DeliveryLogFiles.segments(in: directory).filter { $0.destination == name }
        var bytes = files.reduce(0) { $0 + $1.bytes }
        for file in files where bytes > most {
            unlink(file.path)
            bytes -= file.bytes
        }
    }

    /// Deletes what is too old. What is configured no longer goes by the default.
    func purge(now: Timestamp) {
        for (id, file) in open {
            let most = destinations[id]?.settings.maxAge ?? DeliveryLogSettings().maxAge
            if now - file.since > most / DeliveryLog.parts { close(id) }
        }
        let ages = Dictionary(uniqueKeysWithValues: destinations.values.map { ($0.name, $0.settings.maxAge) })
        let written = Set(open.keys.compactMap { destinations[$0]?.name })
        let files = DeliveryLogFiles.segments(in: directory)
        for (index, file) in files.enumerated() {
            let isLast = index + 1 == files.count || files[index + 1].destination != file.destination
            if isLast, written.contains(file.destination) { continue }
            if now - file.changedAt > ages[file.destination] ?? DeliveryLogSettings().maxAge { unlink(file.path) }
        }
    }
}
