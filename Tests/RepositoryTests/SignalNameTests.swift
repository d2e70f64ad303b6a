import ForwarderCore
import Testing

/// Rules, dashboard and log programs name only what the daemon says.
struct SignalNameTests {
    private static let rules = Repository.read("deploy/prometheus/alerts.yaml")
    private static let ruleTests = Repository.read("deploy/prometheus/alerts.test.yaml")
    private static let dashboard = Repository.read("deploy/grafana/conversion-forwarder.json")
    private static let families = Metrics(uptime: .zero, destinations: [], kafka: .init(), store: .init()).families

    /// The words that begin so, up to what cannot be part of a name.
    private static func words(_ prefix: String, in text: String) -> Set<String> {
        var words: Set<String> = []
        var rest = text[...]
        while let found = rest.firstRange(of: prefix) {
            let word = rest[found.lowerBound...].prefix { $0.isLowercase || $0.isNumber || $0 == "_" }
            words.insert(String(word))
            rest = rest[found.upperBound...]
        }
        return words
    }

    @Test func `every metric that rules, dashboard and documents name exists`() {
        let names = Set(
            Self.families.flatMap { family in
                family.kind == .histogram
                    ? ["_bucket", "_sum", "_count"].map { family.exposedName + $0 } : [family.exposedName]
            })
        let documents = [("rules", Self.rules), ("their tests", Self.ruleTests), ("dashboard", Self.dashboard)]
        let pages = Repository.files("", ".md").map { ($0.path, $0.text) }
        for (name, text) in documents {
            let found = Self.words("conversion_forwarder_", in: text)
            #expect(found.count > 20)
            for metric in found { #expect(names.contains(metric), "\(name): \(metric)") }
        }
        let plain = names.union(Self.families.map(\.exposedName)).union(["conversion_forwarder_"])
        for (path, text) in pages {
            for metric in Self.words("conversion_forwarder_", in: text) {
                #expect(plain.contains(metric), "\(path): \(metric)")
            }
        }
    }

    @Test func `every value of a label that rules and dashboard ask for exists`() {
        let labels = Self.families.compactMap(\.label)
        var found = 0
        for text in [Self.rules, Self.ruleTests, Self.dashboard] {
            // In JSON the quotes are escaped.
            let text = text.split(separator: "\\").joined()
            for label in Set(labels.map(\.name)) {
                let known = Set(labels.filter { $0.name == label }.flatMap(\.values))
                for part in text.split(separator: "\(label)=").dropFirst() {
                    let value = part.drop { $0 == "~" }
                    guard value.first == "\"" else { continue }
                    for one in value.dropFirst().prefix(while: { $0 != "\"" }).split(separator: "|") {
                        found += 1
                        #expect(known.contains(String(one)), "\(label)=\(one)")
                    }
                }
            }
        }
        #expect(found >= 20)
    }

    private struct Alert {
        var name: String
        var page: String
    }

    private static let alerts = rules.split(separator: "- alert: ").dropFirst().map { part in
        let page = part.split(separator: "runbook_url: ").dropFirst().first ?? ""
        return Alert(name: String(part.prefix { $0 != "\n" }), page: String(page.prefix { $0 != "\n" }))
    }

    @Test func `every alert has its page, and every page of an alert its alert`() {
        #expect(Self.alerts.count >= 18)
        for alert in Self.alerts {
            let text = Repository.read(alert.page)
            #expect(text.contains("\nalert: \(alert.name)\n"), "\(alert.name) is not the alert of \(alert.page)")
        }
        for page in Repository.files("runbooks", ".md") where page.text.hasPrefix("---\nalert: ") {
            #expect(Self.alerts.contains { $0.page == page.path }, "\(page.path)")
        }
    }

    @Test func `every alert is tested, firing and not firing`() {
        for alert in Self.alerts {
            let cases = Self.ruleTests.split(separator: "alertname: \(alert.name)").dropFirst()
            let firing = cases.count { $0.hasPrefix("\n        exp_alerts:") }
            let quiet = cases.count { $0.hasPrefix("}") }
            #expect(firing > 0 && quiet > 0, "\(alert.name)")
        }
    }

    @Test func `the dashboard is JSON, and every panel asks for something`() throws {
        let root = try JSONDocument(Array(Self.dashboard.utf8)).root
        let panels = (root["panels"]?.elements ?? []).filter { $0["type"]?.string != "row" }
        #expect(panels.count > 20)
        for panel in panels {
            let queries = (panel["targets"]?.elements ?? []).compactMap { $0["expr"]?.string }
            #expect(!queries.isEmpty && queries.allSatisfy { $0.contains("conversion_forwarder_") })
        }
    }

    @Test func `mtail's program names only events that the daemon logs, and fields in their order`() {
        let program = Repository.read("deploy/mtail/conversion-forwarder.mtail")
        let names = Set(SignalName.allCases.map(\.rawValue) + ["metrics"])
        let events = program.split(separator: "\"event\":\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        for event in events where event.allSatisfy({ $0.isLowercase || $0 == "_" || $0 == "." }) {
            #expect(names.contains(String(event)), "\(event)")
        }
        #expect(events.count >= 5)
    }
}
