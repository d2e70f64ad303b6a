import ForwarderCore
import Glibc
import HTTPServer
import Synchronization

@testable import Forwarder

/// The site without a socket, with answers that a test decides.
final class AdminScene: Sendable {
    static let token = "made-up-admin-token"
    /// Would run, close an attribute, or open an element, if anything let it.
    static let hostile = "</textarea><script>alert('1')</script>\" onload=x &\u{202E}\u{0}"

    let asked = Mutex<[ControlRequest]>([])
    private let answers: @Sendable (ControlRequest) -> String
    private let metrics: Metrics?
    private let reasons: [String]
    private let file: String?
    let time = Mutex(Moment(wall: Timestamp(seconds: 1_790_000_100), uptime: Uptime(milliseconds: 1000)))
    let history = ThroughputHistory()
    let settings: AdminSettings
    private let configuration: Configuration

    init(
        token: String? = nil, isEncrypted: Bool = false, hosts: [String] = [], metrics: Metrics? = AdminScene.metrics(),
        reasons: [String] = [], answers: @escaping @Sendable (ControlRequest) -> String = { _ in "{}" }
    ) {
        self.metrics = metrics
        self.reasons = reasons
        self.answers = answers
        var settings = AdminSettings()
        settings.hosts = hosts
        if isEncrypted { settings.tls = .init(certificate: "/c", key: "/k") }
        if let token {
            var template = Array("/tmp/admin-token-XXXXXX".utf8CString)
            close(mkstemp(&template))
            let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            try? SmallFile.replace(path, with: Array(token.utf8))
            file = path
            settings.token = .file(path)
        } else {
            file = nil
        }
        self.settings = settings
        let kind = DestinationSettings.Kind.capi(CAPISettings(uetTagID: "1", token: .environment("T")))
        configuration = Configuration(
            kafka: KafkaSettings(brokers: ["b:1"], topics: ["t"]),
            destinations: [DestinationSettings(name: "capi", kind: kind)])
    }

    deinit {
        if let file { unlink(file) }
    }

    func replaceToken(_ token: String) {
        if let file { try? SmallFile.replace(file, with: Array(token.utf8)) }
    }

    var site: AdminSite {
        AdminSite(
            settings,
            AdminSources(
                metrics: { self.metrics }, reasons: { self.reasons }, stalled: { [] },
                configuration: { self.configuration },
                ask: { request in
                    self.asked.withLock { $0.append(request) }
                    return Array(self.answers(request).utf8)
                }, history: history, now: { self.time.withLock { $0 } }))
    }

    static func metrics(gate: DestinationState = .running, name: String = "capi", topic: String = "t") -> Metrics {
        let settings = DestinationSettings(
            name: name, kind: .capi(CAPISettings(uetTagID: "1", token: .environment("T"))))
        let now = Moment(wall: Timestamp(seconds: 0), uptime: Uptime(milliseconds: 0))
        let lane = DestinationLane(
            id: DestinationID(1), settings: settings, rows: RowIDs(after: .none), depth: QueueDepth(), heldGoals: [],
            state: gate, now: now, seed: 1
        ).snapshot(now: now)
        var kafka = Metrics.Kafka()
        kafka.partitions = [.init(topic: topic, partition: 0, position: 1, committed: 1, lag: 1234)]
        return Metrics(
            uptime: .seconds(3661),
            destinations: [
                .init(
                    type: "capi", intake: IntakeBooks(), gathering: 0, lane: lane, requestTime: Histogram(),
                    oldestPendingSeconds: nil)
            ], kafka: kafka, store: Metrics.Store(), logLinesDropped: 0)
    }
}

extension AdminSite {
    func get(_ target: String, _ headers: [String: String] = [:]) -> ServerAnswer {
        ask("GET", target, headers, "")
    }

    func post(_ target: String, _ body: String, _ headers: [String: String] = [:]) -> ServerAnswer {
        let type = ["content-type": "application/x-www-form-urlencoded"]
        return ask("POST", target, type.merging(headers) { $1 }, body)
    }

    func ask(_ method: String, _ target: String, _ headers: [String: String], _ body: String) -> ServerAnswer {
        let parts = target.split(separator: "?", maxSplits: 1)
        return answer(
            ServerRequest(
                method: method, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
                headers: ["host": "127.0.0.1:9464"].merging(headers) { $1 }, body: Array(body.utf8)))
    }

    /// The headers of a browser that has logged in.
    func logIn() -> [String: String] {
        let cookie = post("/login", "token=\(AdminScene.token)")["set-cookie"] ?? ""
        return ["cookie": String(cookie.prefix { $0 != ";" })]
    }
}

extension ServerAnswer {
    var text: String { String(decoding: body, as: UTF8.self) }

    subscript(name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }

    /// What a form on this page would send along.
    var formKey: String {
        let mark = "name=\"form_key\" value=\""
        guard let start = text.firstRange(of: mark) else { return "" }
        return String(text[start.upperBound...].prefix { $0 != "\"" })
    }
}
