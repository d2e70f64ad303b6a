import ForwarderCore

/// How the grant of a destination is, without anything secret.
struct GrantStatus: Sendable {
    /// Microsoft gives up a refresh token that nobody has used for so long.
    private static let idleLimit = Duration.seconds(90 * 86_400)

    var destination: String
    /// The name of its file: the same for destinations that share it.
    var grant: String
    var isEncrypted = false
    /// Left of the access token; nil if there is none, or no daemon runs that would know.
    var accessTokenLeft: Duration?
    var problem: String?
    /// Refused for good; somebody has to act.
    var isDead = false
    var lastRefusal: (reason: String, at: Timestamp)?
    private var hasToken = false
    private var user: MicrosoftUser?
    private var consentedAt: Timestamp?
    private var refreshedAt: Timestamp?

    init(destination: String, grant: String) {
        self.destination = destination
        self.grant = grant
    }

    mutating func take(_ record: GrantRecord?) {
        guard let record else { return }
        hasToken = true
        user = record.user
        consentedAt = record.consentedAt
        refreshedAt = record.refreshedAt
    }

    /// Read from the disk, while no daemon runs.
    init(_ settings: DestinationSettings, _ oauth: OAuthSettings, _ state: StateSettings) {
        let key = GrantKey(oauth)
        self.init(destination: settings.name, grant: key.id)
        do throws(Secrets.Unreadable) {
            switch GrantFile(key, state).read(try Secrets.encryptionKey(state.key)) {
            case .missing: problem = oauth.refreshToken == nil ? "no_consent" : nil
            case .record(let record, let isSealed):
                take(record)
                isEncrypted = isSealed
            case .locked(let reason), .unreadable(let reason): problem = reason
            }
        } catch {
            problem = "state.key: \(error.reason)"
        }
    }

    func write(_ writer: inout JSONWriter) {
        writer.object { writer in
            func member(_ name: String, _ time: Timestamp?) {
                if let time { writer.member(name, time.iso8601) }
            }
            writer.member("destination", destination)
            writer.member("grant", grant)
            writer.member("consent", hasToken)
            writer.member("encrypted", isEncrypted)
            if let accessTokenLeft { writer.member("access_token_seconds", accessTokenLeft.milliseconds / 1000) }
            if let user {
                writer.member("user_id", user.id)
                writer.member("user_name", user.name)
            }
            member("consented_at", consentedAt)
            member("refreshed_at", refreshedAt)
            member("stale_at", refreshedAt.map { $0 + GrantStatus.idleLimit })
            if let problem { writer.member("problem", problem) }
            writer.member("dead", isDead)
            if let lastRefusal {
                writer.member("last_refusal", lastRefusal.reason)
                member("last_refusal_at", lastRefusal.at)
            }
        }
    }

    /// Lines for a person, of the JSON: the daemon may have made it.
    static func text(_ root: JSONElement) -> String {
        let isRunning = root["running"]?.bool ?? false
        let grants = root["grants"]?.elements ?? []
        if grants.isEmpty { return "no destination needs consent" }
        return grants.map { text($0, isRunning: isRunning) }.joined(separator: "\n")
    }

    private static func text(_ grant: JSONElement, isRunning: Bool) -> String {
        func words(_ name: String) -> String? { grant[name]?.string }
        let name = words("destination") ?? ""
        var lines: [String] = []
        if let seconds = grant["access_token_seconds"]?.integer {
            lines.append(
                "\(name): ready; the access token lives for \(seconds / 60) min \(seconds % 60) s, renewed before")
        } else if grant["consent"]?.bool == true {
            lines.append(isRunning ? "\(name): no access token" : "\(name): consent is kept; no daemon runs to use it")
        } else if words("problem") == nil {
            lines.append("\(name): nothing is kept yet; it begins with oauth.refresh_token")
        } else {
            lines.append("\(name): no consent is kept")
        }
        switch words("problem") {
        case nil: break
        case "no_consent": lines.append("  begin with `conversion-forwarder auth login --destination \(name)`")
        case let problem?:
            lines.append("  problem: \(problem)\(grant["dead"]?.bool == true ? "; somebody has to act" : "")")
        }
        if let user = words("user_id") { lines.append("  for user \(user) \(words("user_name") ?? "")") }
        if let time = words("consented_at") { lines.append("  consent given \(time)") }
        if let time = words("refreshed_at") {
            lines.append("  refresh token of \(time), stale if nobody uses it until \(words("stale_at") ?? "")")
        }
        if let reason = words("last_refusal") {
            lines.append("  last refused \(words("last_refusal_at") ?? ""): \(reason)")
        }
        lines.append(
            "  saved \(grant["encrypted"]?.bool == true ? "encrypted" : "as it is") as grants/\(words("grant") ?? "").json"
        )
        return lines.joined(separator: "\n")
    }
}
