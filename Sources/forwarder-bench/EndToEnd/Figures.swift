import ForwarderHarness

/// What one run of one program came to.
struct Figures {
    /// From the first event that the sink has to the last.
    var eventsPerSecond = 0.0
    /// CPU time of the whole process, from its start to its end, in microseconds for each event.
    var user = 0.0
    var system = 0.0
    var peakMebibytes = 0.0
    var writtenMebibytes = 0.0

    var cpu: Double { user + system }

    /// The process has ended; this is what it took for so many events.
    mutating func take(_ usage: ChildProcess.Usage?, events: Int) {
        guard let usage else { return }
        user = usage.userSeconds * 1e6 / Double(events)
        system = usage.systemSeconds * 1e6 / Double(events)
        peakMebibytes = Double(usage.peakKilobytes) / 1024
        writtenMebibytes = Double(usage.writtenBytes) / Double(1 << 20)
    }
}

/// The runs of one program, as a line of a table.
struct FiguresRow {
    var name: String
    var runs: [Figures] = []

    static let header =
        "                       runs events/s: min  median     max   us CPU: min  median   max  (user  system)  MiB peak  MiB written"

    /// - Parameter wanted: how many runs there should be.
    func line(of wanted: Int) -> String {
        let start = name.padded(to: 24) + "\(runs.count)/\(wanted)"
        guard !runs.isEmpty else { return start + " no result" }
        func median(_ value: KeyPath<Figures, Double>) -> Double { Spread(runs.map { $0[keyPath: value] }).median }
        return start + " " + Spread(runs.map(\.eventsPerSecond)).text(width: 7, decimals: 0) + "       "
            + Spread(runs.map(\.cpu)).text(width: 7, decimals: 2)
            + "  (\(fixed(median(\.user), 2))  \(fixed(median(\.system), 2)))"
            + fixed(median(\.peakMebibytes), 0).leftPadded(to: 8)
            + fixed(median(\.writtenMebibytes), 1).leftPadded(to: 12)
    }
}
