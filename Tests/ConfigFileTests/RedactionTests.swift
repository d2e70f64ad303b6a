import ForwarderCore
import Testing

@Suite struct RedactionTests {
    /// Every form a value takes, with no default left where another value is possible.
    private static let full = """
        kafka:
          brokers: [localhost:9092, 'b:1']
          topics: [a, b]
          group_id: 'a "group"'
          start_from: latest
          offset_out_of_range: stop
          commit_interval: 1500ms
          properties: {client.id: x, sasl.username: {env: KAFKA_USER}, sasl.password: {file: /run/kafka}}
        input: {time_format: iso8601, max_event_bytes: 1025, fields: {email: a.0.b}}
        state: {directory: /data, key: {env: STATE_KEY}, ballast: 0, keep_for: 90m, keep_rows: 1001}
        http: {proxy: 'http://p.example:1', ca_file: /ca.pem, connect_timeout: 1s}
        destinations:
          - name: a
            type: capi
            uet_tag_id: 1
            token: {env: TOKEN}
            data_provider: me
            page_value: true
            events: {A: a, B: {type: page_load}, C: skip}
            unmapped: forward
            endpoint: http://[::1]:1
            mode: shadow
            start_at: 2026-01-02T03:04:05Z
            match: {source: [a, b]}
            consent: {missing: denied, denied: send}
            max_event_age: 25h
            batch: {max_events: 2, max_bytes: 1KiB, linger: 0s}
            concurrency: 1
            request_timeout: 1s
            rate_limit: 1
            buffer: {max_bytes: 65537, max_age: 100ms}
            retry: {base: 10ms, cap: 1h, max_attempts: 1, parked_probe: 1h}
            queue: {max_bytes: 16TiB}
            delivery_log: {events: []}
          - {name: c, type: capi, uet_tag_id: 2, token: {from: b}}
          - name: b
            type: offline_conversions
            goals: {A: a, B: {name: b, id: 7, externally_attributed: true}}
            verdicts: {every: off}
            customer_id: 1
            account_id: 2
            developer_token: {file: /run/developer}
            oauth:
              client_id: app
              client_secret: {env: CLIENT_SECRET}
              refresh_token: {file: /run/refresh}
              grant: ada
              authority: https://login.example
              scope: offline_access
            enhanced_conversions: true
            customer_endpoint: http://[::1]:2
            start_at: latest
        admin:
          listen: '[::1]:0'
          token: {file: /run/admin}
          tls: {certificate: /run/cert.pem, key: /run/key.pem}
          hosts: [admin.example, '[::2]']
        log: {level: error, metrics_interval: 1h}
        shutdown: {grace: 10m}
        pixel_service: {endpoint: 'http://[::1]:3', username: 'a "b"', password: {file: /run/pixels}, advertiser_id: 2}
        """

    @Test func `the redacted configuration is the whole configuration`() throws {
        for text in [Self.full, capi(more: "admin: {listen: off}"), offline()] {
            let configuration = try configuration(text)
            #expect(try readBack(configuration.redacted) == configuration)
        }
    }

    @Test func `a secret shows where it is read and nothing else`() throws {
        let text = String(decoding: try configuration(Self.full).redacted, as: UTF8.self)
        #expect(text.contains(#""token":"<set> env TOKEN""#))
        #expect(text.contains(#""refresh_token":"<set> file /run/refresh""#))
        #expect(text.contains(#""directory":"/data","key":"<set> env STATE_KEY""#))
        #expect(text.contains(#""sasl.password":"<set> file /run/kafka""#))
    }

    @Test func `a secret that code put into a property is not shown`() throws {
        var configuration = try configuration(capi())
        configuration.kafka.properties = [.init(name: "sasl.password", value: "hunter2")]
        let text = String(decoding: configuration.redacted, as: UTF8.self)
        #expect(text.contains(#""properties":{"sasl.password":"<set>"}"#))
    }

    @Test(arguments: ["email", "phone", "external_id", "anonymous_id", "msclkid", "ip_address", "idfa", "gaid"])
    func `a person to match is not shown`(field: String) throws {
        let text = String(decoding: try configuration(capi("match: {\(field): ada}")).redacted, as: UTF8.self)
        #expect(text.contains(#""\#(field)":["<set>"]"#))
        #expect(!text.contains("ada\""))
    }

    @Test(arguments: 1...20)
    func `no text that looks like a secret leaves the file`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<50 {
            // Nothing else in the file looks like it.
            let secret = "QX7" + String((0..<12).map { _ in random.pick(Array("ABCDEFGHJKMNPRSTUVWYZ23456789")) })
            let value = random.pick(SecretTests.inline).replacing("hunter2abcDEF", with: secret)
            let properties = ["sasl.password", "ssl.key.pem", "ssl.key.password", "sasl.oauthbearer.client.secret"]
            let property = mistyped(random.pick(properties), &random)
            let text = random.pick([
                capi(kafka: "properties: {\(property): \(value)}"),
                capi().replacing("{env: TOKEN}", with: value),
                capi("endpoint: 'https://user:\(secret)@host.example'"),
                capi("endpoint: 'https://host.example/?key=\(secret)'"),
                capi("match: {email: \(secret)}"),
                capi(more: "http: {proxy: 'http://user:\(secret)@proxy.example:1'}"),
                capi().replacing("localhost:9092", with: "'SASL_SSL://user:\(secret)@b:1'"),
                offline().replacing("{env: DEVELOPER_TOKEN}", with: value),
            ])
            let decoded = try decode(text)
            let redacted = decoded.configuration.map { String(decoding: $0.redacted, as: UTF8.self) } ?? ""
            #expect(!redacted.contains(secret), "seed \(seed): \(text)")
            #expect(!decoded.problems.contains { $0.description.contains(secret) }, "seed \(seed): \(text)")
        }
    }

    /// A slip of the pen at the most.
    private func mistyped(_ name: String, _ random: inout SeededRandom) -> String {
        var letters = Array(name)
        let place = Int.random(in: 1..<letters.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: letters.remove(at: place)
        case 1: letters.swapAt(place, place - 1)
        case 2: letters.insert("x", at: place)
        default: break
        }
        return String(letters)
    }

    /// What the redacted text says when it is read as a configuration.
    private func readBack(_ redacted: [UInt8]) throws -> Configuration {
        let decoded = Configuration.decode(node(try JSONDocument(redacted).root, path: ""))
        return try #require(decoded.configuration, "\(decoded.problems)")
    }

    private func node(_ element: JSONElement, path: String) -> ConfigNode {
        func entry(_ name: String, _ value: ConfigNode) -> ConfigNode.Entry {
            ConfigNode.Entry(key: name, line: 1, column: 1, value: value)
        }
        let content: ConfigNode.Content
        if let members = element.members {
            content = .map(members.map { entry($0.name, node($0.value, path: ConfigNode.path(path, key: $0.name))) })
        } else if let elements = element.elements {
            content = .list(elements.map { node($0, path: path) })
        } else if let reference = element.string?.split(separator: " "), reference.count == 3, reference[0] == "<set>" {
            let value = ConfigNode(.scalar(String(reference[2]), isPlain: false), line: 1, column: 1, path: path)
            content = .map([entry(String(reference[1]), value)])
        } else {
            content = .scalar(element.string ?? element.rawText, isPlain: element.string == nil)
        }
        return ConfigNode(content, line: 1, column: 1, path: path)
    }
}
