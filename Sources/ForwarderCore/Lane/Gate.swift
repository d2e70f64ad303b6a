/// Whether a destination may be sent to, and how much at once. When it closes, everything of that destination waits; one
/// probe opens it again, and each success doubles what may be in flight.
public struct Gate: Sendable {
    public enum State: Sendable, Equatable {
        case open
        /// Backing off; half-open once the time has come: the next request is a probe.
        case closed(until: Uptime)
        /// A configuration or credential fault: nothing is lost, probes go on, a human is needed.
        case parked(reason: String, probeAt: Uptime)
        /// So much was refused that going on would empty the topic into the dead letters.
        case halted
        /// An operator's hand.
        case paused
    }

    /// What may be sent now.
    public enum Permission: Sendable, Equatable {
        case requests(Int)
        /// One request, to see whether the destination is back.
        case probe
        /// Nothing before then.
        case wait(until: Uptime)
        /// Nothing until something else happens.
        case nothing
    }

    public private(set) var state = State.open
    /// Failures in a row.
    public private(set) var failures = 0
    /// Counts closings; a request remembers the epoch it was sent in, and what was sent before a closing moves nothing.
    public private(set) var epoch: UInt32 = 0
    private var settings: RetrySettings
    private var concurrency: Int
    private var allowance: Int
    private var isProbing = false
    /// Whatever the state, nothing is sent before this.
    private var throttledUntil = Uptime.distantPast

    public init(_ settings: RetrySettings, concurrency: Int) {
        self.settings = settings
        self.concurrency = concurrency
        allowance = concurrency
    }

    public var isOpen: Bool { state == .open }

    /// Nothing can be sent for now, not even a probe.
    func isClosed(now: Uptime) -> Bool {
        switch permission(inFlight: 0, now: now) {
        case .requests, .probe: false
        case .wait, .nothing: true
        }
    }

    /// The word for the state in the log and in `status`.
    public func name(at now: Uptime) -> String {
        switch state {
        case .open: throttledUntil > now ? "closed" : "open"
        case .closed(let until): isProbing || until <= now ? "half_open" : "closed"
        case .parked: "parked"
        case .halted: "halted"
        case .paused: "paused"
        }
    }

    public func permission(inFlight: Int, now: Uptime) -> Permission {
        if throttledUntil > now {
            switch state {
            case .open, .closed, .parked: return .wait(until: throttledUntil)
            case .halted, .paused: return .nothing
            }
        }
        switch state {
        case .open: return inFlight < allowance ? .requests(allowance - inFlight) : .nothing
        case .closed(let time), .parked(_, probeAt: let time):
            if isProbing { return .nothing }
            return time <= now ? .probe : .wait(until: time)
        case .halted, .paused: return .nothing
        }
    }

    /// A probe is on its way.
    public mutating func probeSent() {
        isProbing = true
    }

    /// A probe will not be answered after all: its deliveries had expired, or there was nothing to send.
    public mutating func probeAbandoned() {
        isProbing = false
    }

    /// A request of that epoch was answered as it should. Returns whether this opened the gate.
    public mutating func succeeded(epoch: UInt32) -> Bool {
        guard epoch == self.epoch else { return false }
        failures = 0
        switch state {
        case .open:
            allowance = min(concurrency, allowance * 2)
            return false
        case .closed, .parked:
            state = .open
            isProbing = false
            allowance = 1
            return true
        case .halted, .paused: return false
        }
    }

    /// A request of that epoch got an answer, or none, that says to come back later. Returns the wait, or nil if the gate
    /// did not move.
    public mutating func failed(
        epoch: UInt32, atLeast: Duration?, now: Uptime, using random: inout some RandomNumberGenerator
    ) -> Duration? {
        guard epoch == self.epoch, state.mayMove else { return nil }
        failures += 1
        let delay = Backoff.delay(settings, failures: failures, atLeast: atLeast, using: &random)
        close(.closed(until: now + delay))
        return delay
    }

    /// Every destination of one OAuth grant waits until then; it says nothing about this destination's health.
    public mutating func throttle(until time: Uptime) {
        throttledUntil = max(throttledUntil, time)
        allowance = 1
    }

    /// What became of a fault that only a human can mend.
    public enum Parking: Sendable {
        case unmoved
        /// The gate was parked for that reason before; the next probe is due later.
        case again
        case news
    }

    public mutating func park(epoch: UInt32, reason: String, now: Uptime) -> Parking {
        guard epoch == self.epoch, state.mayMove else { return .unmoved }
        var parking = Parking.news
        if case .parked(reason, _) = state { parking = .again }
        close(.parked(reason: reason, probeAt: now + settings.parkedProbe))
        return parking
    }

    public mutating func halt() {
        close(.halted)
    }

    public mutating func pause() {
        close(.paused)
    }

    /// Goes on by other settings in the state it is in.
    mutating func reconfigure(_ settings: RetrySettings, concurrency: Int) {
        self.settings = settings
        self.concurrency = concurrency
        allowance = min(allowance, concurrency)
    }

    /// An operator's resume: starts with one probe, whatever stopped it.
    public mutating func resume(now: Uptime) {
        failures = 0
        throttledUntil = .distantPast
        close(.closed(until: now))
    }

    private mutating func close(_ state: State) {
        self.state = state
        isProbing = false
        allowance = 1
        epoch &+= 1
    }
}

extension Gate.State {
    /// Whether answers may still move the gate: not once a human, or the halt rule, has decided.
    fileprivate var mayMove: Bool {
        switch self {
        case .open, .closed, .parked: true
        case .halted, .paused: false
        }
    }
}
