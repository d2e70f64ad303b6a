import ForwarderCore
import Testing

@Suite struct WarningTests {
    private func capis(_ first: String = "", _ second: String = "") -> [String] {
        problems(
            """
            kafka: {brokers: [localhost], topics: [events]}
            destinations:
              - {name: a, type: capi, uet_tag_id: 1, token: {env: A}, \(first)}
              - {name: b, type: capi, uet_tag_id: 1, token: {env: A}, \(second)}
            """)
    }

    private func offlines(_ first: String, _ second: String) -> [String] {
        func destination(_ lines: String) -> String {
            "{type: offline_conversions, customer_id: 1, developer_token: {env: A}, "
                + "oauth: {client_id: a, refresh_token: {env: B}}, \(lines)}"
        }
        return problems(
            """
            kafka: {brokers: [localhost], topics: [events]}
            destinations:
              - \(destination("name: a, \(first)"))
              - \(destination("name: b, \(second)"))
            """)
    }

    private static let doubled = [
        "line 4: destinations[1].name: warning: counts again what `a` counts, the same uet_tag_id; "
            + "tell them apart with match"
    ]

    @Test func `two destinations that send the same events to one tag are doubted`() {
        #expect(capis() == Self.doubled)
        #expect(capis("match: {source: eu}") == Self.doubled)
        #expect(capis("match: {source: eu}", "match: {currency: USD}") == Self.doubled)
        #expect(capis("match: {source: [eu, us]}", "match: {source: [us, asia]}") == Self.doubled)
    }

    @Test func `two destinations of one tag that no event can reach together are fine`() {
        #expect(capis("match: {source: eu}", "match: {source: [us, asia]}") == [])
        #expect(capis("mode: shadow") == [])
    }

    @Test func `two destinations that send one event to the same goal are doubted`() {
        let goals = "goals: {Lead: Lead, Purchase: Sale}"
        #expect(
            offlines("account_id: 2, \(goals)", "account_id: 2, \(goals)") == [
                "line 4: destinations[1].name: warning: counts again what `a` counts, "
                    + "`Lead` as goal `Lead` of the same account; tell them apart with match"
            ])
        #expect(offlines("account_id: 2, \(goals)", "account_id: 3, \(goals)") == [])
        #expect(offlines("account_id: 2, \(goals)", "account_id: 2, goals: {Lead: Sale}") == [])
    }

    @Test(arguments: ["0.0.0.0:9464", "'[::]:9464'", "host.example:1"])
    func `an admin port that others can reach is doubted`(listen: String) {
        #expect(
            problems(capi(more: "admin: {listen: \(listen)}")) == [
                "line 8: admin.listen: warning: the admin port asks for no token and is open to other machines"
            ])
        let token = "token: {file: /run/token}"
        #expect(
            problems(capi(more: "admin: {listen: \(listen), \(token)}")) == [
                "line 8: admin.listen: warning: the token crosses the network in the clear; set admin.tls"
            ])
        let tls = "tls: {certificate: /run/cert.pem, key: /run/key.pem}"
        #expect(problems(capi(more: "admin: {listen: \(listen), \(token), \(tls)}")) == [])
    }

    @Test func `a custom event named like a page load is doubted`() {
        #expect(
            problems(capi("events: {PageView: pageLoad}")) == [
                "line 7: destinations[0].events.PageView: warning: becomes a custom event of this name; "
                    + "for a page load write {type: page_load}"
            ])
    }

    @Test(arguments: [
        ("external_id: user.anonymous_id", "external_id", "anonymous_id"),
        ("title: user.phone.label", "title", "phone"),
        ("title: consent", "title", "ad_storage"),
    ])
    func `a path that takes the place of another field is doubted`(line: String, field: String, lost: String) {
        #expect(
            problems(capi(more: "input: {fields: {\(line)}}")) == [
                "line 8: input.fields.\(field): warning: takes the place of \(lost), not read any more; "
                    + "give a path for that too"
            ])
        #expect(problems(capi(more: "input: {fields: {\(line), \(lost): elsewhere}}")) == [])
    }

    @Test func `what takes whose place depends on the preset`() {
        func problems(_ preset: String, _ path: String) -> [String] {
            ConfigFileTests.problems(capi(more: "input: {preset: \(preset), fields: {label: \(path)}}"))
        }
        #expect(problems("segment", "properties.revenue").count == 1)
        #expect(problems("segment", "user.email") == [])
        #expect(problems("storefront", "properties.revenue") == [])
    }

    @Test func `a path below the usual place of the same field is fine`() {
        #expect(problems(capi(more: "input: {fields: {email: user.email.address}}")) == [])
    }

    @Test func `a scope that brings no refresh token is doubted`() {
        let text = offline().replacing("client_id: app", with: "client_id: app, scope: a b")
        #expect(
            problems(text) == [
                "line 8: destinations[0].oauth.scope: warning: "
                    + "without offline_access Microsoft issues no refresh token"
            ])
    }

    @Test func `warnings do not stand in the way of the configuration`() throws {
        let decoded = try decode(capi("events: {PageView: pageload}"))
        #expect(decoded.configuration != nil)
        #expect(decoded.problems.map(\.severity) == [.warning])
    }

    @Test func `a pixel is doubted that may count a repeat, and a second one for the same event`() {
        func pixels(_ first: String, _ second: String = "{Lead: {pixel_id: 2, min_minutes_per_conv: null}}") -> [String]
        {
            problems(
                """
                kafka: {brokers: [localhost], topics: [events]}
                destinations:
                  - {name: a, type: invest_pixel, events: \(first)}
                  - {name: b, type: invest_pixel, events: \(second)}
                """)
        }
        #expect(
            pixels("{Purchase: 1}") == [
                "line 3: destinations[0].events.Purchase: warning: does not say how often pixel 1 counts "
                    + "(min_minutes_per_conv), so that what may have been counted is sent again; write it, or retry_ambiguous"
            ])
        #expect(pixels("{Purchase: 1}, retry_ambiguous: true") == [])
        #expect(pixels("{Purchase: {pixel_id: 1, min_minutes_per_conv: 0}, Lead: 3}") == [])
        #expect(
            pixels("{Lead: {pixel_id: 2, min_minutes_per_conv: 0}}") == [
                "line 4: destinations[1].name: warning: counts again what `a` counts, `Lead` as pixel 2; tell them apart with "
                    + "match"
            ])
    }
}
