import Forwarder
import ForwarderHarness
import Glibc

/// How many instructions a round of a section takes, by valgrind: the same program gives nearly the same number whatever else
/// the machine does.
struct Instructions {
    private static let valgrind = "/usr/bin/valgrind"

    /// What was counted before, by section.
    private(set) var recorded: [String: Int] = [:]

    static var canBeCounted: Bool { access(valgrind, X_OK) == 0 }

    /// - Parameter path: a section and its number on each line; nil: nothing was recorded.
    init(recorded path: String?) throws(HarnessFailure) {
        guard let path else { return }
        let bytes: [UInt8]
        do throws(SmallFile.Failure) {
            bytes = try SmallFile.read(path, limit: 1 << 16)
        } catch {
            throw HarnessFailure("\(path) \(error.reason)")
        }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let number = Int(words[1]) { recorded[String(words[0])] = number }
        }
    }

    /// Twice as many rounds cost what so many do, once more: start and preparation fall out.
    func count(_ section: Section) throws(HarnessFailure) -> Int {
        try (total(section, 2 * section.rounds) - total(section, section.rounds)) / section.rounds
    }

    private func total(_ section: Section, _ rounds: Int) throws(HarnessFailure) -> Int {
        let run = try CommandRun(
            Instructions.valgrind,
            [
                "--tool=callgrind", "--callgrind-out-file=/dev/null", OwnProgram.path, "--count", section.name,
                "\(rounds)",
            ],
            // Without it hashed collections have another order in each process.
            environment: ["SWIFT_DETERMINISTIC_HASHING=1"], timeout: .seconds(300))
        for line in run.errors.split(separator: "\n") where line.contains("Collected :") {
            if let number = line.split(separator: " ").last.flatMap({ Int($0) }) { return number }
        }
        throw HarnessFailure("valgrind counted nothing for \(section.name): \(run.errors.suffix(300))")
    }

    /// Writes these numbers beside those that stay as they were recorded.
    func write(_ counts: [String: Int], to path: String) throws(HarnessFailure) {
        let all = recorded.merging(counts) { _, new in new }
        let lines = Section.all.compactMap { section in all[section.name].map { "\(section.name) \($0)\n" } }
        do throws(SmallFile.Failure) {
            try SmallFile.replace(path, with: Array(lines.joined().utf8))
        } catch {
            throw HarnessFailure("\(path) \(error.reason)")
        }
    }

    /// A number of instructions, what was recorded, and what that makes.
    func columns(_ section: Section, _ count: Int) -> String {
        let text = "\(count)".leftPadded(to: 13)
        guard let before = recorded[section.name] else { return text }
        let change = Double(count - before) / Double(before) * 100
        let sign = change < 0 ? "-" : "+"
        return text + "\(before)".leftPadded(to: 13) + (sign + fixed(abs(change), 1) + " %").leftPadded(to: 10)
    }
}
