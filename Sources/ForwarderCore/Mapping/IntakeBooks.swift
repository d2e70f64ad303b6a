/// What the intake has done for one destination since the process started. A flat value: it travels with every hand-over,
/// so that whoever receives it sees numbers that belong together.
public struct IntakeBooks: Sendable, Equatable {
    public var consumed = 0
    /// Deliveries put into batches.
    public var owed = 0
    public var skipped = [Int](repeating: 0, count: SkipReason.allCases.count)
    /// Events; one with several reasons counts once.
    public var rejected = 0
    /// By reason; one event can count under several.
    public var rejectedByReason = [Int](repeating: 0, count: RejectReason.allCases.count)
    /// By `field * DropReason.allCases.count + reason`.
    public var fieldsDropped = [Int](repeating: 0, count: EventField.allCases.count * DropReason.allCases.count)
    public var eventIDsDerived = 0
    /// Deliveries dropped because their partition was taken away.
    public var released = 0

    public init() {}

    public var skippedTotal: Int { skipped.reduce(0, +) }

    mutating func count(_ disposition: Intake.Disposition) {
        consumed += 1
        switch disposition {
        case .owed: owed += 1
        case .skipped(let reason): skipped[Int(reason.rawValue)] += 1
        case .rejected(let reasons):
            rejected += 1
            for reason in reasons.all { rejectedByReason[Int(reason.rawValue)] += 1 }
        }
    }

    mutating func count(_ dropped: DroppedFields, in fields: UInt64) {
        guard !dropped.isEmpty else { return }
        dropped.forEach(in: fields) { field, reason in
            fieldsDropped[Int(field.rawValue) * DropReason.allCases.count + Int(reason.rawValue)] += 1
        }
    }

    public func dropped(_ field: EventField, _ reason: DropReason) -> Int {
        fieldsDropped[Int(field.rawValue) * DropReason.allCases.count + Int(reason.rawValue)]
    }
}
