/// A line of the log before it is written in one of the formats.
public struct LogLine: Sendable {
    public var time: Timestamp
    public var level: LogSettings.Level
    public var event: String
    public var fields: [LogField]

    /// Without the line break.
    public func bytes(_ format: LogSettings.Format) -> [UInt8] {
        switch format {
        case .json, .emf:
            var writer = JSONWriter(capacity: 512)
            writer.object { writer in
                writer.beginLine(time, level, event)
                for field in fields { writer.member(field) }
            }
            return writer.bytes
        case .logfmt:
            var writer = LogfmtWriter(time, level, event)
            for field in fields { writer.member(field) }
            return writer.bytes
        }
    }
}

extension JSONWriter {
    /// What every line begins with.
    mutating func beginLine(_ time: Timestamp, _ level: LogSettings.Level, _ event: String) {
        member("ts", LogTime.text(time))
        member("level", level.rawValue)
        member("event", event)
    }
}

/// `name=value name="another value"`: what log tools call logfmt. Lists and objects are written as JSON, as one value.
struct LogfmtWriter: ~Copyable {
    private var buffer = ByteBuffer(capacity: 512)

    init(_ time: Timestamp, _ level: LogSettings.Level, _ event: String) {
        member("ts", LogTime.text(time))
        member("level", level.rawValue)
        member("event", event)
    }

    var bytes: [UInt8] { buffer.array() }

    mutating func member(_ field: LogField) {
        var writer = JSONWriter()
        switch field.value {
        case .text(let text): return member(field.name, text)
        case .number, .flag, .milliseconds, .bytes, .list, .partitions, .object: writer.value(field.value)
        }
        member(field.name, writer.text)
    }

    mutating func member(_ name: String, _ number: Double) {
        var writer = JSONWriter()
        writer.value(number)
        member(name, writer.text)
    }

    /// `name` is one of ours: letters, digits, dots, dashes and underscores.
    mutating func member(_ name: String, _ text: String) {
        if buffer.count > 0 { buffer.append(UInt8(ascii: " ")) }
        buffer.append(text: name)
        buffer.append(UInt8(ascii: "="))
        guard !LogfmtWriter.isPlain(text) else { return buffer.append(text: text) }
        buffer.append(UInt8(ascii: "\""))
        var copy = text
        copy.withUTF8 { JSONText.escape($0, to: &buffer) }
        buffer.append(UInt8(ascii: "\""))
    }

    /// Whether every reader takes it for one value, and for this one.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                0x21...0x7E ~= $0 && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
    }
}

/// `2026-08-06T07:06:40.123Z`.
public enum LogTime {
    public static func text(_ time: Timestamp) -> String {
        var buffer = ByteBuffer(capacity: 32)
        ISO8601.append(time.seconds, to: &buffer)
        buffer.truncate(to: buffer.count - 1)
        let milliseconds = Int(time.milliseconds - time.seconds * 1000)
        buffer.append(UInt8(ascii: "."))
        for divisor in [100, 10, 1] { buffer.append(UInt8(ascii: "0") + UInt8(milliseconds / divisor % 10)) }
        buffer.append(UInt8(ascii: "Z"))
        return buffer.withBytes { String(decoding: $0, as: UTF8.self) }
    }
}
