/// The end of a wait that is made of several.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(milliseconds: Int32) {
        end = .now + .milliseconds(milliseconds)
    }

    /// 0 once it has passed.
    var millisecondsLeft: Int32 {
        let (seconds, attoseconds) = (end - .now).components
        return Int32(clamping: max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }

    var hasPassed: Bool { millisecondsLeft == 0 }
}
