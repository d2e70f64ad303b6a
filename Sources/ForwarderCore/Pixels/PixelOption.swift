/// An option of the command line that says a field: in the words of Monetize's page, or in the service's own.
public struct PixelOption: Sendable {
    /// With its dashes.
    public let name: String
    let field: PixelField
    /// What to write, in the words that follow "takes".
    let allowed: String
    private let convert: @Sendable (String) throws(Refusal) -> PixelValue

    private init(
        _ name: String, _ field: PixelField, _ allowed: String,
        _ convert: @escaping @Sendable (String) throws(Refusal) -> PixelValue
    ) {
        self.name = name
        self.field = field
        self.allowed = allowed
        self.convert = convert
    }

    func read(_ text: String) throws(Refusal) -> PixelValue {
        do throws(Refusal) {
            return try convert(text)
        } catch {
            throw Refusal("\(quoted(text)) \(error.text); it takes \(allowed)")
        }
    }

    /// Each takes one value, but for the piggyback pixels.
    public static let all: [PixelOption] = [
        name, code, state, attribution, category, postClick, postView, count, postClickValue, postViewValue, piggyback,
        PixelOption("--trigger-type", .trigger, triggers, trigger),
        PixelOption("--pixel-conversion-event-id", .category, "2 to 8, or null") { text throws(Refusal) in
            try wholeNumber(text, 2...8)
        },
        minutes("--post-click-expire-mins", .postClickMinutes, PixelLimits.postClickMinutes),
        minutes("--post-view-expire-mins", .postViewMinutes, PixelLimits.postViewMinutes),
        minutes("--min-minutes-per-conv", .repeatMinutes, PixelLimits.repeatMinutes),
    ]

    // MARK: Words of the page

    static let name = PixelOption("--name", .name, "a text without line breaks") { text throws(Refusal) in
        guard text.utf8.contains(where: { $0 != UInt8(ascii: " ") }) else { throw Refusal("is empty") }
        return .text(try plain(text))
    }

    static let attribution = PixelOption("--attribution", .trigger, triggers, trigger)

    static let category = PixelOption(
        "--category", .category, oneOf(PixelCategory.allCases.map(\.word) + ["none"])
    ) { text throws(Refusal) in
        if text == "none" { return .null }
        guard let category = PixelCategory(spelled: text) else { throw Refusal("is no category") }
        return .integer(category.rawValue)
    }

    static let postClick = window("--post-click", .postClickMinutes, PixelLimits.postClickMinutes)
    static let postView = window("--post-view", .postViewMinutes, PixelLimits.postViewMinutes)

    static let count = PixelOption(
        "--count", .repeatMinutes, "one-per-user, all, or every=2h (1m to \(PixelLimits.repeatMinutes)m, 22 days)"
    ) { text throws(Refusal) in
        switch text {
        case "one-per-user": return .null
        case "all": return .integer(0)
        default:
            guard text.hasPrefix("every=") else { throw Refusal("is none of these") }
            return .integer(try wholeMinutes(String(text.dropFirst(6)), 1...PixelLimits.repeatMinutes))
        }
    }

    static let piggyback = PixelOption(
        "--piggyback", .piggybacks, "img=URL or js=URL, or none"
    ) { text throws(Refusal) in
        if text == "none" { return .piggybacks([]) }
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let kind = PiggybackPixel.Kind(rawValue: parts[0]), parts.count == 2 else {
            throw Refusal("says no kind of pixel")
        }
        let url = parts[1]
        guard url.hasPrefix("https://") || url.hasPrefix("http://") else { throw Refusal("holds no http or https URL") }
        guard url.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { throw Refusal("holds what a URL cannot hold") }
        guard url.utf8.count <= PixelLimits.piggybackURL else {
            throw Refusal("has \(url.utf8.count) characters in its URL, of which \(PixelLimits.piggybackURL) are taken")
        }
        return .piggybacks([PiggybackPixel(kind, url: url)])
    }

    // MARK: Words of the service

    private static let code = PixelOption("--code", .code, "a text without line breaks, or '' for none") {
        text throws(Refusal) in
        text.isEmpty ? .null : .text(try plain(text))
    }

    private static let state = PixelOption("--state", .state, "active or inactive") { text throws(Refusal) in
        guard ["active", "inactive"].contains(text) else { throw Refusal("is no state") }
        return .text(text)
    }

    private static let postClickValue = value("--post-click-value", .postClickValue)
    private static let postViewValue = value("--post-view-value", .postViewValue)

    // MARK: Forms

    private static let triggers = "hybrid, view or click"

    private static let trigger: @Sendable (String) throws(Refusal) -> PixelValue = { text throws(Refusal) in
        guard ["hybrid", "view", "click"].contains(text) else { throw Refusal("is none of these") }
        return .text(text)
    }

    private static func window(_ name: String, _ field: PixelField, _ limit: Int64) -> PixelOption {
        PixelOption(name, field, "1m to \(limit / 1440)d, or max") { text throws(Refusal) in
            text == "max" ? .null : .integer(try wholeMinutes(text, 1...limit))
        }
    }

    private static func minutes(_ name: String, _ field: PixelField, _ limit: Int64) -> PixelOption {
        PixelOption(name, field, "minutes from 0 to \(limit), or null") { text throws(Refusal) in
            try wholeNumber(text, 0...limit)
        }
    }

    /// Microsoft's pages know neither a range nor what a negative value would mean. Fifteen digits are what a double keeps.
    private static func value(_ name: String, _ field: PixelField) -> PixelOption {
        PixelOption(name, field, "a number of up to 15 digits such as 10 or 2.5, or null") { text throws(Refusal) in
            if text == "null" { return .null }
            let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard 1...2 ~= parts.count, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }),
                parts.reduce(0, { $0 + $1.count }) <= 15, let number = Double(text)
            else { throw Refusal("is no such number") }
            return .number(number)
        }
    }

    private static func plain(_ text: String) throws(Refusal) -> String {
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw Refusal("holds a line break or another control character")
        }
        return text
    }

    private static func wholeNumber(_ text: String, _ bounds: ClosedRange<Int64>) throws(Refusal) -> PixelValue {
        if text == "null" { return .null }
        guard !text.isEmpty, text.utf8.allSatisfy(isDigit) else { throw Refusal("is no whole number") }
        guard let number = Int64(text), bounds.contains(number) else { throw Refusal("is out of bounds") }
        return .integer(number)
    }

    private static func wholeMinutes(_ text: String, _ bounds: ClosedRange<Int64>) throws(Refusal) -> Int64 {
        let milliseconds: Int64
        do throws(Refusal) {
            milliseconds = try ConfigUnits.duration(text).milliseconds
        } catch {
            throw Refusal("is no time such as 90m, 2h or 14d")
        }
        guard milliseconds <= bounds.upperBound * 60_000 else { throw Refusal("is out of bounds") }
        guard milliseconds % 60_000 == 0 else { throw Refusal("is not in whole minutes") }
        guard milliseconds >= bounds.lowerBound * 60_000 else { throw Refusal("is out of bounds") }
        return milliseconds / 60_000
    }
}
