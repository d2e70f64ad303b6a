import FakeMicrosoft
import ForwarderCore
import MockKafka

/// What befalls a daemon in one run: a value made from its seed and nothing else.
public struct ChaosPlan: Sendable {
    public enum Member: Int, Sendable, CaseIterable {
        case first, second
    }

    public enum Action: Sendable, Hashable {
        /// Kills a member (SIGKILL or SIGTERM) and starts it again after a while.
        case kill(Member, hard: Bool, down: Duration)
        case reload(Member)
        /// The second member of the group comes and goes.
        case join
        case leave(hard: Bool)
        /// nil: all of them.
        case brokerDown(Int32?)
        case brokerUp(Int32?)
        case slowBroker(Int32, milliseconds: Int32)
        /// Another broker leads this partition.
        case moveLeader(partition: Int32, broker: Int32)
        /// Another broker leads the group.
        case moveGroup(broker: Int32)
        /// The next requests of this kind are refused.
        case refuseRequests(MockCluster.Request, count: Int)
        /// Of the first member.
        case fillDisk
        case freeDisk
        /// How far the daemons' clocks are off from now on.
        case setClock(milliseconds: Int64)
        /// Microsoft takes another token from now on; the daemons are given it later.
        case changeToken
        case handOutToken
        case expireAccessTokens
        /// Microsoft takes another refresh token from now on, and none that came before; the daemons are given it later.
        case revokeGrant
        case handOutGrant
        /// An operator looks for halted destinations and resumes them.
        case resumeHalted
    }

    public struct Step: Sendable, Hashable {
        public var at: Duration
        public var action: Action
    }

    public static let partitions: Int32 = 12
    public static let brokers: Int32 = 3

    public let seed: UInt64
    /// How long faults go on.
    public let length: Duration
    public private(set) var steps: [Step] = []
    public internal(set) var faults = FaultPlan.none
    /// Records a second.
    public private(set) var rate = 0
    /// Entries of a request.
    public private(set) var batchEvents = 0
    /// How long a delivery may wait in memory, in milliseconds.
    public private(set) var bufferMilliseconds = 0

    /// Whether the shop publishes events that expire during the run. Then no clock is set back by more than the margin
    /// that the daemon keeps: its clock decides what is expired, Microsoft's what is too old.
    public private(set) var hasAged = false

    var random: SeededRandom

    public init(seed: UInt64, length: Duration) {
        self.seed = seed
        self.length = length
        random = SeededRandom(seed: seed)
        rate = Int.random(in: 100...800, using: &random)
        batchEvents = pick([20, 100, 1000])
        bufferMilliseconds = pick([500, 2000, 5000])
        hasAged = chance(50)
        drawKills()
        drawMembers()
        drawBrokers()
        drawDisk()
        drawClock()
        drawCredentials()
        drawMicrosoft()
        steps.sort { $0.at < $1.at }
    }

