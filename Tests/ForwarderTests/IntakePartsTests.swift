import ForwarderCore
import KafkaClient
import Testing

@testable import Forwarder

struct IntakePartsTests {
    private func partition(committed: Int64? = nil, start: Int64? = nil) -> AssignedPartition {
        AssignedPartition(
            AssignmentID(1), TopicPartition("t", 0), topicIndex: 0, committed: committed, start: start)
    }

    @Test func `a record that Kafka repeats within an assignment is told from one of another log`() {
        let partition = partition(committed: 10)
        #expect(partition.arrival(at: 10) == .next)
        partition.position = 11
        #expect(partition.arrival(at: 15) == .next)
        partition.position = 16
        #expect(partition.arrival(at: 10) == .repeated)
        #expect(partition.arrival(at: 15) == .repeated)
        partition.seek()
        #expect(partition.arrival(at: 3) == .ofAnotherLog)
        // Only the first record after a seek may lie before.
        #expect(partition.arrival(at: 3) == .repeated)
        partition.seek()
        #expect(partition.arrival(at: 20) == .next)
        #expect(partition.arrival(at: 3) == .repeated)
    }

    @Test func `what may be committed is what is settled, once, and where reading began though nothing is`() {
        let fresh = partition()
        #expect(fresh.commitable == nil)
        let partition = partition(start: 7)
        #expect(partition.commitable == 7)
        partition.committing = 7
        #expect(partition.commitable == nil)
        partition.committing = nil
        partition.confirm(7)
        #expect(partition.commitable == nil)
        partition.progress.consume(offset: 7, open: 0)
        partition.progress.consume(offset: 9, open: 1)
        #expect(partition.commitable == 8)
        partition.progress.settle(1)
        #expect(partition.commitable == 10)
        partition.confirm(10)
        #expect(partition.commitable == nil)
    }

    @Test func `what no reader ever gets is no lag, and what is not committed is`() {
        let marks = Watermarks(low: 5, high: 22)
        let partition = partition(committed: 10)
        #expect(partition.lag(nil) == nil && partition.lag(marks) == 12)
        // 20 and 21 mark the end of transactions.
        partition.progress.consume(offset: 19, open: 1)
        partition.isHandedOut(to: 22)
        #expect(partition.lag(marks) == 12)
        partition.progress.settle(0)
        #expect(partition.lag(marks) == 12)
        partition.confirm(20)
        #expect(partition.lag(marks) == 0)
        #expect(partition.lag(Watermarks(low: 5, high: 30)) == 8)
        partition.isHandedOut(to: nil)
        #expect(partition.lag(marks) == 2)
        // librdkafka throws away what it has of a paused partition, and counts it as handed out.
        partition.isPaused = true
        partition.isHandedOut(to: 22)
        #expect(partition.lag(marks) == 2)
        partition.isPaused = false
        partition.isHandedOut(to: 22)
        partition.seek()
        #expect(partition.lag(marks) == 2)
        #expect(self.partition().lag(marks) == 17 && self.partition(start: 22).lag(marks) == 0)
    }

    @Test(
        arguments: [
            (next: 22, fetched: 0, stable: 22, end: 22), (next: 20, fetched: 0, stable: 22, end: nil),
            (next: 22, fetched: 1, stable: 22, end: nil), (next: 20, fetched: 0, stable: 20, end: 22),
            (next: 21, fetched: 0, stable: 20, end: nil), (next: -1001, fetched: 0, stable: -1001, end: nil),
        ] as [(next: Int64, fetched: Int, stable: Int64, end: Int64?)])
    func `librdkafka's statistics tell whether there is more`(
        _ given: (next: Int64, fetched: Int, stable: Int64, end: Int64?)
    ) {
        let high = given.next < 0 ? -1001 : 22
        let json = """
            {"topics":{"t":{"partitions":{"3":{"partition":3,"desired":true,"fetchq_cnt":\(given.fetched),\
            "next_offset":\(given.next),"hi_offset":\(high),"ls_offset":\(given.stable)}}}}}
            """
        let partitions = KafkaStatistics(json: Array(json.utf8))?.partitions ?? []
        #expect(partitions.map(\.handedOutTo) == [given.end] && partitions.map(\.prefetched) == [given.fetched])
    }

