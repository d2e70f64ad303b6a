/// SplitMix64: the same seed gives the same numbers on every machine and in every release.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

extension RandomNumberGenerator {
    /// A GUID of random digits in the dashed form.
    mutating func guid() -> String {
        var text = ""
        for (index, width) in [8, 4, 4, 4, 12].enumerated() {
            if index > 0 { text += "-" }
            text += hex(width)
        }
        return text
    }

    /// At most 16 random hexadecimal digits.
    mutating func hex(_ digits: Int) -> String {
        let text = String(next(), radix: 16)
        return String((String(repeating: "0", count: 16 - text.count) + text).suffix(digits))
    }
}
