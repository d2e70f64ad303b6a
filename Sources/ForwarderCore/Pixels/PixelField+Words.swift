extension PixelField {
    /// What it is called where people read it.
    public var title: String {
        switch self {
        case .name: "name"
        case .code: "code"
        case .state: "state"
        case .trigger: "attribution"
        case .category: "category"
        case .postClickMinutes: "post-click"
        case .postViewMinutes: "post-view"
        case .repeatMinutes: "count"
        case .postClickValue: "post-click value"
        case .postViewValue: "post-view value"
        case .piggybacks: "piggyback"
        }
    }

    /// The value as a person writes it.
    public func words(_ value: PixelValue) -> String {
        switch (self, value) {
        // Null and 0 mean the same.
        case (.postClickMinutes, .null), (.postClickMinutes, .integer(0)):
            "max (\(PixelLimits.postClickMinutes / 1440)d)"
        case (.postViewMinutes, .null), (.postViewMinutes, .integer(0)): "max (\(PixelLimits.postViewMinutes / 1440)d)"
        case (.repeatMinutes, .null): "one per user"
        case (.repeatMinutes, .integer(0)): "all"
        case (.repeatMinutes, .integer(let minutes)): "one per user every \(PixelField.duration(minutes))"
        case (.postClickMinutes, .integer(let minutes)), (.postViewMinutes, .integer(let minutes)):
            PixelField.duration(minutes)
        case (.category, .null): "none"
        case (.category, .integer(let number)): PixelCategory(rawValue: number)?.word ?? "\(number)"
        case (_, .null): "-"
        case (_, .text(let text)): text
        case (_, .integer(let number)): "\(number)"
        case (_, .number): value.json
        case (_, .piggybacks(let pixels)):
            pixels.isEmpty ? "none" : pixels.map { "\($0.kind.rawValue)=\($0.url)" }.joined(separator: " ")
        }
    }

    private static func duration(_ minutes: Int64) -> String {
        let (seconds, overflow) = minutes.multipliedReportingOverflow(by: 60)
        return overflow ? "\(minutes)m" : ConfigUnits.text(.seconds(seconds))
    }
}
