import ForwarderCore
import Testing

/// A mistake in a file, and what is said about it.
struct Mistake: Sendable, CustomTestStringConvertible {
    var lines: String
    var problem: String

    init(_ lines: String, _ path: String, _ what: String, write remedy: String? = nil) {
        self.lines = lines
        problem = "\(path): \(what)" + (remedy.map { "; write \($0)" } ?? "")
    }

    var testDescription: String { lines }

    /// What can be said of a destination of the type `capi` alone.
    static let onlyOfCAPI = [
        Mistake(
            "unmapped: forward", "unmapped",
            "forward belongs to destinations of type capi: what has no goal or pixel cannot be sent"),
        Mistake(
            "consent: {denied: send}", "consent.denied",
            "send belongs to destinations of type capi: nothing else can carry the signal"),
    ]
}

private func number(_ bounds: ClosedRange<Int>) -> String {
    "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
}

func duration(_ lower: String, _ upper: String) -> String {
    "a duration from \(lower) to \(upper) with its unit (ms, s, m, h, d)"
}

private func size(_ lower: String, _ upper: String) -> String {
    "a size from \(lower) to \(upper)"
}

private func text(_ limit: Int) -> String {
    "a text of 1 to \(limit) characters"
}

private let endpoint =
    "https://host, or http:// to 127.0.0.1, [::1] or localhost, without credentials, query and fragment"
private let secret = "{file: /path/of/the/secret} or {env: NAME_OF_VARIABLE}"
private let tagToken = "\(secret), or {from: NAME_OF_AN_OFFLINE_DESTINATION}"
private let destinationName = "up to 64 of a-z, 0-9, - and _, a letter or digit first"
private let topic = "the name of one topic, up to 249 of a-z, A-Z, 0-9, ., _ and -"
private let noMap = "is no map; write its keys on lines of their own, each with a colon"

@Suite struct ProblemTests {
    // MARK: Values

    static let values = [
        Mistake("concurrency: 65", "concurrency", "`65` is out of bounds", write: number(1...64)),
        Mistake("concurrency: -1", "concurrency", "`-1` is out of bounds", write: number(1...64)),
        Mistake(
            "concurrency: 99999999999999999999", "concurrency", "`99999999999999999999` is out of bounds",
            write: number(1...64)),
        Mistake("concurrency: 4.0", "concurrency", "`4.0` is no whole number", write: number(1...64)),
        Mistake("concurrency: [4]", "concurrency", "is a list", write: number(1...64)),
        Mistake("concurrency: {a: 4}", "concurrency", "is a map", write: number(1...64)),
        Mistake("concurrency:", "concurrency", "has no value", write: number(1...64)),
        Mistake("batch: 5", "batch", noMap),
        Mistake("batch: {max_events: 1001}", "batch.max_events", "`1001` is out of bounds", write: number(1...1000)),
        Mistake(
            "batch: {max_bytes: 65MiB}", "batch.max_bytes", "`65MiB` is out of bounds", write: size("1KiB", "64MiB")),
        Mistake(
            "batch: {max_bytes: 2MB}", "batch.max_bytes", "`2MB` has a unit that is none of KiB, MiB, GiB, TiB",
            write: size("1KiB", "64MiB")),
        Mistake("batch: {linger: 200}", "batch.linger", "`200` has no unit", write: duration("0s", "1m")),
        Mistake(
            "request_timeout: 1.5s", "request_timeout", "`1.5s` is not a whole number with its unit",
            write: duration("1s", "5m")),
        Mistake(
            "request_timeout: 5min", "request_timeout", "`5min` has a unit that is none of ms, s, m, h, d",
            write: duration("1s", "5m")),
        Mistake(
            "retry: {cap: 99999999999999999999d}", "retry.cap", "`99999999999999999999d` is out of bounds",
            write: duration("10ms", "1h")),
        Mistake("max_event_age: 8d", "max_event_age", "`8d` is out of bounds", write: duration("2m", "7d")),
        Mistake("rate_limit: 0", "rate_limit", "`0` is out of bounds", write: "\(number(1...1_000_000)), or off"),
        Mistake("queue: {max_bytes: 1KiB}", "queue.max_bytes", "`1KiB` is out of bounds", write: size("1MiB", "16TiB")),
        Mistake("mode: dry", "mode", "`dry` is unknown", write: "live or shadow"),
        Mistake("mode: Live", "mode", "`Live` is unknown", write: "live or shadow"),
        Mistake("consent: {missing: a}", "consent.missing", "`a` is unknown", write: "granted, denied or skip"),
        Mistake("page_value: perhaps", "page_value", "`perhaps` is neither true nor false", write: "true or false"),
        Mistake(
            "start_at: 2026-02-29T00:00:00Z", "start_at", "`2026-02-29T00:00:00Z` is no starting point",
            write: "committed, latest or a time such as 2026-01-02T03:04:05Z"),
        Mistake(
            "data_provider: \"a\\nb\"", "data_provider", "holds a line break or another control character",
            write: text(100)),
        Mistake("data_provider: ''", "data_provider", "is empty", write: text(100)),
        Mistake("delivery_log: {events: [a, a]}", "delivery_log.events[1]", "stands in this list twice"),
    ]

