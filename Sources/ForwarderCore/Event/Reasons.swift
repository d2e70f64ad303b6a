/// Why a record, or an event for one destination, is rejected. The raw values are an interface: log, metrics, `explain`.
public enum RejectReason: UInt8, CaseIterable, Sendable {
    // The record cannot be read.
    case malformedJSON, notAnObject, invalidUTF8, tooDeep, eventTooLarge
    // The event lacks what every destination needs.
    case eventMissing, eventInvalid
    case timestampMissing, timestampNotANumber, timestampInMilliseconds, inTheFuture
    // One destination cannot take it.
    case tooOld, noIdentifier, urlMissing, urlInvalid
    // A refund lacks what it cannot be without.
    case transactionIDMissing, refundValueMissing

    public var name: StaticString {
        switch self {
        case .malformedJSON: "malformed_json"
        case .notAnObject: "not_an_object"
        case .invalidUTF8: "invalid_utf8"
        case .tooDeep: "too_deep"
        case .eventTooLarge: "event_too_large"
        case .eventMissing: "event_missing"
        case .eventInvalid: "event_invalid"
        case .timestampMissing: "timestamp_missing"
        case .timestampNotANumber: "timestamp_not_a_number"
        case .timestampInMilliseconds: "timestamp_in_milliseconds"
        case .inTheFuture: "in_the_future"
        case .tooOld: "too_old"
        case .noIdentifier: "no_identifier"
        case .urlMissing: "url_missing"
        case .urlInvalid: "url_invalid"
        case .transactionIDMissing: "transaction_id_missing"
        case .refundValueMissing: "refund_value_missing"
        }
    }
}

/// All that is wrong with one event.
public struct RejectReasons: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public init(_ reason: RejectReason) {
        rawValue = 1 << reason.rawValue
    }

    public mutating func insert(_ reason: RejectReason) {
        rawValue |= 1 << reason.rawValue
    }

    /// In the order of the list of reasons.
    public var all: [RejectReason] {
        RejectReason.allCases.filter { rawValue & (1 << $0.rawValue) != 0 }
    }

    public var names: [String] { all.map { "\($0.name)" } }
}

/// Why nothing is owed to a destination for an event. The raw values are an interface.
public enum SkipReason: UInt8, CaseIterable, Sendable {
    case tombstone, unmappedEvent, notMatched, consentDenied, consentMissing, beforeStart, alreadyStored, shadow
    /// A call of Segment or RudderStack that is neither `track` nor `page`.
    case notAnEvent
    /// Another event of the same transaction was delivered for the same goal.
    case duplicateTransaction
    /// No auction of Invest led to it: it has no token.
    case noToken

    public var name: StaticString {
        switch self {
        case .tombstone: "tombstone"
        case .unmappedEvent: "unmapped_event"
        case .notMatched: "not_matched"
        case .consentDenied: "consent_denied"
        case .consentMissing: "consent_missing"
        case .beforeStart: "before_start"
        case .alreadyStored: "already_stored"
        case .shadow: "shadow"
        case .notAnEvent: "not_an_event"
        case .duplicateTransaction: "duplicate_transaction"
        case .noToken: "no_sspdata"
        }
    }
}

/// Why a field was left out of an otherwise good event, or sent with less in it. The raw values are an interface.
public enum DropReason: UInt8, CaseIterable, Sendable {
    case wrongType, invalid, personalData, personalDataCut, phoneNotE164, emailNotNormalizable, outOfRange
    case notOnPageLoad, rounded
    /// What it belongs to lacks something without which it says nothing.
    case incomplete
    /// Only letters and digits are taken, and only so many.
    case notAlphanumeric, tooLong

    public var name: StaticString {
        switch self {
        case .wrongType: "wrong_type"
        case .invalid: "invalid"
        case .personalData: "personal_data"
        case .personalDataCut: "personal_data_cut"
        case .phoneNotE164: "phone_not_e164"
        case .emailNotNormalizable: "email_not_normalizable"
        case .outOfRange: "out_of_range"
        case .notOnPageLoad: "not_on_page_load"
        case .rounded: "rounded"
        case .incomplete: "incomplete"
        case .notAlphanumeric: "not_alphanumeric"
        case .tooLong: "too_long"
        }
    }
}

/// The fields that were left out of one event, each with its (last) reason. A flat value: no allocation per event.
public struct DroppedFields: Sendable {
    /// One bit per `EventField.rawValue`.
    public private(set) var mask: UInt64 = 0
    private var reasons = InlineArray<64, UInt8>(repeating: 0)

    public init() {}

    public var isEmpty: Bool { mask == 0 }

    @inline(__always)
    public mutating func insert(_ field: EventField, _ reason: DropReason) {
        mask |= field.bit
        reasons[Int(field.rawValue)] = reason.rawValue
    }

    public func contains(_ field: EventField) -> Bool { mask & field.bit != 0 }

    /// What was left out among `fields`, a mask of field bits.
    public func forEach(in fields: UInt64 = .max, _ body: (EventField, DropReason) -> Void) {
        var rest = mask & fields
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            rest &= rest - 1
            if let field = EventField(rawValue: UInt8(index)), let reason = DropReason(rawValue: reasons[index]) {
                body(field, reason)
            }
        }
    }
}

extension EventField {
    @inline(__always)
    var bit: UInt64 { 1 << UInt64(rawValue) }
}
