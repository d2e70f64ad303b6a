/// A configuration for a daemon between a Kafka and the fake Microsoft.
public struct DaemonSettings: Sendable {
    /// One or several, separated by commas.
    public var brokers: String
    public var topic: String
    /// Of the fake Microsoft.
    public var endpoint: String
    /// Of offline conversions, if it is another one.
    public var offlineEndpoint: String?
    public var authority: String
    public var hasOffline = true
    /// There is a destination `invest` of the type invest_pixel.
    public var hasInvest = false
    public var account = Microsoft.account
    /// Where CAPI's token is; nil: in a file of the directory.
    public var token: String?
    /// Of offline conversions.
    public var goals = "{Purchase: Purchase, Lead: Lead Form Submit}"
    /// The configuration names a first refresh token.
    public var hasSeed = true
    /// Size of the reserve on disk; nil is the default.
    public var ballast: String?
    /// The sections that everybody has; one that `other` has is taken from there.
    private static let sections = [
        "admin: {listen: 127.0.0.1:0}",
        "log: {metrics_interval: 1s}",
    ]
    /// Lines for the sections, as they would stand in the file; for what a scenario wants otherwise.
    public var kafka: [String] = []
    public var capi: [String] = []
    public var offline: [String] = []
    public var invest: [String] = []
    public var oauth: [String] = []
    /// Of the section `state`.
    public var state: [String] = []
    public var other: [String] = []
    /// Further destinations, each a list item with its indentation.
    public var more: [String] = []

    public init(brokers: String, topic: String, endpoint: String, authority: String) {
        self.brokers = brokers
        self.topic = topic
        self.endpoint = endpoint
        self.authority = authority
    }

    /// Writes the configuration and the secrets it refers to.
    public func write(to directory: DaemonDirectory) throws(HarnessFailure) {
        try directory.write(Microsoft.token, to: "capi-token")
        try directory.write(Microsoft.developerToken, to: "developer-token")
        try directory.write(Microsoft.refreshToken, to: "refresh-token")
        try directory.write(text(directory), to: "config.yaml")
    }

    private func text(_ directory: DaemonDirectory) -> String {
        var lines = [
            "kafka:",
            "  brokers: [\(brokers.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", "))]",
            "  topics: [\(topic)]",
        ]
        lines += kafka.map { "  " + $0 }
        let state = ["directory: \(directory.state)"] + (ballast.map { ["ballast: \($0)"] } ?? []) + state
        lines += ["state: {\(state.joined(separator: ", "))}"]
        lines += DaemonSettings.sections.filter { section in
            !other.contains { $0.prefix { $0 != ":" } == section.prefix { $0 != ":" } }
        }
        lines += other
        lines += [
            "destinations:",
            "  - name: capi",
            "    type: capi",
            "    endpoint: \(endpoint)",
            "    uet_tag_id: \"\(Microsoft.tag)\"",
            "    token: \(token ?? "{file: \(directory.path)/capi-token}")",
        ]
        lines += capi.map { "    " + $0 }
        lines += more
        if hasInvest {
            lines += [
                "  - name: invest",
                "    type: invest_pixel",
                "    endpoint: \(endpoint)",
                "    events:",
                "      Purchase: {pixel_id: \(Microsoft.purchasePixel), min_minutes_per_conv: 0}",
                "      Lead: {pixel_id: \(Microsoft.leadPixel), other: label, min_minutes_per_conv: null}",
            ]
            lines += invest.map { "    " + $0 }
        }
        guard hasOffline else { return lines.joined(separator: "\n") + "\n" }
        lines += [
            "  - name: offline",
            "    type: offline_conversions",
            "    endpoint: \(offlineEndpoint ?? endpoint)",
            "    goals: \(goals)",
            "    customer_id: \"\(Microsoft.customer)\"",
            "    account_id: \"\(account)\"",
            "    developer_token: {file: \(directory.path)/developer-token}",
            "    oauth:",
            "      authority: \(authority)",
            "      client_id: \(Microsoft.clientID)",
        ]
        if hasSeed { lines.append("      refresh_token: {file: \(directory.path)/refresh-token}") }
        lines += oauth.map { "      " + $0 }
        lines += [
            "    customer_endpoint: \(offlineEndpoint ?? endpoint)",
            "    enhanced_conversions: true",
        ]
        lines += offline.map { "    " + $0 }
        return lines.joined(separator: "\n") + "\n"
    }
}