    @Test func `reading of a partition stops at its share of what all may hold, and goes on at half of it`() {
        let partition = partition()
        for offset in 0..<20_000 { partition.progress.consume(offset: Int64(offset), open: 1) }
        #expect(!partition.judgeOverfull(partitions: 1))
        #expect(!partition.judgeOverfull(partitions: 100))
        #expect(partition.judgeOverfull(partitions: 200))
        #expect(partition.judgeOverfull(partitions: 10_000))
        partition.isOverfull = true
        for sequence in 0..<9999 { partition.progress.settle(UInt64(sequence)) }
        #expect(partition.judgeOverfull(partitions: 200))
        partition.progress.settle(9999)
        #expect(!partition.judgeOverfull(partitions: 200))
    }

    @Test func `what the store holds is found in rising order, whatever is skipped`() {
        func position(_ offset: Int64, _ destination: Int32) -> HeldPosition {
            HeldPosition(destination: DestinationID(destination), offset: offset, payloadHash: offset * 10)
        }
        var held = HeldRecords([position(9, 2), position(4, 1), position(4, 2), position(6, 1), position(20, 1)])
        #expect(held.take(at: 3).isEmpty)
        #expect(Set(held.take(at: 4).map(\.destination.rawValue)) == [1, 2])
        // Compaction leaves holes.
        #expect(held.take(at: 9).map(\.offset) == [9])
        #expect(!held.isEmpty)
        #expect(held.take(at: 21).isEmpty)
        #expect(held.isEmpty)
        #expect(held.take(at: 22).isEmpty)
        var nothing = HeldRecords()
        #expect(nothing.isEmpty && nothing.take(at: 1).isEmpty)
    }

    @Test func `the books of two intakes add up in every member`() {
        var left = IntakeBooks()
        var right = IntakeBooks()
        func fill(_ books: inout IntakeBooks, _ factor: Int) {
            books.consumed = factor
            books.owed = 2 * factor
            books.rejected = 3 * factor
            books.eventIDsDerived = 4 * factor
            books.released = 5 * factor
            for index in books.skipped.indices { books.skipped[index] = (6 + index) * factor }
            for index in books.rejectedByReason.indices { books.rejectedByReason[index] = (7 + index) * factor }
            for index in books.fieldsDropped.indices { books.fieldsDropped[index] = (8 + index) * factor }
        }
        fill(&left, 1)
        fill(&right, 10)
        var expected = IntakeBooks()
        fill(&expected, 11)
        left += right
        #expect(left == expected)
        // A member that is new has to be added, there and here.
        #expect(Mirror(reflecting: expected).children.count == 8)
    }

    @Test func `too much handed over or too many rejects hold the intake up, whatever the lanes say`() {
        let pressure = Pressure()
        #expect(!pressure.isBackedUp && !pressure.isQueueFull && !pressure.isStopping)
        pressure.addHandedOver(bytes: Pressure.handedOverLimit + 1)
        #expect(pressure.isBackedUp)
        pressure.set(isBackedUp: false, isQueueFull: true)
        #expect(pressure.isBackedUp && pressure.isQueueFull)
        pressure.addHandedOver(bytes: -1)
        #expect(!pressure.isBackedUp)
        pressure.addRejects(Pressure.rejectLimit + 1)
        #expect(pressure.isBackedUp)
        pressure.addRejects(-1)
        #expect(!pressure.isBackedUp)
        pressure.set(isBackedUp: true, isQueueFull: false)
        #expect(pressure.isBackedUp && !pressure.isQueueFull)
    }
}
