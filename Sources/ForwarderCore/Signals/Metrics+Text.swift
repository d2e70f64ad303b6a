extension Metrics {
    /// Of the line in the log.
    public static let level = LogSettings.Level.info
    static let event = "metrics"

    /// The `metrics` line as JSON: the process's numbers, then those of each destination.
    public func json(at time: Timestamp) -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            writer.beginLine(time, Metrics.level, Metrics.event)
            let families = self.families
            for family in families {
                for sample in family.samples where sample.destination == nil {
                    writer.member(family.name, sample.value)
                }
            }
            writer.name("destinations")
            writer.object { writer in
                for name in destinationNames {
                    writer.name(name)
                    writer.object { Metrics.write(families, of: name, &$0) }
                }
            }
        }
        return writer.bytes
    }

    /// Also those that are configured no longer and have something waiting.
    var destinationNames: [String] { destinations.map(\.lane.name) + detached.keys.sorted() }

    private static func write(_ families: [MetricFamily], of destination: String, _ writer: inout JSONWriter) {
        for family in families {
            let samples = family.samplesForLog.filter { $0.destination == destination }
            if family.isPerGoal {
                writeGoals(samples, family, &writer)
            } else if family.label == nil {
                if let only = samples.first { writer.member(family.name, only.value) }
            } else if !samples.isEmpty {
                writer.name(family.name)
                writer.object { writer in
                    for sample in samples { writer.member(sample.label ?? "", sample.value) }
                }
            }
        }
    }

    /// By goal, and where there is a label, by that.
    private static func writeGoals(
        _ samples: [MetricFamily.Sample], _ family: MetricFamily, _ writer: inout JSONWriter
    ) {
        let goals = samples.map(\.goal).reduce(into: [String?]()) { if $0.last != $1 { $0.append($1) } }
        guard !goals.isEmpty else { return }
        writer.name(family.name)
        writer.object { writer in
            for goal in goals {
                let ofGoal = samples.filter { $0.goal == goal }
                guard family.label != nil else {
                    for sample in ofGoal { writer.member(goal ?? "", sample.value) }
                    continue
                }
                writer.name(goal ?? "")
                writer.object { for sample in ofGoal { $0.member(sample.label ?? "", sample.value) } }
            }
        }
    }

    /// The `metrics` line as logfmt: `lag=0`, `destinations.capi.delivered=7`, `destinations.capi.gate.open=1`.
    public func logfmt(at time: Timestamp) -> [UInt8] {
        var writer = LogfmtWriter(time, Metrics.level, Metrics.event)
        for family in families {
            for sample in family.samplesForLog {
                let goal = sample.goal.map(Metrics.path)
                let path = [sample.destination.map { "destinations.\($0)" }, family.name, goal, sample.label]
                writer.member(path.compactMap(\.self).joined(separator: "."), sample.value)
            }
        }
        return writer.bytes
    }

    /// A goal's name as a part of one in the line: it may hold anything.
    private static func path(_ goal: String) -> String {
        String(decoding: goal.utf8.map { isLetter($0) || isDigit($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    /// The page for Prometheus (text exposition format 0.0.4). Values that are 0 are on it too: a counter that is not
    /// there before its first increase has none for Prometheus.
    public var exposition: String {
        var text = ""
        for family in families where !family.samples.isEmpty {
            let name = family.exposedName
            text += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                var labels: [String] = []
                // Destination names are letters, digits, dashes and underscores; labels come from closed lists. A goal is
                // called what somebody at Microsoft's pages called it.
                if let destination = sample.destination { labels.append("destination=\"\(destination)\"") }
                if let goal = sample.goal { labels.append("goal=\"\(Metrics.escaped(goal))\"") }
                if let label = family.label, let value = sample.label { labels.append("\(label.name)=\"\(value)\"") }
                if let histogram = sample.histogram {
                    text += Metrics.exposition(of: histogram, name, labels)
                } else {
                    text += Metrics.sample(name, labels, Metrics.number(sample.value))
                }
            }
        }
        return text
    }

    private static func exposition(of histogram: Histogram, _ name: String, _ labels: [String]) -> String {
        var text = ""
        var count = 0
        for (bucket, number) in histogram.buckets.dropLast().enumerated() {
            count += number
            text += sample("\(name)_bucket", labels + ["le=\"\(Metrics.number(Histogram.bound(bucket)))\""], "\(count)")
        }
        return text + sample("\(name)_bucket", labels + ["le=\"+Inf\""], "\(histogram.count)")
            + sample("\(name)_sum", labels, Metrics.number(histogram.seconds))
            + sample("\(name)_count", labels, "\(histogram.count)")
    }

    private static func sample(_ name: String, _ labels: [String], _ value: String) -> String {
        "\(name)\(labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}") \(value)\n"
    }

    private static func escaped(_ label: String) -> String {
        var text = ""
        for character in label {
            if character == "\\" || character == "\"" { text += "\\" }
            text.append(character)
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}

extension MetricFamily {
    /// Without what would make the line long and says nothing: labels that are 0, histograms (whose quantiles are there).
    var samplesForLog: [Sample] {
        kind == .histogram ? [] : label == nil ? samples : samples.filter { $0.value != 0 }
    }
}
