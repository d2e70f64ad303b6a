import ForwarderCore
import HTTPClient
import HTTPServer
import Synchronization
import Testing

/// One test at a time: they measure time, and two at once would be all that the pool can run.
@Suite(.serialized)
struct HTTP {}

extension HTTPClient.Options {
    static let forTests = HTTPClient.Options(userAgent: "tests/1", connectTimeout: .seconds(5))

    func with(_ change: (inout HTTPClient.Options) -> Void) -> HTTPClient.Options {
        var copy = self
        change(&copy)
        return copy
    }
}

extension HTTPRequest {
    static func get(_ url: String, timeout: Duration = .seconds(10)) -> HTTPRequest {
        HTTPRequest(method: .get, url: url, timeout: timeout)
    }

    static func post(_ url: String, _ body: [UInt8], timeout: Duration = .seconds(10)) -> HTTPRequest {
        HTTPRequest(method: .post, url: url, body: body, timeout: timeout)
    }
}

extension HTTPClient {
    /// Runs until nothing is in flight, half a minute at most.
    func finish() -> [Completion] {
        var finished: [Completion] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while inFlight > 0, ContinuousClock.now < deadline { finished += run(timeout: .seconds(1)) }
        return finished
    }

    /// Sends one request and waits for its end.
    func exchange(_ request: HTTPRequest) -> Completion? {
        start(request, id: RequestID(1))
        return finish().first
    }
}

/// Lends a client on a thread of its own.
func withClient<Value: Sendable>(
    _ options: HTTPClient.Options = .forTests, _ body: @escaping @Sendable (HTTPClient) throws -> Value
) async throws -> Value {
    try await onThread { try body(HTTPClient(options: options)) }
}

/// Sends one request with a client of its own.
func exchange(_ request: HTTPRequest, _ options: HTTPClient.Options = .forTests) async throws -> HTTPClient.Completion {
    try #require(await withClient(options) { $0.exchange(request) })
}

/// Lends a server on loopback.
func withServer<Value>(
    tls: TLSIdentity? = nil, bodyLimit: Int = 4 << 20, connectionLimit: Int = 64, idleTimeout: Duration = .seconds(20),
    handler: @escaping @Sendable (ServerRequest) -> ServerReply, _ body: (HTTPServer, String) async throws -> Value
) async throws -> Value {
    let server = try HTTPServer(
        host: "127.0.0.1", port: 0, tls: tls, bodyLimit: bodyLimit, connectionLimit: connectionLimit,
        idleTimeout: idleTimeout, handler: handler)
    let result: Value
    do {
        result = try await body(server, "\(tls == nil ? "http" : "https")://127.0.0.1:\(server.port)")
    } catch {
        try await onThread { server.stop() }
        throw error
    }
    try await onThread { server.stop() }
    return result
}

/// Lends a server that follows a script for every connection.
func withRawServer<Value>(
    backlog: Int32 = 64, script: RawServer.Script?, _ body: (RawServer, String) async throws -> Value
) async throws -> Value {
    let server = try RawServer(backlog: backlog, script)
    let result: Value
    do {
        result = try await body(server, "http://127.0.0.1:\(server.port)")
    } catch {
        try await onThread { server.stop() }
        throw error
    }
    try await onThread { server.stop() }
    return result
}

extension ServerReply {
    static func text(_ text: String) -> ServerReply { .answer(ServerAnswer(status: 200, body: Array(text.utf8))) }
}

/// What threads write down for the test to look at.
final class Notes<Note: Sendable>: Sendable {
    private let notes = Mutex<[Note]>([])

    var all: [Note] { notes.withLock { $0 } }
    func add(_ note: Note) { notes.withLock { $0.append(note) } }
}

/// The outcome is an answer of this status.
func expectAnswer(
    _ completion: HTTPClient.Completion, status: Int = 200, at location: SourceLocation = #_sourceLocation
) throws -> HTTPAnswer {
    guard case .answer(let answer) = completion.outcome else {
        Issue.record("\(completion)", sourceLocation: location)
        throw CancellationError()
    }
    #expect(answer.status == status, sourceLocation: location)
    return answer
}

func expectFault(
    _ fault: TransportFault, _ completion: HTTPClient.Completion, at location: SourceLocation = #_sourceLocation
) {
    #expect(completion.outcome == .noAnswer(fault), "\(completion)", sourceLocation: location)
    #expect(completion.faultDetail?.isEmpty == false, sourceLocation: location)
}
