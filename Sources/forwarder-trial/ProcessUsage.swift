import Forwarder
import Glibc

/// What a process uses, and has used so far, from /proc. Zeros for one that is gone.
struct ProcessUsage {
    var userSeconds = 0.0
    var systemSeconds = 0.0
    var residentKilobytes = 0
    var peakKilobytes = 0
    var descriptors = 0

    init(_ id: pid_t) {
        readTimes("/proc/\(id)/stat")
        readMemory("/proc/\(id)/status")
        countDescriptors("/proc/\(id)/fd")
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

    private static func text(_ path: String) -> String {
        String(decoding: (try? SmallFile.read(path, limit: 1 << 16)) ?? [], as: UTF8.self)
    }
}
