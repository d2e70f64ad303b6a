import FakeMicrosoft
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// The pages in a real browser: `make admin-check`, which names what it needs.
struct AdminBrowserTests {
    private static let script = getenv("ADMIN_BROWSER").map { String(cString: $0) }

    @Test(.enabled(if: script != nil), .timeLimit(.minutes(15)))
    func `a browser finds nothing wrong with the pages`() async throws {
        try await onThread {
            let stage = try Stage()
            try AdminTests.configure(stage)
            // Everything there is to see: dead letters, a queue that waits, a gate that is parked.
            stage.follow(
                FaultPlan([.init(.refuse(share: 0.2), targets: .capi), .init(.status(403), targets: .offline)]))
            let daemon = try stage.start()
            try stage.publish(Shop.ids("seen", 0..<60).map { Shop.purchase($0) } + ["nonsense", "{}"])
            try eventually("something to see") {
                stage.number("capi", "dead_lettered") >= 2 && stage.destination("offline")?["gate"]?.string == "parked"
            }
            try AdminBrowserTests.look(stage, token: AdminTests.token)
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.enabled(if: script != nil), .timeLimit(.minutes(15)))
    func `nor without a token`() async throws {
        try await onThread {
            let stage = try Stage()
            let daemon = try stage.start()
            try AdminBrowserTests.look(stage, token: "")
            try daemon.stop()
            try stage.finish()
        }
    }

    private static func look(_ stage: Stage, token: String) throws {
        let pictures = getenv("ADMIN_PICTURES").map { String(cString: $0) } ?? stage.directory.path + "/pictures"
        let axe = getenv("ADMIN_AXE").map { [String(cString: $0)] } ?? []
        let run = try CommandRun(
            "/usr/bin/env", ["python3", script ?? "", try AdminTests.address(stage), token, pictures] + axe,
            environment: ["HOME=/tmp"], timeout: .seconds(400))
        print(run.output, run.errors)
        try requireEqual(run.code, 0, "what the browser found:\n\(run.output)\(run.errors)")
    }
}
