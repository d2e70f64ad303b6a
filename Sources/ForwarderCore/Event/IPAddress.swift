import Glibc

enum IPAddress {
    /// Whether the text is an IPv4 or IPv6 address as inet_pton reads them.
    static func isValid(_ text: Bytes) -> Bool {
        // The longest IPv6 text has 45 bytes; inet_pton stops at a zero, also at one that the text holds.
        guard !text.isEmpty, text.count <= 45, !text.contains(0) else { return false }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { buffer in
            for (index, byte) in text.enumerated() { buffer[index] = CChar(truncatingIfNeeded: byte) }
            buffer[text.count] = 0
            var address = in6_addr()
            let family = text.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
            return inet_pton(family, buffer.baseAddress!, &address) == 1
        }
    }
}
