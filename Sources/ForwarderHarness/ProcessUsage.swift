import Forwarder
import Glibc

/// What a process uses, and has used so far, from /proc. Zeros for one that is gone.
public struct ProcessUsage: Sendable {
    public var userSeconds = 0.0
    public var systemSeconds = 0.0
    public var residentKilobytes = 0
    public var peakKilobytes = 0
    public var descriptors = 0

    public init(_ id: pid_t) {
        readTimes("/proc/\(id)/stat")
        readMemory("/proc/\(id)/status")
        descriptors = DaemonDirectory.entries("/proc/\(id)/fd")?.count ?? 0
    }

    /// The CPU time of all its threads that live, in nanoseconds; the times in `stat` are told in hundredths of a second.
    public static func cpuNanoseconds(_ id: pid_t) -> Int64 {
        var sum: Int64 = 0
        for thread in DaemonDirectory.entries("/proc/\(id)/task") ?? [] {
            sum += text("\(thread)/schedstat").split(separator: " ").first.flatMap { Int64($0) } ?? 0
        }
        return sum
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

    private static func text(_ path: String) -> String {
        String(decoding: (try? SmallFile.read(path, limit: 1 << 16)) ?? [], as: UTF8.self)
    }
}
