import ForwarderCore
import Synchronization

/// Whether the threads that do the work still go round.
public final class Heartbeats: Sendable {
    public enum Loop: Int, CaseIterable, Sendable {
        case intake, delivery, store

        public var name: String {
            switch self {
            case .intake: "intake"
            case .delivery: "delivery"
            case .store: "store"
            }
        }
    }

    /// A loop that has not come round for this long is stuck.
    public static let limit = Duration.seconds(60)

    private let last = Mutex<[Loop: Uptime]>([:])

    public init() {}

    public func beat(_ loop: Loop, at now: Uptime) {
        last.withLock { $0[loop] = now }
    }

    /// The loops that are stuck, and for how long.
    public func stalled(at now: Uptime) -> [(loop: Loop, silence: Duration)] {
        let last = last.withLock { $0 }
        return Loop.allCases.compactMap { loop in
            guard let beat = last[loop], now - beat > Heartbeats.limit else { return nil }
            return (loop, now - beat)
        }
    }
}
