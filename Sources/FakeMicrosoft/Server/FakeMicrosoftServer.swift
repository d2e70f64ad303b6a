import ForwarderCore
import HTTPServer

/// The model behind a real port: the Conversions API, Campaign Management and the token endpoint on one address, and
/// `/_fake/…` for whoever holds the strings.
public final class FakeMicrosoftServer: Sendable {
    public enum Mode: Sendable {
        /// Every request is judged and entered into the books.
        case judging
        /// Events are counted and everything is accepted, as cheaply as can be, for measuring the sender. Token
        /// requests are still answered by the model.
        case sink(SinkSettings = SinkSettings())
    }

    private let desk: RequestDesk
    private let server: HTTPServer
    private let scheme: String
    private let host: String

    /// Listens from here on.
    /// - Parameters:
    ///   - seed: of everything that is left to chance: which requests a fault befalls, tokens, tracking ids.
    ///   - host: where to listen; loopback only, unless somebody has a reason.
    ///   - port: 0 for any free one.
    ///   - tls: nil for plain HTTP.
    public init(
        _ settings: MicrosoftSettings, plan: FaultPlan = .none, seed: UInt64 = 1, mode: Mode = .judging,
        host: String = "127.0.0.1", port: UInt16 = 0, tls: TLSIdentity? = nil
    ) throws(HTTPServerError) {
        let desk = RequestDesk(model: MicrosoftModel(settings, plan: plan), seed: seed, mode: mode)
        server = try HTTPServer(
            host: host, port: port, tls: tls, bodyLimit: 32 << 20, connectionLimit: 256, idleTimeout: .seconds(120)
        ) { desk.answer($0) }
        self.desk = desk
        scheme = tls == nil ? "http" : "https"
        self.host = host
    }

    public var port: UInt16 { server.port }

    /// What to configure as `endpoint`.
    public var endpoint: String { "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// What to configure as `oauth.authority`.
    public var authority: String { endpoint + "/common" }

    /// Closes every connection; answers that were to come late come no more.
    public func stop() {
        desk.hurry()
        server.stop()
    }

    /// Looks at the model, or changes it, while no request does.
    public func withModel<Result: Sendable>(_ body: (inout MicrosoftModel) -> Result) -> Result {
        desk.withModel(body)
    }

    /// Everything in the books as one JSON object.
    public func report() -> [UInt8] {
        desk.report()
    }

    /// What the sink was sent.
    public var sinkCounts: SinkCounts { desk.sink?.counts ?? SinkCounts() }
}
