import Forwarder
import ForwarderHarness
import Glibc

/// The daemon that was built with these tests: it stands beside the program that runs them.
let daemonBinary: String = {
    var path = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &path, path.count - 1)
    let own = path.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
    var directory = String(decoding: own, as: UTF8.self)
    while let slash = directory.lastIndex(of: "/") {
        directory = String(directory[..<slash])
        let candidate = "\(directory)/conversion-forwarder"
        if access(candidate, X_OK) == 0 { return candidate }
    }
    preconditionFailure("conversion-forwarder is not beside the tests; `swift build --build-tests` makes both")
}()

/// Runs what blocks on a thread of its own: Swift Testing's tests share a pool with as many threads as cores.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        _ = Thread(name: "test") { continuation.resume(with: Result { try body() }) }
    }
}
