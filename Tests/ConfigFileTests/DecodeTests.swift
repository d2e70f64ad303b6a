import ForwarderCore
import Testing

@Suite struct DecodeTests {
    /// Every key that every destination has, each with another value than its default.
    private static let commonLines = """
        endpoint: HTTPS://Gateway.example:8443/ads/
        mode: shadow
        start_at: 2026-01-02T03:04:05+02:00
        match: {source: shop-eu, currency: [EUR, CHF]}
        consent: {missing: skip, denied: skip}
        max_event_age: 36h
        batch: {max_events: 10, max_bytes: 65536, linger: 1s}
        concurrency: 64
        request_timeout: 90s
        rate_limit: 500
        buffer: {max_bytes: 1MiB, max_age: 30s}
        retry: {base: 250ms, cap: 2m, max_attempts: 7, parked_probe: 90s}
        queue: {max_bytes: 20GiB}
        delivery_log: {events: [], max_age: 2d, max_bytes: off}
        """

    private static func common(_ name: String, _ kind: DestinationSettings.Kind) -> DestinationSettings {
        var settings = DestinationSettings(name: name, kind: kind, endpoint: "https://Gateway.example:8443/ads")
        settings.mode = .shadow
        settings.startAt = .time(Timestamp(seconds: 1_767_315_845))
        settings.match = [
            .init(field: .source, values: ["shop-eu"]), .init(field: .currency, values: ["EUR", "CHF"]),
        ]
        settings.consent.missing = .skip
        settings.maxEventAge = .seconds(36 * 3600)
        settings.batch.maxEvents = 10
        settings.batch.maxBytes = 65_536
        settings.batch.linger = .seconds(1)
        settings.concurrency = 64
        settings.requestTimeout = .seconds(90)
        settings.rateLimit = 500
        settings.buffer.maxBytes = 1 << 20
        settings.buffer.maxAge = .seconds(30)
        settings.retry.base = .milliseconds(250)
        settings.retry.cap = .seconds(120)
        settings.retry.maxAttempts = 7
        settings.retry.parkedProbe = .seconds(90)
        settings.queue.maxBytes = 20 << 30
        settings.deliveryLog.events = []
        settings.deliveryLog.maxAge = .seconds(2 * 86_400)
        settings.deliveryLog.maxBytes = nil
        return settings
    }

    @Test func `every key of a capi destination reaches its setting`() throws {
        let lines = """
            data_provider: My Shop
            page_value: yes
            events:
              Purchase: {name: order}
              Lead: null
              Search: skip
              Visit: {type: page_load}
              SignUp: {type: skip}
              Refund: refund
            unmapped: forward
            """
        var kind = CAPISettings(uetTagID: "123", token: .environment("TOKEN"))
        kind.dataProvider = "My Shop"
        kind.pageValue = true
        kind.events = [
            .init(event: "Purchase", target: .custom(name: "order")), .init(event: "Lead", target: .skip),
            .init(event: "Search", target: .skip), .init(event: "Visit", target: .pageLoad),
            .init(event: "SignUp", target: .skip), .init(event: "Refund", target: .custom(name: "refund")),
        ]
        var expected = Self.common("shop", .capi(kind))
        expected.unmapped = .forward
        #expect(try configuration(capi(lines + "\n" + Self.commonLines)).destinations == [expected])
        let send = try configuration(capi("consent: {missing: denied, denied: send}")).destinations[0].consent
        #expect(send.missing == .denied && send.denied == .send)
    }

    @Test func `every key of an offline destination reaches its setting`() throws {
        let text = """
            kafka: {brokers: [localhost:9092], topics: [events]}
            destinations:
              - name: sales
                type: offline_conversions
                customer_id: 0011
                account_id: '0022'
                developer_token: {file: /run/developer}
                oauth:
                  client_id: app
                  client_secret: {env: CLIENT_SECRET}
                  refresh_token: {env: REFRESH}
                  authority: http://localhost:8080/tenant/
                  scope: https://si.example/scope offline_access
                goals: {Purchase: Sale, Lead: {name: 42, id: 007, externally_attributed: on}}
                verdicts: {every: 1h}
                enhanced_conversions: true
            \(Self.commonLines.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
            """
        var oauth = OAuthSettings(clientID: "app", refreshToken: .environment("REFRESH"))
        oauth.clientSecret = .environment("CLIENT_SECRET")
        oauth.authority = "http://localhost:8080/tenant"
        oauth.scope = "https://si.example/scope offline_access"
        var lead = OfflineSettings.Goal(event: "Lead", name: "42")
        lead.isExternallyAttributed = true
        lead.id = "007"
        var kind = OfflineSettings(
            goals: [.init(event: "Purchase", name: "Sale"), lead], customerID: "0011", accountID: "0022",
            developerToken: .file("/run/developer"), oauth: oauth)
        kind.enhancedConversions = true
        kind.verdictInterval = .seconds(3600)
        #expect(try configuration(text).destinations == [Self.common("sales", .offlineConversions(kind))])
    }

