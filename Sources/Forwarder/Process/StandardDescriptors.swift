import Glibc

enum StandardDescriptors {
    /// Whoever starts a process may have closed its standard input, output or error. The next file opened would take the
    /// number, and lines of the log would be written into it.
    static func reserve() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", O_RDWR)
        }
    }
}
