import ForwarderCore
import HTTPServer

/// The admin port: for probes and scrapers on this machine, nothing secret and nothing that changes anything.
struct AdminPort {
    let server: HTTPServer

    init(
        _ endpoint: AdminSettings.Endpoint, telemetry: Telemetry, readiness: Readiness, heartbeats: Heartbeats
    ) throws(HTTPServerError) {
        server = try HTTPServer(
            host: endpoint.host, port: endpoint.port, bodyLimit: 0, connectionLimit: 32, idleTimeout: .seconds(30)
        ) { request in
            guard request.method == "GET" || request.method == "HEAD" else {
                return AdminPort.text(405, "only GET\n", [("Allow", "GET, HEAD")])
            }
            switch request.path {
            case "/livez":
                let stalled = heartbeats.stalled(at: SystemClock.now.uptime).map(\.loop.name)
                return stalled.isEmpty
                    ? AdminPort.text(200, "ok\n")
                    : AdminPort.text(503, "stalled: \(stalled.joined(separator: ", "))\n")
            case "/readyz":
                let reasons = readiness.reasons
                return reasons.isEmpty
                    ? AdminPort.text(200, "ready\n") : AdminPort.text(503, reasons.joined(separator: "\n") + "\n")
            case "/metrics":
                guard let metrics = telemetry.metrics else { return AdminPort.text(503, "starting\n") }
                return AdminPort.text(200, metrics.exposition, type: "text/plain; version=0.0.4; charset=utf-8")
            case "/":
                return AdminPort.text(200, "conversion-forwarder: /livez /readyz /metrics\n")
            default:
                return AdminPort.text(404, "there are /livez /readyz /metrics\n")
            }
        }
    }

    private static func text(
        _ status: Int, _ text: String, _ headers: [(name: String, value: String)] = [],
        type: String = "text/plain; charset=utf-8"
    ) -> ServerReply {
        .answer(ServerAnswer(status: status, headers: [("Content-Type", type)] + headers, body: Array(text.utf8)))
    }
}
