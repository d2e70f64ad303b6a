import Glibc
import Testing

@testable import ForwarderCore

/// `deploy/SIGNALS.md`: its tables are made from what the daemon can say. `UPDATE_GOLDEN=1` writes them anew.
struct SignalPageTests {
    private static let path = Files.fixtures("../../deploy/SIGNALS.md")

    @Test func `every name has samples, and the samples have that name`() {
        for name in SignalName.allCases {
            #expect(!name.samples.isEmpty)
            for sample in name.samples { #expect(sample.name == name) }
            #expect(name.meaning.first?.isUppercase == true && !name.meaning.hasSuffix("."), "\(name.rawValue)")
        }
    }

    @Test func `a field has the same type wherever it occurs, and its unit in its name`() {
        var types: [String: String] = [:]
        for field in SignalName.allCases.flatMap(\.samples).flatMap(\.fields) {
            let type = field.value.type
            #expect(types[field.name] ?? type == type, "\(field.name) is \(type) and \(types[field.name] ?? "")")
            types[field.name] = type
            #expect(field.name.hasSuffix("_ms") == (type == "integer, ms"), "\(field.name)")
            #expect(field.name.hasSuffix("bytes") == (type == "integer, bytes"), "\(field.name)")
        }
    }

    @Test func `the page of signals says what the daemon says`() throws {
        let text = String(decoding: try #require(Files.read(Self.path)), as: UTF8.self)
        var page = try Self.replacing("log events", in: text, with: Self.events)
        page = try Self.replacing("metrics", in: page, with: Self.metrics)
        if getenv("UPDATE_GOLDEN") != nil {
            #expect(Files.write(Array(page.utf8), to: Self.path))
        } else {
            let difference = zip(text.split(separator: "\n"), page.split(separator: "\n")).first { $0 != $1 }
            #expect(text == page, "UPDATE_GOLDEN=1 writes it anew; first difference: \(String(describing: difference))")
        }
    }

    private static func replacing(_ name: String, in text: String, with table: String) throws -> String {
        let begin = "<!-- \(name): made from the code -->\n"
        let end = "<!-- end of \(name) -->"
        let head = try #require(text.firstRange(of: begin))
        let tail = try #require(text.firstRange(of: end))
        return text[..<head.upperBound] + table + text[tail.lowerBound...]
    }

    @Test func `the page on unattributed conversions explains each reason as the command does`() throws {
        let path = Files.fixtures("../../runbooks/conversions-unattributed.md")
        let text = String(decoding: try #require(Files.read(path)), as: UTF8.self)
        var table = "| Reason | Means | Do |\n|---|---|---|\n"
        for reason in UnattributedReason.allCases {
            table += "| `\(reason.rawValue)` | \(reason.meaning) | \(reason.advice) |\n"
        }
        let page = try Self.replacing("reasons", in: text, with: table)
        if getenv("UPDATE_GOLDEN") != nil {
            #expect(Files.write(Array(page.utf8), to: path))
        } else {
            #expect(text == page, "UPDATE_GOLDEN=1 writes it anew")
        }
    }

    private static var events: String {
        var text = "| Event | Level | When | Fields |\n|---|---|---|---|\n"
        for name in SignalName.allCases {
            let levels = LogSettings.Level.allCases.filter { level in name.samples.contains { $0.level == level } }
            text += "| `\(name.rawValue)` | \(levels.map(\.rawValue).joined(separator: ", ")) | \(name.meaning) | "
            text += fields(of: name.samples).joined(separator: "<br>") + " |\n"
        }
        return text
    }

    /// In the order of the line; in brackets what is not in every one.
    private static func fields(of samples: [Signal]) -> [String] {
        let longest = samples.map(\.fields).max { $0.count < $1.count } ?? []
        return longest.map { field in
            let isAlways = samples.allSatisfy { $0.fields.contains { $0.name == field.name } }
            let text = "`\(field.name)` \(field.value.type)"
            return isAlways ? text : "[\(text)]"
        }
    }

    private static var metrics: String {
        var text = "| Metric | Type | Labels | What it counts |\n|---|---|---|---|\n"
        for family in Metrics.sample(destinations: []).families {
            var labels = family.isPerDestination ? ["`destination`"] : []
            if family.isPerGoal { labels.append("`goal`") }
            if let label = family.label {
                labels.append("`\(label.name)`: \(label.values.joined(separator: ", "))")
            }
            text += "| `\(family.exposedName)` | \(family.kind.rawValue) | \(labels.joined(separator: "<br>")) | "
            text += "\(family.help) |\n"
        }
        return text
    }

    @Test func `every metric is told, and what is sampled for the page is complete`() {
        let empty = Metrics.sample(destinations: []).families
        let full = Metrics.sample(destinations: ["capi"]).families
        #expect(empty.map(\.exposedName) == full.map(\.exposedName))
        #expect(Set(full.map(\.exposedName)).count == full.count)
        for family in full {
            #expect(family.samples.allSatisfy { ($0.destination != nil) == family.isPerDestination }, "\(family.name)")
            #expect(family.samples.allSatisfy { ($0.goal != nil) == family.isPerGoal }, "\(family.name)")
            if let label = family.label { #expect(family.samples.compactMap(\.label) == label.values) }
            #expect(!family.samples.isEmpty, "\(family.name)")
        }
    }
}

extension LogField.Value {
    fileprivate var type: String {
        switch self {
        case .text: "string"
        case .number: "integer"
        case .flag: "true or false"
        case .milliseconds: "integer, ms"
        case .bytes: "integer, bytes"
        case .list: "list of strings"
        case .partitions: "list of {`topic`, `partition`, [`offset`]}"
        case .object: "object"
        }
    }
}
