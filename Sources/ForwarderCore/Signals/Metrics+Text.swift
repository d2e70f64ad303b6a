extension Metrics {
    /// Of the line in the log.
    public static let level = LogSettings.Level.info

    /// The `metrics` line of the log, without the line break: the process's numbers, then those of each destination.
    public func line(at time: Timestamp) -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            writer.member("ts", LogTime.text(time))
            writer.member("level", Metrics.level.rawValue)
            writer.member("event", "metrics")
            let families = self.families
            for family in families {
                for sample in family.samples where sample.destination == nil {
                    writer.member(family.name, sample.value)
                }
            }
            writer.name("destinations")
            writer.object { writer in
                for destination in destinations {
                    writer.name(destination.lane.name)
                    writer.object { Metrics.write(families, of: destination.lane.name, &$0) }
                }
            }
        }
        return writer.bytes
    }

    private static func write(_ families: [MetricFamily], of destination: String, _ writer: inout JSONWriter) {
        for family in families {
            let samples = family.samples.filter { $0.destination == destination }
            if let only = samples.first, only.label == nil {
                writer.member(family.name, only.value)
            } else if !samples.isEmpty {
                writer.name(family.name)
                writer.object { writer in
                    for sample in samples { writer.member(sample.label?.value ?? "", sample.value) }
                }
            }
        }
    }

    /// The page for Prometheus (text exposition format 0.0.4).
    public var exposition: String {
        var text = ""
        for family in families where !family.samples.isEmpty {
            text +=
                "# HELP \(family.exposedName) \(family.help)\n# TYPE \(family.exposedName) \(family.kind.rawValue)\n"
            for sample in family.samples {
                var labels: [String] = []
                // Destination names are letters, digits, dashes and underscores; labels come from closed lists.
                if let destination = sample.destination { labels.append("destination=\"\(destination)\"") }
                if let label = sample.label { labels.append("\(label.name)=\"\(label.value)\"") }
                text += family.exposedName + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}")
                text += " \(Metrics.number(sample.value))\n"
            }
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}
