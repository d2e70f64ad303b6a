/// The numbers as CloudWatch takes them from a log: Embedded Metric Format. One line for the process, and one for each
/// destination, whose name is the dimension. CloudWatch adds up what it is given, so counters are told as what was added
/// since the line before.
public struct EmbeddedMetrics: Sendable {
    public static let namespace = "ConversionForwarder"
    /// Of one directive.
    static let metricLimit = 100

    private struct Metric {
        var name: String
        var unit: String
        var value: Double
    }

    private var before: [String: Double] = [:]

    public init() {}

    public mutating func lines(_ metrics: Metrics, at time: Timestamp) -> [[UInt8]] {
        let families = metrics.families
        var lines = [line(families, of: nil, time)]
        for name in metrics.destinationNames { lines.append(line(families, of: name, time)) }
        return lines
    }

    private mutating func line(_ families: [MetricFamily], of destination: String?, _ time: Timestamp) -> [UInt8] {
        var metrics: [Metric] = []
        for family in families {
            for sample in family.samplesForEMF where sample.destination == destination {
                let name = family.name + (sample.label.map { "_\($0)" } ?? "")
                metrics.append(Metric(name: name, unit: family.unit, value: value(sample, family, name)))
            }
        }
        var writer = JSONWriter(capacity: 8192)
        writer.object { writer in
            writer.beginLine(time, Metrics.level, Metrics.event)
            writer.name("_aws")
            writer.object { writer in
                writer.member("Timestamp", time.milliseconds)
                writer.name("CloudWatchMetrics")
                writer.array { writer in
                    for start in stride(from: 0, to: metrics.count, by: EmbeddedMetrics.metricLimit) {
                        let part = metrics[start..<min(start + EmbeddedMetrics.metricLimit, metrics.count)]
                        writer.object { EmbeddedMetrics.write(part, hasDestination: destination != nil, &$0) }
                    }
                }
            }
            if let destination { writer.member("destination", destination) }
            for metric in metrics { writer.member(metric.name, metric.value) }
        }
        return writer.bytes
    }

    private mutating func value(_ sample: MetricFamily.Sample, _ family: MetricFamily, _ name: String) -> Double {
        guard family.kind == .counter else { return sample.value }
        let key = "\(sample.destination ?? "")/\(name)"
        defer { before[key] = sample.value }
        return sample.value - before[key, default: 0]
    }

    private static func write(_ metrics: ArraySlice<Metric>, hasDestination: Bool, _ writer: inout JSONWriter) {
        writer.member("Namespace", namespace)
        writer.name("Dimensions")
        writer.array { $0.array { if hasDestination { $0.value("destination") } } }
        writer.name("Metrics")
        writer.array { writer in
            for metric in metrics {
                writer.object {
                    $0.member("Name", metric.name)
                    $0.member("Unit", metric.unit)
                }
            }
        }
    }
}

extension MetricFamily {
    /// What goals have of their own is added up: the name of a metric comes from a closed list.
    fileprivate var samplesForEMF: [Sample] {
        guard isPerGoal else { return samplesForLog }
        var sums: [Sample] = []
        for sample in samplesForLog {
            if let index = sums.firstIndex(where: { $0.destination == sample.destination && $0.label == sample.label })
            {
                sums[index].value += sample.value
            } else {
                sums.append(sample)
            }
        }
        return sums
    }

    /// In CloudWatch's words.
    fileprivate var unit: String {
        if name.contains("_seconds") { return "Seconds" }
        return name.hasSuffix("_bytes") ? "Bytes" : "Count"
    }
}
