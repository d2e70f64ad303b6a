/// Replaces the port of a broker in its answers, so that a client which is told where the brokers are stays with the
/// proxy. Kafka writes a port as four bytes behind the host's name, so nothing changes its length.
struct KafkaAddress {
    private let pattern: [UInt8]
    private let replacement: [UInt8]
    /// The beginning of an answer that is not whole yet.
    private var rest: [UInt8] = []

    init(host: String = "127.0.0.1", port: UInt16, replacedBy other: UInt16) {
        func address(_ port: UInt16) -> [UInt8] { Array(host.utf8) + [0, 0, UInt8(port >> 8), UInt8(port & 0xFF)] }
        pattern = address(port)
        replacement = address(other)
    }

    /// - Returns: the whole answers among what has come so far, each with its length before it.
    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        rest += bytes
        var end = 0
        while rest.count - end >= 4 {
            let length = rest[end..<end + 4].reduce(0) { $0 << 8 | Int($1) }
            guard rest.count - end - 4 >= length else { break }
            end += 4 + length
        }
        var whole = Array(rest[..<end])
        rest.removeFirst(end)
        var index = 0
        while index + pattern.count <= whole.count {
            if whole[index] == pattern[0], whole[index..<index + pattern.count].elementsEqual(pattern) {
                whole.replaceSubrange(index..<index + pattern.count, with: replacement)
            }
            index += 1
        }
        return whole
    }
}
