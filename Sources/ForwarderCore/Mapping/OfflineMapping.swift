/// Writes an event as an offline conversion: one entry of the request's `OfflineConversions` (Campaign Management v13,
/// OfflineConversion data object).
struct OfflineMapping: Sendable {
    /// The goals take e-mail and phone.
    let isEnhanced: Bool
    /// What of the event is used, as field bits.
    let fields: UInt64
    private let goals: [[UInt8]]

    init(_ settings: OfflineSettings, goals: [String]) {
        isEnhanced = settings.enhancedConversions
        var fields: [EventField] = [.event, .eventID, .eventTime, .adStorage, .clickID, .value, .currency]
        if isEnhanced { fields += [.email, .phone] }
        if settings.goals.contains(where: \.isExternallyAttributed) {
            fields += [.externalAttributionCredit, .externalAttributionModel]
        }
        self.fields = fields.reduce(0) { $0 | $1.bit }
        self.goals = goals.map { Array($0.utf8) }
    }

    /// What keeps the event from being sent, beyond what is wrong with it everywhere.
    func violations(_ event: borrowing StorefrontEvent) -> RejectReasons {
        let hasHash = isEnhanced && (event.enhancedEmailHash.isPresent || event.phoneHash.isPresent)
        return event.clickID.isPresent || hasHash ? [] : RejectReasons(.noIdentifier)
    }

    func append(
        _ event: borrowing StorefrontEvent, _ route: EventRoutes.Route, dropped: inout DroppedFields,
        to output: inout ByteBuffer
    ) {
        output.append(UInt8(ascii: "{"))
        goals[Int(route.goal)].withUnsafeBufferPointer {
            output.member("ConversionName", EventText(bytes: $0, needsEscaping: true))
        }
        output.append(#""ConversionTime":""#)
        ISO8601.append(event.time, to: &output)
        output.append(#"","#)
        appendClickID(event.clickID, to: &output)
        if isEnhanced {
            output.member("HashedEmailAddress", event.enhancedEmailHash)
            output.member("HashedPhoneNumber", event.phoneHash)
            if event.emailHash.isPresent, !event.enhancedEmailHash.isPresent {
                dropped.insert(.email, .emailNotNormalizable)
            }
        }
        appendValue(event, dropped: &dropped, to: &output)
        appendAttribution(event, route, dropped: &dropped, to: &output)
        output.close(UInt8(ascii: "}"))
    }

    /// Offline conversions know click ids only as 32 digits.
    private func appendClickID(_ id: EventText, to output: inout ByteBuffer) {
        guard id.isPresent else { return }
        output.append(#""MicrosoftClickId":""#)
        for byte in id.bytes where byte != UInt8(ascii: "-") { output.append(byte) }
        output.append(#"","#)
    }

    /// Microsoft takes 0 to 999,999,999,999 with three decimals, and rejects the conversion for anything else.
    private func appendValue(
        _ event: borrowing StorefrontEvent, dropped: inout DroppedFields, to output: inout ByteBuffer
    ) {
        if let value = event.value {
            let limit: Int64 = 999_999_999_999
            let isInside = value.truncatedInteger.map { $0 < limit || $0 == limit && value.wholeNumber != nil } ?? false
            if !isInside || value.isNegative {
                dropped.insert(.value, .outOfRange)
            } else if let rounded = value.rounded(toDigits: 3) {
                output.append(#""ConversionValue":"#)
                output.append(rounded.text)
                output.append(UInt8(ascii: ","))
                if !rounded.isExact { dropped.insert(.value, .rounded) }
            } else {
                output.member("ConversionValue", value)
            }
        }
        output.member("ConversionCurrencyCode", event.currency)
    }

    /// On a goal that is not externally attributed Microsoft refuses a conversion that carries these.
    private func appendAttribution(
        _ event: borrowing StorefrontEvent, _ route: EventRoutes.Route, dropped: inout DroppedFields,
        to output: inout ByteBuffer
    ) {
        guard route.target == .goal(isExternallyAttributed: true) else { return }
        if let credit = event.externalAttributionCredit {
            // 0 < credit <= 1
            let isOne = credit.truncatedInteger == 1 && credit.wholeNumber != nil
            if !credit.isNegative, !credit.isZero, credit.truncatedInteger == 0 || isOne {
                output.member("ExternalAttributionCredit", credit)
            } else {
                dropped.insert(.externalAttributionCredit, .outOfRange)
            }
        }
        output.member("ExternalAttributionModel", event.externalAttributionModel)
    }
}
