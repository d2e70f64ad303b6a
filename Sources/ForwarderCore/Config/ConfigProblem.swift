/// Something in a configuration file that is wrong, or legal and doubtful.
public struct ConfigProblem: Sendable, Hashable, CustomStringConvertible {
    public enum Severity: String, Sendable, CaseIterable {
        /// The configuration can be used as it is, but may not do what was meant.
        case warning
        /// The configuration cannot be used.
        case error
    }

    public var severity: Severity
    /// Counted from 1.
    public var line: Int
    /// Counted from 1, in characters.
    public var column: Int
    /// `destinations[1].oauth.client_id`; empty where no single value is meant.
    public var path: String
    /// What is wrong and what to write instead. Never holds what may be a secret.
    public var text: String

    public init(_ severity: Severity, line: Int, column: Int, path: String, _ text: String) {
        self.severity = severity
        self.line = line
        self.column = column
        self.path = path
        self.text = text
    }

    /// `line 12: destinations[0].concurrency: …`
    public var description: String {
        let place = path.isEmpty ? "line \(line)" : "line \(line): \(path)"
        return severity == .warning ? "\(place): warning: \(text)" : "\(place): \(text)"
    }
}

extension String {
    /// The text as it may stand in a line of output: at most `limit` characters, none that moves a terminal's cursor.
    func printable(limit: Int = 60) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                shown.append("\u{FFFD}")
            default:
                shown.append(scalar)
            }
        }
        return unicodeScalars.count > limit ? String(shown) + "…" : String(shown)
    }
}
