import ForwarderCore

/// What holds for every line of every log.
public enum LogCheck {
    private static let names = Set(SignalName.allCases.map(\.rawValue) + ["metrics"])

    /// Everything that is wrong with a log; empty when all is well. A daemon that is killed may break off a line.
    public static func problems(_ directory: DaemonDirectory, kills: Int = 0) -> [String] {
        var problems: [String] = []
        var breaksLeft = kills
        let lines = directory.logBytes().split(separator: UInt8(ascii: "\n"))
        for (index, line) in lines.enumerated() {
            guard let members = (try? JSONDocument(Array(line)))?.root.members else {
                breaksLeft -= 1
                if breaksLeft >= 0 { continue }
                problems.append(
                    "line \(index + 1) is no JSON object: \(String(decoding: line.prefix(200), as: UTF8.self))")
                continue
            }
            if members.prefix(3).map(\.name) != ["ts", "level", "event"] {
                problems.append("line \(index + 1) begins with \(members.prefix(3).map(\.name))")
            }
            let event = members.count > 2 ? members[2].value.string ?? "" : ""
            if !names.contains(event) { problems.append("line \(index + 1) has an unknown event \(event)") }
            if event == "metrics", members.first(where: { $0.name == "unaccounted" })?.value.integer != 0 {
                problems.append("the books do not balance: \(String(decoding: line, as: UTF8.self))")
            }
        }
        return problems
    }
}