    // MARK: Keys

    static let keys = [
        Mistake("concurency: 4", "concurency", "unknown key; did you mean concurrency?"),
        Mistake("batch: {max_byte: 5MiB}", "batch.max_byte", "unknown key; did you mean max_bytes?"),
        Mistake("retry: {bsae: 5s}", "retry.bsae", "unknown key; did you mean base?"),
        Mistake("batch: {linger_ms: 5}", "batch.linger_ms", "unknown key; did you mean linger?"),
        Mistake("batch: {size: 5}", "batch.size", "unknown key; known here: max_events, max_bytes, linger"),
        Mistake("type: capi", "type", "stands here twice, first on line 4; keep one of them"),
        Mistake("goals: {Purchase: a}", "goals", "belongs to destinations of type offline_conversions"),
        Mistake("oauth: {}", "oauth", "belongs to destinations of type offline_conversions"),
    ]

    // MARK: URLs

    static let urls = [
        ("http://capi.example", "would send secrets over plain http to another machine"),
        ("http://127.0.0.1.example", "would send secrets over plain http to another machine"),
        ("http://127.1", "has no valid host"),
        ("https://me:hunter2@capi.example", "holds credentials"),
        ("https://capi.example/?a=b", "holds a query or a fragment"),
        ("https://capi.example/#a", "holds a query or a fragment"),
        ("ftp://capi.example", "is no https URL"),
        ("https://", "has no valid host"),
        ("https://capi.example:99999", "has no valid host"),
        ("https://capi.example:0", "has no valid host"),
        ("https://1.2.3.256", "has no valid host"),
        ("https://[::1\\0]", "has no valid host"),
        ("https://[::1", "has no valid host"),
        ("https://capi.example/a b", "holds what a URL cannot hold"),
    ].map { Mistake("endpoint: \"\($0)\"", "endpoint", $1, write: endpoint) }

    // MARK: Match and events

    static let maps = [
        Mistake("match: {sauce: a}", "match.sauce", "is no field of the event; did you mean source?"),
        Mistake("match: {source: []}", "match.source", "has 0 elements; write 1 to 100"),
        Mistake("match: {source: [a, a]}", "match.source[1]", "stands in this list twice"),
        Mistake("match: {items: a}", "match.items", "is a list in the event and cannot be matched"),
        Mistake("match: [source]", "match", noMap),
        Mistake(
            "events: {Purchase: [a]}", "events.Purchase",
            "is a list; write the name of a custom event, {type: page_load} or skip"),
        Mistake(
            "events: {Purchase: {type: page}}", "events.Purchase.type", "`page` is unknown",
            write: "custom, skip or page_load"),
        Mistake(
            "events: {Purchase: {type: page_load, name: a}}", "events.Purchase.name", "belongs to type custom"),
        Mistake("events: {Purchase: {}}", "events.Purchase.name", "is missing", write: text(100)),
        Mistake(
            "events: {\"a\\tb\": a}", "events.a\u{FFFD}b", "cannot name an event; write 1 to 100 characters"),
    ]

    // MARK: Two values together

