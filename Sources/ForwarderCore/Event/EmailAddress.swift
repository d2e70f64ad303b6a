/// Microsoft's two ways to normalise an e-mail address before it is hashed. They agree on every ASCII address without
/// inner spaces.
enum EmailAddress {
    enum Form: Sendable {
        /// The Conversions API guide: trim, drop the dots of the local part, cut `+alias`, lowercase.
        case conversionsAPI
        /// The enhanced-conversions help page: the same, then no spaces and no accents.
        case enhancedConversions
    }

    /// The address to hash, or nil if it is none.
    static func normalized(_ text: Bytes, _ form: Form, in arena: inout Arena) -> Bytes? {
        let trimmed = text.trimmed()
        guard trimmed.allSatisfy({ $0 < 0x80 }) else { return normalizedUnicode(trimmed, form, in: &arena) }
        return normalizedASCII(trimmed, form, in: &arena)
    }

    private static func normalizedASCII(_ text: Bytes, _ form: Form, in arena: inout Arena) -> Bytes? {
        guard let at = text.firstIndex(of: UInt8(ascii: "@")) else { return nil }
        let address = arena.allocate(text.count)
        var count = 0
        for byte in text[..<at] {
            if byte == UInt8(ascii: "+") { break }
            if byte == UInt8(ascii: ".") || (form == .enhancedConversions && isSpace(byte)) { continue }
            address[count] = lowercased(byte)
            count += 1
        }
        guard count > 0 else { return nil }
        let domainStart = count + 1
        for byte in text[at...] {
            if form == .enhancedConversions, isSpace(byte) { continue }
            address[count] = lowercased(byte)
            count += 1
        }
        let isDomain = isDomain(Bytes(rebasing: address[domainStart..<count]))
        return isDomain ? Bytes(rebasing: address[..<count]) : nil
    }

    /// A dot inside, none at the ends, no second `@`, nothing that cannot stand in a host name.
    private static func isDomain(_ domain: Bytes) -> Bool {
        guard let first = domain.first, let last = domain.last, domain.contains(UInt8(ascii: ".")) else { return false }
        guard first != UInt8(ascii: "."), last != UInt8(ascii: ".") else { return false }
        return domain.allSatisfy {
            isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
    }

    /// Rare, so it may be slow. Only the local part may hold what is not ASCII: nobody says whether Microsoft wants an
    /// international domain as Unicode or as punycode.
    private static func normalizedUnicode(_ text: Bytes, _ form: Form, in arena: inout Arena) -> Bytes? {
        let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
        var folded = String.UnicodeScalarView()
        var isLocalPart = true
        for scalar in scalars {
            if scalar == "@" { isLocalPart = false }
            if scalar.properties.isWhitespace, !scalar.isASCII {
                // Typographic spaces at the ends are trimmed like any other.
                if form == .enhancedConversions || folded.isEmpty || !isLocalPart { continue }
            }
            if scalar.isASCII {
                folded.append(scalar)
                continue
            }
            // The lowercase of a capital dotted I depends on the language.
            guard isLocalPart, scalar != "\u{130}" else { return nil }
            for lower in scalar.properties.lowercaseMapping.unicodeScalars {
                switch form {
                case .conversionsAPI: folded.append(lower)
                case .enhancedConversions: AccentFolding.appendBase(of: lower, to: &folded)
                }
            }
        }
        let bytes = arena.copy(Array(String(folded).utf8)).trimmed()
        guard let at = bytes.firstIndex(of: UInt8(ascii: "@")) else { return nil }
        guard bytes[at...].allSatisfy({ $0 < 0x80 }) else { return nil }
        return normalizedASCII(bytes, form, in: &arena)
    }
}
