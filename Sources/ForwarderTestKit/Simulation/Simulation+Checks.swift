import FakeMicrosoft
import ForwarderCore

/// What must hold, at every step and at the end.
extension Simulation {
    mutating func check(_ lane: DestinationLane, _ index: Int) {
        let snapshot = lane.snapshot(now: now)
        if snapshot.unaccounted != 0 { fail("\(snapshot.name): unaccounted \(snapshot.unaccounted)") }
        if snapshot.inFlight < 0 { fail("\(snapshot.name): in flight \(snapshot.inFlight)") }
        // At the end of a process they end with it.
        if process?.isDraining == false, lane.isEmpty, !lane.openTransactions.isEmpty {
            fail("\(snapshot.name): \(lane.openTransactions.count) transactions are open, and nothing is there")
        }
    }

    /// Everything that was read has one disposition, and what is owed is in one place.
    mutating func checkIntake() {
        guard let process else { return }
        for (index, destination) in process.intake.destinations.enumerated() {
            let books = destination.books
            if books.consumed != books.owed + books.skippedTotal + books.rejected {
                fail("\(destination.settings.name): the intake's books are \(books)")
            }
            let received = process.lanes[index].snapshot(now: now).books.received
            let known = received + process.inTransit[index] + destination.gatheredCount + books.released
            if books.owed != known { fail("\(destination.settings.name): owed \(books.owed), known \(known)") }
        }
    }

    mutating func checkDisposition(
        _ disposition: Intake.Disposition, of record: ModelKafka.Record, _ partition: Int, _ index: Int
    ) {
        let place = Place(partition: partition, offset: record.offset, destination: index)
        if case .rejected = disposition { rejectedAtLast.insert(place) } else { rejectedAtLast.remove(place) }
        // It can be read too late; and a clock that is slow takes what happens now for the future.
        let age = now.wall.seconds - record.fate.time
        let isInTime = age >= -300 && .seconds(age) <= settings[index].maxEventAge
        switch (record.fate.end(index), disposition) {
        case (.delivered, .owed) where isInTime: break
        case (.delivered, .rejected) where !isInTime: break
        case (.delivered, .skipped(.alreadyStored)), (.skipped, .skipped), (.rejected, .rejected): break
        case (let end, _):
            fail("record \(record.offset) is \(disposition) for destination \(index), and should be \(end)")
        }
    }

    /// Nothing is committed that is not taken care of.
    mutating func checkCommitted(_ records: ArraySlice<ModelKafka.Record>, of partition: Int) {
        guard !records.isEmpty else { return }
        let kept = keptOffsets(of: partition)
        let rejected = Set(store.rejects.filter { Int($0.partition) == partition }.map(\.offset))
        for record in records {
            for index in settings.indices where !isAccountedFor(record, partition, index, kept[index], rejected) {
                fail("offset \(record.offset) of \(partition) is committed and nowhere for destination \(index)")
            }
        }
    }

    private func keptOffsets(of partition: Int) -> [Set<Int64>] {
        var kept: [Set<Int64>] = [[], [], [], []]
        for row in Array(store.rows.values) + store.deadLetters.map(\.row) {
            if Int(row.delivery.partition) == partition, let index = Simulation.ids.firstIndex(of: row.destination) {
                kept[index].insert(row.delivery.offset)
            }
        }
        return kept
    }

    private func isAccountedFor(
        _ record: ModelKafka.Record, _ partition: Int, _ index: Int, _ kept: Set<Int64>, _ rejected: Set<Int64>
    ) -> Bool {
        let place = Place(partition: partition, offset: record.offset, destination: index)
        if rejectedAtLast.contains(place) { return rejected.contains(record.offset) }
        return record.fate.end(index) == .skipped || isDelivered(record.fate, index) || kept.contains(record.offset)
    }

    /// Accepted, or believed without a proof, which is counted. An order is as soon as one of its copies is.
    private func isDelivered(_ fate: SimulatedShop.Fate, _ index: Int) -> Bool {
        if index == 2 { return isResolved(fate) }
        if index == 3 {
            return fate.pixelQuery.map { microsoft.timesAccepted(pixel: Simulation.pixel, query: $0) > 0 } ?? false
        }
        if let order = fate.order.map({ shop.orders[$0] }), order.isOnce(index) {
            return order.copies.contains { isDelivered($0.eventID, $0.conversion, index) }
        }
        return isDelivered(fate.eventID, fate.conversion, index)
    }

    private func isDelivered(_ eventID: String, _ conversion: ConversionKey?, _ index: Int) -> Bool {
        let name = index == 0 ? eventID : conversion?.clickID ?? ""
        return timesAccepted(eventID, conversion, index) > 0 || believed[index].contains(name)
    }

    /// The event ids in a request, or the click ids of its conversions.
    mutating func names(in contents: [UInt8], _ index: Int) -> [String] {
        let list = [UInt8(ascii: "[")] + contents + [UInt8(ascii: "]")]
        guard let items = (try? JSONDocument(list))?.root.elements else {
            fail("a request carries what is not JSON")
            return []
        }
        return items.compactMap { $0[index == 0 ? "eventId" : "MicrosoftClickId"]?.string }
    }

