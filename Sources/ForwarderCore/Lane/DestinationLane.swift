/// Everything that is decided about the deliveries of one destination between the intake and their end: when they are
/// sent, what an answer means for each, when they wait in memory, when on disk, when they are given up.
///
/// A value without IO, clock or chance of its own: inputs go in with the moment at which they happened, actions come out,
/// and the shell carries them out. The same lane is driven by threads in the daemon and by a simulator in tests.
///
/// A delivery is at every moment in exactly one place: in one of the lists below (in memory only, while its row is
/// `.none`), pending on disk (counted in `pendingRows`, also while it is claimed and in a list), or ended. `LaneSnapshot`
/// checks the sum.
public struct DestinationLane: Sendable {
    public let id: DestinationID
    public internal(set) var settings: DestinationSettings
    var interface: MicrosoftInterface
    let rows: RowIDs
    var random: SeededRandom

    var gate: Gate
    var halt = HaltRule()
    var pace: RateLimit
    var goals = HeldGoals()

    // MARK: Deliveries in memory

    /// Not sent yet, oldest first.
    var fresh = Queue<PendingBatch>()
    /// Their time has not come.
    var early: [PendingBatch] = []
    /// Claimed from the queue and not sent yet.
    var due = Queue<PendingBatch>()
    /// Batches, or parts of them, that must be sent again by themselves; before anything else.
    var parts: [PendingBatch] = []
    var attempts: [RequestID: Attempt] = [:]
    var searches: [UInt64: RefusalSearch] = [:]
    /// Sent before the last batch: fresh and queued ones take turns.
    var lastSource = PendingBatch.Source.queue

    /// The store was asked whether they are the first of their transactions; in the order in which it was asked.
    var inquired: [(id: InquiryID, pending: PendingBatch)] = []
    /// Transactions of deliveries that the store knows nothing of yet, or not yet what became of them.
    package internal(set) var openTransactions: Set<TransactionKey> = []
    var reviews = Reviews()

    // MARK: The queue on disk

    /// Rows of the queue that belong to this destination, written or on their way.
    var pendingRows: Int
    /// Of these: in memory as well.
    var claimedRows = 0
    var depth: QueueDepth
    var claimUnderWay: ClaimRequest?
    /// The store could not read: no claim before this.
    var nextClaim = Uptime.distantPast
    /// Nothing that flows is due before this, as far as the store has said.
    var nextDue: Timestamp
    var isStoreWritable = true
    var storing: [StoreTicket: HandOver] = [:]
    /// Rows of covers that may not be on disk yet; and those of them that have ended in the meantime.
    var openCovers: Set<RowID> = []
    var endedCovers: Set<RowID> = []
    var nextExpiryScan = Uptime.distantPast

    // MARK: The rest

    var books = LaneBooks()
    var isDraining = false
    /// The destination is configured no longer.
    var isLeaving = false
    /// Whether `eventsReceived` has proved to be what it says.
    var isCountTrusted = true
    var isCredentialReady = false
    var credentialGeneration = 0
    /// The generation of the credential whose refusal led to its renewal; a refusal of a later one parks the gate.
    var refusedGeneration: Int?
    /// When a request was last answered as it should.
    var lastAnsweredAt = Timestamp.distantPast
    /// This clock minus the one that dates the answers.
    var clockOffset: Duration?
    private var nextID: UInt64

    // Gathered during one input.
    var actions: [LaneAction] = []
    var handOver = HandOver()
    var settledNow: [Settlement] = []

    /// `depth` and `heldGoals` are what the store found at start.
    public init(
        id: DestinationID, settings: DestinationSettings, rows: RowIDs, depth: QueueDepth, heldGoals: [String],
        state: DestinationState, now: Moment, seed: UInt64
    ) {
        self.id = id
        self.settings = settings
        self.rows = rows
        self.depth = depth
        interface = MicrosoftInterface(settings)
        random = SeededRandom(seed: seed)
        gate = Gate(settings.retry, concurrency: settings.concurrency)
        pace = RateLimit(eventsPerSecond: settings.rateLimit)
        pendingRows = depth.rows
        books.restored = depth.rows
        nextDue = depth.rows > 0 ? .distantPast : .distantFuture
        nextID = UInt64(id.rawValue) << DestinationLane.idBits
        for goal in heldGoals where goal != TransactionKey.hold { goals.hold(goal, probeAt: now.uptime) }
        if heldGoals.contains(TransactionKey.hold) { reviews.start(highest: rows.highest) }
        switch state {
        case .running: break
        case .paused: gate.pause()
        case .halted: gate.halt()
        }
    }

