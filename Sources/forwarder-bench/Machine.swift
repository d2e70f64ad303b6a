import Glibc

/// What the numbers were measured on.
enum Machine {
    static var summary: String {
        var system = utsname()
        uname(&system)
        let kernel = withUnsafeBytes(of: &system.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return "\(processor), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors, Linux \(kernel), \(build)"
    }

    private static var build: String {
        #if DEBUG
            "DEBUG BUILD: these numbers say nothing"
        #else
            "release build"
        #endif
    }

    /// A program that was built with this one.
    static func besides(_ name: String) -> String {
        (ownPath.lastIndex(of: "/").map { String(ownPath[...$0]) } ?? "") + name
    }

    static let ownPath: String = {
        var path = [CChar](repeating: 0, count: 4096)
        let length = max(0, readlink("/proc/self/exe", &path, path.count - 1))
        return String(decoding: path.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    private static var processor: String {
        for line in text("/proc/cpuinfo").split(separator: "\n") where line.hasPrefix("model name") {
            if let colon = line.firstIndex(of: ":") { return String(line[colon...].dropFirst(2)) }
        }
        return "unknown processor"
    }

    private static func text(_ path: String) -> String {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &block, block.count)
            guard count > 0 else { break }
            bytes += block[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Says what is wrong with the command line and ends.
func refuse(_ problem: String) -> Never {
    let text = Array("forwarder-bench: \(problem)\n\n\(Main.usage)".utf8)
    _ = write(STDERR_FILENO, text, text.count)
    exit(2)
}
