import ForwarderCore

/// An answer as it arrives, header line by header line and body piece by body piece. What is too long is refused, which
/// makes libcurl close the connection.
struct ReceivedAnswer {
    /// Bytes of all header lines, those of interim answers and trailers included.
    static let headerLimit = 32 << 10

    /// Bytes of the body that are kept.
    let bodyLimit: Int
    private(set) var headers: [String: String] = [:]
    private(set) var body: [UInt8] = []
    /// More body came than is kept.
    private(set) var isTruncated = false
    private(set) var headersAreTooLong = false
    private(set) var headerByteCount = 0
    /// The blank line was seen: what comes behind it is a trailer, which must not override a header.
    private(set) var headersAreWhole = false

    init(bodyLimit: Int) {
        self.bodyLimit = bodyLimit
    }

    /// - Parameter line: with its line end.
    /// - Returns: whether to go on.
    mutating func take(headerLine line: UnsafeRawBufferPointer) -> Bool {
        headerByteCount += line.count
        guard headerByteCount <= ReceivedAnswer.headerLimit else {
            headersAreTooLong = true
            return false
        }
        let text = line.trimmed
        if line.starts(with: "HTTP/".utf8) {
            // Another answer: the one before was interim.
            headers = [:]
            headersAreWhole = false
        } else if text.isEmpty {
            headersAreWhole = true
        } else if !headersAreWhole, let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            let name = String(decoding: text[..<colon], as: UTF8.self).lowercased()
            let value = UnsafeRawBufferPointer(rebasing: text[(colon + 1)...]).trimmed
            headers[name] = String(decoding: value, as: UTF8.self)
        }
        return true
    }

    /// - Returns: whether to go on.
    mutating func take(body piece: UnsafeRawBufferPointer) -> Bool {
        let kept = piece.prefix(bodyLimit - body.count)
        body.append(contentsOf: kept)
        isTruncated = kept.count < piece.count
        return !isTruncated
    }
}

extension UnsafeRawBufferPointer {
    /// Without the white space of a header line at both ends.
    fileprivate var trimmed: UnsafeRawBufferPointer {
        var rest = self[...]
        while let first = rest.first, first <= 0x20 { rest.removeFirst() }
        while let last = rest.last, last <= 0x20 { rest.removeLast() }
        return UnsafeRawBufferPointer(rebasing: rest)
    }
}
