import ForwarderCore

extension HTTPClient {
    /// What holds for every request of a client.
    public struct Options: Sendable {
        /// The `User-Agent` header.
        public var userAgent: String
        /// URL of the forward proxy that everything goes through. The proxy variables of the environment do not count.
        public var proxy: String?
        /// PEM file of the certificate authorities to trust, in place of the system's. Read with the first connection and
        /// remembered for a day.
        public var caFile: String?
        /// For name, connection, proxy and TLS together; a request's own timeout may be shorter.
        public var connectTimeout: Duration
        /// A request that moves less than a byte a second for so long is given up, however long its own timeout is.
        /// Waiting for the answer counts.
        public var stallTimeout: Duration
        /// Connections kept open, those in use included: beyond it, whatever becomes idle is closed. How many are in use
        /// is up to whoever starts requests. (libcurl could make requests wait for a free connection, but 7.88.1 does
        /// not see to their timeouts meanwhile.)
        public var connectionLimit: Int
        /// A connection unused for longer is not used again: load balancers drop idle ones without a word, the
        /// hastier ones after a minute.
        public var idleConnectionAgeLimit: Duration

        public init(
            userAgent: String, proxy: String? = nil, caFile: String? = nil, connectTimeout: Duration = .seconds(10),
            stallTimeout: Duration = .seconds(60), connectionLimit: Int = 128,
            idleConnectionAgeLimit: Duration = .seconds(50)
        ) {
            self.userAgent = userAgent
            self.proxy = proxy
            self.caFile = caFile
            self.connectTimeout = connectTimeout
            self.stallTimeout = stallTimeout
            self.connectionLimit = connectionLimit
            self.idleConnectionAgeLimit = idleConnectionAgeLimit
        }
    }

    /// How a request ended.
    public struct Completion: Sendable {
        public var id: RequestID
        public var outcome: HTTPOutcome
        /// Why there is no answer, in words for a person. Names hosts, but no URL, header or body.
        public var faultDetail: String?
        /// From `start` to the end.
        public var elapsed: Duration
        /// Until the connection stood, TLS included; nil if an open one was used, or none came about.
        public var connectTime: Duration?
        /// libcurl sent the request again, because a connection used before turned out to be dead before any answer:
        /// the other end may have got it twice.
        public var wasResent: Bool
        /// Headers and body, of all sendings; TLS and proxy tunnels not counted.
        public var bytesSent: Int
        /// Headers and body.
        public var bytesReceived: Int
    }
}

/// Why there is no client.
public enum HTTPClientError: Error, CustomStringConvertible {
    case caFile(path: String, reason: String)
    case proxy(reason: String)
    case library(reason: String)

    public var description: String {
        switch self {
        case .caFile(let path, let reason):
            "cannot read the certificate authorities in \(path): \(reason); name a readable PEM file"
        case .proxy(let reason): "the proxy is not usable: \(reason); write it as http://host:port"
        case .library(let reason): "libcurl does not start: \(reason)"
        }
    }
}
