/// Writes an event as an offline conversion: one entry of the request's `OfflineConversions` (Campaign Management v13,
/// OfflineConversion data object).
struct OfflineMapping: Sendable {
    let isEnhanced: Bool
    private let goals: [[UInt8]]

    /// What of the event is used, as field bits.
    static let fields: UInt64 = [
        EventField.event, .eventID, .eventTime, .adStorage, .email, .phone, .clickID, .value, .currency,
        .externalAttributionCredit, .externalAttributionModel,
    ].reduce(0) { $0 | $1.bit }

    init(_ settings: OfflineSettings, goals: [String]) {
        isEnhanced = settings.enhancedConversions
        self.goals = goals.map { Array($0.utf8) }
    }

    /// What keeps the event from being sent, beyond what is wrong with it everywhere.
    func violations(_ event: StorefrontEvent) -> RejectReasons {
        let hasHash = isEnhanced && (event.enhancedEmailHash.isPresent || event.phoneHash.isPresent)
        return event.clickID.isPresent || hasHash ? [] : RejectReasons(.noIdentifier)
    }

    func append(
        _ event: StorefrontEvent, _ route: EventRoutes.Route, dropped: inout DroppedFields, to output: inout ByteBuffer
    ) {
        output.append(#"{"ConversionName":""#)
        goals[Int(route.goal)].withUnsafeBufferPointer { JSONText.escape($0, to: &output) }
        output.append(#"","ConversionTime":""#)
        ISO8601.append(event.time, to: &output)
        output.append(#"""#)
        appendClickID(event.clickID, to: &output)
        if isEnhanced {
            output.append(#","HashedEmailAddress":"#, ifPresent: event.enhancedEmailHash)
            output.append(#","HashedPhoneNumber":"#, ifPresent: event.phoneHash)
        }
        appendValue(event, dropped: &dropped, to: &output)
        appendAttribution(event, route, dropped: &dropped, to: &output)
        output.append("}")
    }

    /// Offline conversions know click ids only as 32 digits.
    private func appendClickID(_ id: EventText, to output: inout ByteBuffer) {
        guard id.isPresent else { return }
        output.append(#","MicrosoftClickId":""#)
        for byte in id.bytes where byte != UInt8(ascii: "-") { output.append(byte) }
        output.append(#"""#)
    }

    /// Microsoft takes 0 to 999,999,999,999 and rejects the conversion for anything else.
    private func appendValue(_ event: StorefrontEvent, dropped: inout DroppedFields, to output: inout ByteBuffer) {
        if let value = event.value {
            if value.isNegative && !value.isZero || value.integerDigitCount > 12 {
                dropped.insert(.value, .outOfRange)
            } else {
                output.append(#","ConversionValue":"#)
                output.append(value.text)
            }
        }
        output.append(#","ConversionCurrencyCode":"#, ifPresent: event.currency)
    }

    /// On a goal that is not externally attributed Microsoft refuses a conversion that carries these.
    private func appendAttribution(
        _ event: StorefrontEvent, _ route: EventRoutes.Route, dropped: inout DroppedFields,
        to output: inout ByteBuffer
    ) {
        guard case .goal(isExternallyAttributed: true) = route.target else { return }
        if let credit = event.externalAttributionCredit {
            // 0 < credit <= 1
            let isOne = credit.truncatedInteger == 1 && credit.wholeNumber != nil
            if !credit.isNegative, !credit.isZero, credit.truncatedInteger == 0 || isOne {
                output.append(#","ExternalAttributionCredit":"#)
                output.append(credit.text)
            } else {
                dropped.insert(.externalAttributionCredit, .outOfRange)
            }
        }
        output.append(#","ExternalAttributionModel":"#, ifPresent: event.externalAttributionModel)
    }
}
