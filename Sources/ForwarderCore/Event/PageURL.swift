/// The URL of a page or of its referrer.
enum PageURL {
    enum Result {
        case clean(Bytes)
        /// Personal data was cut out of it.
        case cut(Bytes)
        case invalid
    }

    /// Checks that the text is an absolute http or https URL. Cuts query parameters (and what is written like them behind
    /// `#`) that hold an e-mail address or a telephone number, and empties such a segment of the path. Everything else
    /// stays byte for byte.
    static func examine(_ text: Bytes, in arena: inout Arena) -> Result {
        let url = text.trimmed()
        guard let pathStart = endOfAuthority(url) else { return .invalid }
        let tail = Bytes(rebasing: url[pathStart...])
        // Most URLs have nothing to look at: nothing encoded, no `@` or `+`, not the digits of a telephone number.
        let isMarked = PersonalData.isMarked(tail)
        guard isMarked || PersonalData.mayBeDialable(tail) else { return .clean(url) }

        let room = arena.allocate(url.count)
        var writer = Writer(room: room)
        writer.append(Bytes(rebasing: url[..<pathStart]))
        let queryStart = tail.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? tail.count
        let path = Bytes(rebasing: tail[..<queryStart])
        if isMarked { appendPath(path, to: &writer, in: &arena) } else { writer.append(path) }
        appendParameters(Bytes(rebasing: tail[queryStart...]), to: &writer, in: &arena)
        return writer.count == url.count ? .clean(url) : .cut(Bytes(rebasing: room[..<writer.count]))
    }

    /// The value of the first parameter of that name in the query of a URL, or in a query alone that starts with `?`; nil
    /// if there is none. As it stands there, encoded or not.
    static func parameter(_ name: StaticString, of text: Bytes) -> Bytes? {
        parameter(of: text) { $0.equalsIgnoringCase(name) }
    }

    /// The same of the first parameter whose name passes.
    static func parameter(of text: Bytes, isNamed: (Bytes) -> Bool) -> Bytes? {
        guard var index = text.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        while index < text.count, text[index] != UInt8(ascii: "#") {
            let start = index + 1
            index = text[start...].firstIndex(where: isDelimiter) ?? text.count
            let parameter = Bytes(rebasing: text[start..<index])
            if let end = parameter.firstIndex(of: UInt8(ascii: "=")), isNamed(Bytes(rebasing: parameter[..<end])) {
                return Bytes(rebasing: parameter[(end + 1)...])
            }
        }
        return nil
    }

    /// Where the path, query or fragment starts; nil if the text is no URL of a page.
    private static func endOfAuthority(_ url: Bytes) -> Int? {
        // Neither white space nor what delimits a URL in text.
        let hasForbidden = url.hasByte {
            $0.below(0x21) | $0.equal(to: "<") | $0.equal(to: ">") | $0.equal(to: "\"") | $0.equal(to: "\\")
                | $0.equal(to: "\u{7F}")
        }
        guard !hasForbidden else { return nil }
        let hostStart: Int
        if url.hasPrefixIgnoringCase("https://") {
            hostStart = 8
        } else if url.hasPrefixIgnoringCase("http://") {
            hostStart = 7
        } else {
            return nil
        }
        var end = hostStart
        while end < url.count, isAuthority(url[end]) { end += 1 }
        guard end > hostStart, url[hostStart] != UInt8(ascii: ":") else { return nil }
        guard end < url.count else { return end }
        switch url[end] {
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"): return end
        default: return nil
        }
    }

    /// What a host and port are made of. Not `@`: a name and password are not the shop's to send.
    private static func isAuthority(_ byte: UInt8) -> Bool {
        if isLetter(byte) || isDigit(byte) || byte >= 0x80 { return true }
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["),
            UInt8(ascii: "]"):
            return true
        default: return false
        }
    }

    private static func appendPath(_ path: Bytes, to writer: inout Writer, in arena: inout Arena) {
        var start = 0
        while start < path.count {
            let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.count
            let segment = Bytes(rebasing: path[start..<end])
            if !PersonalData.isHeld(in: segment, &arena) { writer.append(segment) }
            if end < path.count { writer.append(UInt8(ascii: "/")) }
            start = end + 1
        }
    }

    /// `?a=b&c=d#e=f` without the parameters that hold personal data. The first parameter that stays in the query, and in
    /// the fragment, gets the `?` or `#`.
    private static func appendParameters(_ text: Bytes, to writer: inout Writer, in arena: inout Arena) {
        var index = 0
        var opening: UInt8?
        while index < text.count {
            let delimiter = text[index]
            if index == 0 || delimiter == UInt8(ascii: "#") { opening = delimiter }
            let start = index + 1
            let end = text[start...].firstIndex(where: isDelimiter) ?? text.count
            let parameter = Bytes(rebasing: text[start..<end])
            if !isPersonal(parameter, in: &arena) {
                writer.append(opening ?? delimiter)
                writer.append(parameter)
                opening = nil
            }
            index = end
        }
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "#")
    }

    private static func isPersonal(_ parameter: Bytes, in arena: inout Arena) -> Bool {
        if PersonalData.isHeld(in: parameter, &arena) { return true }
        let plain = PersonalData.decoded(parameter, in: &arena)
        let split = plain.firstIndex(of: UInt8(ascii: "="))
        let name = Bytes(rebasing: plain[..<(split ?? 0)])
        let value = Bytes(rebasing: plain[(split.map { $0 + 1 } ?? 0)...])
        guard PersonalData.isDialable(value) else { return false }
        // A plus sign that was decoded once too often is a space.
        return value.first == UInt8(ascii: " ") || isPhoneName(name)
    }

    /// Whether a parameter of this name holds a telephone number (`user[phone_number]`, `Mobile`, `tel`).
    private static func isPhoneName(_ name: Bytes) -> Bool {
        if name.equalsIgnoringCase("tel") || name.equalsIgnoringCase("cell") { return true }
        return name.indices.contains { index in
            let rest = Bytes(rebasing: name[index...])
            return rest.hasPrefixIgnoringCase("phone") || rest.hasPrefixIgnoringCase("mobile")
                || rest.hasPrefixIgnoringCase("msisdn")
        }
    }

    /// Fills room that is as large as the text it is filled from.
    private struct Writer {
        let room: UnsafeMutableBufferPointer<UInt8>
        private(set) var count = 0

        mutating func append(_ byte: UInt8) {
            room[count] = byte
            count += 1
        }

        mutating func append(_ bytes: Bytes) {
            _ = UnsafeMutableBufferPointer(rebasing: room[count...]).update(fromContentsOf: bytes)
            count += bytes.count
        }
    }
}
