import ForwarderCore
import Glibc

/// The files of the delivery log: for each destination some that are only appended to, numbered in their order. The newest
/// is being written, the oldest is deleted when its time or its room is over.
enum DeliveryLogFiles {
    struct Segment {
        var destination: String
        var number: Int
        var path: String
        var bytes: Int64
        /// When the last line was written.
        var changedAt: Timestamp
    }

    static func directory(of stateDirectory: String) -> String { "\(stateDirectory)/deliveries" }

    static func path(_ destination: String, _ number: Int, in directory: String) -> String {
        let digits = String(number)
        return "\(directory)/\(destination).\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).ndjson"
    }

    /// Oldest first, destination by destination. None if there is no directory.
    static func segments(in directory: String) -> [Segment] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var segments: [Segment] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2] == "ndjson", let number = Int(parts[1]) else { continue }
            var status = stat()
            guard stat("\(directory)/\(name)", &status) == 0 else { continue }
            segments.append(
                Segment(
                    destination: String(parts[0]), number: number, path: "\(directory)/\(name)",
                    bytes: Int64(status.st_size), changedAt: Timestamp(seconds: Int64(status.st_mtim.tv_sec))))
        }
        return segments.sorted { ($0.destination, $0.number) < ($1.destination, $1.number) }
    }
}
