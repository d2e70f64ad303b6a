import ForwarderCore
import Glibc
import HTTPServer
import Synchronization

/// Who may ask the admin port for what.
final class Gatekeeper: Sendable {
    /// A token that can be guessed protects nothing.
    static let shortestToken = 16
    /// After that long a browser has to show the token again.
    private static let sessionLife = Duration.seconds(12 * 3600)
    private static let sessionLimit = 32

    /// What a request has shown of itself.
    enum Visitor: Sendable, Equatable {
        /// No token is configured: may look, not act.
        case anybody(formKey: String)
        /// Has shown the token, or has a session for which it was shown.
        case holder(formKey: String, hasSession: Bool)
        case unknown
        /// A token is configured and cannot be read; nobody can show it.
        case locked(reason: String)
    }

    private struct Session {
        var formKey: String
        /// A session ends when the token changes.
        var token: String
        var endsAt: Uptime
    }

    private let token: SecretReference?
    private let hosts: Set<String>
    private let isEncrypted: Bool
    /// `__Host-` makes browsers refuse it from any other host or path; they take that over https only. Ports do not keep
    /// cookies apart, so two daemons on one machine need two names.
    private let cookieName: String
    /// Of forms that belong to no session. Another site can neither read it nor guess it.
    private let formKey = Gatekeeper.randomText()
    private let sessions = Mutex<[String: Session]>([:])

    init(_ settings: AdminSettings) {
        token = settings.token
        isEncrypted = settings.tls != nil
        cookieName = (isEncrypted ? "__Host-" : "") + "conversion-forwarder-\(settings.listen?.port ?? 0)"
        hosts = Set(settings.hosts + [settings.listen?.host.lowercased()].compactMap { $0 })
    }

    // MARK: Host and origin

    /// Whether a browser that asks under this name was led here by this site's own address. Another site may point a
    /// name of its own to this machine, and would then be the same origin; a numeric address cannot be pointed.
    ///
    /// Programs that show a token may call it what they like: no browser does that for another site, unless that site
    /// has the token.
    func isCalledByName(_ request: ServerRequest) -> Bool {
        if token != nil, request.headers["authorization"] != nil { return true }
        guard let host = request.headers["host"].flatMap(Gatekeeper.host) else { return false }
        return host == "localhost" || Gatekeeper.isNumeric(host) || hosts.contains(host)
    }

    /// Whether a form was sent by a page of this site, as far as the browser says.
    func isOwnForm(_ request: ServerRequest) -> Bool {
        if let site = request.headers["sec-fetch-site"], site != "same-origin", site != "none" { return false }
        guard let origin = request.headers["origin"] else { return true }
        // A proxy in front may speak https where this port does not: the scheme says nothing.
        let authority = ["http://", "https://"].first { origin.hasPrefix($0) }.map { origin.dropFirst($0.count) }
        return authority.map(String.init) == request.headers["host"]
    }

    /// The host of a header, in lower case, without port and brackets.
    private static func host(_ header: String) -> String? {
        var host = header[...]
        if host.first == "[" {
            guard let end = host.firstIndex(of: "]") else { return nil }
            let rest = host[end...].dropFirst()
            guard rest.isEmpty || rest.first == ":" else { return nil }
            host = host[host.index(after: host.startIndex)..<end]
        } else {
            host = host.prefix { $0 != ":" }
        }
        if host.last == "." { host.removeLast() }
        return host.isEmpty ? nil : host.lowercased()
    }

    private static func isNumeric(_ host: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
    }

    // MARK: Token and session

    func visitor(_ request: ServerRequest, now: Uptime) -> Visitor {
        let expected: String?
        do throws(Secrets.Unreadable) {
            expected = try currentToken()
        } catch {
            return .locked(reason: error.reason)
        }
        guard let expected else { return .anybody(formKey: formKey) }
        if let shown = request.headers["authorization"] {
            let scheme = "bearer "
            guard shown.lowercased().hasPrefix(scheme), matches(String(shown.dropFirst(scheme.count)), expected) else {
                return .unknown
            }
            return .holder(formKey: formKey, hasSession: false)
        }
        guard let id = sessionID(request) else { return .unknown }
        let session = sessions.withLock { $0[id] }
        guard let session, now < session.endsAt, matches(session.token, expected) else { return .unknown }
        return .holder(formKey: session.formKey, hasSession: true)
    }

    /// Returns the header that gives the browser its session, or nil if that is not the token.
    func logIn(_ shown: String, now: Uptime) -> String? {
        guard let expected = (try? currentToken()) ?? nil, matches(shown, expected) else { return nil }
        let id = Gatekeeper.randomText()
        let session = Session(
            formKey: Gatekeeper.randomText(), token: expected, endsAt: now + Gatekeeper.sessionLife)
        sessions.withLock { sessions in
            sessions = sessions.filter { now < $0.value.endsAt }
            if sessions.count >= Gatekeeper.sessionLimit,
                let oldest = sessions.min(by: { $0.value.endsAt < $1.value.endsAt })
            {
                sessions[oldest.key] = nil
            }
            sessions[id] = session
        }
        return cookie(id, seconds: Gatekeeper.sessionLife.milliseconds / 1000)
    }

    /// Returns the header that takes the session from the browser.
    func logOut(_ request: ServerRequest) -> String {
        if let id = sessionID(request) { sessions.withLock { $0[id] = nil } }
        return cookie("", seconds: 0)
    }

    /// Whether a form was made for this visitor.
    func isGenuine(_ shown: String?, for visitor: Visitor) -> Bool {
        switch visitor {
        case .anybody(let key), .holder(let key, _): shown.map { matches($0, key) } ?? false
        case .unknown, .locked: false
        }
    }

    /// Read each time: a file that is replaced holds at once, and one that is gone opens nothing.
    private func currentToken() throws(Secrets.Unreadable) -> String? {
        guard let token else { return nil }
        let text = try Secrets.read(token)
        guard text.utf8.count >= Gatekeeper.shortestToken else {
            throw Secrets.Unreadable(
                reason: "\(token.redacted) is shorter than \(Gatekeeper.shortestToken) characters")
        }
        return text
    }

    /// Why the token cannot be used; nil if it can, or there is none.
    var problem: String? {
        do throws(Secrets.Unreadable) {
            _ = try currentToken()
            return nil
        } catch {
            return error.reason
        }
    }

    // MARK: Cookie

    private func cookie(_ value: String, seconds: Int64) -> String {
        "\(cookieName)=\(value); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(seconds)\(isEncrypted ? "; Secure" : "")"
    }

    private func sessionID(_ request: ServerRequest) -> String? {
        let pairs = (request.headers["cookie"] ?? "").split(separator: ";")
        let prefix = "\(cookieName)="
        let own = pairs.lazy.map { $0.drop { $0 == " " } }.first { $0.hasPrefix(prefix) }
        return own.map { String($0.dropFirst(prefix.count)) }
    }

    private static func randomText() -> String {
        var text = ""
        for _ in 0..<4 {
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return text
    }
}

/// Compares in a time that depends on the length of what was shown, not on where the two differ.
private func matches(_ shown: String, _ expected: String) -> Bool {
    let expected = Array(expected.utf8)
    var difference = shown.utf8.count ^ expected.count
    for (index, byte) in shown.utf8.enumerated() {
        difference |= Int(byte ^ expected[index % max(1, expected.count)])
    }
    return difference == 0 && !expected.isEmpty
}
