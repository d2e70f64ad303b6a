import ForwarderCore

/// The tokens of one grant.
struct TokenIssuer: Sendable {
    enum TokenState {
        case valid, expired, unknown
    }

    let settings: GrantSettings
    private(set) var refreshes = 0
    /// When each ceases to be valid, oldest first.
    private var accessTokens: [(token: String, until: Timestamp)] = []
    private var refreshTokens: [(token: String, until: Timestamp)]
    /// Tokens remembered of each kind; a client that keeps to the newest needs two.
    private static let memory = 1000

    init(_ settings: GrantSettings) {
        self.settings = settings
        refreshTokens = [(settings.refreshToken, .distantFuture)]
    }

    func state(ofAccessToken token: String, now: Timestamp) -> TokenState {
        guard let known = accessTokens.last(where: { $0.token == token }) else { return .unknown }
        return now < known.until ? .valid : .expired
    }

    /// Uses a refresh token. The one used stays valid for the grace from its first use.
    /// - Returns: the new pair; nil if the token is not valid.
    mutating func refresh(
        _ token: String, now: Timestamp, using rng: inout some RandomNumberGenerator
    ) -> (access: String, refresh: String)? {
        guard let index = refreshTokens.lastIndex(where: { $0.token == token }), now < refreshTokens[index].until else {
            return nil
        }
        refreshTokens[index].until = min(refreshTokens[index].until, now + settings.rotationGrace)
        return issue(now: now, using: &rng)
    }

    /// A new pair.
    mutating func issue(now: Timestamp, using rng: inout some RandomNumberGenerator) -> (
        access: String, refresh: String
    ) {
        refreshes += 1
        let access = "access-\(refreshes)-" + rng.hex(16)
        let refresh = "refresh-\(refreshes)-" + rng.hex(16)
        accessTokens.append((access, now + settings.accessTokenLifetime))
        refreshTokens.append((refresh, .distantFuture))
        if accessTokens.count > TokenIssuer.memory { accessTokens.removeFirst() }
        if refreshTokens.count > TokenIssuer.memory { refreshTokens.removeFirst() }
        return (access, refresh)
    }

    mutating func accept(_ refreshToken: String) {
        refreshTokens.append((refreshToken, .distantFuture))
    }

    mutating func revoke() {
        accessTokens = []
        refreshTokens = []
    }

    mutating func expireAccessTokens(now: Timestamp) {
        for index in accessTokens.indices { accessTokens[index].until = min(accessTokens[index].until, now) }
    }
}
