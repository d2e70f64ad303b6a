import CSQLite
import DeliveryStore
import ForwarderCore
import Glibc
import Testing

/// A directory under /tmp that goes away with the value.
final class TemporaryDirectory: Sendable {
    let path: String

    /// - Parameter isInMemory: if there is a file system for that, so that nothing waits for a disk.
    init(isInMemory: Bool = false) {
        let parent = isInMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/delivery-store-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { preconditionFailure("cannot make a directory under \(parent)") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit {
        removeTree(path)
    }

    /// Where a store is made that nobody has opened yet.
    var store: String { path + "/state" }
    var database: String { store + "/store.sqlite" }
}

private func removeTree(_ path: String) {
    if unlink(path) == 0 { return }
    for name in (try? entries(path)) ?? [] { removeTree(path + "/" + name) }
    rmdir(path)
}

func readFile(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "rb"), "cannot open \(path)")
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return bytes
}

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let file = try #require(fopen(path, "wb"), "cannot create \(path)")
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}

func removeFile(_ path: String) throws {
    try #require(unlink(path) == 0, "cannot remove \(path)")
}

func mode(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
}

func entries(_ directory: String) throws -> [String] {
    let stream = try #require(opendir(directory))
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// What the disk would hold if the machine lost power now: a copy of the database and its log.
func copyAsAfterCrash(_ source: String, to target: String) throws {
    try #require(mkdir(target, 0o700) == 0)
    for name in ["store.sqlite", "store.sqlite-wal"] where mode(source + "/" + name) != nil {
        try writeFile(target + "/" + name, try readFile(source + "/" + name))
    }
    try writeFile(target + "/lock", [])
}

/// Glibc's module leaves this one out. It changes the user of file accesses for the calling thread alone.
@_silgen_name("setfsuid") private func setfsuid(_ user: uid_t) -> Int32

/// Makes this thread one for which permissions count, as they do not for root.
func giveUpRoot() {
    if geteuid() == 0 { _ = setfsuid(65534) }
}

/// Runs what blocks, or what changes its thread, on a thread of its own.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        let start = ThreadStart { continuation.resume(with: .init(catching: body)) }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<ThreadStart>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        precondition(code == 0, "cannot start a thread")
        pthread_detach(thread)
    }
}

private final class ThreadStart: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

/// A generator whose whole life follows from its seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
