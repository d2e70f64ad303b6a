import Glibc
import Synchronization

/// Notes the signals that ask a run to end, so that it can clean up behind itself.
public enum Interruption {
    private static let noted = Atomic<Int32>(0)

    /// From here on SIGINT, SIGTERM and SIGHUP end nothing by themselves.
    public static func watch() {
        // The handler must not be the first to touch it.
        _ = noted.load(ordering: .relaxed)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            Glibc.signal(number) { Interruption.noted.store($0, ordering: .relaxed) }
        }
    }

    /// The signal that came last; nil if none did.
    public static var signal: Int32? {
        let number = noted.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }
}
