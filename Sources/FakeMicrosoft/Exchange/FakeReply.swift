import ForwarderCore

/// What the model wants to come back, and how. A server enacts it; a simulator reads it.
public struct FakeReply: Sendable, Equatable {
    public enum Conduct: Sendable, Equatable {
        case whole
        /// The connection is closed without a byte of an answer.
        case dropped
        /// The connection is closed after so many bytes of the body, of which more were announced.
        case cut(after: Int)
    }

    public var status: Int
    public var headers: [String: String]
    public var body: [UInt8]
    /// How long to wait before answering.
    public var delay = Duration.zero
    public var conduct = Conduct.whole

    public init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    static func json(_ status: Int, _ body: [UInt8]) -> FakeReply {
        FakeReply(status: status, headers: ["Content-Type": "application/json; charset=utf-8"], body: body)
    }

    static func page(_ status: Int, _ title: String) -> FakeReply {
        let html = "<!DOCTYPE html><html><head><title>\(title)</title></head><body><h1>\(title)</h1></body></html>\r\n"
        return FakeReply(status: status, headers: ["Content-Type": "text/html"], body: Array(html.utf8))
    }

    /// What a client that waits longer than `delay` gets to see.
    public var outcome: HTTPOutcome {
        guard conduct == .whole else { return .noAnswer(.reset) }
        var names: [String: String] = [:]
        for (name, value) in headers { names[name.lowercased()] = value }
        return .answer(
            HTTPAnswer(
                status: status, headers: names, body: Array(body.prefix(HTTPAnswer.bodyLimit)),
                isTruncated: body.count > HTTPAnswer.bodyLimit))
    }

    /// How the exchange is counted.
    var label: String {
        switch conduct {
        case .whole: "\(status)"
        case .dropped: "dropped"
        case .cut: "truncated"
        }
    }
}
