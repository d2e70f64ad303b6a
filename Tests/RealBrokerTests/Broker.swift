import Glibc
import Testing

/// The broker that the environment names. `make broker-test` starts one and names it.
///
/// - `FORWARDER_TEST_BROKER`: its address. Without it every scenario is skipped.
/// - `FORWARDER_TEST_BROKER_LACKS`: what it cannot do, in words of `Ability`. Apache Kafka lacks nothing.
/// - `FORWARDER_TEST_BROKER_RESTART`: a command that ends it in order and starts it again with what it had.
///
/// What the two that are installable from PyPI cannot do was found by trying:
///
/// - noida-db 0.2.3 never misses a member that died without leaving, so that nobody gets its partitions; now and then a
///   second member's join is never answered (seen once in five runs, with librdkafka 2.0.2); and killed with
///   -9 it forgets what came since it last saved. To each fetch it names every transaction that was ever aborted, even
///   those that ended before, so that librdkafka drops what the same producer commits later; Apache Kafka names those in
///   what it hands out. Everything else here it does, with librdkafka 2.0.2 and 2.16.
/// - Tansu 0.6.0 hands out the records of aborted transactions, ignores `retention.ms` and `cleanup.policy`, cuts the
///   connection at DeleteRecords, answers a fetch beyond the end with nothing instead of an error, says that a partition
///   of ten records ends at offset 1, and in memory keeps nothing over a restart. librdkafka 2.0.2 cannot talk to it.
enum Broker {
    static let address = environment("FORWARDER_TEST_BROKER")
    static let restartCommand = environment("FORWARDER_TEST_BROKER_RESTART")
    private static let lacking =
        environment("FORWARDER_TEST_BROKER_LACKS")?.split(separator: " ").map(String.init) ?? []

    enum Ability: String {
        /// A member that is silent for `session.timeout.ms` is put out of its group.
        case sessionTimeout = "session-timeout"
        /// Members may come and go at any moment.
        case rebalance
        /// DeleteRecords.
        case deleteRecords = "delete-records"
        /// `retention.ms`.
        case retention
        /// `cleanup.policy=compact`.
        case compaction
        /// With readers that only see what was committed.
        case transactions
        /// A fetch at an offset beyond the end is an error.
        case outOfRange = "out-of-range"
        /// ListOffsets tells where a partition ends.
        case endOffsets = "end-offsets"
    }

    static func has(_ ability: Ability) -> Bool {
        !lacking.contains(ability.rawValue)
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension Trait where Self == ConditionTrait {
    static var needsBroker: ConditionTrait {
        .enabled(if: Broker.address != nil, "FORWARDER_TEST_BROKER names no broker; `make broker-test` starts one")
    }

    static func needs(_ ability: Broker.Ability) -> ConditionTrait {
        .enabled(if: Broker.has(ability), "this broker lacks \(ability.rawValue)")
    }
}

/// All scenarios, one after the other: they share the broker, and one of them restarts it.
@Suite(.serialized, .needsBroker)
struct RealBrokerTests {}