    /// Takes one input and says what is to be done about it.
    public mutating func handle(_ input: LaneInput, now: Moment) -> [LaneAction] {
        switch input {
        case .fresh(let batch): take(batch, now)
        case .answered(let request, let outcome, let elapsed): answered(request, outcome, elapsed, now)
        case .identified(let inquiry, let answers): identified(inquiry, answers, now)
        case .reviewed(let result): reviewed(result, now)
        case .claimed(let claim): claimed(claim, now)
        case .stored(let ticket, let leftOut): stored(ticket, leftOut, now)
        case .expired(let count): expired(count)
        case .storeHealth(let isWritable): isStoreWritable = isWritable
        case .depth(let depth): self.depth = depth
        case .reading: reviews.reading(at: now.uptime)
        case .revoked(let assignments): revoke(assignments)
        case .pause: pause()
        case .resume: resume(now)
        case .halt: haltNow()
        case .replayed(let count):
            books.replayed += count
            pendingRows += count
            nextDue = .distantPast
            // Those that have a transaction wait for a word on it.
            reviews.begin(at: now.uptime)
            actions.append(.signal(.replayed(destination: settings.name, count: count)))
        case .discarded(let count):
            books.discarded += count
            pendingRows -= count
            actions.append(.signal(.discarded(destination: settings.name, count: count)))
        case .erased(let count):
            books.discarded += count
            books.erased += count
            pendingRows -= count
        case .credential(let isReady, let generation):
            isCredentialReady = isReady
            credentialGeneration = generation
        case .throttled(let time): gate.throttle(until: time)
        case .clockSetBack: clockWasSetBack(now)
        case .tick: break
        case .reconfigure(let settings):
            isLeaving = false
            reconfigure(settings, now)
        case .leave: isLeaving = true
        case .drain: isDraining = true
        case .finish(let bounds): finish(bounds, now)
        }
        advance(now)
        return takeActions()
    }

    // MARK: Operator

    private mutating func pause() {
        gate.pause()
        handOver.works.append(.setState(id, .paused))
        actions.append(.signal(.gatePaused(destination: settings.name)))
    }

    private mutating func resume(_ now: Moment) {
        gate.resume(now: now.uptime)
        halt.reset()
        refusedGeneration = nil
        handOver.works.append(.setState(id, .running))
        actions.append(.rereadSecret)
        actions.append(.signal(.gateResumed(destination: settings.name)))
    }

    mutating func haltNow() {
        gate.halt()
        halt.reset()
        handOver.works.append(.setState(id, .halted))
        actions.append(.signal(.gateHalted(destination: settings.name)))
    }

    // MARK: Output

    mutating func newID() -> UInt64 {
        nextID += 1
        return nextID
    }

    private mutating func takeActions() -> [LaneAction] {
        if !handOver.works.isEmpty {
            let ticket = StoreTicket(newID())
            actions.append(.store(ticket, handOver.works))
            // The store has them now, and frees them as it writes.
            handOver.works = []
            storing[ticket] = handOver
            handOver = HandOver()
        }
        if !settledNow.isEmpty {
            actions.append(.settled(settledNow))
            settledNow = []
        }
        defer { actions = [] }
        return actions
    }

    private var inMemory: [PendingBatch] {
        fresh.elements + early + due.elements + parts + attempts.values.map(\.pending) + inquired.map(\.pending)
    }

    /// What is in memory, with what the store has not written yet.
    public var memoryBytes: Int {
        inMemory.reduce(0) { $0 + $1.batch.byteCount } + storing.values.reduce(0) { $0 + $1.bytes }
    }

    /// The intake must wait: more than twice of what may be held in memory is held.
    public var isBackedUp: Bool { memoryBytes > 2 * settings.buffer.maxBytes }

    /// The queue is at its limit: the intake must pause until it is at nine tenths of it.
    public var isQueueFull: Bool { depth.bytes >= settings.queue.maxBytes }
    public var hasQueueRoom: Bool { depth.bytes < settings.queue.maxBytes / 10 * 9 }

    public var requestsInFlight: Int { attempts.count }

    /// Whether what may have been taken is sent again.
    public var repeatsUnclear: Bool { interface.repeatsUnclear }

    public func snapshot(now: Moment) -> LaneSnapshot {
        var reason: String?
        if case .parked(let parkReason, _) = gate.state { reason = parkReason }
        return LaneSnapshot(
            id: id, name: settings.name, books: books, gate: gate.name(at: now.uptime), gateReason: reason,
            pending: pendingRows, inFlight: inMemory.reduce(0) { $0 + $1.unstoredCount },
            requestsInFlight: attempts.count, memoryBytes: memoryBytes, depth: depth,
            isCredentialReady: isCredentialReady, queueLimitBytes: settings.queue.maxBytes,
            heldGoals: goals.heldCount, clockOffset: clockOffset)
    }
}
