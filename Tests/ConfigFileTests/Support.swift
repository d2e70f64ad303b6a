import ConfigFile
import ForwarderCore
import Glibc
import Testing

/// A file of the repository's `config` folder.
func configPath(_ name: String, _ here: String = #filePath) -> String {
    here.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/config/\(name)"
}

func bytes(of path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: ConfigFile.sizeLimit)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
}

func parse(_ text: String) throws(ConfigFileError) -> ConfigNode {
    try ConfigFile.parse(Array(text.utf8))
}

func decode(_ text: String) throws(ConfigFileError) -> Configuration.Decoded {
    Configuration.decode(try parse(text))
}

/// What is said about the file: of a file that is not read, why.
func problems(_ text: String) -> [String] {
    do throws(ConfigFileError) {
        return try decode(text).problems.map(\.description)
    } catch {
        return [error.description]
    }
}

func configuration(_ text: String) throws -> Configuration {
    try #require(try decode(text).configuration, "\(problems(text))")
}

extension Configuration.Decoded {
    var configuration: Configuration? {
        guard case .valid(let configuration, _) = self else { return nil }
        return configuration
    }

    var problems: [ConfigProblem] {
        switch self {
        case .valid(_, let warnings): warnings
        case .invalid(let problems): problems
        }
    }
}

/// A file that is valid as it stands. Lines given for its destination begin at line 7.
func capi(_ lines: String = "", kafka: String = "", more: String = "") -> String {
    """
    kafka: {brokers: [localhost:9092], topics: [events], \(kafka)}
    destinations:
      - name: shop
        type: capi
        uet_tag_id: "123"
        token: {env: TOKEN}
    \(indented(lines))
    \(more)
    """
}

/// A file that is valid as it stands. Lines given for its destination begin at line 11.
func offline(_ lines: String = "", goals: String = "{Purchase: Purchase}") -> String {
    """
    kafka: {brokers: [localhost:9092], topics: [events]}
    destinations:
      - name: sales
        type: offline_conversions
        customer_id: "1"
        account_id: "2"
        developer_token: {env: DEVELOPER_TOKEN}
        oauth: {client_id: app, refresh_token: {file: /run/secrets/refresh}}
        goals:
          \(goals)
    \(indented(lines))
    """
}

private func indented(_ lines: String) -> String {
    lines.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }.joined(separator: "\n")
}

extension SeededRandom {
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &self)]
    }
}
