import CSQLite
import Glibc

/// A disk in memory that SQLite uses as it would the real one, through a VFS of its own. It knows what was synced, can
/// fail any one call, and can lose its power before any change.
///
/// It behaves as SQLite's own VFS for Unix does, as far as the store depends on it: the first sync of a log that
/// was opened makes all names durable too; a write does not touch bytes beside those it writes; a name that was deleted without a sync of
/// the directory may be there again after a power cut. Locks are granted: a disk serves one connection.
final class ModelDisk {
    enum Call: CaseIterable {
        case open, delete, access, read, write, truncate, sync, size, lock, sharedMap, sharedLock

        /// Before which a power cut makes a difference.
        var changes: Bool { [.delete, .write, .truncate, .sync].contains(self) }
    }

    /// One call that does not do what it was asked.
    struct Fault {
        var call: Call
        /// Which one, counted from 1.
        var number: Int
        var code: Int32
        var systemError: Int32 = EIO
        /// The first half is written all the same.
        var isShort = false
        /// Whether all later ones fail as well.
        var lasts = false
    }

    private(set) var files: [String: ModelFile] = [:]
    private var ghosts: [String: ModelFile] = [:]
    /// Files whose next sync includes that of the directory.
    private var syncsDirectory: Set<String> = []
    private(set) var calls: [Call: Int] = [:]
    private(set) var lastSystemError: Int32 = 0
    var fault: Fault?
    /// Whether the fault came about.
    private(set) var hasFailed = false
    /// Told before each change of what a power cut might leave.
    var beforeChange: (() -> Void)?
    private var vfs: ModelVFS?

    init(_ state: State = State()) {
        files = state.files
        ghosts = state.ghosts
        vfs = ModelVFS(self)
    }

    /// What `sqlite3_open_v2` must be told to use this disk.
    var name: String { vfs?.name ?? "" }

    /// The disk as it is; it stays so when only the process dies.
    struct State {
        fileprivate(set) var files: [String: ModelFile] = [:]
        /// Deleted, but not for certain.
        fileprivate var ghosts: [String: ModelFile] = [:]

        func bytes(of name: String) -> [UInt8] { files[name]?.bytes ?? [] }

        /// With another content of a file.
        func replacing(_ name: String, with bytes: [UInt8]) -> State {
            var copy = self
            copy.files[name] = ModelFile(bytes)
            return copy
        }

        func afterPowerCut(_ choice: PowerCut.Choice) -> State {
            var fate = PowerCut(choice)
            var left = State()
            for name in Set(files.keys).union(ghosts.keys).sorted() {
                if let file = files[name], file.isNameSynced || fate.keeps() {
                    left.files[name] = file.afterPowerCut(&fate)
                } else if let ghost = ghosts[name], !fate.keeps() {
                    left.files[name] = ghost.afterPowerCut(&fate)
                }
            }
            return left
        }
    }

    /// Costs nothing to keep: sectors are shared until they are written.
    var state: State { State(files: files, ghosts: ghosts) }

    // MARK: Calls

    /// - Returns: what is wrong with this call; nil if nothing is.
    private func begin(_ call: Call) -> Fault? {
        if call.changes { beforeChange?() }
        calls[call, default: 0] += 1
        guard let fault, fault.call == call else { return nil }
        let number = calls[call, default: 0]
        guard number == fault.number || number > fault.number && fault.lasts else { return nil }
        hasFailed = true
        lastSystemError = fault.systemError
        return fault
    }

    func check(_ call: Call) -> Int32 {
        begin(call)?.code ?? SQLITE_OK
    }

    func open(_ name: String, create: Bool, isDatabase: Bool) -> Int32 {
        if let fault = begin(.open) { return fault.code }
        if create { syncsDirectory.insert(name) }
        if files[name] != nil { return SQLITE_OK }
        // The store makes the database's file itself, and syncs its directory.
        guard create || isDatabase else {
            lastSystemError = ENOENT
            return SQLITE_CANTOPEN
        }
        files[name] = ModelFile()
        files[name]?.isNameSynced = isDatabase
        return SQLITE_OK
    }

    func delete(_ name: String, syncsDirectory: Bool) -> Int32 {
        if let fault = begin(.delete) { return fault.code }
        guard let file = files.removeValue(forKey: name) else { return SQLiteFault.deleteMissing }
        ghosts[name] = syncsDirectory || !file.isNameSynced ? nil : file
        return SQLITE_OK
    }

    func read(_ name: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int32 {
        if let fault = begin(.read) { return fault.code }
        let count = files[name]?.read(into: buffer, at: offset) ?? 0
        if count == buffer.count { return SQLITE_OK }
        memset(buffer.baseAddress! + count, 0, buffer.count - count)
        return SQLiteFault.shortRead
    }

    func write(_ name: String, _ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
        precondition(bytes.count < 1 << 17, "SQLite's own VFS cannot write so much at once")
        guard let fault = begin(.write) else {
            files[name]?.write(bytes, at: offset)
            return SQLITE_OK
        }
        if fault.isShort { files[name]?.write(.init(rebasing: bytes.prefix(bytes.count / 2)), at: offset) }
        return fault.code
    }

    func truncate(_ name: String, to size: Int) -> Int32 {
        if let fault = begin(.truncate) { return fault.code }
        files[name]?.truncate(to: size)
        return SQLITE_OK
    }

    func sync(_ name: String) -> Int32 {
        if let fault = begin(.sync) {
            files[name]?.failToSync()
            return fault.code
        }
        files[name]?.sync()
        if syncsDirectory.remove(name) != nil {
            for name in files.keys { files[name]?.isNameSynced = true }
            ghosts = [:]
        }
        return SQLITE_OK
    }

    func size(_ name: String) -> (code: Int32, size: Int) {
        (check(.size), files[name]?.size ?? 0)
    }
}

/// Extended result codes, which Swift cannot import.
enum SQLiteFault {
    static let read = SQLITE_IOERR | 1 << 8
    static let shortRead = SQLITE_IOERR | 2 << 8
    static let write = SQLITE_IOERR | 3 << 8
    static let sync = SQLITE_IOERR | 4 << 8
    static let truncate = SQLITE_IOERR | 6 << 8
    static let size = SQLITE_IOERR | 7 << 8
    static let delete = SQLITE_IOERR | 10 << 8
    static let access = SQLITE_IOERR | 13 << 8
    static let lock = SQLITE_IOERR | 15 << 8
    static let sharedSize = SQLITE_IOERR | 19 << 8
    static let sharedLock = SQLITE_IOERR | 20 << 8
    static let sharedMap = SQLITE_IOERR | 21 << 8
    static let deleteMissing = SQLITE_IOERR | 23 << 8
}
