/// A whole request, as a handler sees it.
public struct ServerRequest: Sendable {
    public var method: String
    /// What precedes the first `?` of the request target, percent escapes left as they came.
    public var path: String
    /// What follows that `?`, as it came; empty if there is none.
    public var query: String
    /// Names in lower case. Values of a repeated name are joined by `, `.
    public var headers: [String: String]
    public var body: [UInt8]
    /// The numeric address of the other end, without its port; empty if unknown.
    public var peerAddress: String

    public init(
        method: String, path: String, query: String = "", headers: [String: String] = [:], body: [UInt8] = [],
        peerAddress: String = ""
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.peerAddress = peerAddress
    }
}

/// What a handler answers.
public struct ServerAnswer: Sendable {
    /// 200...999: interim answers are the server's own affair.
    public var status: Int
    /// `Content-Length` and `Date` are added by the server. A name or value with a control character is a programmer's
    /// error.
    public var headers: [(name: String, value: String)]
    /// Left out, but its length announced, where the request was a HEAD.
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What becomes of a request. All but the first are faults on purpose, for tests of the other end.
public enum ServerReply: Sendable {
    case answer(ServerAnswer)
    /// The connection is closed without an answer.
    case dropConnection
    /// The whole body is announced, `afterBytes` of it are sent, then the connection is closed.
    case truncated(ServerAnswer, afterBytes: Int)
}

/// What the server proves its name with.
public struct TLSIdentity: Sendable {
    /// PEM text, the server's certificate first, then those that lead to the root.
    public var certificateChain: String
    /// PEM text, not encrypted.
    public var privateKey: String

    public init(certificateChain: String, privateKey: String) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }
}

/// Why a server could not be started.
public enum HTTPServerError: Error, CustomStringConvertible {
    /// The address could not be listened on.
    case listen(host: String, port: UInt16, reason: String)
    /// The address is free, but the certificate, the key or a thread was refused.
    case start(host: String, port: UInt16, reason: String)

    public var description: String {
        switch self {
        case .listen(let host, let port, let reason): "cannot listen on \(host) port \(port): \(reason)"
        case .start(let host, let port, let reason): "cannot serve HTTP on \(host) port \(port): \(reason)"
        }
    }
}