    static let pairs = [
        Mistake("retry: {base: 10s, cap: 1s}", "retry.cap", "is too short; write at least 10s, which is retry.base"),
        Mistake(
            "max_event_age: 2m\nrequest_timeout: 1m", "max_event_age",
            "leaves no time to send; write more than 2m, request_timeout and 60s"),
        Mistake(
            "buffer: {max_age: 200ms}", "buffer.max_age",
            "leaves nothing to send from memory; write more than 200ms, which is batch.linger"),
        Mistake(
            "buffer: {max_bytes: 1MiB}", "buffer.max_bytes",
            "holds no batch; write at least 2MiB, which is batch.max_bytes"),
        Mistake(
            "batch: {max_events: 1}\npage_value: true", "batch.max_events",
            "holds no page with a value, which is two events; write at least 2, or page_value: false"),
    ]

    @Test(arguments: values + keys + urls + maps + pairs)
    func `each mistake in a capi destination is named with line, path and remedy`(_ mistake: Mistake) {
        #expect(problems(capi(mistake.lines)) == ["line 7: destinations[0].\(mistake.problem)"])
    }

    static let offlineLines = [
        Mistake("page_value: true", "page_value", "belongs to destinations of type capi"),
        Mistake("events: {}", "events", "belongs to destinations of type capi or invest_pixel"),
        Mistake("max_event_age: 91d", "max_event_age", "`91d` is out of bounds", write: duration("2m", "90d")),
        Mistake(
            "enhanced_conversion: true", "enhanced_conversion", "unknown key; did you mean enhanced_conversions?"),
    ]

    @Test(arguments: Mistake.onlyOfCAPI + offlineLines)
    func `each mistake in an offline destination is named with line, path and remedy`(_ mistake: Mistake) {
        #expect(problems(offline(mistake.lines)) == ["line 11: destinations[0].\(mistake.problem)"])
    }

    static let goals = [
        Mistake("{}", "goals", "has 0 keys; write 1 to 100"),
        Mistake("[Purchase]", "goals", noMap),
        Mistake("{Purchase: }", "goals.Purchase", "has no value", write: text(100)),
        Mistake("{Purchase: \(String(repeating: "x", count: 101))}", "goals.Purchase", "is too long", write: text(100)),
        Mistake("{Purchase: {name: a, nane: b}}", "goals.Purchase.nane", "unknown key; did you mean name?"),
        Mistake(
            "{Purchase: a, Purchase: b}", "goals.Purchase", "stands here twice, first on line 10; keep one of them"),
    ]

    @Test(arguments: goals)
    func `each mistake in the goals is named with line, path and remedy`(_ mistake: Mistake) {
        #expect(problems(offline(goals: mistake.lines)) == ["line 10: destinations[0].\(mistake.problem)"])
    }

    // MARK: Beside the destinations

    private static let listen = "host:port, port 0 for any free one, or off"
    private static let proxy = "http://host:port without credentials, or off"

