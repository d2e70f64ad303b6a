import ForwarderCore

/// What an imitated pixel has made of the conversions it was told of.
public struct PixelCounts: Sendable, Equatable {
    /// Why a conversion was not counted.
    public enum Reason: String, Sendable, CaseIterable {
        case unknownToken = "unknown_token"
        case inactivePixel = "inactive_pixel"
        case otherTrigger = "other_trigger"
        case outsideWindow = "outside_window"
        case repeated = "repeated"
    }

    public private(set) var attributed = 0
    public private(set) var unattributed: [Reason: Int] = [:]
    /// When a conversion of a user was counted last.
    private var last: [UInt64: Timestamp] = [:]

    public init() {}

    /// The longest windows there are, in minutes.
    private static let longestClick = 129_600
    private static let longestView = 43_200

    mutating func count(_ token: AuctionToken?, of pixel: FakePixel, now: Timestamp) {
        if let reason = reason(token, pixel, now) {
            unattributed[reason, default: 0] += 1
        } else {
            attributed += 1
            if let token { last[token.user] = now }
        }
    }

    private func reason(_ token: AuctionToken?, _ pixel: FakePixel, _ now: Timestamp) -> Reason? {
        guard let token else { return .unknownToken }
        guard pixel.isActive else { return .inactivePixel }
        let minutes: Int
        switch token.kind {
        case .click:
            if pixel.trigger == .view { return .otherTrigger }
            minutes = PixelCounts.window(pixel.postClickMinutes, longest: PixelCounts.longestClick)
        case .view:
            if pixel.trigger == .click { return .otherTrigger }
            minutes = PixelCounts.window(pixel.postViewMinutes, longest: PixelCounts.longestView)
        }
        if now - token.time > .seconds(60 * minutes) { return .outsideWindow }
        guard let last = last[token.user] else { return nil }
        guard let pause = pixel.minMinutesPerConversion else { return .repeated }
        return pause > 0 && now - last < .seconds(60 * pause) ? .repeated : nil
    }

    private static func window(_ minutes: Int?, longest: Int) -> Int {
        minutes.map { $0 == 0 ? longest : $0 } ?? longest
    }
}
