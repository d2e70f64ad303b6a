/// One value of a configuration file, with the place where it stands. What a scalar means is decided by the key it
/// belongs to, never by its looks: `yes` and `0123` stay text until a key wants a flag or a number.
public struct ConfigNode: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
        /// `isPlain`: without quotes, so that `null` may be meant.
        case scalar(String, isPlain: Bool)
        case list([ConfigNode])
        /// In the order of the file; a key may stand in it twice.
        case map([Entry])
    }

    public struct Entry: Sendable, Equatable {
        public var key: String
        /// Of the key, counted from 1.
        public var line: Int
        public var column: Int
        public var value: ConfigNode

        public init(key: String, line: Int, column: Int, value: ConfigNode) {
            self.key = key
            self.line = line
            self.column = column
            self.value = value
        }
    }

    public var content: Content
    /// Counted from 1.
    public var line: Int
    /// Counted from 1, in characters.
    public var column: Int
    /// `destinations[1].oauth.client_id`; empty for the whole file.
    public var path: String

    public init(_ content: Content, line: Int, column: Int, path: String) {
        self.content = content
        self.line = line
        self.column = column
        self.path = path
    }

    /// The path of the value of `key` in the map at `path`.
    public static func path(_ path: String, key: String) -> String {
        path.isEmpty ? key.printable() : "\(path).\(key.printable())"
    }

    /// The path of an element of the list at `path`.
    public static func path(_ path: String, index: Int) -> String {
        "\(path)[\(index)]"
    }

    /// Nothing is written, or one of YAML's words for it.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    var isMap: Bool {
        if case .map = content { true } else { false }
    }

    /// `off`, or nothing.
    var isOff: Bool {
        guard case .scalar(let text, _) = content else { return false }
        return isNull || text == "off"
    }
}
