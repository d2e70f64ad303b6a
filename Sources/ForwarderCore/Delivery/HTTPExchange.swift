/// A request as the core wants it sent.
public struct HTTPRequest: Sendable, Equatable {
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        /// Sent without a body.
        case delete = "DELETE"
    }

    public struct Header: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var method: Method
    public var url: String
    public var headers: [Header]
    /// What the body is made of, one behind the other: a batch of a thousand events is not copied for what stands around it.
    public var bodyPieces: [[UInt8]]
    /// From the first byte sent to the last byte received, connecting included.
    public var timeout: Duration
    /// Whether a connection of an earlier request may be used. libcurl sends a request again by itself when a re-used
    /// connection turns out to be dead, so this is only for what may be repeated.
    public var mayReuseConnection: Bool
    /// Of a GET: how often in a row it may be sent on elsewhere (`Location`); with 0 a redirect is an answer like any other. From
    /// https it goes on to https only. The answer is the last one; what is not followed any more is one of 3xx.
    public var redirectLimit = 0
    /// How many bytes of the answer's body are read.
    public var answerLimit = HTTPAnswer.bodyLimit

    public init(
        method: Method, url: String, headers: [Header] = [], body: [UInt8] = [], timeout: Duration,
        mayReuseConnection: Bool = true
    ) {
        self.init(
            method: method, url: url, headers: headers, bodyPieces: [body], timeout: timeout,
            mayReuseConnection: mayReuseConnection)
    }

    public init(
        method: Method, url: String, headers: [Header], bodyPieces: [[UInt8]], timeout: Duration,
        mayReuseConnection: Bool = true
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.bodyPieces = bodyPieces
        self.timeout = timeout
        self.mayReuseConnection = mayReuseConnection
    }

    /// The whole body, as a copy.
    public var body: [UInt8] { Array(bodyPieces.joined()) }
}

/// What came back.
public enum HTTPOutcome: Sendable, Equatable {
    case answer(HTTPAnswer)
    /// No status line and whole body arrived; nobody knows whether the request was carried out.
    case noAnswer(TransportFault)
}

public struct HTTPAnswer: Sendable, Equatable {
    public var status: Int
    /// Names in lower case; of several with one name the last.
    public var headers: [String: String]
    /// At most as many bytes as the request's `answerLimit`.
    public var body: [UInt8]
    /// The body was longer than what is kept of it.
    public var isTruncated: Bool
    /// Where the request was sent on to before it was answered; nil if it was not.
    public var redirect: Redirect?

    public struct Redirect: Sendable, Equatable {
        /// How often.
        public var count: Int
        /// The host that gave the answer.
        public var host: String

        public init(count: Int, host: String) {
            self.count = count
            self.host = host
        }
    }

    /// How much of a response body is read unless more is asked for; Microsoft lists ten problems, or a thousand short
    /// ones.
    public static let bodyLimit = 64 << 10

    public init(status: Int, headers: [String: String] = [:], body: [UInt8] = [], isTruncated: Bool = false) {
        self.status = status
        self.headers = headers
        self.body = body
        self.isTruncated = isTruncated
    }
}

/// Why there is no answer. The raw value is the reason in logs, metrics and the retry queue.
public enum TransportFault: String, Sendable, CaseIterable {
    case nameResolution = "dns"
    case connect = "connect"
    case tls = "tls"
    case proxy = "proxy"
    /// The connection broke before the answer was whole.
    case reset = "reset"
    case timeout = "timeout"
    /// What came back is not HTTP.
    case protocolViolation = "protocol"
    /// This side could not carry out the request (memory, file descriptors).
    case local = "local"
}
