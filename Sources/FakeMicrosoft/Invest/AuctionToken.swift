import ForwarderCore

/// What the imitated Invest puts into the token of an auction, so that it can tell whose it was when it comes back. The
/// real one keeps that to itself.
public struct AuctionToken: Sendable, Equatable {
    /// Clicked on, or only seen.
    public enum Kind: String, Sendable {
        case click = "C"
        case view = "V"
    }

    public var kind: Kind
    public var user: UInt64
    public var time: Timestamp

    public init(_ kind: Kind, user: UInt64, at time: Timestamp) {
        self.kind = kind
        self.user = user
        self.time = time
    }

    private static let start = "ams1"
    private static let digits = 16

    /// As it stands in a landing page's URL, the period at its end included.
    public var text: String {
        func hex(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: AuctionToken.digits - text.count) + text
        }
        return AuctionToken.start + kind.rawValue + hex(user) + hex(UInt64(max(0, time.milliseconds))) + "AAA."
    }

    /// Nil for a token that was not made here.
    public init?(_ text: String) {
        let parts = text.dropFirst(AuctionToken.start.count)
        let numbers = parts.dropFirst()
        guard text.hasPrefix(AuctionToken.start), let kind = Kind(rawValue: String(parts.prefix(1))),
            let user = UInt64(numbers.prefix(AuctionToken.digits), radix: 16),
            let time = Int64(numbers.dropFirst(AuctionToken.digits).prefix(AuctionToken.digits), radix: 16),
            numbers.dropFirst(2 * AuctionToken.digits) == "AAA."
        else { return nil }
        self.init(kind, user: user, at: Timestamp(milliseconds: time))
    }
}
