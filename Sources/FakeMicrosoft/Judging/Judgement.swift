import ForwarderCore

/// What a request's content was found to be. Worked out from the content alone, so that it needs no lock.
struct Judgement<Code: ProblemCode>: Sendable {
    /// Why the request cannot be taken apart into items; its `items` are empty then.
    var refusal: Problem<Code>?
    var items: [JudgedItem] = []
    /// In the order of the items.
    var problems: [Problem<Code>] = []
    /// CAPI's `continueOnValidationError`.
    var continuesOnError = false

    static func refused(_ code: Code, _ name: StaticString) -> Judgement {
        Judgement(refusal: Problem(item: -1, severity: .error, code: code, name: name))
    }

    func count(atLeast severity: Severity) -> Int {
        items.reduce(0) { $0 + ($1.worst >= severity ? 1 : 0) }
    }

    /// Refuses `share` of the items that are in order, chosen by what they are and by `salt`.
    mutating func refuse(share: Double, salt: Int, code: Code, name: StaticString) {
        var isChanged = false
        for (index, item) in items.enumerated() where item.isChosen(share: share, salt: salt) {
            items[index].worst = .setback
            problems.append(Problem(item: Int32(index), severity: .setback, code: code, name: name))
            isChanged = true
        }
        // By item, and within an item in the order found: the list in the answer is cut.
        guard isChanged else { return }
        problems = problems.enumerated()
            .sorted { ($0.element.item, $0.offset) < ($1.element.item, $1.offset) }.map(\.element)
    }
}

/// One event or conversion of a request.
struct JudgedItem: Sendable {
    /// Identifies it to Microsoft: a repeat has the same.
    var key: UInt64
    /// Hash of what a person would look it up by: CAPI's `eventId`, Offline's `MicrosoftClickId`.
    var id: UInt64
    /// Hash of the event's or goal's name.
    var name: UInt64
    /// Hash of its bytes.
    var content: UInt32
    /// Where its id stands in the body, for findings; empty if it has none or one that must not be shown.
    var shownID: Range<UInt32>
    var worst: Severity
    /// What it does to the value that is counted, once it is accepted; nil if nothing can be said of that.
    var effect: ValueEffect?

    /// Whether it belongs to that share of the items that are in order, by what it is and by `salt`.
    func isChosen(share: Double, salt: Int) -> Bool {
        var hash = ContentHash()
        hash.add(key)
        hash.add(UInt64(truncatingIfNeeded: salt))
        return worst < .setback && hash.value % 1_000_000 < UInt64(share.clamped(to: 0...1) * 1_000_000)
    }
}

/// How bad a problem is, the worst last.
enum Severity: UInt8, Comparable, Sendable {
    case none
    /// Kept as evidence against the client, but nothing Microsoft is known to tell.
    case remark
    /// Told, and the event is processed without the field.
    case warning
    /// Refused, but for the fault plan's or the account's sake: the client is not to blame.
    case setback
    case error

    static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
}

struct Problem<Code: ProblemCode>: Sendable {
    /// Index of the item; -1 for the request.
    var item: Int32
    var severity: Severity
    var code: Code
    var place = Place.item
    /// The field; nil where `text` is the name of a field that does not exist.
    var name: StaticString?
    /// Where the value stands in the body; empty if there is none.
    var text: Range<UInt32> = 0..<0
}

/// The object that a field belongs to.
enum Place: Sendable, Equatable {
    case item, userData, customData, hotelData
    case product(Int)

    var path: String {
        switch self {
        case .item: ""
        case .userData: "userData."
        case .customData: "customData."
        case .hotelData: "customData.hotelData."
        case .product(let index): "customData.items[\(index)]."
        }
    }
}

/// The errors of one interface.
protocol ProblemCode: Sendable {
    /// What it is called in findings.
    var reason: String { get }
    /// What the answer calls it.
    var told: String { get }
}

extension Problem {
    /// The field's name with its path inside the item.
    func property(in body: [UInt8]) -> String {
        place.path
            + (name?.description ?? String(decoding: body[Int(text.lowerBound)..<Int(text.upperBound)], as: UTF8.self))
    }
}

extension Double {
    func clamped(to range: ClosedRange<Double>) -> Double {
        min(max(self, range.lowerBound), range.upperBound)
    }
}
