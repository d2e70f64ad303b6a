import CCrypto

/// SHA-256 by libcrypto.
public struct SHA256: Sendable {
    public static let byteCount = 32

    public init() {}

    /// Writes the 32 bytes of the hash of `bytes` to `digest`.
    public func hash(_ bytes: Bytes, into digest: UnsafeMutableBufferPointer<UInt8>) {
        precondition(digest.count >= SHA256.byteCount, "no room for the hash")
        precondition(
            forwarder_sha256(bytes.baseAddress, bytes.count, digest.baseAddress) == 1, "libcrypto could not hash")
    }

    /// The hash as 64 lowercase hexadecimal digits, in the arena.
    func hexDigest(_ bytes: Bytes, in arena: inout Arena) -> Bytes {
        let hex = arena.allocate(2 * SHA256.byteCount)
        withDigest(bytes) { digest in
            for index in 0..<SHA256.byteCount {
                hex[2 * index] = ByteBuffer.hexDigit(digest[index] >> 4)
                hex[2 * index + 1] = ByteBuffer.hexDigit(digest[index] & 15)
            }
        }
        return Bytes(hex)
    }

    /// The first eight bytes of the hash as a number.
    public func prefix64(_ bytes: Bytes) -> Int64 {
        withDigest(bytes) { digest in
            var value: UInt64 = 0
            for index in 0..<8 { value = value << 8 | UInt64(digest[index]) }
            return Int64(bitPattern: value)
        }
    }

    /// Lends the 32 bytes of the hash of `bytes` for the time of the call.
    public func withDigest<Result>(_ bytes: Bytes, _ body: (Bytes) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: SHA256.byteCount) { digest in
            hash(bytes, into: digest)
            return body(Bytes(digest))
        }
    }
}
