/// An e-mail address in the two forms in which Microsoft wants it before it is hashed. They agree on every ASCII address
/// without inner spaces.
struct EmailAddress {
    /// The Conversions API guide: trim, drop the dots of the local part, cut `+alias`, lowercase. nil if the text is no
    /// address in this form.
    let conversionsAPI: Bytes?
    /// The enhanced-conversions help page: the same, then no spaces and no accents.
    let enhanced: Bytes?

    enum Form: Sendable {
        case conversionsAPI, enhancedConversions
    }

    init(_ text: Bytes, in arena: inout Arena) {
        let address = text.trimmed()
        guard address.isASCII else {
            conversionsAPI = EmailAddress.normalizedUnicode(address, .conversionsAPI, in: &arena)
            enhanced = EmailAddress.normalizedUnicode(address, .enhancedConversions, in: &arena)
            return
        }
        conversionsAPI = EmailAddress.normalized(address, .conversionsAPI, in: &arena)
        enhanced =
            address.hasByte({ $0.below(0x21) })
            ? EmailAddress.normalized(address, .enhancedConversions, in: &arena) : conversionsAPI
    }

    /// Whether both forms are the same address.
    var isOne: Bool {
        guard let conversionsAPI, let enhanced else { return conversionsAPI == nil && enhanced == nil }
        return conversionsAPI.equals(enhanced)
    }

    /// `text` has no white space at its ends, and what is not ASCII in it is as the form wants it.
    private static func normalized(_ text: Bytes, _ form: Form, in arena: inout Arena) -> Bytes? {
        guard let at = text.firstIndex(of: UInt8(ascii: "@")) else { return nil }
        let address = arena.allocate(text.count)
        var count = 0
        for byte in text[..<at] {
            if byte == UInt8(ascii: "+") { break }
            if byte == UInt8(ascii: ".") || form == .enhancedConversions && isSpace(byte) { continue }
            guard byte >= 0x20, byte != 0x7F else { return nil }
            address[count] = lowercased(byte)
            count &+= 1
        }
        guard count > 0 else { return nil }
        let domainStart = count &+ 1
        for byte in text[at...] {
            if form == .enhancedConversions, isSpace(byte) { continue }
            address[count] = lowercased(byte)
            count &+= 1
        }
        let domain = Bytes(rebasing: address[domainStart..<count])
        return isDomain(domain) ? Bytes(rebasing: address[..<count]) : nil
    }

    /// Labels with dots between them, at least two, the last beginning with a letter; no second `@`, nothing that cannot
    /// stand in a host name. Nobody says whether Microsoft wants an international domain as Unicode or as punycode, so it
    /// must be ASCII.
    private static func isDomain(_ domain: Bytes) -> Bool {
        let dot = UInt8(ascii: ".")
        var lastDot: Int?
        for (index, byte) in domain.enumerated() {
            if byte == dot {
                guard index > 0, domain[index - 1] != dot else { return false }
                lastDot = index
            } else if !isLetter(byte), !isDigit(byte), byte != UInt8(ascii: "-") {
                return false
            }
        }
        guard let lastDot, lastDot + 1 < domain.count else { return false }
        return isLetter(domain[lastDot + 1])
    }

    /// Rare, so it may be slow: brings the letters of the local part to lowercase, for the enhanced form without their
    /// accents, and goes on as with ASCII.
    private static func normalizedUnicode(_ text: Bytes, _ form: Form, in arena: inout Arena) -> Bytes? {
        var scalars = String(decoding: text, as: UTF8.self).unicodeScalars[...]
        // Typographic spaces at the ends, as they come with a copied address.
        while scalars.first?.properties.isWhitespace == true { scalars.removeFirst() }
        while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
        var folded = String.UnicodeScalarView()
        var isLocalPart = true
        for scalar in scalars {
            if scalar == "@" { isLocalPart = false }
            if scalar.isASCII {
                folded.append(scalar)
                continue
            }
            if scalar.properties.isWhitespace {
                if form == .conversionsAPI { folded.append(scalar) }
                continue
            }
            // The lowercase of a capital dotted I depends on the language; what cannot be seen was not typed.
            guard isLocalPart, scalar != "\u{130}", !scalar.isInvisible else { return nil }
            for lower in scalar.properties.lowercaseMapping.unicodeScalars {
                switch form {
                case .conversionsAPI: folded.append(lower)
                case .enhancedConversions: AccentFolding.appendBase(of: lower, to: &folded)
                }
            }
        }
        return normalized(arena.copy(Array(String(folded).utf8)).trimmed(), form, in: &arena)
    }
}

extension Unicode.Scalar {
    fileprivate var isInvisible: Bool {
        switch properties.generalCategory {
        case .control, .format, .privateUse, .surrogate, .unassigned: true
        default: self == "\u{FFFD}"
        }
    }
}
