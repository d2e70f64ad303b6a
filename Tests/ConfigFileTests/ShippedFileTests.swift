import ConfigFile
import Testing

@testable import ForwarderCore

@Suite struct ShippedFileTests {
    @Test(arguments: ["minimal.yaml", "reference.yaml", "agency.yaml", "invest.yaml"])
    func `the shipped files are free of problems`(name: String) throws {
        let decoded = Configuration.decode(try ConfigFile.load(configPath(name)))
        #expect(decoded.configuration != nil)
        #expect(decoded.problems.map(\.description) == [])
    }

    @Test func `the reference shows every key there is`() throws {
        let known = Set(Configuration.knownKeys)
        var shown: Set<String> = []
        try collect(ConfigFile.load(configPath("reference.yaml")), "", known, into: &shown)
        #expect(known.subtracting(shown).sorted() == [])
        // The other direction: an unknown key would have been a problem, and this list is no empty promise.
        #expect(shown.isSuperset(of: ["destinations[].oauth.scope", "destinations[].goals.*.name"]))
    }

    @Test func `the reference shows the default of every key`() throws {
        let required = """
            kafka: {brokers: [localhost:9092], topics: [storefront-events]}
            destinations:
              - name: capi
                type: capi
                uet_tag_id: "12345678"
                token: {file: /run/secrets/capi-token}
                adjustments: {account: offline, goals: {Purchase: Web Purchase}}
              - name: offline
                type: offline_conversions
                goals: {Purchase: Purchase, Lead: Lead Form Submit}
                customer_id: "123456"
                account_id: "654321"
                developer_token: {env: MSADS_DEVELOPER_TOKEN}
                oauth:
                  client_id: 00000000-0000-0000-0000-000000000000
                  refresh_token: {file: /run/secrets/msads-refresh-token}
              - name: invest
                type: invest_pixel
                events: {Purchase: {pixel_id: 37, min_minutes_per_conv: 0}, Lead: 38}
                retry_ambiguous: false
            pixel_service: {username: pixel-user, password: {env: INVEST_PASSWORD}}
            """
        var reference = try #require(
            Configuration.decode(try ConfigFile.load(configPath("reference.yaml"))).configuration)
        // The table of events is shown although it need not be written.
        guard case .capi(var capi) = reference.destinations[0].kind else {
            Issue.record("the first destination is no capi")
            return
        }
        #expect(
            capi.events
                == EventRoutes.defaultNames.map { event, name in
                    .init(event: event, target: name.map { .custom(name: $0) } ?? .pageLoad)
                })
        capi.events = []
        reference.destinations[0].kind = .capi(capi)
        #expect(try reference == configuration(required))
    }

    @Test func `the minimal file leaves all else to the defaults`() throws {
        let minimal = try #require(Configuration.decode(try ConfigFile.load(configPath("minimal.yaml"))).configuration)
        let capi = CAPISettings(uetTagID: "12345678", token: .file("/run/secrets/capi-token"))
        #expect(
            minimal
                == Configuration(
                    kafka: KafkaSettings(brokers: ["localhost:9092"], topics: ["storefront-events"]),
                    destinations: [DestinationSettings(name: "capi", kind: .capi(capi))]))
    }

    @Test(arguments: [(InvestPixelSettings.defaultHost, nil), ("secure.adnxs.com", "https://secure.adnxs.com")])
    func `what pixels export prints is a configuration`(host: String, endpoint: String?) throws {
        let export = try PixelExport(id: "17", host: host)
        let configuration = try configuration("kafka: {brokers: [a], topics: [b]}\n\(export.yaml)")
        let mapping = InvestPixelSettings.Mapping(event: "Purchase", pixelID: 17)
        var expected = DestinationSettings(name: "invest", kind: .investPixel(InvestPixelSettings(events: [mapping])))
        if let endpoint { expected.endpoint = endpoint }
        #expect(configuration.destinations == [expected])
    }

    /// The patterns of the keys under `node` that are in `known`, a key of the user's own read as `*`.
    private func collect(_ node: ConfigNode, _ pattern: String, _ known: Set<String>, into shown: inout Set<String>) {
        switch node.content {
        case .scalar: return
        case .list(let elements):
            for element in elements { collect(element, "\(pattern)[]", known, into: &shown) }
        case .map(let entries):
            for entry in entries {
                let exact = pattern.isEmpty ? entry.key : "\(pattern).\(entry.key)"
                let child = known.contains(exact) ? exact : "\(pattern).*"
                shown.insert(child)
                collect(entry.value, child, known, into: &shown)
            }
        }
    }
}