    func timesAccepted(_ eventID: String, _ conversion: ConversionKey?, _ index: Int) -> Int {
        if index == 0 { return microsoft.timesAccepted(tag: Simulation.tag, eventID: eventID) }
        return conversion.map { microsoft.timesAccepted(account: Simulation.account, $0) } ?? 0
    }

    // MARK: What Microsoft holds against the daemon

    /// What a machine whose clock is fast earns for what has not happened yet.
    private static let timeReasons: Set = [
        "InvalidEventTime", "FutureConversionTimeCannotBeSet", "OfflineConversionFutureAdjustmentTimeCannotBeSet",
    ]

    /// Nothing, except what it sent while its clock was wrong, and what came before its goal was there.
    mutating func checkFindings() {
        // What was read by the wrong clock may be as far ahead as any storefront's clock is.
        let wasClockWrong = clockError != 0 || time <= clockRightSince + SimulatedShop.furthestAhead
        for (index, destination) in Simulation.destinations.enumerated() {
            guard let findings = microsoft.books(of: destination)?.findings, findings.count > seenFindings[index]
            else { continue }
            for finding in findings[seenFindings[index]...] where finding.reason != "OfflineConversionNameInvalid" {
                if index == 2, isOfBelieved(finding) { continue }
                if wasClockWrong, Simulation.timeReasons.contains(finding.reason), let name = finding.eventID {
                    mistimed[index].insert(name)
                } else {
                    fail("\(destination.name): \(finding)")
                }
            }
            seenFindings[index] = findings.count
        }
    }

    // MARK: The end

    /// Nothing is left to be done.
    var isOver: Bool {
        guard isHealed, let process, kafka.isAllCommitted, !process.isDraining else { return false }
        return store.rows.isEmpty
            && process.lanes.allSatisfy { lane in
                let snapshot = lane.snapshot(now: now)
                return snapshot.pending == 0 && snapshot.inFlight == 0 && lane.isStored && lane.isEmpty
            }
    }

    mutating func checkEnd() {
        guard process != nil else { return fail("it ended without a process") }
        var dead: [[Int: [Int64: DeadLetterCause]]] = [[:], [:], [:], [:]]
        for letter in store.deadLetters {
            guard let index = Simulation.ids.firstIndex(of: letter.row.destination) else { continue }
            dead[index][Int(letter.row.delivery.partition), default: [:]][letter.row.delivery.offset] = letter.cause
            checkDeadLetter(letter)
        }
        for (partition, log) in kafka.partitions.enumerated() {
            for record in log.records {
                for index in settings.indices where record.fate.end(index) == .delivered {
                    checkEnd(record, index, partition, dead[index][partition]?[record.offset])
                }
            }
        }
        for destination in Simulation.destinations {
            guard let books = microsoft.books(of: destination) else { continue }
            if books.changed > 0 { fail("\(destination.name): \(books.changed) repeats with other content") }
            report.delivered += books.accepted
        }
        report.deadLetters = store.deadLetters.count
        checkOrders(dead[2])
    }

    private mutating func checkEnd(
        _ record: ModelKafka.Record, _ index: Int, _ partition: Int, _ cause: DeadLetterCause?
    ) {
        if let reason = cause?.reason, index == 2, isOfNobody(record.fate), reason != "purchase_unknown" {
            fail("record \(record.offset) of \(partition) refunds an order of nobody's, and is dead as \(reason)")
        }
        if isDelivered(record.fate, index) || cause != nil { return }
        // That this was right was looked at when it was read.
        let place = Place(partition: partition, offset: record.offset, destination: index)
        let isKept = store.rejects.contains { Int($0.partition) == partition && $0.offset == record.offset }
        if rejectedAtLast.contains(place), isKept { return }
        fail("record \(record.offset) of \(partition) never reached destination \(index)")
    }

    private mutating func checkDeadLetter(_ letter: ModelStore.DeadLetter) {
        let offset = letter.row.delivery.offset
        switch letter.cause.reasonClass {
        case .expired:
            if letter.at < letter.row.delivery.sendBy { fail("record \(offset) is dead as expired, too soon") }
        case .refused:
            let isForItsTime = Simulation.timeReasons.contains(letter.cause.reason) && isMistimed(letter.row)
            if !refusals.contains(letter.cause.reason), !isForItsTime {
                fail("record \(offset) is dead as refused: \(letter.cause.reason)")
            }
        case .unclear:
            if Simulation.ids.firstIndex(of: letter.row.destination) != 3 || process?.lanes[3].repeatsUnclear != false {
                fail("record \(offset) is dead as unclear, and may be sent again")
            }
        // When it was given up, it was looked at why.
        case .data where letter.row.destination == Simulation.ids[2]: break
        case .data: fail("record \(offset) is dead as data: \(letter.cause.reason)")
        }
    }

    private func isMistimed(_ row: ModelStore.Row) -> Bool {
        let delivery = row.delivery
        guard let index = Simulation.ids.firstIndex(of: row.destination),
            let record = kafka.partitions[Int(delivery.partition)].records.first(where: {
                $0.offset == delivery.offset
            })
        else { return false }
        if index == 2, let order = record.fate.order {
            return shop.orders[order].copies.contains { mistimed[2].contains($0.conversion.time) }
        }
        return mistimed[index].contains(index == 0 ? record.fate.eventID : record.fate.conversion?.time ?? "")
    }
}
