import CCurl
import Glibc

/// The sockets on which answers were read to their end, so that it can be seen whether the server has said more since.
///
/// An answer that comes by itself would be taken for that to the next request on the connection, and every later one for
/// that to the request after. libcurl looks before it uses a connection again, but 7.88 does not mind (curl#10690). It
/// does not tell the socket of a request that is about to be sent, only the local port, and the socket of one that has
/// ended.
final class UsedConnections {
    private var sockets: [Int32: Int32] = [:]
    private let limit: Int

    /// - Parameter limit: connections that are kept open.
    init(limit: Int) {
        self.limit = limit
    }

    /// Notes the connection of a request that has ended.
    func note(_ transfer: Transfer) {
        guard let socket = transfer.activeSocket else { return }
        if sockets.count > 2 * limit { sockets = sockets.filter { isConnected($0.value, localPort: $0.key) } }
        sockets[Int32(transfer.info(CURLINFO_LOCAL_PORT))] = socket
    }

    /// Whether something waits to be read on a connection on which the server has nothing to say, be it its end.
    func hasServerSpoken(localPort: Int32) -> Bool {
        guard let socket = sockets[localPort], isConnected(socket, localPort: localPort) else { return false }
        var state = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, 0) > 0
    }

    /// Nobody tells when libcurl closes a socket, and its number may be something else by now.
    private func isConnected(_ socket: Int32, localPort: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            // The port stands at the same place in the addresses of both families.
            return getsockname(socket, start, &length) == 0
                && Int32(UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))) == localPort
        }
    }
}
