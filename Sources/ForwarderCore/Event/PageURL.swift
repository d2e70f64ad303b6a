/// The URL of a page or of its referrer.
enum PageURL {
    enum Result {
        case clean(Bytes)
        /// Personal data was cut out of it.
        case cut(Bytes)
        case invalid
    }

    /// Checks that the text is an absolute http or https URL and cuts query parameters (and what is written like them
    /// behind `#`) that hold an e-mail address or a telephone number; an address in the path is cut out as well.
    static func examine(_ text: Bytes, in arena: inout Arena) -> Result {
        let url = text.trimmed()
        guard let pathStart = endOfAuthority(url) else { return .invalid }
        let tail = Bytes(rebasing: url[pathStart...])
        guard isSuspicious(tail) else { return .clean(url) }

        let output = arena.allocate(url.count)
        var writer = Writer(room: output)
        writer.append(Bytes(rebasing: url[..<pathStart]))
        let queryStart = tail.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? tail.count
        appendPath(Bytes(rebasing: tail[..<queryStart]), to: &writer)
        appendParameters(Bytes(rebasing: tail[queryStart...]), to: &writer, in: &arena)
        return writer.count == url.count ? .clean(url) : .cut(Bytes(rebasing: output[..<writer.count]))
    }

    /// Where the path, query or fragment starts; nil if the text is no URL of a page.
    private static func endOfAuthority(_ url: Bytes) -> Int? {
        let hostStart: Int
        if hasPrefixIgnoringCase(url, "https://") {
            hostStart = 8
        } else if hasPrefixIgnoringCase(url, "http://") {
            hostStart = 7
        } else {
            return nil
        }
        var end = hostStart
        var isTail = false
        for index in hostStart..<url.count {
            let byte = url[index]
            // Neither white space nor what delimits a URL in text; a name and password in front of the host is refused.
            if byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
                || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            {
                return nil
            }
            if isTail { continue }
            if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") {
                isTail = true
                continue
            }
            if byte == UInt8(ascii: "@") { return nil }
            end = index + 1
        }
        return end > hostStart && url[hostStart] != UInt8(ascii: ":") ? end : nil
    }

    private static func hasPrefixIgnoringCase(_ url: Bytes, _ prefix: StaticString) -> Bool {
        guard url.count > prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount where lowercased(url[index]) != prefix.utf8Start[index] {
            return false
        }
        return true
    }

    /// A quick look that spares almost every URL the long one: without an `@`, an encoded one or a parameter there is
    /// nothing to cut.
    @inline(__always)
    private static func isSuspicious(_ tail: Bytes) -> Bool {
        tail.contains(UInt8(ascii: "?")) || tail.contains(UInt8(ascii: "#")) || tail.contains(UInt8(ascii: "@"))
            || tail.contains(UInt8(ascii: "%"))
    }

    private static func appendPath(_ path: Bytes, to writer: inout Writer) {
        var start = 0
        while let email = PersonalData.email(in: path, from: start) ?? encodedEmail(in: path, from: start) {
            writer.append(Bytes(rebasing: path[start..<email.lowerBound]))
            start = email.upperBound
        }
        writer.append(Bytes(rebasing: path[start...]))
    }

    /// `name%40host.tld` in a path: found from the encoded `@`.
    private static func encodedEmail(in path: Bytes, from start: Int) -> Range<Int>? {
        guard path.contains(UInt8(ascii: "%")) else { return nil }
        var index = start
        while index + 2 < path.count {
            if path[index] == UInt8(ascii: "%"), path[index + 1] == UInt8(ascii: "4"),
                path[index + 2] == UInt8(ascii: "0")
            {
                let isDelimiter: (UInt8) -> Bool = { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ";") }
                let first = path[start..<index].lastIndex(where: isDelimiter).map { $0 + 1 } ?? start
                let end = path[index...].firstIndex(where: isDelimiter) ?? path.count
                if first < index, path[index..<end].contains(UInt8(ascii: ".")) { return first..<end }
            }
            index += 1
        }
        return nil
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
        guard !parameter.isEmpty else { return false }
        let split = parameter.firstIndex(of: UInt8(ascii: "="))
        let name = Bytes(rebasing: parameter[..<(split ?? 0)])
        let value = decoded(Bytes(rebasing: parameter[(split.map { $0 + 1 } ?? 0)...]), in: &arena)
        if PersonalData.containsEmail(value) || PersonalData.isPhone(value.trimmed()) { return true }
        // In a query a plus sign is a space: `phone=+1425…` was meant as a number.
        let digits = PersonalData.dialableDigits(value.trimmed()) ?? 0
        if value.first == UInt8(ascii: " "), digits >= 7 { return true }
        return digits >= 7 && isPhoneName(name)
    }

    private static func isPhoneName(_ name: Bytes) -> Bool {
        let names: [StaticString] = [
            "phone", "tel", "telephone", "mobile", "msisdn", "phone_number", "phonenumber", "cell",
        ]
        return names.contains { literal in
            guard name.count == literal.utf8CodeUnitCount else { return false }
            for index in 0..<name.count where lowercased(name[index]) != literal.utf8Start[index] { return false }
            return true
        }
    }

    /// Percent-decoded as often as it changes (twice encoded addresses are common in redirects), plus signs read as
    /// spaces where they cannot belong to an address.
    private static func decoded(_ text: Bytes, in arena: inout Arena) -> Bytes {
        var current = text
        for _ in 0..<3 where current.contains(UInt8(ascii: "%")) {
            let room = arena.allocate(current.count)
            var count = 0
            var index = 0
            while index < current.count {
                if current[index] == UInt8(ascii: "%"), index + 2 < current.count,
                    let high = hexValue(current[index + 1]), let low = hexValue(current[index + 2])
                {
                    room[count] = high << 4 | low
                    index += 3
                } else {
                    room[count] = current[index]
                    index += 1
                }
                count += 1
            }
            current = Bytes(rebasing: room[..<count])
        }
        return current
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