    static let sections = [
        Mistake(
            "admin: {tls: {certificate: /a}}", "admin.tls", "needs both, a certificate and its key"),
        Mistake(
            "admin: {hosts: ['a:1']}", "admin.hosts[0]", "`a:1` is no name of a host",
            write: "the name of a host, without port"),
        Mistake("admin: {listen: 9464}", "admin.listen", "`9464` is no host with a port", write: listen),
        Mistake(
            "admin: {listen: '[::1]:70000'}", "admin.listen", "`[::1]:70000` is no host with a port", write: listen),
        Mistake("log: {level: warn}", "log.level", "`warn` is unknown", write: "debug, info, warning or error"),
        Mistake(
            "log: {metrics_interval: 0s}", "log.metrics_interval", "`0s` is out of bounds",
            write: duration("1s", "1h")),
        Mistake("http: {proxy: 'https://proxy.example:1'}", "http.proxy", "is no proxy", write: proxy),
        Mistake("http: {proxy: 'http://proxy.example'}", "http.proxy", "is no proxy", write: proxy),
        Mistake("http: {proxy: 'http://a:hunter2@b.example:1'}", "http.proxy", "holds credentials", write: proxy),
        Mistake(
            "http: {ca_file: ca.pem}", "http.ca_file", "is not an absolute path",
            write: "a path that begins with /, or off"),
        Mistake(
            "state: {directory: data}", "state.directory", "is not an absolute path", write: "a path that begins with /"
        ),
        Mistake("state: {keep_for: 366d}", "state.keep_for", "`366d` is out of bounds", write: duration("1h", "365d")),
        Mistake(
            "shutdown: {grace: off}", "shutdown.grace", "`off` is not a whole number with its unit",
            write: duration("1s", "10m")),
        Mistake("input: {preset: shop}", "input.preset", "`shop` is unknown", write: "storefront or segment"),
        Mistake(
            "input: {max_event_bytes: 2MiB}", "input.max_event_bytes", "`2MiB` is out of bounds",
            write: size("1KiB", "1MiB")),
        Mistake(
            "input: {fields: {emial: a.b}}", "input.fields.emial", "is no field of the event; did you mean email?"),
        Mistake(
            "input: {fields: {email: a..b}}", "input.fields.email", "`a..b` has an empty step",
            write: "the member names from the root of the event, such as customer.contact.email"),
        Mistake(
            "input: {fields: {external_id: a.b, anonymous_id: a.b}}", "input.fields.anonymous_id",
            "is the place of external_id, or inside of it; one value can be one field only"),
        Mistake(
            "input: {fields: {items: a.b, item_ids: a.b.0}}", "input.fields.item_ids",
            "is the place of items, or inside of it; one value can be one field only"),
        Mistake("destination: []", "destination", "unknown key; did you mean destinations?"),
        Mistake(
            "pixel_service: {password: {env: A}}", "pixel_service.username", "is missing",
            write: "a text of 1 to 100 characters"),
        Mistake(
            "pixel_service: {username: a, password: {env: A}, advertiser_id: shop}", "pixel_service.advertiser_id",
            "is not made of digits alone", write: "its digits, 19 at most, or off"),
        Mistake(
            "pixel_service: {username: a, password: {env: A}, endpoint: 'http://api.example'}",
            "pixel_service.endpoint", "would send secrets over plain http to another machine",
            write: "https://host, or http:// to 127.0.0.1, [::1] or localhost, without credentials, query and fragment"),
    ]

    @Test(arguments: sections)
    func `each mistake beside the destinations is named with line, path and remedy`(_ mistake: Mistake) {
        #expect(problems(capi(more: mistake.lines)) == ["line 8: \(mistake.problem)"])
    }

    @Test func `a field inside of an item has no place of its own`() {
        let said = problems(capi(more: "input: {fields: {items.id: a.b}}"))
        #expect(said.count == 1)
        #expect(said.first?.hasPrefix("line 8: input.fields.items.id: is no field of the event; write event, ") == true)
    }

