import Glibc

/// Why the store could not do what it was asked. Nothing of it was done, unless it is said otherwise at the operation.
public struct StoreError: Error, Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Another process has the directory; its id, if it could be told.
        case locked(processID: Int32?)
        /// There is no store (only when nothing may be created), or no directory to make one in.
        case missing
        /// The file is not SQLite's, or another program's.
        case notADatabase
        /// SQLite found the file damaged where no single row can be put aside.
        case corrupt
        /// The file is missing or empty, but its write-ahead log is there and holds something.
        case loneLog
        /// A later release has changed the tables in a way that this one does not know.
        case newerSchema(found: Int, known: Int)
        /// An earlier release wrote the file, and it may not be brought up to date when it is only read.
        case olderSchema(found: Int, known: Int)
        /// The file or directory may not be read or written by this user, or the file system is read-only.
        case permission
        case diskFull
        case ioError
        /// A sync failed: what it should have made durable may be on the disk or not, and a later sync that succeeds
        /// says nothing about it. The store does nothing more; opening it again finds what is there.
        case stateUnknown
        /// Another program kept the database locked for longer than a write waits.
        case busy
        /// A defect of this program.
        case fault
    }

    public var kind: Kind
    /// The file or directory it happened to.
    public var path: String
    /// SQLite's extended result code; 0 if it was not SQLite that failed.
    public var code: Int32
    /// The `errno` behind it; 0 if there is none.
    public var systemError: Int32
    /// The words of SQLite or of the system. They never hold a stored value.
    public var text: String

    init(_ kind: Kind, path: String, code: Int32 = 0, systemError: Int32 = 0, text: String = "") {
        self.kind = kind
        self.path = path
        self.code = code
        self.systemError = systemError
        self.text = text
    }

    init(_ error: SQLiteError, path: String) {
        self.init(
            Kind(error.code, systemError: error.systemError), path: path, code: error.code.rawValue,
            systemError: error.systemError, text: error.text)
    }

    /// The failure of a system call on `path`.
    init(systemError: Int32, path: String) {
        self.init(
            Kind(systemError: systemError), path: path, systemError: systemError,
            text: String(cString: strerror(systemError)))
    }
}

extension StoreError.Kind {
    init(_ code: SQLiteCode, systemError: Int32) {
        switch code {
        // Whatever the reason, a full disk included.
        case .sync, .directorySync:
            self = .stateUnknown
            return
        default: break
        }
        switch code.primary {
        case .full: self = .diskFull
        case .busy, .locked: self = .busy
        case .corrupt: self = .corrupt
        case .notADatabase: self = .notADatabase
        case .permission, .readOnly: self = .permission
        case .ioError, .cannotOpen: self = Self(systemError: systemError)
        default: self = .fault
        }
    }

    init(systemError: Int32) {
        switch systemError {
        case EACCES, EPERM, EROFS: self = .permission
        case ENOSPC, EDQUOT: self = .diskFull
        case ENOENT: self = .missing
        default: self = .ioError
        }
    }
}

extension StoreError: CustomStringConvertible {
    /// What, where, and what to do.
    public var description: String {
        "\(path): \(problem)\(source). \(advice)"
    }

    private var problem: String {
        switch kind {
        case .locked(let processID?): "in use by process \(processID)"
        case .locked(nil): "in use by another process"
        case .missing: "not there"
        case .notADatabase: "not a database of this program"
        case .corrupt: "damaged"
        case .loneLog: "missing or empty, though its log with the ending -wal holds something"
        case .newerSchema(let found, let known): "has schema version \(found), this release knows up to \(known)"
        case .olderSchema(let found, let known): "has schema version \(found), this release reads \(known)"
        case .permission: "access refused"
        case .diskFull: "the disk is full"
        case .ioError: "reading or writing failed"
        case .stateUnknown: "the disk did not confirm what was written"
        case .busy: "kept locked by another program"
        case .fault: "an operation that must not fail did"
        }
    }

    private var source: String {
        var parts: [String] = []
        if !text.isEmpty { parts.append(text) }
        if code != 0 { parts.append("SQLite code \(code)") }
        if systemError != 0 { parts.append("errno \(systemError)") }
        return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
    }

    private var advice: String {
        switch kind {
        case .locked: "Stop that process, or ask the running daemon instead."
        case .missing: "Check the configured state directory; its parent must exist."
        case .notADatabase: "Check the configured state directory; move the file away if it does not belong there."
        case .corrupt:
            "Stop the daemon, copy the directory, repair the copy with `sqlite3 FILE .recover`, or start anew."
        case .loneLog: "Put the file back beside its log; to start anew, move the log away."
        case .newerSchema: "Run the release that wrote it, or a later one."
        case .olderSchema: "Start the daemon of this release once; it brings the file up to date."
        case .permission: "Run as the owner of the directory and see that its file system is writable."
        case .diskFull: "Free space on its file system; nothing was changed and the work can be repeated."
        case .ioError: "Check the disk and the kernel's log; nothing was changed."
        case .stateUnknown: "Check the disk and the kernel's log, then start the daemon: it reads what is there."
        case .busy: "Close other programs that have the file open, such as a sqlite3 shell."
        case .fault: "Report this as a defect, with the line above."
        }
    }
}
