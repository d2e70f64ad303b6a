import ForwarderCore

/// Notices when somebody sets the wall clock.
struct ClockWatch {
    private static let tolerance = Duration.seconds(2)
    private var last: Moment

    init(_ now: Moment) {
        last = now
    }

    /// By how much the wall clock was set since the last call; nil if it was not.
    mutating func step(_ now: Moment) -> Duration? {
        defer { last = now }
        let difference = (now.wall - last.wall) - (now.uptime - last.uptime)
        return difference > ClockWatch.tolerance || difference < .zero - ClockWatch.tolerance ? difference : nil
    }
}
