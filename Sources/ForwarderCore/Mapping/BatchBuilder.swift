/// Gathers the deliveries of one destination until they fill a batch. Its buffers are used again from batch to batch.
struct BatchBuilder: ~Copyable {
    private let limits: BatchSettings
    private let goals: [String]
    /// Most entries of a request that one delivery can be.
    private let entriesPerDelivery: Int
    /// What deliveries name by index. Grows only.
    var topics: [String] = []

    private var deliveries: [Delivery] = []
    private var contents: ByteBuffer
    private var records: ByteBuffer
    /// Batches that are full.
    private var ready: [DeliveryBatch] = []
    /// When the oldest delivery that is not in a full batch came in.
    private var openedAt: Uptime?
    private var itemCount = 0

    /// What a request has around the contents, at most.
    private static let envelopeBytes = 1 << 10
    /// Most bytes of records in a batch: a large record can make a small content, and a batch is held in memory.
    private static let recordBytesLimit = 8 << 20

    init(_ limits: BatchSettings, goals: [String], entriesPerDelivery: Int) {
        self.limits = limits
        self.goals = goals
        self.entriesPerDelivery = entriesPerDelivery
        contents = ByteBuffer(capacity: 64 << 10)
        records = ByteBuffer(capacity: 64 << 10)
    }

    /// Appends a delivery whose content `write` appends; it returns how many entries of the request that is.
    @inline(__always)
    mutating func append(_ delivery: Delivery, record: Bytes, now: Uptime, write: (inout ByteBuffer) -> UInt8) {
        if records.count + record.count > BatchBuilder.recordBytesLimit { seal() }
        var delivery = delivery
        let end = contents.count
        if !deliveries.isEmpty { contents.append(UInt8(ascii: ",")) }
        delivery.contentStart = UInt32(contents.count)
        delivery.itemCount = write(&contents)
        delivery.contentEnd = UInt32(contents.count)
        if contents.count + BatchBuilder.envelopeBytes > limits.maxBytes, !deliveries.isEmpty {
            startAnew(with: &delivery, keeping: end)
        }
        delivery.recordStart = UInt32(records.count)
        records.append(record)
        delivery.recordEnd = UInt32(records.count)
        if deliveries.isEmpty { openedAt = now }
        deliveries.append(delivery)
        itemCount += Int(delivery.itemCount)
        if itemCount + entriesPerDelivery > limits.maxEvents { seal() }
    }

    /// When what has been gathered must go out, full or not; nil if there is nothing.
    var lingersUntil: Uptime? {
        openedAt.map { $0 + limits.linger }
    }

    /// Whether a batch is full.
    var hasReady: Bool { !ready.isEmpty }

    /// Deliveries that were not handed out.
    var gatheredCount: Int { ready.reduce(deliveries.count) { $0 + $1.count } }

    /// Hands out the batches that are full, have waited long enough, or, with `all`, have anything in them.
    mutating func take(now: Uptime, all: Bool) -> [DeliveryBatch] {
        if let deadline = lingersUntil, all || deadline <= now { seal() }
        defer { ready.removeAll(keepingCapacity: true) }
        return ready
    }

    /// Drops the deliveries of assignments that are gone. Returns how many.
    mutating func release(_ assignments: Set<AssignmentID>) -> Int {
        seal()
        var released = 0
        ready = ready.compactMap { batch in
            let kept = batch.deliveries.indices.filter { !assignments.contains(batch.deliveries[$0].assignment) }
            released += batch.count - kept.count
            return kept.isEmpty ? nil : kept.count == batch.count ? batch : batch.picking(kept)
        }
        return released
    }

    /// Makes what has been gathered a batch, full or not.
    private mutating func seal() {
        guard !deliveries.isEmpty else { return }
        ready.append(
            DeliveryBatch(
                deliveries: deliveries, contents: contents.array(), records: records.array(), recordForm: .raw,
                topics: topics, goals: goals))
        deliveries.removeAll(keepingCapacity: true)
        contents.removeAll()
        records.removeAll()
        openedAt = nil
        itemCount = 0
    }

    /// Closes the batch in front of the delivery that would make it too large, and begins the next with its content.
    private mutating func startAnew(with delivery: inout Delivery, keeping end: Int) {
        let content = contents.array(delivery.content)
        contents.truncate(to: end)
        seal()
        delivery.contentStart = 0
        contents.append(content)
        delivery.contentEnd = UInt32(contents.count)
    }
}
