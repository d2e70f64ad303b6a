/// Gathers the deliveries of one destination until they fill a batch.
struct BatchBuilder: ~Copyable {
    private let limits: BatchSettings
    private let goals: [String]
    /// Most entries of a request that one delivery can be.
    private let entriesPerDelivery: Int
    /// What deliveries name by index. Grows only.
    var topics: [String] = []

    private var deliveries: [Delivery] = []
    private var contents: [UInt8] = []
    private var records: [UInt8] = []
    private var itemCount = 0
    /// The content of one delivery while it is written, before it is known which batch it fits.
    private var content = ByteBuffer(capacity: 4 << 10)
    private var note = ByteBuffer(capacity: 1 << 10)
    /// Batches that are full.
    private var ready: [DeliveryBatch] = []
    /// When the oldest delivery that is not in a full batch came in.
    private var openedAt: Uptime?

    /// What a request has around the contents, at most.
    private static let envelopeBytes = 1 << 10
    /// Most bytes of records in a batch: a large record can make a small content, and a batch is held in memory.
    private static let recordBytesLimit = 8 << 20

    init(_ limits: BatchSettings, goals: [String], entriesPerDelivery: Int) {
        self.limits = limits
        self.goals = goals
        self.entriesPerDelivery = entriesPerDelivery
    }

    /// Appends a delivery whose content `write` appends, which returns how many entries of the request that is, and whose
    /// note for the delivery log `writeNote` appends, if it gets one.
    @inline(__always)
    mutating func append(
        _ delivery: Delivery, record: Bytes, now: Uptime, write: (inout ByteBuffer) -> UInt8,
        writeNote: (inout ByteBuffer) -> Void
    ) {
        var delivery = delivery
        content.removeAll()
        delivery.itemCount = write(&content)
        let isTooLarge =
            contents.count + 1 + content.count + BatchBuilder.envelopeBytes > limits.maxBytes
            || records.count + record.count > BatchBuilder.recordBytesLimit
        if isTooLarge { seal() }

        if deliveries.isEmpty { openedAt = now } else { contents.append(UInt8(ascii: ",")) }
        delivery.contentStart = UInt32(contents.count)
        content.withBytes { contents.append(contentsOf: $0) }
        delivery.contentEnd = UInt32(contents.count)
        delivery.recordStart = UInt32(records.count)
        records.append(contentsOf: record)
        delivery.recordEnd = UInt32(records.count)
        note.removeAll()
        writeNote(&note)
        if !note.isEmpty, let length = UInt16(exactly: note.count) {
            note.withBytes { records.append(contentsOf: $0) }
            delivery.noteLength = length
        }
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
        let batch = DeliveryBatch(
            deliveries: deliveries, contents: contents, records: records, recordForm: .raw, topics: topics, goals: goals
        )
        ready.append(batch)
        // The next batch will be about as large.
        deliveries = []
        deliveries.reserveCapacity(batch.count)
        contents = []
        contents.reserveCapacity(batch.contents.count)
        records = []
        records.reserveCapacity(batch.records.count)
        openedAt = nil
        itemCount = 0
    }
}
