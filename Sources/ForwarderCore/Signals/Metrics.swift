/// All numbers of one moment. What belongs together was read together: the sums in it are exact.
public struct Metrics: Sendable {
    public struct Destination: Sendable {
        public var type: String
        public var intake: IntakeBooks
        /// Deliveries that the intake gathers and has not handed over, or has handed over and the lane has not seen.
        public var gathering: Int
        public var lane: LaneSnapshot
        public var requestTime: Histogram
        public var oldestPendingSeconds: Double?
        /// What is wrong with the credential, in one word; nil if nothing is.
        public var credentialProblem: String?
        /// Until the access token in use ends; nil if there is none.
        public var credentialExpiresSeconds: Double?
        /// What Microsoft last said of its goals, of today and yesterday; empty before it was asked.
        public var goals: [GoalSum] = []
        /// Since that was read; nil before.
        public var verdictAgeSeconds: Double?

        public init(
            type: String, intake: IntakeBooks, gathering: Int, lane: LaneSnapshot, requestTime: Histogram,
            oldestPendingSeconds: Double?
        ) {
            self.type = type
            self.intake = intake
            self.gathering = gathering
            self.lane = lane
            self.requestTime = requestTime
            self.oldestPendingSeconds = oldestPendingSeconds
        }

        public var inFlight: Int { gathering + lane.inFlight }
        public var skipped: Int { intake.skippedTotal + lane.books.skipped }
        public var released: Int { intake.released + lane.books.released }

        /// What came in minus what became of it: 0, or this program has lost count of something.
        public var unaccounted: Int {
            let books = lane.books
            return intake.consumed + books.restored + books.replayed
                - (books.delivered + skipped + intake.rejected + books.deadLettered + books.discarded + lane.pending
                    + inFlight + released)
        }
    }

    public struct Partition: Sendable {
        public var topic: String
        public var partition: Int32
        /// Offset of the next record to be read.
        public var position: Int64?
        public var committed: Int64?
        /// Records that Kafka holds behind the committed offset.
        public var lag: Int64?

        public init(topic: String, partition: Int32, position: Int64?, committed: Int64?, lag: Int64?) {
            self.topic = topic
            self.partition = partition
            self.position = position
            self.committed = committed
            self.lag = lag
        }
    }

    public struct Kafka: Sendable {
        public var partitions: [Partition] = []
        public var commits = 0
        public var commitsRefused = 0
        public var rebalances = 0
        /// Whether the group has this member, and is not sharing out its partitions just now.
        public var isSettledInGroup = true
        public var isPaused = false
        public var uncommitted = 0
        public var brokersUp = 0
        public var brokersKnown = 0
        /// Records fetched and not taken yet.
        public var prefetched = 0
        /// Partitions whose position was lost and that wait for an operator.
        public var stopped = 0

        public init() {}
    }

    public struct Store: Sendable {
        public var isWritable = true
        public var transactions = 0
        public var transactionTime = Histogram()
        public var isNew = false
        /// Deliveries that the delivery log does not tell of, because the disk did not keep up or was full.
        public var deliveryLogDropped = 0
        /// Of the file system that the state directory is on; nil while that is not known.
        public var freeBytes: Int?
        public var sizeBytes: Int?

        public init() {}
    }

    public var uptime: Duration
    public var destinations: [Destination]
    public var kafka: Kafka
    public var store: Store
    public var logLinesDropped: Int
    public var logLinesHeldBack = 0
    /// As the page `/readyz` says.
    public var isReady = false
    /// Deliveries that wait for destinations which are configured no longer, by their names.
    public var detached: [String: Int]

    public init(
        uptime: Duration, destinations: [Destination], kafka: Kafka, store: Store, logLinesDropped: Int = 0,
        detached: [String: Int] = [:]
    ) {
        self.detached = detached
        self.uptime = uptime
        self.destinations = destinations
        self.kafka = kafka
        self.store = store
        self.logLinesDropped = logLinesDropped
    }

    /// Sum over destinations; anything but 0 is a fault of this program.
    public var unaccounted: Int { destinations.reduce(0) { $0 + abs($1.unaccounted) } }
}

/// Counts durations in buckets that double, from a millisecond up.
public struct Histogram: Sendable, Equatable {
    public private(set) var buckets = [Int](repeating: 0, count: 20)
    public private(set) var count = 0
    public private(set) var sum = Duration.zero

    public init() {}

    /// Upper bound of a bucket in seconds.
    public static func bound(_ bucket: Int) -> Double { Double(1 << bucket) / 1000 }

    public mutating func add(_ duration: Duration) {
        count += 1
        sum += duration
        let milliseconds = max(0, duration.milliseconds)
        var bucket = 0
        while bucket < buckets.count - 1, milliseconds > 1 << bucket { bucket += 1 }
        buckets[bucket] += 1
    }

    /// The upper bound of the bucket in which that share of the durations ends, in seconds; nil if there are none.
    public func quantile(_ share: Double) -> Double? {
        guard count > 0 else { return nil }
        var rest = Int((Double(count) * share).rounded(.up))
        for (bucket, number) in buckets.enumerated() {
            rest -= number
            if rest <= 0 { return Histogram.bound(bucket) }
        }
        return Histogram.bound(buckets.count - 1)
    }

    public var seconds: Double { Double(sum.milliseconds) / 1000 }
}