    // MARK: Drawing

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: values.indices, using: &random)]
    }

    mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    mutating func duration(_ range: ClosedRange<Int64>) -> Duration {
        .milliseconds(Int64.random(in: range, using: &random))
    }

    /// A moment within the run.
    private mutating func moment() -> Duration {
        duration(1000...max(1000, length.milliseconds - 1000))
    }

    /// About one in so many seconds.
    private func times(oneIn seconds: Int64) -> Int {
        max(1, Int(length.milliseconds / 1000 / seconds))
    }

    mutating func add(_ action: Action, at time: Duration) {
        steps.append(Step(at: min(time, length), action: action))
    }

    private mutating func drawKills() {
        for _ in 0..<times(oneIn: 9) {
            let down = duration(0...3000)
            add(.kill(chance(70) ? .first : .second, hard: chance(60), down: down), at: moment())
        }
        if chance(40) { add(.reload(pick(Member.allCases)), at: moment()) }
    }

    private mutating func drawMembers() {
        var time = duration(0...8000)
        while time < length, chance(85) {
            add(.join, at: time)
            time += duration(4000...15_000)
            add(.leave(hard: chance(30)), at: time)
            time += duration(1000...8000)
        }
    }

    private mutating func drawBrokers() {
        for _ in 0..<times(oneIn: 12) where chance(80) {
            let broker = chance(30) ? nil : anyBroker()
            // The mock misses a member that was cut off after the session's timeout, and cannot bear (by an assertion of its
            // own) one that was cut off while it joined and joins again before that.
            let outage = duration(4500...7000)
            let time = duration(1000...max(1000, length.milliseconds - 7000))
            guard time + outage <= length else { continue }
            add(.brokerDown(broker), at: time)
            add(.brokerUp(broker), at: time + outage)
        }
        for _ in 0..<times(oneIn: 15) where chance(60) {
            let (broker, time) = (anyBroker(), moment())
            add(.slowBroker(broker, milliseconds: Int32.random(in: 50...900, using: &random)), at: time)
            add(.slowBroker(broker, milliseconds: 0), at: time + duration(1000...5000))
        }
        for _ in 0..<times(oneIn: 10) where chance(50) {
            let partition = Int32.random(in: 0..<ChaosPlan.partitions, using: &random)
            add(.moveLeader(partition: partition, broker: anyBroker()), at: moment())
        }
        if chance(40) { add(.moveGroup(broker: anyBroker()), at: moment()) }
        for _ in 0..<times(oneIn: 8) where chance(70) {
            let requests: [MockCluster.Request] = [
                .fetch, .listOffsets, .offsetCommit, .offsetFetch, .heartbeat, .joinGroup, .syncGroup, .findCoordinator,
            ]
            let count = Int.random(in: 1...4, using: &random)
            add(.refuseRequests(pick(requests), count: count), at: moment())
        }
    }

    private mutating func anyBroker() -> Int32 {
        Int32.random(in: 1...ChaosPlan.brokers, using: &random)
    }

    private mutating func drawDisk() {
        for _ in 0..<times(oneIn: 20) where chance(60) {
            let time = moment()
            add(.fillDisk, at: time)
            add(.freeDisk, at: time + duration(500...5000))
        }
    }

    /// Back by less than what a storefront's clock may be ahead, forward by less than what makes a good event too old.
    private mutating func drawClock() {
        for _ in 0..<times(oneIn: 12) where chance(60) {
            let back: Int64 = hasAged ? -50_000 : -240_000
            let range = chance(50) ? back...0 : back...3_600_000
            add(.setClock(milliseconds: Int64.random(in: range, using: &random)), at: moment())
        }
    }

    private mutating func drawCredentials() {
        if chance(50) {
            let time = moment()
            add(.changeToken, at: time)
            add(.handOutToken, at: time + duration(0...3000))
        }
        if chance(50) { add(.expireAccessTokens, at: moment()) }
        if chance(25) {
            let time = moment()
            add(.revokeGrant, at: time)
            add(.handOutGrant, at: time + duration(0...4000))
            // Else they read it within a minute.
            if chance(50) { for member in Member.allCases { add(.reload(member), at: time + .seconds(4)) } }
        }
    }
}

extension ChaosPlan: CustomStringConvertible {
    public var description: String {
        var lines = [
            "seed \(seed), \(length), \(rate) records/s, batches of \(batchEvents), buffer \(bufferMilliseconds) ms"
                + (hasAged ? ", with aged events" : "")
        ]
        lines += steps.map { "\($0.at.milliseconds) ms: \($0.action)" }
        lines += faults.phases.map { phase in
            let window = "\(phase.window.lowerBound.milliseconds)...\(phase.window.upperBound.milliseconds) ms"
            let targets = [(FaultTargets.capi, "capi"), (.offline, "offline"), (.oauth, "oauth")]
                .filter { phase.targets.contains($0.0) }.map(\.1).joined(separator: "+")
            let most = phase.most.map { ", at most \($0)" } ?? ""
            return "\(window): \(targets) \(phase.fault), rate \(phase.rate)\(most)"
        }
        var text = lines.joined(separator: "\n")
        for module in [
            "ForwarderHarness.ChaosPlan.Member", "FakeMicrosoft.CampaignCode", "FakeMicrosoft.Fault.RetryAfter",
        ] {
            text.replace(module, with: "")
        }
        return text
    }
}
