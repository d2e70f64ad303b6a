import ConfigFile
import ForwarderCore
import Testing

@Suite struct FuzzTests {
    private static let pieces = [
        "\n", " ", "  ", "\t", ":", ": ", "- ", "[", "]", "{", "}", ",", "#", "\"", "'", "|", ">", "&a ", "*a",
        "!!int ",
        "%", "---\n", "...\n", "<<: ", "? ", "~", "null", "off", "true", "0", "-1", "99999999999999999999999", "7d",
        "1KiB", "https://", "\u{0}", "\u{FEFF}", "\u{85}", "\u{2028}", "é", "\\x", "\\0", "\\u202e", "@", "`", "1e9",
    ].map { Array($0.utf8) }

    @Test(arguments: 1...16)
    func `a damaged file ends in a configuration or in problems with a place`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let reference = try bytes(of: configPath("reference.yaml"))
        for round in 0..<60 {
            var bytes = reference
            for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
            let place: Comment = "seed \(seed), round \(round)"
            guard let node = tree(of: bytes, place) else { continue }
            switch Configuration.decode(node) {
            case .valid(let configuration, let warnings):
                #expect(warnings.allSatisfy { $0.severity == .warning && $0.line >= 1 }, place)
                #expect(throws: Never.self, place) { try JSONDocument(configuration.redacted) }
            case .invalid(let problems):
                #expect(problems.contains { $0.severity == .error }, place)
                #expect(problems.allSatisfy { $0.line >= 1 && $0.column >= 1 && !$0.text.isEmpty }, place)
                #expect(problems.map(\.line) == problems.map(\.line).sorted(), place)
            }
        }
    }

    @Test(arguments: 1...8)
    func `rubbish ends in a tree or in a problem with a place`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for round in 0..<300 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).flatMap { _ in random.pick(Self.pieces) }
            if let node = tree(of: bytes, "seed \(seed), round \(round)") { _ = Configuration.decode(node) }
        }
    }

    /// Nil after a problem that has a place.
    private func tree(of bytes: [UInt8], _ comment: Comment) -> ConfigNode? {
        do throws(ConfigFileError) {
            return try ConfigFile.parse(bytes)
        } catch {
            switch error {
            case .unreadable: Issue.record("nothing was to be read: \(comment)")
            case .invalid(let problem):
                #expect(problem.line >= 1 && problem.column >= 1 && !problem.text.isEmpty, comment)
            }
            return nil
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            bytes[place] = UInt8.random(in: .min ... .max, using: &random)
        case 1:
            bytes.insert(contentsOf: random.pick(Self.pieces), at: place)
        case 2:
            let end = min(place + Int.random(in: 1...200, using: &random), bytes.count)
            bytes.removeSubrange(place..<end)
        case 3:
            // A value of one key for another's.
            swapLineEnds(&bytes, &random)
        case 4:
            let end = min(place + Int.random(in: 1...400, using: &random), bytes.count)
            bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
        default:
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
        }
        if bytes.isEmpty { bytes = [UInt8(ascii: "\n")] }
    }

    private func swapLineEnds(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        let keyed = lines.indices.filter {
            !lines[$0].contains(UInt8(ascii: "#")) && lines[$0].contains(UInt8(ascii: ":"))
        }
        guard let one = keyed.randomElement(using: &random), let other = keyed.randomElement(using: &random),
            let oneColon = lines[one].firstIndex(of: UInt8(ascii: ":")),
            let otherColon = lines[other].firstIndex(of: UInt8(ascii: ":"))
        else { return }
        let ends = (lines[one][oneColon...], lines[other][otherColon...])
        lines[one].replaceSubrange(oneColon..., with: ends.1)
        if one != other { lines[other].replaceSubrange(otherColon..., with: ends.0) }
        bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }
}
