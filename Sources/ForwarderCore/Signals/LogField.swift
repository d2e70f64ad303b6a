/// One field of a line of the log: a name that stays the same, and a value of one type.
public struct LogField: Sendable {
    public enum Value: Sendable {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case milliseconds(Duration)
        case bytes(Int)
        case list([String])
        /// `topic`, `partition`, and `offset` where it is known.
        case partitions([PartitionReport])
        /// A JSON text.
        case object([UInt8])
    }

    public var name: String
    public var value: Value

    init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }

    static func text(_ name: String, _ text: String) -> LogField { LogField(name, .text(text)) }
    static func number(_ name: String, _ number: some BinaryInteger) -> LogField {
        LogField(name, .number(Int64(clamping: number)))
    }
    static func flag(_ name: String, _ flag: Bool) -> LogField { LogField(name, .flag(flag)) }
    static func milliseconds(_ name: String, _ duration: Duration) -> LogField {
        LogField(name, .milliseconds(duration))
    }
    static func list(_ name: String, _ texts: [String]) -> LogField { LogField(name, .list(texts)) }
}

extension JSONWriter {
    mutating func member(_ field: LogField) {
        name(field.name)
        value(field.value)
    }

    mutating func value(_ value: LogField.Value) {
        switch value {
        case .text(let text): self.value(text)
        case .number(let number): self.value(number)
        case .flag(let flag): self.value(flag)
        case .milliseconds(let duration): self.value(duration.milliseconds)
        case .bytes(let count): self.value(count)
        case .list(let texts): array { for text in texts { $0.value(text) } }
        case .partitions(let partitions):
            array { writer in
                for partition in partitions {
                    writer.object { for field in partition.fields { $0.member(field) } }
                }
            }
        case .object(let json): raw(json)
        }
    }
}
