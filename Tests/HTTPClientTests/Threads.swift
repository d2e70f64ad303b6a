import Glibc

/// Runs `body` on a thread of its own: what blocks must not do so on the pool that all tests share.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        pthread_detach(startThread { continuation.resume(with: Result { try body() }) })
    }
}

/// To be joined or detached by the caller.
func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { context in
            context.map { Unmanaged<Box>.fromOpaque($0).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    precondition(code == 0, "no thread: \(code)")
    return thread
}

/// Waits until `condition` holds, at most ten seconds. Only on a thread of one's own.
func waitUntil(_ condition: () -> Bool) -> Bool {
    for _ in 0..<5000 {
        if condition() { return true }
        usleep(2000)
    }
    return condition()
}

/// How many TCP sockets this process has open. Other descriptors come and go with the runtime.
func openSockets() -> Int {
    (0..<Int32(1024)).count { descriptor in
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutableBytes(of: &address) {
            getsockname(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        return code == 0 && [AF_INET, AF_INET6].contains(Int32(address.ss_family))
    }
}
