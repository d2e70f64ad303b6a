/// A conversion pixel as the imitated Invest keeps it. What may be nil is null there.
public struct FakePixel: Sendable, Equatable {
    public enum Trigger: String, Sendable, CaseIterable {
        case view, click, hybrid
    }

    public struct Piggyback: Sendable, Equatable {
        public var kind: String
        public var url: String

        public init(kind: String, url: String) {
            self.kind = kind
            self.url = url
        }
    }

    public var id: Int
    public var advertiserID: Int
    public var name: String
    public var code: String?
    public var isActive = true
    public var trigger = Trigger.click
    /// nil: one conversion per user; 0: all; else one in so many minutes.
    public var minMinutesPerConversion: Int?
    /// 0 and nil: the longest there is, 90 and 30 days.
    public var postClickMinutes: Int?
    public var postViewMinutes: Int?
    /// As written: a decimal number.
    public var postClickValue: String?
    public var postViewValue: String?
    /// 2 to 8.
    public var category: Int?
    public var piggybacks: [Piggyback] = []
    /// Line items that use it, by id: it cannot be deleted while there is one.
    public var lineItems: [Int] = []
    /// `YYYY-MM-DD hh:mm:ss`
    public var createdOn = "2026-01-02 03:04:05"
    public var lastModified = "2026-01-02 03:04:05"

    public init(id: Int, advertiserID: Int, name: String) {
        self.id = id
        self.advertiserID = advertiserID
        self.name = name
    }
}

/// What the imitated Invest knows: who may sign in, and the pixels there are.
public struct InvestSettings: Sendable {
    public var username = "pixel-user"
    public var password = "Pixel-Password-1"
    public var pixels: [Int: FakePixel] = [:]
    /// Ids of advertisers by their codes.
    public var advertiserCodes: [String: Int] = [:]
    public var tokenLifetime = Duration.seconds(7200)

    public init() {}

    public mutating func add(_ pixel: FakePixel) { pixels[pixel.id] = pixel }
}
