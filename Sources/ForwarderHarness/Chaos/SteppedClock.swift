import Glibc

/// The wall clock of the daemons, which can be set: a library that is loaded before all others adds what stands in a
/// file. The monotonic clocks, and with them every wait, are left alone.
struct SteppedClock {
    /// For the daemon's environment.
    let environment: [String]
    private let path: String

    init(library: String, file: String) throws(HarnessFailure) {
        path = file
        environment = ["LD_PRELOAD=\(library)", "CHAOS_CLOCK=\(file)"]
        try set(milliseconds: 0)
    }

    /// How far the clock is off from now on.
    func set(milliseconds: Int64) throws(HarnessFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        var offset = milliseconds
        guard descriptor >= 0, pwrite(descriptor, &offset, 8, 0) == 8 else {
            throw HarnessFailure("\(path) cannot be written to: \(String(cString: strerror(errno)))")
        }
    }
}
