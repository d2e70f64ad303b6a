import ForwarderCore

/// What the service makes of a body. Written apart from the forwarder's own checks: a judge that shares the accused's eyes
/// sees nothing.
extension FakePixel {
    static let filters: [(name: String, type: String, sorts: Bool)] = [
        ("id", "int", true), ("code", "string", true), ("name", "string", true), ("state", "enum", true),
        ("trigger_type", "enum", false), ("advertiser_id", "int", true), ("last_modified", "timestamp", true),
    ]

    /// Takes over the members of `{"pixel":{…}}`.
    mutating func take(_ body: [UInt8], appends: Bool) throws(PixelServiceAnswers.Refusal) {
        guard let pixel = (try? JSONDocument(body))?.root["pixel"], let members = pixel.members else {
            throw FakePixel.syntax("the body is not {\"pixel\":{...}}")
        }
        for (name, value) in members { try take(name, value, appends: appends) }
    }

    private static func syntax(_ text: String) -> PixelServiceAnswers.Refusal { .init(id: "SYNTAX", text: text) }

    private mutating func take(
        _ name: String, _ value: JSONElement, appends: Bool
    ) throws(PixelServiceAnswers.Refusal) {
        switch name {
        case "name":
            guard let text = value.string, !text.isEmpty else { throw FakePixel.syntax("name must be a string") }
            self.name = text
        case "code":
            guard value.isNull || value.string != nil else { throw FakePixel.syntax("code must be a string") }
            code = value.string
        case "state":
            guard let state = value.string, ["active", "inactive"].contains(state) else {
                throw FakePixel.syntax("state must be active or inactive")
            }
            isActive = state == "active"
        case "trigger_type":
            guard let known = value.string.flatMap(Trigger.init) else {
                throw FakePixel.syntax("trigger_type must be view, click or hybrid")
            }
            trigger = known
        case "min_minutes_per_conv": minMinutesPerConversion = try FakePixel.integer(name, value, 0...32_767)
        case "post_click_expire_mins": postClickMinutes = try FakePixel.integer(name, value, 0...129_600)
        case "post_view_expire_mins": postViewMinutes = try FakePixel.integer(name, value, 0...43_200)
        case "pixel_conversion_event_id": category = try FakePixel.integer(name, value, 2...8)
        case "post_click_value": postClickValue = try FakePixel.decimal(name, value)
        case "post_view_value": postViewValue = try FakePixel.decimal(name, value)
        case "piggyback_pixels":
            let new = try FakePixel.piggybacks(value)
            piggybacks = appends ? piggybacks + new : new
        case "id", "campaigns", "line_items", "created_on", "last_modified", "pixel_conversion_event":
            throw FakePixel.syntax("\(name) is read only")
        default: throw FakePixel.syntax("unknown field \(name)")
        }
    }

    private static func integer(
        _ name: String, _ value: JSONElement, _ bounds: ClosedRange<Int64>
    ) throws(PixelServiceAnswers.Refusal) -> Int? {
        if value.isNull { return nil }
        guard let number = value.integer, bounds.contains(number) else {
            throw syntax("\(name) must be an integer from \(bounds.lowerBound) to \(bounds.upperBound), or null")
        }
        return Int(number)
    }

    private static func decimal(_ name: String, _ value: JSONElement) throws(PixelServiceAnswers.Refusal) -> String? {
        if value.isNull { return nil }
        guard value.kind == .number else { throw syntax("\(name) must be a number") }
        return value.rawText
    }

    private static func piggybacks(_ value: JSONElement) throws(PixelServiceAnswers.Refusal) -> [Piggyback] {
        if value.isNull { return [] }
        guard let elements = value.elements else { throw syntax("piggyback_pixels must be an array") }
        var found: [Piggyback] = []
        for element in elements {
            guard let kind = element["pixel_type"]?.string, ["img", "js"].contains(kind),
                let url = element["url"]?.string, 1...255 ~= url.unicodeScalars.count
            else { throw syntax("piggyback_pixels: each has a pixel_type of js or img, and a url of at most 255") }
            found.append(Piggyback(kind: kind, url: url))
        }
        return found
    }
}
