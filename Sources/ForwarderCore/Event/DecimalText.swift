/// Money and quantities. They stay text from the event to the request, so that 19.99 leaves as 19.99: binary floating
/// point never sees them.
struct DecimalText {
    /// The number as JSON allows it, without an exponent; zero has no sign.
    let text: Bytes
    let isNegative: Bool
    private let fractionDigits: Int

    /// .NET's decimal, which Microsoft's side most likely uses, holds 28 digits.
    private static let digitLimit = 28

    /// Reads a JSON number, or a text that holds one; nil if it is none or longer than any sum of money.
    init?(_ raw: Bytes, in arena: inout Arena) {
        // Almost every number is a few digits with at most one point.
        if let fractionDigits = DecimalText.fractionDigits(ofPlain: raw) {
            self.init(raw, isNegative: false, fractionDigits: fractionDigits)
            return
        }
        guard let parts = Parts(raw.trimmed()) else { return nil }
        if parts.exponent == nil {
            guard parts.integer.count + parts.fraction.count <= DecimalText.digitLimit else { return nil }
            self.init(parts.number, isNegative: parts.isNegative, fractionDigits: parts.fraction.count)
        } else {
            guard let (number, fractionDigits) = parts.expanded(in: &arena) else { return nil }
            self.init(number, isNegative: parts.isNegative, fractionDigits: fractionDigits)
        }
    }

    /// How many digits stand behind the point of a number without sign and exponent; nil if it is not as plain as that.
    private static func fractionDigits(ofPlain number: Bytes) -> Int? {
        guard 1...digitLimit ~= number.count, isDigit(number[0]) else { return nil }
        guard number[0] != UInt8(ascii: "0") || number.count == 1 else { return nil }
        var point: Int?
        for index in 1..<number.count where !isDigit(number[index]) {
            guard number[index] == UInt8(ascii: "."), point == nil else { return nil }
            point = index
        }
        guard let point else { return 0 }
        return point == number.count - 1 ? nil : number.count - 1 - point
    }

    private init(_ number: Bytes, isNegative: Bool, fractionDigits: Int) {
        let isMinusZero = isNegative && DecimalText.isZero(number)
        text = isMinusZero ? Bytes(rebasing: number[1...]) : number
        self.isNegative = isNegative && !isMinusZero
        self.fractionDigits = fractionDigits
    }

    /// The digits in front of the decimal point.
    var integerDigits: Bytes {
        let end = fractionDigits == 0 ? text.count : text.count - fractionDigits - 1
        return Bytes(rebasing: text[(isNegative ? 1 : 0)..<end])
    }

    var isZero: Bool { DecimalText.isZero(text) }

    private static func isZero(_ number: Bytes) -> Bool {
        !number.contains { isDigit($0) && $0 != UInt8(ascii: "0") }
    }

    /// The number without a fraction that is zero; nil if there is another fraction.
    var wholeNumber: DecimalText? {
        guard text.suffix(fractionDigits).allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
        let end = fractionDigits == 0 ? text.count : text.count - fractionDigits - 1
        return DecimalText(Bytes(rebasing: text[..<end]), isNegative: isNegative, fractionDigits: 0)
    }

    /// The value without its fraction; nil if it does not fit.
    var truncatedInteger: Int64? {
        let digits = integerDigits
        guard digits.count <= 18 else { return nil }
        var value: Int64 = 0
        for digit in digits { value = value &* 10 &+ Int64(digit &- UInt8(ascii: "0")) }
        return isNegative ? -value : value
    }

    /// The number with at most so many digits behind the point, half rounded away from zero; nil if it has no more. A
    /// fraction of a cent comes from a shop that adds its prices in binary, so this is rare and may be slow.
    func rounded(toDigits limit: Int) -> (text: [UInt8], isExact: Bool)? {
        guard fractionDigits > limit else { return nil }
        let zero = UInt8(ascii: "0")
        let point = text.count - fractionDigits - 1
        let rest = text[(point + limit + 1)...]
        var digits = Array(text[..<point]) + Array(text[(point + 1)...(point + limit)])
        var place = digits.count
        var isCarried = rest[rest.startIndex] >= UInt8(ascii: "5")
        while isCarried, place > 0, isDigit(digits[place - 1]) {
            place -= 1
            isCarried = digits[place] == UInt8(ascii: "9")
            digits[place] = isCarried ? zero : digits[place] + 1
        }
        if isCarried { digits.insert(UInt8(ascii: "1"), at: place) }
        let whole = digits.count - limit
        while digits.count > whole, digits.last == zero { digits.removeLast() }
        if digits.count > whole { digits.insert(UInt8(ascii: "."), at: whole) }
        return (digits, rest.allSatisfy { $0 == zero })
    }

    /// A number taken apart by the grammar of JSON.
    private struct Parts {
        let number: Bytes
        private(set) var isNegative = false
        private(set) var integer = 0..<0
        private(set) var fraction = 0..<0
        private(set) var exponent: Int?

        init?(_ number: Bytes) {
            self.number = number
            isNegative = number.first == UInt8(ascii: "-")
            integer = digits(from: isNegative ? 1 : 0)
            guard !integer.isEmpty, integer.count == 1 || number[integer.lowerBound] != UInt8(ascii: "0") else {
                return nil
            }
            var end = integer.upperBound
            if end < number.count, number[end] == UInt8(ascii: ".") {
                fraction = digits(from: end + 1)
                guard !fraction.isEmpty else { return nil }
                end = fraction.upperBound
            }
            guard end < number.count else { return }
            guard lowercased(number[end]) == UInt8(ascii: "e"),
                let exponent = Int(String(decoding: number[(end + 1)...], as: UTF8.self)), -64...64 ~= exponent
            else { return nil }
            self.exponent = exponent
        }

        private func digits(from start: Int) -> Range<Int> {
            var end = start
            while end < number.count, isDigit(number[end]) { end &+= 1 }
            return start..<end
        }

        /// The number with the decimal point where the exponent puts it, and how many digits stand behind it.
        func expanded(in arena: inout Arena) -> (Bytes, fractionDigits: Int)? {
            let zero = UInt8(ascii: "0")
            var digits = Array(number[integer]) + Array(number[fraction])
            var point = integer.count + (exponent ?? 0)
            if point < 1 {
                digits.insert(contentsOf: repeatElement(zero, count: 1 - point), at: 0)
                point = 1
            }
            while digits.count < point { digits.append(zero) }
            while point > 1, digits[0] == zero {
                digits.removeFirst()
                point -= 1
            }
            while digits.count > point, digits.last == zero { digits.removeLast() }
            guard digits.count <= DecimalText.digitLimit else { return nil }
            let fractionDigits = digits.count - point
            if fractionDigits > 0 { digits.insert(UInt8(ascii: "."), at: point) }
            if isNegative { digits.insert(UInt8(ascii: "-"), at: 0) }
            return (arena.copy(digits), fractionDigits)
        }
    }
}
