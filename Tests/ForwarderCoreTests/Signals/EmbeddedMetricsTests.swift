import Testing

@testable import ForwarderCore

/// What CloudWatch's specification of the Embedded Metric Format, and its schema, ask for.
struct EmbeddedMetricsTests {
    private static let time = Timestamp(milliseconds: 1_786_000_000_123)
    private static let units: Set = ["Seconds", "Bytes", "Count"]

    @Test func `each line keeps the specification, however many destinations and labels there are`() throws {
        var embedded = EmbeddedMetrics()
        let names = (0..<32).map { "destination-\($0)" }
        let lines = embedded.lines(Metrics.sample(destinations: names), at: Self.time)
        // The last is one that is configured no longer.
        #expect(lines.count == 34)
        for (index, line) in lines.enumerated() {
            #expect(line.count < 256 << 10)
            let root = try JSONDocument(line).root
            let members = try #require(root.members)
            #expect(members.prefix(3).map(\.name) == ["ts", "level", "event"])
            #expect(Set(members.map(\.name)).count == members.count, "a member twice")
            let directives = try Self.directives(root)
            // The process's own numbers have no dimension.
            #expect(directives.allSatisfy { $0.dimensions == (index == 0 ? [] : ["destination"]) })
            #expect(root["destination"]?.string == (index == 0 ? nil : (names + ["old"])[index - 1]))
            // Nothing is said that no metric is made from.
            let metrics = directives.flatMap(\.metrics)
            #expect(members.count == 4 + (index == 0 ? 0 : 1) + metrics.count)
            #expect(Set(metrics).count == metrics.count)
        }
    }

    private struct Directive {
        var dimensions: [String]
        var metrics: [String]
    }

    private static func directives(_ root: JSONElement) throws -> [Directive] {
        let aws = try #require(root["_aws"])
        #expect(aws.members?.map(\.name) == ["Timestamp", "CloudWatchMetrics"])
        #expect(aws["Timestamp"]?.integer == time.milliseconds)
        let directives = try #require(aws["CloudWatchMetrics"]?.elements)
        #expect(!directives.isEmpty)
        return try directives.map { directive in
            #expect(directive.members?.map(\.name) == ["Namespace", "Dimensions", "Metrics"])
            #expect(1...255 ~= directive["Namespace"]?.string?.count ?? 0)
            let sets = try #require(directive["Dimensions"]?.elements)
            #expect(sets.count == 1)
            let dimensions = sets.flatMap { $0.elements ?? [] }.compactMap(\.string)
            #expect(dimensions.count <= 9)
            for dimension in dimensions { #expect(1...255 ~= root[dimension]?.string?.count ?? 0) }
            let metrics = try #require(directive["Metrics"]?.elements)
            #expect(1...100 ~= metrics.count)
            let names = try metrics.map { metric in
                let name = try #require(metric["Name"]?.string)
                #expect(1...255 ~= name.count && name.utf8.allSatisfy { 0x21...0x7E ~= $0 })
                #expect(root[name]?.kind == .number, "\(name)")
                #expect(units.contains(metric["Unit"]?.string ?? ""), "\(name)")
                return name
            }
            return Directive(dimensions: dimensions, metrics: names)
        }
    }

    @Test func `counters are what was added since the line before, gauges what they are`() throws {
        var embedded = EmbeddedMetrics()
        func values(_ scale: Int) throws -> [String: Int64] {
            let line = embedded.lines(Metrics.sample(destinations: ["capi"], scale: scale), at: Self.time)[1]
            let root = try JSONDocument(line).root
            return ["delivered", "skipped_shadow", "gate_open", "clock_offset_seconds"].reduce(into: [:]) {
                $0[$1] = root[$1]?.integer
            }
        }
        let first = try values(1)
        #expect(first == ["delivered": 9_000_000_000, "skipped_shadow": 1_234_567, "gate_open": 1])
        #expect(try values(3) == ["delivered": 18_000_000_000, "skipped_shadow": 2_469_134, "gate_open": 1])
        #expect(try values(3) == ["delivered": 0, "skipped_shadow": 0, "gate_open": 1])
    }

    @Test func `a line that is no metrics line is JSON`() {
        let line = Signal.gateOpened(destination: "capi").line(at: Self.time)
        #expect(line.bytes(.emf) == line.bytes(.json))
    }
}
