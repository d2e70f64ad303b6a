import ForwarderCore
import Testing

@Suite struct SecretTests {
    private static let secret = "hunter2abcDEF"

    /// What people write instead of a reference.
    static let inline = [
        "\(secret)", "'\(secret)'", "[\(secret)]", "{\(secret)}", "{\(secret): \(secret)}", "{value: \(secret)}",
        "{file: \(secret)}", "{env: \(secret)-x}", "{env: [\(secret)]}", "{file: {\(secret): 1}}",
        "{env: A, \(secret): 1}", "{\(secret): 1, \(secret): 2}", "{file: /a, env: \(secret)}",
        "{from: \(secret)}", "{from: [\(secret)]}", "{from: '\(secret)'}",
    ]

    private static let places: [(place: String, text: @Sendable (String) -> String)] = [
        (
            "destinations[0].token",
            { "kafka: {brokers: [a], topics: [b]}\ndestinations: [{name: a, type: capi, uet_tag_id: 1, token: \($0)}]" }
        ),
        ("destinations[0].developer_token", { offline().replacing("{env: DEVELOPER_TOKEN}", with: $0) }),
        ("destinations[0].oauth.refresh_token", { offline().replacing("{file: /run/secrets/refresh}", with: $0) }),
        (
            "destinations[0].oauth.client_secret",
            { secret in offline().replacing("client_id: app", with: "client_id: app, client_secret: \(secret)") }
        ),
        (
            "state.key",
            { key in offline().replacing("destinations:", with: "state: {directory: /data, key: \(key)}\ndestinations:")
            }
        ),
        ("pixel_service.password", { capi(more: "pixel_service: {username: a, password: \($0)}") }),
        ("kafka.properties.sasl.password", { capi(kafka: "properties: {sasl.password: \($0)}") }),
        ("kafka.properties.ssl.key.pem", { capi(kafka: "properties: {ssl.key.pem: \($0)}") }),
    ]

    @Test(arguments: places.indices, inline)
    func `a secret in the file is refused without being repeated`(place: Int, value: String) throws {
        let problems = problems(Self.places[place].text(value))
        let problem = try #require(problems.first)
        #expect(problems.count == 1)
        #expect(problem.contains(": \(Self.places[place].place): "))
        #expect(problem.contains("; write {file: "))
        #expect(!problem.contains("hunter2"))
    }

    @Test func `the texts of those tests are right but for the secret`() {
        for place in Self.places { #expect(problems(place.text("{env: SECRET}")) == []) }
    }

    @Test(arguments: [
        "sasl.password", "sasl.pasword", "sasl.passwrod", "sasl_password", "ssl.key.password", "ssl.key.pem",
        "ssl.key.pm", "ssl.keystore.password", "ssl.truststore.password", "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.client.secrets", "sasl.oauthbearer.config", "sasl.jaas.config", "some.new.token",
        "sasl.oauthbearer.assertion.private.key.passphrase", "sasl.oauthbearer.assertion.private.key.pem",
    ])
    func `a property that holds a secret, even mistyped, takes a reference only`(name: String) throws {
        #expect(
            problems(capi(kafka: "properties: {\(name): \(Self.secret)}")) == [
                "line 1: kafka.properties.\(name): a secret does not belong into this file; "
                    + "write {file: /path/of/the/secret} or {env: NAME_OF_VARIABLE}"
            ])
        let kafka = try configuration(capi(kafka: "properties: {\(name): {env: SECRET}}")).kafka
        #expect(kafka.properties == [.init(name: name, value: .secret(.environment("SECRET")))])
    }
}
