/// What outlives a command: the token of the Conversion Pixel Service, and when tokens were asked for.
public struct PixelTokenRecord: Sendable, Equatable {
    /// As many tokens are given in `period`, by the service's rules.
    static let authenticationLimit = 10
    static let period = Duration.seconds(300)

    public private(set) var token: String?
    /// Every attempt counts, whatever came of it; oldest first, none older than the period.
    private var authentications: [Timestamp] = []

    public init() {}

    /// As `json`; nil for anything else.
    public init?(json: [UInt8]) {
        guard let root = (try? JSONDocument(json))?.root, root["version"]?.integer == 1 else { return nil }
        token = root["token"]?.string.flatMap(PixelTokenRecord.checked)
        authentications = (root["authentications"]?.elements ?? []).compactMap { element in
            element.integer.map { Timestamp(milliseconds: $0) }
        }.sorted()
    }

    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("version", 1)
            if let token { writer.member("token", token) }
            writer.name("authentications")
            writer.array { for time in authentications { $0.value(time.milliseconds) } }
        }
        return writer.bytes
    }

    /// How long to wait before the next authentication; nil if it may be now.
    func wait(_ now: Timestamp) -> Duration? {
        let recent = authentications.filter { isRecent($0, now) }
        guard recent.count >= PixelTokenRecord.authenticationLimit else { return nil }
        let first = recent[recent.count - PixelTokenRecord.authenticationLimit]
        return first + PixelTokenRecord.period - now
    }

    /// Notes that a token is asked for.
    mutating func authenticate(_ now: Timestamp) {
        token = nil
        authentications = authentications.filter { isRecent($0, now) } + [now]
        authentications.sort()
    }

    /// - Returns: false if it is none that a header can bear.
    mutating func take(_ token: String?) -> Bool {
        self.token = token.flatMap(PixelTokenRecord.checked)
        return self.token != nil
    }

    /// Whatever lies further in the future than a period was noted by a clock that has been set right since.
    private func isRecent(_ time: Timestamp, _ now: Timestamp) -> Bool {
        now - time < PixelTokenRecord.period && time - now < PixelTokenRecord.period
    }

    private static func checked(_ token: String) -> String? {
        1...4096 ~= token.utf8.count && token.utf8.allSatisfy { 0x21...0x7E ~= $0 } ? token : nil
    }
}
