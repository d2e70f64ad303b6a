import ForwarderCore

/// Pixels as a person reads them.
enum PixelText {
    static func table(_ pixels: [ConversionPixel]) -> String {
        guard !pixels.isEmpty else { return "none" }
        let fields: [PixelField] = [.name, .code, .state, .trigger, .category, .postClickMinutes, .postViewMinutes]
        var table = TextTable(
            ["ID", "ADVERTISER"] + fields.map { $0.title.uppercased() } + ["COUNT", "LINE ITEMS", "PIGGYBACK"])
        for pixel in pixels {
            table.add(
                [pixel.id, pixel.advertiserID] + fields.map { words($0, of: pixel, limit: 40) } + [
                    words(.repeatMinutes, of: pixel, limit: 40), "\(pixel.lineItems.count)",
                    pixel.piggybacks.isEmpty ? "-" : "\(pixel.piggybacks.count)",
                ])
        }
        return table.text
    }

    static func page(_ pixel: ConversionPixel) -> String {
        var lines = ["id: \(pixel.id)", "advertiser: \(pixel.advertiserID)"]
        for field in PixelField.allCases {
            var line = "\(field.title): \(words(field, of: pixel, limit: 1000))"
            // What the daemon's configuration wants to know of a pixel, in its words.
            if field == .repeatMinutes { line += " (\(field.rawValue): \((pixel.values[field] ?? .null).json))" }
            lines.append(line)
        }
        for item in pixel.lineItems { lines.append("line item: \(item.id) \(item.name) (\(item.state))") }
        // What Monetize's page says of pixels that count nothing yet.
        if pixel.lineItems.isEmpty {
            lines.append("line item: none; Microsoft's pages show it as paused until one uses it")
        }
        if !pixel.campaigns.isEmpty { lines.append("campaigns: \(pixel.campaigns.joined(separator: ", "))") }
        if !pixel.createdOn.isEmpty { lines.append("created: \(pixel.createdOn)") }
        if !pixel.lastModified.isEmpty { lines.append("changed: \(pixel.lastModified)") }
        return lines.joined(separator: "\n")
    }

    /// `pixel 17 of advertiser 2, Thank you`
    static func name(_ pixel: ConversionPixel) -> String {
        "pixel \(pixel.id) of advertiser \(pixel.advertiserID), \(words(.name, of: pixel, limit: 60))"
    }

    static func json(_ pixel: ConversionPixel) -> [UInt8] {
        var writer = JSONWriter()
        pixel.write(to: &writer)
        return writer.bytes
    }

    private static func words(_ field: PixelField, of pixel: ConversionPixel, limit: Int) -> String {
        let text = field.words(pixel.values[field] ?? .null)
        return text.count > limit ? text.prefix(limit) + "…" : text
    }
}
