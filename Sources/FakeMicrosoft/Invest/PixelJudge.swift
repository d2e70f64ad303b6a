import ForwarderCore

/// What can be wrong with the call of a server-side pixel.
enum PixelCode: String, ProblemCode {
    case unknownPixel = "unknown_pixel"
    case noToken = "sspdata_missing"
    case tokenNotLast = "sspdata_not_last"
    case noPeriod = "sspdata_without_period"
    case notAlphanumeric = "not_alphanumeric"
    case tooLong = "too_long"
    case notNumeric = "not_numeric"
    case unknownParameter = "unknown_parameter"
    case repeatedParameter = "parameter_twice"
    case notEncoded = "not_encoded"

    var reason: String { rawValue }
    var told: String { "" }
}

/// The call of a server-side pixel, judged by what Invest says of its parameters.
struct PixelCall {
    let pixelID: Int?
    /// Decoded.
    let token: String
    let judgement: Judgement<PixelCode>

    init(query: String, pixels: [Int: FakePixel]) {
        var problems: [Problem<PixelCode>] = []
        func blame(_ code: PixelCode, _ name: StaticString, _ severity: Severity = .error) {
            problems.append(Problem(item: 0, severity: severity, code: code, name: name))
        }
        var values: [String: String] = [:]
        let parameters = query.split(separator: "&", omittingEmptySubsequences: false)
        for parameter in parameters {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let (name, value) = (parts[0], parts.count == 2 ? parts[1] : "")
            if values[name] != nil { blame(.repeatedParameter, "query") }
            guard let plain = PixelCall.decoded(value) else {
                blame(.notEncoded, "query")
                continue
            }
            values[name] = plain
            switch name {
            case "id", "sspdata": break
            case "order_id": PixelCall.check(plain, limit: 36) { blame($0, "order_id") }
            case "other": PixelCall.check(plain, limit: 20) { blame($0, "other") }
            case "value": if !PixelCall.isNumber(plain) { blame(.notNumeric, "value") }
            default: blame(.unknownParameter, "query")
            }
        }
        token = values["sspdata"] ?? ""
        pixelID = values["id"].flatMap { Int($0) }
        if pixelID.map({ pixels[$0] == nil }) ?? true { blame(.unknownPixel, "id") }
        if token.isEmpty {
            blame(.noToken, "sspdata")
        } else {
            if parameters.last?.hasPrefix("sspdata=") != true { blame(.tokenNotLast, "sspdata") }
            if !token.hasSuffix(".") { blame(.noPeriod, "sspdata", .remark) }
        }
        let item = JudgedItem(
            key: ContentHash.of(query), id: ContentHash.of(token), name: ContentHash.of(values["id"] ?? ""),
            content: UInt32(truncatingIfNeeded: ContentHash.of(query)), shownID: 0..<0,
            worst: problems.map(\.severity).max() ?? .none, effect: nil)
        judgement = Judgement(items: [item], problems: problems)
    }

    private static func check(_ text: String, limit: Int, _ blame: (PixelCode) -> Void) {
        if !text.utf8.allSatisfy(isLetterOrDigit) { blame(.notAlphanumeric) }
        if text.utf8.count > limit { blame(.tooLong) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }

    /// 10, not $10; no sign, no exponent.
    private static func isNumber(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// Nil where a character stands that has to be written as `%XX`.
    private static func decoded(_ text: String) -> String? {
        var plain: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                plain.append(value)
                rest = rest.dropFirst(2)
            } else {
                guard isLetterOrDigit(byte) || "-._~".utf8.contains(byte) else { return nil }
                plain.append(byte)
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
