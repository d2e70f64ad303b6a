/// Why Microsoft's identity platform, or the network before it, gave nothing: in one word and, of the platform, the number
/// of the description (`AADSTS…`). The description itself may quote anything and goes nowhere.
public struct OAuthRefusal: Sendable, Equatable {
    public var reason: String
    public var number: Int?

    public init(reason: String, number: Int? = nil) {
        self.reason = reason
        self.number = number
    }

    /// Of a redirect's query.
    init(word: String, description: String) {
        self.init(reason: MicrosoftText.code(word) ?? "unreadable_error", number: OAuthRefusal.number(in: description))
    }

    /// Of an answer of the token endpoint.
    init(_ answer: HTTPAnswer, _ root: JSONElement?) {
        let word = root?["error"]?.string.flatMap(MicrosoftText.code)
        let listed = root?["error_codes"]?.elements?.first?.integer.flatMap { Int(exactly: $0) }
        self.init(
            reason: word ?? "http_\(answer.status)",
            number: listed ?? root?["error_description"]?.string.flatMap(OAuthRefusal.number))
    }

    /// For a person: what happened, and what to do about it.
    public var words: String {
        let code = number.map { "\(reason), AADSTS\($0)" } ?? reason
        return "\(meaning) (\(code))"
    }

    private var meaning: String {
        switch number {
        case 50011: return "the registration of the application does not know this redirect URI; add it there"
        case 65004: return "the person declined"
        case 65001, 90094, 90095:
            return "an administrator of the tenant must allow the application first; ask one to grant admin consent"
        case 650052:
            return "the tenant does not have Microsoft Advertising as a service; an administrator must add it"
        case 700_016:
            return "the tenant does not know this client_id; look at oauth.client_id and oauth.authority"
        case 70002, 7_000_215, 7_000_218, 7_000_222:
            return "the registration is a web application, and its secret is missing, wrong or expired: look at "
                + "oauth.client_secret"
        case 90023, 700_025:
            return "the registration is a native client, which has no secret: remove oauth.client_secret"
        case 54005, 70008, 70043:
            return "the code was used already or is too old; begin again, and finish within minutes"
        case 50148, 501_481, 9_002_313: return "the code belongs to another request; begin again"
        default: return meaningOfWord
        }
    }

    private var meaningOfWord: String {
        switch reason {
        case "access_denied": "the person declined, or may not consent"
        case "consent_required", "interaction_required", "login_required":
            "somebody has to sign in and consent again"
        case "invalid_scope": "the application may not ask for this; look at oauth.scope and its API permissions"
        case "invalid_client", "unauthorized_client":
            "the application is not accepted; look at oauth.client_id, oauth.client_secret and oauth.authority"
        case "invalid_grant": "the code is not accepted: used already, too old, or of another redirect URI; begin again"
        case "invalid_request", "unsupported_response_type", "invalid_resource":
            "the request is not accepted; look at the registration of the application"
        case "server_error", "temporarily_unavailable": "Microsoft's sign-in is ailing; try again in a few minutes"
        case "no_refresh_token":
            "Microsoft gave no refresh token; oauth.scope must contain offline_access"
        case "unreadable": "what the grant needs cannot be read; `check` and the daemon's log say what"
        case "reconfigured": "the configuration has changed meanwhile; begin again"
        case "busy": "another consent is being redeemed; try again in a minute"
        case _ where TransportFault(rawValue: reason) != nil:
            "Microsoft's sign-in could not be reached; look at the network and at http.proxy"
        default: "Microsoft's sign-in answered with an error"
        }
    }

    private static func number(in description: String) -> Int? {
        let parts = description.split(separator: "AADSTS", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        return Int(parts[1].prefix { $0.isASCII && $0.isNumber }.prefix(9))
    }
}
