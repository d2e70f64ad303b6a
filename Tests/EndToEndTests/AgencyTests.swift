import Forwarder
import ForwarderCore
import ForwarderHarness
import ScenarioKit
import Testing

/// What deploy/agency.md tells a stranger about config/agency.yaml.
struct AgencyTests {
    private static func file(_ path: String) throws -> String {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return String(decoding: try SmallFile.read("\(root)/\(path)", limit: 1 << 20), as: UTF8.self)
    }

    /// The example, with its secrets at hand.
    private static func directory() throws -> DaemonDirectory {
        let directory = try DaemonDirectory()
        let example = try file("config/agency.yaml").replacing("/run/secrets", with: directory.path)
        try directory.write(example + "\nstate: {directory: \(directory.state)}\n", to: "config.yaml")
        return directory
    }

    @Test(.timeLimit(.minutes(15)))
    func `check names what is missing in the agency's example, and then who has to consent`() async throws {
        try await onThread {
            let directory = try AgencyTests.directory()
            defer { directory.remove() }
            let secrets = [
                "kafka-password", "developer-token", "client-secret", "books-capi-token", "garden-capi-token",
                "bikes-capi-token",
            ]
            let bare = try CommandRun(daemonBinary, ["check", "--config", directory.configuration])
            try requireEqual(bare.code, 2, bare.output)
            for secret in secrets {
                try require(bare.output.contains("/\(secret): cannot be opened"), "\(secret): \(bare.output)")
                try directory.write("made-up", to: secret)
            }
            // What is left to do is said as it is to be typed.
            let rest = try CommandRun(daemonBinary, ["check", "--config", directory.configuration])
            try requireEqual(rest.code, 1, rest.output)
            let lines = rest.output.split(separator: "\n").dropLast()
            try requireEqual(lines.count, 2, rest.output)
            for (line, name) in zip(lines, ["books-offline", "garden-offline"]) {
                try require(line.contains("run `conversion-forwarder auth login --destination \(name)`"), rest.output)
            }
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `each event of the agency's page goes where its table says`() async throws {
        try await onThread {
            let directory = try AgencyTests.directory()
            defer { directory.remove() }
            let run = try CommandRun(
                daemonBinary, ["explain", "--json", "--now", "1786000000", "--config", directory.configuration],
                input: Array(try AgencyTests.file("deploy/agency-events.ndjson").utf8))
            try requireEqual(run.code, 0, run.errors)
            var found: [[String]] = []
            for line in run.output.split(separator: "\n") {
                let root = try JSONDocument(line).root
                let destinations = root["destinations"]?.elements ?? []
                if found.isEmpty { found.append(destinations.map { $0["name"]?.string ?? "" }) }
                found.append(
                    [root["event_id"]?.string ?? ""]
                        + destinations.map { destination in
                            destination["outcome"]?.string == "deliver"
                                ? "sent" : destination["reasons"]?.elements?.first?.string ?? ""
                        })
            }
            let rows = try AgencyTests.file("deploy/agency.md").split(separator: "\n").filter { $0.hasPrefix("   | ") }
            let table: [[String]] = rows.map { row in
                row.split(separator: "|").dropFirst().map { String($0.filter { $0 != " " && $0 != "`" }) }
            }
            try requireEqual(table.count, 8, "rows of the page")
            try requireEqual(Array(table[0].dropFirst()), found[0], "destinations")
            for (row, outcomes) in zip(table.dropFirst(), found.dropFirst()) {
                try require(row[0].hasPrefix(outcomes[0]), "\(row[0]) is \(outcomes[0])")
                try requireEqual(Array(row.dropFirst()), Array(outcomes.dropFirst()), outcomes[0])
            }
            for name in ["Book Order", "Garden Order", "/v1/10000001/", "/v1/10000002/", "/v1/10000003/"] {
                try require(run.output.contains(name), "\(name) is in no request")
            }
        }
    }
}
