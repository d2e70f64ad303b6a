import CMicroHTTPD
import Glibc
import Synchronization

/// What all connections share. libmicrohttpd holds an unowned pointer to it; `HTTPServer` keeps it alive until the
/// daemon is stopped.
final class ServerContext: Sendable {
    let bodyLimit: Int
    let handler: @Sendable (ServerRequest) -> ServerReply
    /// The first thing libmicrohttpd complained of: read when it refuses to start.
    private let firstComplaint = Mutex<String?>(nil)

    /// Half of it is libmicrohttpd's reading buffer, so this decides how many calls a large body takes; header lines
    /// have to fit as well.
    static let memoryPerConnection = 128 << 10

    init(bodyLimit: Int, handler: @escaping @Sendable (ServerRequest) -> ServerReply) {
        self.bodyLimit = bodyLimit
        self.handler = handler
    }

    var complaint: String? { firstComplaint.withLock { $0 } }

    func note(complaint: String) {
        firstComplaint.withLock { first in
            if first == nil { first = complaint }
        }
    }
}

// The functions below are called by libmicrohttpd, each connection's on its own thread. The first three get a
// ServerContext as their first argument; what `beginRequest` returns comes back behind `request` until `endRequest`
// takes it back.

func beginRequest(
    context: UnsafeMutableRawPointer?, uri: UnsafePointer<CChar>?, connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    let request = RequestInProgress(target: uri.map { String(cString: $0) } ?? "")
    return Unmanaged.passRetained(request).toOpaque()
}

func handleRequest(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?, url: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?, upload: UnsafePointer<CChar>?,
    uploadSize: UnsafeMutablePointer<Int>?, request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let method, let uploadSize, let request = request?.pointee else { return .NO }
    let chunk = UnsafeRawBufferPointer(start: upload, count: uploadSize.pointee)
    uploadSize.pointee = 0
    return Unmanaged<RequestInProgress>.fromOpaque(request).takeUnretainedValue().advance(
        connection, method: method, chunk: chunk,
        context: Unmanaged<ServerContext>.fromOpaque(context).takeUnretainedValue())
}

func endRequest(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, reason: MHD_RequestTerminationCode
) {
    guard let taken = request?.pointee else { return }
    request?.pointee = nil
    Unmanaged<RequestInProgress>.fromOpaque(taken).release()
}

func logOfLibrary(
    context: UnsafeMutableRawPointer?, format: UnsafePointer<CChar>?, arguments: CVaListPointer?
) {
    guard let context, let format, let arguments else { return }
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
        guard let start = text.baseAddress, vsnprintf(start, text.count, format, arguments) > 0 else { return }
        var line = String(cString: start)
        while line.last?.isWhitespace == true { line.removeLast() }
        Unmanaged<ServerContext>.fromOpaque(context).takeUnretainedValue().note(complaint: line)
    }
}
