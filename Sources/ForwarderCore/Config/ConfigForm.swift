/// Why a value is not of its form. The text never holds what may be a secret.
struct Refusal: Error {
    let text: String

    init(_ text: String) {
        self.text = text
    }
}

/// The form that the value of a key must have.
struct ConfigForm<Value> {
    /// What to write, in the words that follow "write".
    let allowed: String
    let read: (ConfigNode) throws(Refusal) -> Value

    init(_ allowed: String, _ read: @escaping (ConfigNode) throws(Refusal) -> Value) {
        self.allowed = allowed
        self.read = read
    }
}

extension ConfigNode {
    /// The text of a single value.
    func scalar() throws(Refusal) -> String {
        switch content {
        case .scalar(let text, _):
            if isNull { throw Refusal("has no value") }
            return text
        case .list: throw Refusal("is a list")
        case .map: throw Refusal("is a map")
        }
    }
}

// MARK: Numbers

extension ConfigForm where Value: FixedWidthInteger {
    static func integer(_ bounds: ClosedRange<Value>) -> ConfigForm {
        ConfigForm("a whole number from \(bounds.lowerBound) to \(bounds.upperBound)") { node throws(Refusal) in
            let text = try node.scalar()
            let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
            guard !digits.isEmpty, digits.utf8.allSatisfy(isDigit) else {
                throw Refusal("\(quoted(text)) is no whole number")
            }
            return try (Value(text) ?? .max).checked(bounds, text)
        }
    }

    /// Bytes, `64KiB`, `32MiB`, `10GiB`.
    static func size(_ bounds: ClosedRange<Value>) -> ConfigForm {
        let lower = ConfigUnits.text(size: Int64(bounds.lowerBound))
        let upper = ConfigUnits.text(size: Int64(bounds.upperBound))
        return ConfigForm("a size from \(lower) to \(upper)") { node throws(Refusal) in
            let text = try node.scalar()
            return try Value(clamping: ConfigUnits.size(text)).checked(bounds, text)
        }
    }
}

extension ConfigForm<Duration> {
    /// `200ms`, `5s`, `5m`, `2h`, `7d`.
    static func duration(_ bounds: ClosedRange<Duration>) -> ConfigForm {
        let allowed =
            "a duration from \(ConfigUnits.text(bounds.lowerBound)) to \(ConfigUnits.text(bounds.upperBound))"
        return ConfigForm("\(allowed) with its unit (ms, s, m, h, d)") { node throws(Refusal) in
            let text = try node.scalar()
            return try ConfigUnits.duration(text).checked(bounds, text)
        }
    }
}

extension Comparable {
    fileprivate func checked(_ bounds: ClosedRange<Self>, _ text: String) throws(Refusal) -> Self {
        guard bounds.contains(self) else { throw Refusal("\(quoted(text)) is out of bounds") }
        return self
    }
}

// MARK: Words

extension ConfigForm<Bool> {
    static var flag: ConfigForm {
        ConfigForm("true or false") { node throws(Refusal) in
            switch try node.scalar() {
            case "true", "yes", "on": return true
            case "false", "no", "off": return false
            case let other: throw Refusal("\(quoted(other)) is neither true nor false")
            }
        }
    }
}

extension ConfigForm where Value: CaseIterable & RawRepresentable<String> {
    static var choice: ConfigForm {
        ConfigForm(oneOf(Value.allCases.map(\.rawValue))) { node throws(Refusal) in
            let text = try node.scalar()
            guard let value = Value(rawValue: text) else { throw Refusal("\(quoted(text)) is unknown") }
            return value
        }
    }
}

extension ConfigForm<DestinationSettings.StartAt> {
    static var startAt: ConfigForm {
        ConfigForm("committed, latest or a time such as 2026-01-02T03:04:05Z") { node throws(Refusal) in
            switch try node.scalar() {
            case "committed": return .committed
            case "latest": return .latest
            case let text:
                guard let time = ConfigUnits.time(text) else {
                    throw Refusal("\(quoted(text)) is no starting point")
                }
                return .time(time)
            }
        }
    }
}

func oneOf(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.joined() }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
}

// MARK: Texts

extension ConfigForm<String> {
    /// Any text without control characters.
    static func text(_ limit: Int) -> ConfigForm {
        ConfigForm("a text of 1 to \(limit) characters") { node throws(Refusal) in
            let text = try node.scalar()
            if text.isEmpty { throw Refusal("is empty") }
            if text.unicodeScalars.count > limit { throw Refusal("is too long") }
            if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                throw Refusal("holds a line break or another control character")
            }
            return text
        }
    }

    /// An id of Microsoft's: a whole number that may not fit into anything but text.
    static var digits: ConfigForm {
        ConfigForm("its digits, 19 at most") { node throws(Refusal) in
            let text = try node.scalar()
            guard 1...19 ~= text.utf8.count, text.utf8.allSatisfy(isDigit) else {
                throw Refusal("is not made of digits alone")
            }
            return text
        }
    }

    static var destinationName: ConfigForm {
        ConfigForm("up to 64 of a-z, 0-9, - and _, a letter or digit first") { node throws(Refusal) in
            let text = try node.scalar()
            let isLegal = text.utf8.allSatisfy { byte in
                isDigit(byte) || (isLetter(byte) && byte == lowercased(byte)) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
            guard isLegal, let first = text.utf8.first, isDigit(first) || isLetter(first), text.utf8.count <= 64 else {
                throw Refusal("\(quoted(text)) cannot name a destination")
            }
            return text
        }
    }

    static var topic: ConfigForm {
        ConfigForm("the name of one topic, up to 249 of a-z, A-Z, 0-9, ., _ and -") { node throws(Refusal) in
            let text = try node.scalar()
            let isLegal = text.utf8.allSatisfy { byte in
                isDigit(byte) || isLetter(byte) || "._-".utf8.contains(byte)
            }
            guard isLegal, 1...249 ~= text.utf8.count, text != ".", text != ".." else {
                throw Refusal("\(quoted(text)) cannot name a topic")
            }
            return text
        }
    }

    static var absolutePath: ConfigForm {
        ConfigForm("a path that begins with /") { node throws(Refusal) in
            let text = try node.scalar()
            try text.checkAbsolutePath()
            return text
        }
    }
}

extension ConfigForm<SecretReference> {
    static var secret: ConfigForm {
        ConfigForm("{file: /path/of/the/secret} or {env: NAME_OF_VARIABLE}") { node throws(Refusal) in
            switch node.content {
            case .scalar where node.isNull: throw Refusal("has no value")
            case .scalar, .list: throw Refusal("a secret does not belong into this file")
            // The key is not named: who forgets the colon writes the secret as a key.
            case .map(let entries) where entries.count != 1: throw Refusal("is not one reference")
            case .map(let entries):
                let name = try entries[0].value.scalar()
                switch entries[0].key {
                case "file":
                    try name.checkAbsolutePath()
                    return .file(name)
                case "env":
                    guard name.isVariableName else { throw Refusal("env does not hold the name of a variable") }
                    return .environment(name)
                default: throw Refusal("is neither a file nor an env reference")
                }
            }
        }
    }
}

extension String {
    fileprivate func checkAbsolutePath() throws(Refusal) {
        guard utf8.first == UInt8(ascii: "/") else { throw Refusal("is not an absolute path") }
        if utf8.count > 4095 || utf8.contains(0) { throw Refusal("cannot be a path") }
    }

    fileprivate var isVariableName: Bool {
        guard let first = utf8.first, !isDigit(first), utf8.count <= 128 else { return false }
        return utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") }
    }
}