    @Test func `every key beside the destinations reaches its setting`() throws {
        let text = """
            kafka:
              brokers: ['a.example:9092', '[::1]:9093', b]
              topics: [one, two]
              group_id: 42
              start_from: latest
              offset_out_of_range: stop
              commit_interval: 500ms
              properties:
                fetch.min.bytes: 1
                security.protocol: SASL_SSL
                enable.ssl.certificate.verification: true
                sasl.username: {env: KAFKA_USER}
                sasl.password: {file: /run/kafka}
            input:
              time_format: iso8601
              max_event_bytes: 1MiB
              fields: {email: customer.contact.email, item_ids: order.0.skus}
            state: {directory: /data, ballast: 0, keep_for: 7d, keep_rows: 5000}
            http: {proxy: 'http://proxy.example:3128/', ca_file: /etc/ca.pem, connect_timeout: 3s}
            destinations: [{name: shop, type: capi, uet_tag_id: 1, token: {env: A}}]
            admin:
              listen: '[::1]:0'
              token: {env: ADMIN}
              tls: {certificate: /cert.pem, key: /key.pem}
              hosts: [Admin.Example, '[::1]']
            log: {level: debug, metrics_interval: 1m}
            shutdown: {grace: 1m}
            pixel_service: {endpoint: 'http://localhost:1/', username: a@b, password: {env: P}, advertiser_id: 007}
            """
        var kafka = KafkaSettings(brokers: ["a.example:9092", "[::1]:9093", "b"], topics: ["one", "two"])
        kafka.groupID = "42"
        kafka.startFrom = .latest
        kafka.outOfRange = .stop
        kafka.commitInterval = .milliseconds(500)
        kafka.properties = [
            .init(name: "fetch.min.bytes", value: "1"), .init(name: "security.protocol", value: "SASL_SSL"),
            .init(name: "enable.ssl.certificate.verification", value: "true"),
            .init(name: "sasl.username", value: .secret(.environment("KAFKA_USER"))),
            .init(name: "sasl.password", value: .secret(.file("/run/kafka"))),
        ]
        let kind = DestinationSettings.Kind.capi(CAPISettings(uetTagID: "1", token: .environment("A")))
        var expected = Configuration(kafka: kafka, destinations: [DestinationSettings(name: "shop", kind: kind)])
        expected.input.timeFormat = .iso8601
        expected.input.maxEventBytes = 1 << 20
        expected.input.fields = [
            .init(field: .email, path: ["customer", "contact", "email"]),
            .init(field: .itemIDs, path: ["order", "0", "skus"]),
        ]
        expected.state.directory = "/data"
        expected.state.ballastBytes = 0
        expected.state.keepFor = .seconds(7 * 86_400)
        expected.state.keepRows = 5000
        expected.http.proxy = "http://proxy.example:3128"
        expected.http.caFile = "/etc/ca.pem"
        expected.http.connectTimeout = .seconds(3)
        expected.admin.listen = .init(host: "::1", port: 0)
        expected.admin.token = .environment("ADMIN")
        expected.admin.tls = .init(certificate: "/cert.pem", key: "/key.pem")
        expected.admin.hosts = ["admin.example", "::1"]
        expected.log.level = .debug
        expected.log.metricsInterval = .seconds(60)
        expected.shutdown.grace = .seconds(60)
        var pixels = PixelServiceSettings(username: "a@b", password: .environment("P"))
        pixels.endpoint = "http://localhost:1"
        pixels.advertiserID = "007"
        expected.pixelService = pixels
        #expect(try configuration(text) == expected)
    }

    @Test(arguments: ["off", "null", "~", "", "'off'"])
    func `what can be turned off is turned off in several ways`(off: String) throws {
        let lines = "rate_limit: \(off)\nretry: {max_attempts: \(off)}"
        let more = "admin: {listen: \(off)}\nhttp: {proxy: \(off), ca_file: \(off)}"
        let configuration = try configuration(capi(lines, more: more))
        #expect(configuration.destinations[0].rateLimit == nil)
        #expect(configuration.destinations[0].retry.maxAttempts == nil)
        #expect(configuration.admin.listen == nil)
        #expect(configuration.http == HTTPSettings())
    }

    @Test func `a section without lines means its defaults`() throws {
        #expect(try configuration(capi("batch:\nmatch:\nevents:", more: "input:\nlog: ~")) == configuration(capi()))
    }

    @Test(arguments: ["http://127.0.0.1:8080", "http://127.9.9.9", "http://localhost", "http://[::1]:1"])
    func `plain http is for this machine`(endpoint: String) throws {
        #expect(try configuration(capi("endpoint: \(endpoint)")).destinations[0].endpoint == endpoint)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799), ("2026-01-02T03:04:05Z", 1_767_323_045),
        ("2026-01-02T03:04:05-00:30", 1_767_324_845), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ])
    func `a starting time is read to the second`(text: String, seconds: Int64) throws {
        let start = try configuration(capi("start_at: \(text)")).destinations[0].startAt
        #expect(start == .time(Timestamp(seconds: seconds)))
    }

    @Test(arguments: [
        "2026-13-01T00:00:00Z", "2026-01-02T03:04:05", "2026-01-02", "1767323045", "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
    ])
    func `what is no time is refused`(text: String) {
        #expect(problems(capi("start_at: '\(text)'")).count == 1)
    }
}
