/// Money and quantities. They stay text from the event to the request, so that 19.99 leaves as 19.99: binary floating
/// point never sees them.
struct DecimalText {
    /// The number as JSON allows it, without an exponent.
    let text: Bytes
    let isNegative: Bool
    let isInteger: Bool

    /// .NET's decimal, which Microsoft's side most likely uses, holds 28 digits.
    private static let digitLimit = 28

    /// Reads a JSON number, or a text that holds one; nil if it is none or longer than any sum of money.
    init?(_ raw: Bytes, in arena: inout Arena) {
        let number = raw.trimmed()
        guard !number.isEmpty, let parts = Parts(number) else { return nil }
        isNegative = parts.isNegative
        if parts.exponent == 0 {
            guard parts.integerDigits + parts.fractionDigits <= DecimalText.digitLimit else { return nil }
            text = number
            isInteger = parts.fractionDigits == 0
        } else {
            guard let expanded = parts.expanded(number, in: &arena) else { return nil }
            text = expanded
            isInteger = !expanded.contains(UInt8(ascii: "."))
        }
    }

    /// Digits in front of the decimal point.
    var integerDigitCount: Int {
        let point = text.firstIndex(of: UInt8(ascii: ".")) ?? text.count
        return isNegative ? point - 1 : point
    }

    var isZero: Bool {
        text.allSatisfy { !(UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }
    }

    /// The number without a fraction that is zero; nil if there is another fraction.
    var wholeNumber: DecimalText? {
        guard let point = text.firstIndex(of: UInt8(ascii: ".")) else { return self }
        guard text[(point + 1)...].allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
        return DecimalText(text: Bytes(rebasing: text[..<point]), isNegative: isNegative, isInteger: true)
    }

    private init(text: Bytes, isNegative: Bool, isInteger: Bool) {
        self.text = text
        self.isNegative = isNegative
        self.isInteger = isInteger
    }

    /// The value without its fraction; nil if it does not fit.
    var truncatedInteger: Int64? {
        var value: Int64 = 0
        for byte in text.dropFirst(isNegative ? 1 : 0).prefix(integerDigitCount) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.addingReportingOverflow(Int64(byte &- UInt8(ascii: "0")))
            if overflow || overflow2 { return nil }
            value = sum
        }
        return isNegative ? -value : value
    }

    private struct Parts {
        var isNegative = false
        var integerStart = 0
        var integerDigits = 0
        var fractionStart = 0
        var fractionDigits = 0
        var exponent = 0

        /// The grammar of JSON numbers.
        init?(_ number: Bytes) {
            var index = 0
            if number[0] == UInt8(ascii: "-") {
                isNegative = true
                index = 1
            }
            integerStart = index
            while index < number.count, isDigit(number[index]) { index += 1 }
            integerDigits = index - integerStart
            guard integerDigits > 0, integerDigits == 1 || number[integerStart] != UInt8(ascii: "0") else { return nil }
            if index < number.count, number[index] == UInt8(ascii: ".") {
                index += 1
                fractionStart = index
                while index < number.count, isDigit(number[index]) { index += 1 }
                fractionDigits = index - fractionStart
                guard fractionDigits > 0 else { return nil }
            }
            guard index < number.count else { return }
            guard number[index] | 0x20 == UInt8(ascii: "e") else { return nil }
            index += 1
            guard let value = Int(String(decoding: number[index...], as: UTF8.self)), abs(value) <= 64 else {
                return nil
            }
            exponent = value
        }

        /// The digits with the decimal point where the exponent puts it.
        func expanded(_ number: Bytes, in arena: inout Arena) -> Bytes? {
            var digits = Array(number[integerStart..<(integerStart + integerDigits)])
            digits += number[fractionStart..<(fractionStart + fractionDigits)]
            var point = integerDigits + exponent
            if point < 1 {
                digits.insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: 1 - point), at: 0)
                point = 1
            }
            while digits.count < point { digits.append(UInt8(ascii: "0")) }
            while point > 1, digits[0] == UInt8(ascii: "0") {
                digits.removeFirst()
                point -= 1
            }
            while digits.count > point, digits.last == UInt8(ascii: "0") { digits.removeLast() }
            guard digits.count <= DecimalText.digitLimit else { return nil }
            if digits.count > point { digits.insert(UInt8(ascii: "."), at: point) }
            if isNegative { digits.insert(UInt8(ascii: "-"), at: 0) }
            return arena.copy(digits)
        }
    }
}