    @Test func `what is no map is refused without naming what it lacks`() {
        #expect(problems("[kafka]") == ["line 1: \(noMap)"])
        #expect(
            problems("kafka: 1\ndestinations: [a]")
                == ["line 1: kafka: \(noMap)", "line 2: destinations[0]: \(noMap)"])
    }

    @Test func `required keys are asked for`() {
        let text = """
            kafka: {}
            destinations:
              - {type: capi}
              - type: offline_conversions
              - {name: x, goals: {}}
            """
        #expect(
            problems(text) == [
                "line 1: kafka.brokers: is missing; write a list, each element host:port",
                "line 1: kafka.topics: is missing; write a list, each element \(topic)",
                "line 3: destinations[0].name: is missing; write \(destinationName)",
                "line 3: destinations[0].uet_tag_id: is missing; write its digits, 19 at most",
                "line 3: destinations[0].token: is missing; write \(tagToken)",
                "line 4: destinations[1].name: is missing; write \(destinationName)",
                "line 4: destinations[1].goals: is missing; write a map with at least one key",
                "line 4: destinations[1].customer_id: is missing; write its digits, 19 at most",
                "line 4: destinations[1].account_id: is missing; write its digits, 19 at most",
                "line 4: destinations[1].developer_token: is missing; write \(secret)",
                "line 4: destinations[1].oauth.client_id: is missing; write a text of 1 to 200 characters",
                "line 5: destinations[2].type: is missing; write capi, offline_conversions or invest_pixel",
            ])
    }

    @Test func `a name belongs to one destination and has a plain form`() {
        let text = """
            kafka: {brokers: [localhost], topics: [events]}
            destinations:
              - {name: shop, type: capi, uet_tag_id: 1, token: {env: A}}
              - {name: shop, type: capi, uet_tag_id: 2, token: {env: A}}
              - {name: Shop, type: capi, uet_tag_id: 3, token: {env: A}}
              - {name: -x, type: capi, uet_tag_id: 4a, token: {env: A}}
            """
        #expect(
            problems(text) == [
                "line 4: destinations[1].name: names another destination already; give each its own",
                "line 5: destinations[2].name: `Shop` cannot name a destination; write \(destinationName)",
                "line 6: destinations[3].name: `-x` cannot name a destination; write \(destinationName)",
                "line 6: destinations[3].uet_tag_id: is not made of digits alone; write its digits, 19 at most",
            ])
    }

    @Test func `a token comes from an offline destination, and an id belongs to one goal`() {
        func destinations(_ source: String, _ more: String) -> String {
            """
            kafka: {brokers: [localhost], topics: [events]}
            destinations:
              - {name: shop, type: capi, uet_tag_id: 1, token: {from: \(source)}}
              - name: other
                type: capi
                uet_tag_id: 2
                token: {env: A}
            \(more)
            """
        }
        let offline = """
              - name: sales
                type: offline_conversions
                customer_id: 1
                account_id: 2
                developer_token: {env: D}
                oauth: {client_id: a, refresh_token: {env: R}}
                goals: {A: {name: One, id: 7}, B: {name: One, id: "7"}, C: {name: Two, id: 7}, D: {name: Three, id: x},
                  E: {name: One, id: 9}}
            """
        #expect(
            problems(destinations("other", "")) == [
                "line 3: destinations[0].token.from: names no destination of type offline_conversions; there is none"
            ])
        #expect(
            problems(destinations("sale", offline)) == [
                "line 3: destinations[0].token.from: names no destination of type offline_conversions; there are: `sales`",
                "line 14: destinations[2].goals.C.id: is the id of `One` too; two goals have two ids",
                "line 14: destinations[2].goals.D.id: is not made of digits alone; write its digits, 19 at most, or off",
                "line 15: destinations[2].goals.E.id: differs from the id that this goal has for `A`; a goal has one",
            ])
        let good = offline.replacing("7}, D: {name: Three, id: x}", with: "8}, D: {name: Three, id: off}")
            .replacing("id: 9", with: "id: 7")
        #expect(problems(destinations("sales", good)) == [])
    }

    @Test func `ten mistakes are reported at once, in the order of the file`() {
        let text = """
            kafka:
              brokers: localhost:9092
              topics: [a b]
              groupid: x
            input: {max_event_bytes: 1}
            destinations:
              - name: a
                type: capy
                concurrency: none
              - name: b
                type: capi
                uet_tag_id: "1"
                token: hunter2
                retry: {base: 5}
            log: {level: loud}
            stat: {}
            """
        #expect(
            problems(text) == [
                "line 2: kafka.brokers: is no list; write [one, another] or a line with a dash for each",
                "line 3: kafka.topics[0]: `a b` cannot name a topic; write \(topic)",
                "line 4: kafka.groupid: unknown key; did you mean group_id?",
                "line 5: input.max_event_bytes: `1` is out of bounds; write a size from 1KiB to 1MiB",
                "line 8: destinations[0].type: `capy` is unknown; write capi, offline_conversions or invest_pixel",
                "line 9: destinations[0].concurrency: `none` is no whole number; write a whole number from 1 to 64",
                "line 13: destinations[1].token: a secret does not belong into this file; write \(tagToken)",
                "line 14: destinations[1].retry.base: `5` has no unit; write \(duration("10ms", "1h"))",
                "line 15: log.level: `loud` is unknown; write debug, info, warning or error",
                "line 16: stat: unknown key; did you mean state?",
            ])
    }

    @Test func `text of the file can neither move a terminal's cursor nor flood it`() {
        let said = problems(capi("mode: \"\\e[2J\\u202E\(String(repeating: "x", count: 200))\""))
        #expect(said.count == 1)
        #expect(said.allSatisfy { $0.unicodeScalars.count < 160 && !$0.contains("\u{1B}") && !$0.contains("\u{202E}") })
    }
}
