/// One request for somebody's consent: the page to open in a browser, and what the browser comes back with (authorization
/// code with PKCE: the code is worth nothing without the verifier, which never leaves this side before the code is back).
public struct ConsentRequest: Sendable {
    /// Of chance, for one request.
    public static let entropyByteCount = 64
    /// A registration of the kind "mobile and desktop" has this page of Microsoft's own; the address bar then shows the
    /// code.
    public static let nativePage = "https://login.microsoftonline.com/common/oauth2/nativeclient"
    private static let codeLimit = 4096

    private let settings: OAuthSettings
    private let redirectURI: String
    private let state: String
    private let verifier: String

    /// - Parameter redirectURI: where the browser is sent afterwards; the registration must know it.
    public init(_ settings: OAuthSettings, redirectURI: String, entropy: [UInt8]) {
        precondition(entropy.count == ConsentRequest.entropyByteCount, "a consent request takes 64 bytes of chance")
        self.settings = settings
        self.redirectURI = redirectURI
        verifier = Base64URL.text(entropy.prefix(32))
        state = Base64URL.text(entropy.suffix(32))
    }

    /// What to open.
    public var url: String {
        let challenge = SHA256().withDigest(of: verifier) { Base64URL.text($0) }
        let query = FormEncoding.encode([
            ("client_id", settings.clientID), ("response_type", "code"), ("redirect_uri", redirectURI),
            ("response_mode", "query"), ("scope", settings.scope), ("state", state), ("code_challenge", challenge),
            // An agency's browser knows several people.
            ("code_challenge_method", "S256"), ("prompt", "select_account"),
        ])
        return "\(settings.authority)/oauth2/v2.0/authorize?\(String(decoding: query, as: UTF8.self))"
    }

    public enum Answer: Sendable, Equatable {
        case code(AuthorizationCode)
        case refused(OAuthRefusal)
        /// Not an answer to this request; why.
        case foreign(String)
    }

    /// What the address says that the browser was sent to. It may come from anybody.
    public func read(_ address: String) -> Answer {
        guard address.hasPrefix(redirectURI) else { return .foreign("it does not begin with \(redirectURI)") }
        var rest = address.dropFirst(redirectURI.count)
        if rest.first == "/" { rest.removeFirst() }
        guard rest.first == "?" else { return .foreign("it has no query") }
        let fields = FormEncoding.decode(rest.dropFirst().prefix { $0 != "#" })
        func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
        guard values("state") == [state] else {
            return .foreign("its state is not that of this request; use the page that was opened last")
        }
        let (codes, errors) = (values("code"), values("error"))
        switch (codes.count, errors.count) {
        case (0, 1):
            return .refused(OAuthRefusal(word: errors[0], description: values("error_description").first ?? ""))
        case (1, 0):
            let isLegal = codes[0].utf8.allSatisfy { 0x21...0x7E ~= $0 }
            guard isLegal, 1...ConsentRequest.codeLimit ~= codes[0].utf8.count else {
                return .foreign("its code is none")
            }
            return .code(AuthorizationCode(code: codes[0], verifier: verifier, redirectURI: redirectURI))
        default: return .foreign("it has \(codes.count) codes and \(errors.count) errors")
        }
    }
}

/// What somebody's consent gave, to be redeemed once and at once.
public struct AuthorizationCode: Sendable, Equatable {
    public var code: String
    public var verifier: String
    public var redirectURI: String

    public init(code: String, verifier: String, redirectURI: String) {
        self.code = code
        self.verifier = verifier
        self.redirectURI = redirectURI
    }

    func form(_ settings: OAuthSettings, _ clientSecret: String?) -> [(name: String, value: String)] {
        var form = [
            ("client_id", settings.clientID), ("scope", settings.scope), ("code", code),
            ("redirect_uri", redirectURI), ("grant_type", "authorization_code"), ("code_verifier", verifier),
        ]
        if let clientSecret { form.append(("client_secret", clientSecret)) }
        return form
    }
}

extension SHA256 {
    fileprivate func withDigest<Result>(of text: String, _ body: (Bytes) -> Result) -> Result {
        var copy = text
        return copy.withUTF8 { withDigest($0, body) }
    }
}

/// Base64 with the letters of URLs and without padding.
enum Base64URL {
    static func text(_ bytes: some Collection<UInt8>) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = []
        var (bits, count) = (0, 0)
        for byte in bytes {
            bits = (bits << 8 | Int(byte)) & 0xFFFF
            count += 8
            while count >= 6 {
                count -= 6
                text.append(letters[bits >> count & 63])
            }
        }
        if count > 0 { text.append(letters[bits << (6 - count) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }
}
