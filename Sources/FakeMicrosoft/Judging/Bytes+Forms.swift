import ForwarderCore
import Glibc

/// The forms that the contracts ask of texts. Written apart from the forwarder's own checks: a judge that shares the
/// accused's eyes sees nothing.
extension Bytes {
    @inline(__always)
    func matches(_ literal: StaticString) -> Bool {
        count == literal.utf8CodeUnitCount && (count == 0 || memcmp(baseAddress!, literal.utf8Start, count) == 0)
    }

    var text: String { String(decoding: self, as: UTF8.self) }

    /// 64 lower-case hexadecimal digits.
    var isSHA256: Bool {
        count == 64 && allSatisfy { isDecimalDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
    }

    /// 32 hexadecimal digits of either case.
    var isBareGUID: Bool {
        count == 32 && allSatisfy(isHexadecimalDigit)
    }

    /// 8-4-4-4-12 hexadecimal digits of either case.
    var isDashedGUID: Bool {
        guard count == 36 else { return false }
        for (index, byte) in enumerated() {
            let isDashPlace = index == 8 || index == 13 || index == 18 || index == 23
            guard isDashPlace ? byte == UInt8(ascii: "-") : isHexadecimalDigit(byte) else { return false }
        }
        return true
    }

    /// A dashed GUID of version 4 and the variant that goes with it.
    var isVersion4GUID: Bool {
        isDashedGUID && self[14] == UInt8(ascii: "4") && Bytes.variantDigits.contains(self[19])
    }

    /// A scheme, `://`, a host, and nothing that may not stand in a URL.
    var isURL: Bool {
        guard let first, isASCIILetter(first) else { return false }
        var index = 1
        while index < count, Bytes.isSchemeByte(self[index]) { index += 1 }
        guard index + 3 < count, Bytes(rebasing: self[index..<(index + 3)]).matches("://") else { return false }
        let hostStart = self[index + 3]
        guard hostStart != UInt8(ascii: "/"), hostStart != UInt8(ascii: "?"), hostStart != UInt8(ascii: "#") else {
            return false
        }
        return allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
    }

    /// Three capitals.
    var isCurrencyCode: Bool {
        count == 3 && allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    }

    /// `YYYY-MM-DD` of a day that exists.
    var isDate: Bool {
        guard count == 10, self[4] == UInt8(ascii: "-"), self[7] == UInt8(ascii: "-"),
            let year = digits(0..<4), let month = digits(5..<7), let day = digits(8..<10)
        else { return false }
        return CivilDate(year: year, month: month, day: day) != nil
    }

    /// An IPv4 or IPv6 address in numeric form.
    var isIPAddress: Bool {
        guard (2...45).contains(count) else { return false }
        var address = in6_addr()
        return text.withCString { inet_pton(AF_INET, $0, &address) == 1 || inet_pton(AF_INET6, $0, &address) == 1 }
    }

    /// Something that reads like an e-mail address, as it is or percent-escaped.
    var holdsEmail: Bool {
        for (index, byte) in enumerated() where byte == UInt8(ascii: "@") || byte == UInt8(ascii: "%") {
            var domain = index + 1
            if byte == UInt8(ascii: "%") {
                guard index + 2 < count, self[index + 1] == UInt8(ascii: "4"), self[index + 2] == UInt8(ascii: "0")
                else { continue }
                domain = index + 3
            }
            guard index > 0, isASCIILetter(self[index - 1]) || isDecimalDigit(self[index - 1]) else { continue }
            if isDomain(at: domain) { return true }
        }
        return false
    }

    /// The number that the digits in `range` stand for; nil if something else stands there.
    func digits(_ range: Range<Int>) -> Int? {
        guard range.upperBound <= count else { return nil }
        var number = 0
        for index in range {
            guard isDecimalDigit(self[index]) else { return nil }
            number = number * 10 + Int(self[index] - UInt8(ascii: "0"))
        }
        return number
    }

    /// A JSON number without fraction and exponent that fits 64 bits.
    var integer: Int64? {
        guard let first else { return nil }
        let isNegative = first == UInt8(ascii: "-")
        guard count > (isNegative ? 1 : 0) else { return nil }
        var number: Int64 = 0
        for byte in dropFirst(isNegative ? 1 : 0) {
            guard isDecimalDigit(byte) else { return nil }
            let (shifted, overflow) = number.multipliedReportingOverflow(by: 10)
            let digit = Int64(byte - UInt8(ascii: "0"))
            let (next, overflow2) = shifted.addingReportingOverflow(isNegative ? -digit : digit)
            if overflow || overflow2 { return nil }
            number = next
        }
        return number
    }

    /// A plain decimal number in thousandths, what is beyond them cut off; nil for another form or more than 15 digits.
    var thousandths: Int64? {
        let isNegative = first == UInt8(ascii: "-")
        let parts = Bytes(rebasing: self[(isNegative ? 1 : 0)...])
            .split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, (1...15).contains(parts[0].count),
            let whole = Bytes(rebasing: parts[0]).digits(0..<parts[0].count)
        else { return nil }
        var thousandths = Int64(whole) * 1000
        if parts.count == 2 {
            let kept = Bytes(rebasing: parts[1].prefix(3))
            guard let fraction = kept.digits(0..<kept.count), !kept.isEmpty else { return nil }
            thousandths += Int64(fraction) * [100, 10, 1][kept.count - 1]
        }
        return isNegative ? -thousandths : thousandths
    }

    private func isDomain(at start: Int) -> Bool {
        var index = start
        var hasDot = false
        while index < count {
            let byte = self[index]
            if byte == UInt8(ascii: "."), index > start, index + 1 < count, isASCIILetter(self[index + 1]) {
                hasDot = true
            } else if !isASCIILetter(byte), !isDecimalDigit(byte), byte != UInt8(ascii: "-") {
                break
            }
            index += 1
        }
        return hasDot
    }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        isASCIILetter(byte) || isDecimalDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".")
    }

    private static let variantDigits = Array("89abAB".utf8)
}

@inline(__always)
private func isDecimalDigit(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10
}

@inline(__always)
private func isASCIILetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26
}

@inline(__always)
private func isHexadecimalDigit(_ byte: UInt8) -> Bool {
    isDecimalDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6
}
