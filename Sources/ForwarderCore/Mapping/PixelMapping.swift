/// Writes an event as the query of a server-side conversion pixel: `id=37&order_id=991&value=79.99&sspdata=…`, the token
/// last. The content of the delivery is that query as a JSON string, in which nothing needs an escape.
/// (Microsoft Invest, server-side conversion pixels.)
struct PixelMapping: Sendable {
    /// What of an event is used, as field bits.
    let fields: UInt64
    private let pixels: [InvestPixelSettings.Mapping]
    private let tokenParameter: [UInt8]

    private static let orderIDLimit = 36
    private static let otherLimit = 20

    init(_ settings: InvestPixelSettings) {
        pixels = settings.events
        tokenParameter = Array((settings.tokenParameter ?? "").utf8)
        var fields: [EventField] = [.event, .eventID, .eventTime, .adStorage, .sspData]
        if settings.tokenParameter != nil { fields.append(.url) }
        for pixel in pixels { fields += [pixel.orderID, pixel.value, pixel.other].compactMap(\.self) }
        self.fields = fields.reduce(0) { $0 | $1.bit }
    }

    /// Whether the event says of an auction at all that it led to it. Most do not, and are nothing to Invest.
    func hasToken(_ reader: inout EventReader) -> Bool {
        if !reader.rawText(.sspData).isEmpty { return true }
        return SSPToken.parameter(tokenParameter, of: reader.rawText(.url)) != nil
    }

    /// What keeps the event from being sent, beyond what is wrong with it everywhere.
    func violations(_ event: borrowing StorefrontEvent) -> RejectReasons {
        SSPToken(event, parameter: tokenParameter) == nil ? RejectReasons(.noIdentifier) : []
    }

    func append(
        _ event: borrowing StorefrontEvent, pixel index: Int, dropped: inout DroppedFields,
        to output: inout ByteBuffer
    ) {
        let pixel = pixels[index]
        output.append(#""id="#)
        output.append(decimal: pixel.pixelID)
        if let field = pixel.orderID {
            append("&order_id=", event.text(field), of: field, limit: PixelMapping.orderIDLimit, &dropped, to: &output)
        }
        if let field = pixel.value, let value = event.number(field) {
            // A number and nothing else: 10, not $10.
            if value.isNegative {
                dropped.insert(field, .outOfRange)
            } else {
                output.append("&value=")
                output.append(value.text)
            }
        }
        if let field = pixel.other {
            append("&other=", event.text(field), of: field, limit: PixelMapping.otherLimit, &dropped, to: &output)
        }
        output.append("&sspdata=")
        SSPToken(event, parameter: tokenParameter)?.appendEncoded(to: &output)
        output.append(UInt8(ascii: "\""))
    }

    private func append(
        _ name: StaticString, _ text: EventText, of field: EventField, limit: Int, _ dropped: inout DroppedFields,
        to output: inout ByteBuffer
    ) {
        guard text.isPresent else { return }
        if !text.bytes.allSatisfy({ isLetter($0) || isDigit($0) }) {
            dropped.insert(field, .notAlphanumeric)
        } else if text.bytes.count > limit {
            dropped.insert(field, .tooLong)
        } else {
            output.append(name)
            output.append(text.bytes)
        }
    }
}

extension StorefrontEvent {
    /// A field that can be `order_id` or `other`.
    fileprivate func text(_ field: EventField) -> EventText {
        switch field {
        case .transactionID: transactionID
        case .eventID: id
        case .category: category
        case .label: label
        case .pageType: pageType
        case .ecommCategory: ecommCategory
        case .currency: currency
        case .source: source
        default: .absent
        }
    }

    /// A field that can be a `value`.
    fileprivate func number(_ field: EventField) -> DecimalText? {
        switch field {
        case .value: value
        case .eventValue: eventValue
        case .ecommTotalValue: ecommTotalValue
        default: nil
        }
    }
}
