import CMicroHTTPD
import Glibc

/// A request from its first line to its answer. libmicrohttpd hands it over in pieces: once when the headers are
/// complete, once for each run of body bytes, once at the end. Lives on its connection's thread.
final class RequestInProgress {
    private enum Stage {
        case headersPending
        case body
        /// Read and thrown away, because the other end would see a reset connection instead of the 413 if it were
        /// closed while bytes are on their way. The number is how many are left of that courtesy.
        case tooLarge(patience: Int)
        case answered
    }

    private let target: String
    private var stage = Stage.headersPending
    private var headers: [String: String] = [:]
    private var body: [UInt8] = []
    /// libmicrohttpd refuses most of what is not HTTP itself, but not a header name that is no token.
    private var isMalformed = false

    init(target: String) {
        self.target = target
    }

    /// - Returns: NO to close the connection.
    func advance(
        _ connection: OpaquePointer, method: UnsafePointer<CChar>, chunk: UnsafeRawBufferPointer,
        context: ServerContext
    ) -> MHD_Result {
        switch stage {
        case .headersPending:
            return begin(connection, limit: context.bodyLimit)
        case .body where !chunk.isEmpty:
            if chunk.count <= context.bodyLimit - body.count {
                body.append(contentsOf: chunk)
            } else {
                body = []
                stage = .tooLarge(patience: context.bodyLimit.courtesy)
            }
            return .YES
        case .body:
            stage = .answered
            return perform(context.handler(take(method: method, connection)), connection)
        case .tooLarge(let patience) where !chunk.isEmpty:
            stage = .tooLarge(patience: patience - chunk.count)
            return patience < chunk.count ? .NO : .YES
        case .tooLarge:
            stage = .answered
            return queue(.tooLarge, connection)
        case .answered:
            return .YES
        }
    }

    private func begin(_ connection: OpaquePointer, limit: Int) -> MHD_Result {
        MHD_get_connection_values_n(
            connection, .HEADER_KIND, noteHeader, Unmanaged.passUnretained(self).toOpaque())
        let length = headers["content-length"]
        let announced = length.map { Int($0) } ?? 0
        // Two lengths, or a length of what tells its own: whoever sits in between may have believed the other one.
        guard !isMalformed, let announced, length == nil || headers["transfer-encoding"] == nil else {
            stage = .answered
            return queue(.malformed, connection)
        }
        if announced <= limit {
            body.reserveCapacity(announced)
            stage = .body
        } else if announced - limit <= limit.courtesy, headers["expect"] == nil {
            stage = .tooLarge(patience: limit.courtesy)
        } else {
            stage = .answered
            return queue(.tooLarge, connection)
        }
        return .YES
    }

    fileprivate func note(header name: String, value: String) {
        let name = name.lowercased()
        if name.isEmpty || !name.utf8.allSatisfy(isTokenByte) { isMalformed = true }
        if let earlier = headers[name] {
            headers[name] = earlier + ", " + value
        } else {
            headers[name] = value
        }
    }

    private func take(method: UnsafePointer<CChar>, _ connection: OpaquePointer) -> ServerRequest {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let request = ServerRequest(
            method: String(cString: method), path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
            headers: headers, body: body, peerAddress: numericHost(forwarder_mhd_peer(connection)))
        body = []
        return request
    }

    private func perform(_ reply: ServerReply, _ connection: OpaquePointer) -> MHD_Result {
        switch reply {
        case .answer(let answer): queue(answer, connection)
        case .dropConnection: .NO
        case .truncated(let answer, let count): queue(answer, connection, cutAfter: count)
        }
    }
}

extension Int {
    /// How many bytes beyond a body limit of this many are read only to be able to say that they are too many.
    fileprivate var courtesy: Int { 4 * Swift.max(self, 64 << 10) }
}

/// Whether the byte may stand in the name of a header (RFC 9110, section 5.6.2).
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}

extension ServerAnswer {
    fileprivate static let malformed = ServerAnswer(status: 400, headers: [("Connection", "close")])
    fileprivate static let tooLarge = ServerAnswer(status: 413, headers: [("Connection", "close")])
}

private func noteHeader(
    request: UnsafeMutableRawPointer?, kind: MHD_ValueKind, name: UnsafePointer<CChar>?, nameSize: Int,
    value: UnsafePointer<CChar>?, valueSize: Int
) -> MHD_Result {
    guard let request, let name else { return .NO }
    Unmanaged<RequestInProgress>.fromOpaque(request).takeUnretainedValue().note(
        header: String(decoding: UnsafeRawBufferPointer(start: name, count: nameSize), as: UTF8.self),
        value: String(decoding: UnsafeRawBufferPointer(start: value, count: valueSize), as: UTF8.self))
    return .YES
}
