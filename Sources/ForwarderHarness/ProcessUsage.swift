import Forwarder
import Glibc

/// What a process uses, and has used so far, from /proc. Zeros for one that is gone.
public struct ProcessUsage: Sendable {
    public var userSeconds = 0.0
    public var systemSeconds = 0.0
    public var residentKilobytes = 0
    public var peakKilobytes = 0
    public var descriptors = 0
    /// What was handed to the disk, by the kernel's account.
    public var writtenBytes = 0

    public init(_ id: pid_t) {
        readTimes("/proc/\(id)/stat")
        readMemory("/proc/\(id)/status")
        countDescriptors("/proc/\(id)/fd")
        readWritten("/proc/\(id)/io")
    }

    private mutating func readTimes(_ path: String) {
        // Behind the name in brackets, which may hold anything.
        let text = ProcessUsage.text(path)
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13 else { return }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        userSeconds = (Double(fields[12]) ?? 0) / ticks
        systemSeconds = (Double(fields[13]) ?? 0) / ticks
    }

    private mutating func readMemory(_ path: String) {
        for line in ProcessUsage.text(path).split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count > 1, let kilobytes = Int(words[1]) else { continue }
            switch words[0] {
            case "VmRSS:": residentKilobytes = kilobytes
            case "VmHWM:": peakKilobytes = kilobytes
            default: continue
            }
        }
    }

    private mutating func countDescriptors(_ path: String) {
        guard let directory = opendir(path) else { return }
        defer { closedir(directory) }
        var entries = 0
        while readdir(directory) != nil { entries += 1 }
        // Without the directory itself and the one above it.
        descriptors = max(0, entries - 2)
    }

    private mutating func readWritten(_ path: String) {
        for line in ProcessUsage.text(path).split(separator: "\n") where line.hasPrefix("write_bytes:") {
            writtenBytes = Int(line.dropFirst(12).drop { $0 == " " }) ?? 0
        }
    }

    private static func text(_ path: String) -> String {
        String(decoding: (try? SmallFile.read(path, limit: 1 << 16)) ?? [], as: UTF8.self)
    }
}
