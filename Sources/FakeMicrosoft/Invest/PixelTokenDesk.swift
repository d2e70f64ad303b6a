import ForwarderCore

/// The tokens of the imitated Conversion Pixel Service, and what became of those who asked for them.
public struct PixelTokenDesk: Sendable {

    static let limit = 10
    static let period = Duration.seconds(300)

    /// How often a token was given.
    public private(set) var given = 0
    /// How often one was asked for although there were ten in five minutes: no correct client does.
    public internal(set) var refusals = 0
    private var times: [Timestamp] = []
    private var tokens: [String: Timestamp] = [:]

    /// How long somebody has to wait for the next token; nil: not at all.
    func wait(_ now: Timestamp) -> Duration? {
        let recent = times.filter { now - $0 < PixelTokenDesk.period }
        guard recent.count >= PixelTokenDesk.limit else { return nil }
        return recent[recent.count - PixelTokenDesk.limit] + PixelTokenDesk.period - now
    }

    mutating func give(
        for lifetime: Duration, now: Timestamp, using rng: inout some RandomNumberGenerator
    ) -> String {
        given += 1
        times.append(now)
        let token = "authn:\(given):" + rng.hex(16)
        tokens[token] = now + lifetime
        return token
    }

    func isValid(_ token: String?, now: Timestamp) -> Bool {
        token.flatMap { tokens[$0] }.map { now < $0 } ?? false
    }

    /// Every token ends.
    public mutating func expire() { tokens = [:] }
}
