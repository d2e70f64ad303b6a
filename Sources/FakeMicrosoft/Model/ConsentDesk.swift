import ForwarderCore

/// Who signs in, and what that person reaches besides the accounts that take conversions.
public struct ConsentingUser: Sendable {
    public var id = "1234567890123456789"
    public var name = "ada.made-up"
    /// Accounts that only the list knows.
    public var moreAccounts: [ListedAccount] = []
    /// The person declines, in the words of the redirect; nil: consents.
    public var refusal: (error: String, description: String)?
}

/// The codes that consents gave.
struct ConsentDesk: Sendable {
    private struct Code {
        var code: String
        var challenge: String
        var redirectURI: String
        var until: Timestamp
        var isRedeemed = false
    }

    /// Codes remembered.
    private static let memory = 100
    private var codes: [Code] = []
    /// The last of what has to stay between the client and the token endpoint.
    fileprivate var secrets: [String] { (codes.map(\.code) + verifiers).filter { !$0.isEmpty } }
    private var verifiers: [String] = []

    mutating func give(
        challenge: String, redirectURI: String, until: Timestamp, using rng: inout some RandomNumberGenerator
    ) -> String {
        // As long, and of such letters, as the real ones.
        let code = "1.A-" + rng.hex(200) + "_.AgABBAIAAAD"
        codes.append(Code(code: code, challenge: challenge, redirectURI: redirectURI, until: until))
        if codes.count > ConsentDesk.memory { codes.removeFirst() }
        return code
    }

    /// Takes a code out of use. Returns why it is worth nothing.
    mutating func redeem(_ form: Form, _ settings: GrantSettings, now: Timestamp) -> OAuthError? {
        guard let text = form["code"], let redirectURI = form["redirect_uri"] else { return .parameterMissing }
        guard let index = codes.firstIndex(where: { $0.code == text }) else { return .codeInvalid }
        let code = codes[index]
        verifiers.append(form["code_verifier"] ?? "")
        if verifiers.count > ConsentDesk.memory { verifiers.removeFirst() }
        // Somebody who guesses spoils it.
        codes[index].isRedeemed = true
        if code.isRedeemed { return .codeRedeemed }
        if code.until <= now { return .codeExpired }
        if redirectURI != code.redirectURI { return .codeInvalid }
        guard let verifier = form["code_verifier"], 43...128 ~= verifier.utf8.count,
            ConsentDesk.challenge(verifier) == code.challenge
        else { return .verifierWrong }
        return nil
    }

    /// base64url(SHA-256), as RFC 7636 has it.
    static func challenge(_ verifier: String) -> String {
        var copy = verifier
        let digest = copy.withUTF8 { SHA256().withDigest($0, Array.init) }
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let bits = digest.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        return String(
            stride(from: 0, to: bits.count, by: 6).map { start in
                letters[(start..<start + 6).reduce(0) { $0 << 1 | ($1 < bits.count ? Int(bits[$1]) : 0) }]
            })
    }
}

/// The page on which people consent. Who opens it has signed in and consents at once.
extension MicrosoftModel {
    mutating func answerConsentRequest(
        _ request: FakeRequest, now: Timestamp, using rng: inout some RandomNumberGenerator
    ) -> FakeReply {
        let query = Form(request.query.utf8)
        // What concerns the address to go back to is told to the person only.
        guard request.method == "GET", query["client_id"] == settings.grant.clientID else {
            return .page(400, "AADSTS700016: the application was not found")
        }
        guard let redirectURI = query["redirect_uri"], isRegistered(redirectURI) else {
            return .page(400, "AADSTS50011: the redirect URI is not registered")
        }
        let state = query["state"]
        func redirect(_ fields: [(String, String)]) -> FakeReply {
            let fields = fields + (state.map { [("state", $0)] } ?? []) + [("session_state", rng.guid())]
            let text = fields.map { "\($0.0)=\(ConsentDesk.escaped($0.1))" }.joined(separator: "&")
            let hasPath = redirectURI.split(separator: "/", omittingEmptySubsequences: true).count > 2
            var reply = FakeReply.page(302, "Found")
            reply.headers["Location"] = "\(redirectURI)\(hasPath ? "" : "/")?\(text)"
            return reply
        }
        func refuse(_ error: String, _ description: String) -> FakeReply {
            redirect([("error", error), ("error_description", description)])
        }
        guard query["response_type"] == "code", ["query", nil].contains(query["response_mode"]) else {
            return refuse("unsupported_response_type", "AADSTS700054: response_type is not supported")
        }
        let scopes = (query["scope"] ?? "").split(separator: " ")
        guard scopes.contains(settings.grant.scope[...]) else {
            return refuse("invalid_scope", "AADSTS70011: the scope is not valid")
        }
        guard state?.isEmpty == false, query["code_challenge_method"] == "S256",
            let challenge = query["code_challenge"], challenge.utf8.count == 43
        else { return refuse("invalid_request", "AADSTS501491: the code_challenge is not valid") }
        if let refusal = settings.user.refusal { return refuse(refusal.error, refusal.description) }
        let code = consents.give(
            challenge: challenge, redirectURI: redirectURI, until: now + settings.grant.codeLifetime, using: &rng)
        return redirect([("code", code)])
    }

    /// The codes that were given, and the verifiers that came with them.
    public var consentSecrets: [String] { consents.secrets }

    /// From now on the person who opens the page declines, or with nil consents.
    public mutating func declineConsent(_ error: String?, _ description: String = "") {
        change { $0.user.refusal = error.map { ($0, description) } }
    }

    private func isRegistered(_ redirectURI: String) -> Bool {
        let isNativePage = redirectURI.hasSuffix("/oauth2/nativeclient")
        // A web registration cannot have that page.
        if isNativePage, settings.grant.clientSecret != nil { return false }
        return settings.grant.redirectURIs.contains { known in
            guard known == "http://localhost", redirectURI.hasPrefix("http://localhost:") else {
                return known == redirectURI
            }
            return UInt16(redirectURI.dropFirst("http://localhost:".count)) != nil
        }
    }
}

extension ConsentDesk {
    fileprivate static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "-._~".utf8.contains(byte)
                || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
            return isPlain
                ? String(UnicodeScalar(byte)) : "%" + String(0x100 | Int(byte), radix: 16).uppercased().dropFirst()
        }.joined()
    }
}
