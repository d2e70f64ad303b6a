import Glibc

/// Opens the socket instead of letting libmicrohttpd do it, which reports neither errno nor the port it got.
/// - Returns: the descriptor, owned by the caller, and the real port.
func listeningSocket(host: String, port: UInt16) throws(HTTPServerError) -> (descriptor: Int32, port: UInt16) {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &found)
    guard code == 0, let found else {
        throw .listen(host: host, port: port, reason: String(cString: gai_strerror(code)))
    }
    defer { freeaddrinfo(found) }

    // A name may stand for several addresses, not all of which this machine has to have.
    var reason = "no address"
    for address in sequence(first: found, next: { $0.pointee.ai_next }) {
        switch listen(on: address.pointee) {
        case .success(let socket): return socket
        case .failure(let failure): reason = failure.reason
        }
    }
    throw .listen(host: host, port: port, reason: reason)
}

private struct SystemFault: Error {
    var reason: String

    /// What errno says now.
    init() {
        reason = errno == EADDRINUSE ? "address in use" : String(cString: strerror(errno))
    }
}

private func listen(on address: addrinfo) -> Result<(descriptor: Int32, port: UInt16), SystemFault> {
    let kind = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(address.ai_family, kind, address.ai_protocol)
    guard descriptor >= 0 else { return .failure(SystemFault()) }

    // A restarted process must not wait for the old one's connections to leave TIME_WAIT.
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))

    var actual = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let isListening =
        bind(descriptor, address.ai_addr, address.ai_addrlen) == 0
        && Glibc.listen(descriptor, SOMAXCONN) == 0
        && withUnsafeMutableBytes(of: &actual) {
            getsockname(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length) == 0
        }
    guard isListening else {
        let fault = SystemFault()
        close(descriptor)
        return .failure(fault)
    }
    // The port stands at the same place in the addresses of both families.
    let port = withUnsafeBytes(of: &actual) {
        UInt16(bigEndian: $0.load(fromByteOffset: MemoryLayout<sa_family_t>.size, as: UInt16.self))
    }
    return .success((descriptor, port))
}

/// The numeric host of a socket address; empty if it has none.
func numericHost(_ address: UnsafePointer<sockaddr>?) -> String {
    guard let address else { return "" }
    let size =
        address.pointee.sa_family == sa_family_t(AF_INET6)
        ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { text in
        let code = getnameinfo(
            address, socklen_t(size), text.baseAddress, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        return code == 0 ? String(cString: text.baseAddress!) : ""
    }
}
