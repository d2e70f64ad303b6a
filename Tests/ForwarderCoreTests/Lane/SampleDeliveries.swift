import ForwarderCore

/// Deliveries whose content says no more than which they are.
enum SampleDeliveries {
    static let wallStart = Timestamp(seconds: 1_786_000_000)
    static let start = Moment(wall: wallStart, uptime: Uptime(milliseconds: 1_000_000))
    static let topic = "events"

    struct Form {
        var goal = "Purchase"
        var assignment = AssignmentID(1)
        var dueAt = Timestamp(milliseconds: 0)
        var sendBy = wallStart + .seconds(7 * 86_400)
        var items = 1
        var bytes = 0
        /// The offset of the first; nil: the number of the delivery.
        var offset: Int?
    }

    /// Deliveries with consecutive numbers, which are also their sequences.
    static func batch(_ numbers: Range<Int>, _ form: Form = Form()) -> DeliveryBatch {
        var whole = DeliveryBatch(recordForm: .neutral, topics: [topic], goals: [form.goal])
        for number in numbers {
            var one = DeliveryBatch(recordForm: .neutral, topics: [topic], goals: [form.goal])
            let entry = #"{"n":\#(number)\#(String(repeating: " ", count: form.bytes))}"#
            one.contents = Array([String](repeating: entry, count: form.items).joined(separator: ",").utf8)
            one.records = Array("{}".utf8)
            var delivery = Delivery(
                topic: 0, partition: 0,
                offset: Int64((form.offset ?? numbers.lowerBound) + number - numbers.lowerBound),
                assignment: form.assignment, sequence: UInt64(number), eventTime: wallStart.seconds,
                sendBy: form.sendBy, content: 0..<UInt32(one.contents.count), record: 0..<2)
            delivery.itemCount = UInt8(form.items)
            delivery.dueAt = form.dueAt
            whole.append(delivery, of: one)
        }
        return whole
    }

    /// The numbers of the deliveries in a request, each once, in their order.
    static func numbers(in contents: some Sequence<UInt8>) -> [Int] {
        var numbers: [Int] = []
        for part in String(decoding: Array(contents), as: UTF8.self).split(separator: ":").dropFirst() {
            guard let number = Int(part.prefix { $0.isNumber }) else { continue }
            if numbers.last != number { numbers.append(number) }
        }
        return numbers
    }

    static func numbers(of batch: DeliveryBatch) -> [Int] {
        batch.deliveries.flatMap { numbers(in: batch.contents[$0.content]) }
    }
}
