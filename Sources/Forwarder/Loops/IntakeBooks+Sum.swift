import ForwarderCore

extension IntakeBooks {
    /// Adds what another intake has counted of the same destination: a reload makes a new one.
    static func += (sum: inout IntakeBooks, other: IntakeBooks) {
        sum.consumed += other.consumed
        sum.owed += other.owed
        sum.rejected += other.rejected
        sum.eventIDsDerived += other.eventIDsDerived
        sum.released += other.released
        for index in sum.skipped.indices { sum.skipped[index] += other.skipped[index] }
        for index in sum.rejectedByReason.indices { sum.rejectedByReason[index] += other.rejectedByReason[index] }
        for index in sum.fieldsDropped.indices { sum.fieldsDropped[index] += other.fieldsDropped[index] }
    }
}
