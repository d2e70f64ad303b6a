import CSQLite
import Glibc
import Synchronization

/// The door through which SQLite comes to a `ModelDisk`: registered under a name of its own while the disk lives.
final class ModelVFS {
    let name: String
    private let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    private static let made = Atomic<Int>(0)

    /// - Parameter disk: must outlive it; it owns it.
    init(_ disk: ModelDisk) {
        name = "model-\(Self.made.add(1, ordering: .relaxed).newValue)"
        var new = sqlite3_vfs()
        new.iVersion = 1
        new.szOsFile = Int32(MemoryLayout<OpenFile>.stride)
        new.mxPathname = 512
        new.zName = UnsafePointer(strdup(name))
        new.pAppData = Unmanaged.passUnretained(disk).toOpaque()
        new.xOpen = openFile
        new.xDelete = { vfs, name, sync in
            owner(of: vfs).delete(fileName(name), syncsDirectory: sync != 0)
        }
        new.xAccess = { vfs, name, _, result in
            let disk = owner(of: vfs)
            // As SQLite's own: an empty journal or log counts as none.
            result!.pointee = disk.files[fileName(name)].map { $0.size > 0 } ?? false ? 1 : 0
            return disk.check(.access)
        }
        new.xFullPathname = { _, name, size, result in
            let length = strlen(name!)
            guard length < Int(size) else { return SQLITE_CANTOPEN }
            result!.update(from: name!, count: length + 1)
            return SQLITE_OK
        }
        new.xRandomness = { _, count, bytes in
            // Always the same: a test that is run again sees the same salts.
            memset(bytes!, 7, Int(count))
            return count
        }
        new.xSleep = { _, microseconds in microseconds }
        new.xCurrentTime = { _, days in
            days!.pointee = 2_461_000
            return SQLITE_OK
        }
        new.xGetLastError = { vfs, _, _ in owner(of: vfs).lastSystemError }
        vfs.initialize(to: new)
        precondition(sqlite3_vfs_register(vfs, 0) == SQLITE_OK, "a VFS of a new name is registered")
    }

    deinit {
        sqlite3_vfs_unregister(vfs)
        free(UnsafeMutablePointer(mutating: vfs.pointee.zName))
        vfs.deallocate()
    }
}

/// What SQLite keeps for an open file; it allocates the memory.
private struct OpenFile {
    var base: sqlite3_file
    var handle: Unmanaged<Handle>
}

private final class Handle {
    let disk: ModelDisk
    let name: String
    /// The index of a log, which lives as long as the connection.
    var shared: [UnsafeMutableRawPointer] = []

    init(_ disk: ModelDisk, _ name: String) {
        self.disk = disk
        self.name = name
    }

    deinit {
        for region in shared { region.deallocate() }
    }
}

private func owner(of vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> ModelDisk {
    Unmanaged<ModelDisk>.fromOpaque(vfs!.pointee.pAppData).takeUnretainedValue()
}

/// A disk has one directory only.
private func fileName(_ path: UnsafePointer<CChar>?) -> String {
    guard let path else { return "temporary" }
    guard let slash = strrchr(path, Int32(UInt8(ascii: "/"))) else { return String(cString: path) }
    return String(cString: slash + 1)
}

private func handle(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Handle {
    UnsafeMutableRawPointer(file!).assumingMemoryBound(to: OpenFile.self).pointee.handle.takeUnretainedValue()
}

private func openFile(
    _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?,
    _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
) -> Int32 {
    let disk = owner(of: vfs)
    // Without methods SQLite does not close it.
    file!.pointee.pMethods = nil
    let path = fileName(name)
    let code = disk.open(
        path, create: flags & SQLITE_OPEN_CREATE != 0, isDatabase: flags & SQLITE_OPEN_MAIN_DB != 0)
    guard code == SQLITE_OK else { return code }
    let opened = OpenFile(
        base: sqlite3_file(pMethods: UnsafePointer(methods)), handle: .passRetained(Handle(disk, path)))
    UnsafeMutableRawPointer(file!).initializeMemory(as: OpenFile.self, to: opened)
    outFlags?.pointee = flags
    return SQLITE_OK
}

/// Never changed after it was made.
nonisolated(unsafe) private let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
    var new = sqlite3_io_methods()
    new.iVersion = 2
    new.xClose = { file in
        UnsafeMutableRawPointer(file!).assumingMemoryBound(to: OpenFile.self).pointee.handle.release()
        return SQLITE_OK
    }
    new.xRead = { file, buffer, count, offset in
        let handle = handle(file)
        let into = UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))
        return handle.disk.read(handle.name, into: into, at: Int(offset))
    }
    new.xWrite = { file, bytes, count, offset in
        let handle = handle(file)
        return handle.disk.write(
            handle.name, UnsafeRawBufferPointer(start: bytes, count: Int(count)), at: Int(offset))
    }
    new.xTruncate = { file, size in
        let handle = handle(file)
        return handle.disk.truncate(handle.name, to: Int(size))
    }
    new.xSync = { file, _ in
        let handle = handle(file)
        return handle.disk.sync(handle.name)
    }
    new.xFileSize = { file, size in
        let handle = handle(file)
        let result = handle.disk.size(handle.name)
        size!.pointee = Int64(result.size)
        return result.code
    }
    new.xLock = { file, _ in handle(file).disk.check(.lock) }
    new.xUnlock = { _, _ in SQLITE_OK }
    new.xCheckReservedLock = { _, result in
        result!.pointee = 0
        return SQLITE_OK
    }
    new.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
    new.xSectorSize = { _ in Int32(ModelFile.sectorSize) }
    new.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
    new.xShmMap = { file, region, size, extend, result in
        let handle = handle(file)
        result!.pointee = nil
        let code = handle.disk.check(.sharedMap)
        if code != SQLITE_OK { return code }
        while extend != 0, handle.shared.count <= Int(region) {
            let new = UnsafeMutableRawPointer.allocate(byteCount: Int(size), alignment: 16)
            memset(new, 0, Int(size))
            handle.shared.append(new)
        }
        if Int(region) < handle.shared.count { result!.pointee = handle.shared[Int(region)] }
        return SQLITE_OK
    }
    new.xShmLock = { file, _, _, flags in
        // Giving back cannot fail.
        flags & SQLITE_SHM_LOCK != 0 ? handle(file).disk.check(.sharedLock) : SQLITE_OK
    }
    new.xShmBarrier = { _ in }
    new.xShmUnmap = { file, _ in
        let handle = handle(file)
        for region in handle.shared { region.deallocate() }
        handle.shared = []
        return SQLITE_OK
    }
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    methods.initialize(to: new)
    return methods
}()
