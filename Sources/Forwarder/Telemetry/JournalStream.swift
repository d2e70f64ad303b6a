import ForwarderCore
import Glibc

/// Whether what is written to a descriptor goes to systemd's journal, which reads a line's priority from a prefix `<6>`
/// (systemd.exec, $JOURNAL_STREAM; sd-daemon).
enum JournalStream {
    /// `variable` is device and inode of the journal's socket: what the daemon's parent has put in between (a pipe, a
    /// file) inherits the variable, but is not the journal.
    static func isAt(_ descriptor: Int32, variable: String?) -> Bool {
        guard let parts = variable?.split(separator: ":"), parts.count == 2, let device = UInt64(parts[0]),
            let inode = UInt64(parts[1])
        else { return false }
        var status = stat()
        return fstat(descriptor, &status) == 0 && UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }

    static func prefix(_ level: LogSettings.Level) -> StaticString {
        switch level {
        case .debug: "<7>"
        case .info: "<6>"
        case .warning: "<4>"
        case .error: "<3>"
        }
    }
}
