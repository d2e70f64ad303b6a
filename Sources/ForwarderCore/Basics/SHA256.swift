import CCrypto

/// SHA-256 by libcrypto. Keeps one context for its whole life: fetching the algorithm for each hash costs more than the
/// hash. One thread's property.
public final class SHA256 {
    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    public static let byteCount = 32

    public init() {
        // Both are nil only when memory ran out or libcrypto is broken: nothing can be delivered without it.
        guard let context = EVP_MD_CTX_new(), let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("libcrypto offers no SHA-256")
        }
        self.context = context
        self.algorithm = algorithm
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(algorithm)
    }

    /// Writes the 32 bytes of the hash of `bytes` to `digest`.
    public func hash(_ bytes: Bytes, into digest: UnsafeMutableBufferPointer<UInt8>) {
        precondition(digest.count >= SHA256.byteCount, "no room for the hash")
        let isDone =
            EVP_DigestInit_ex2(context, algorithm, nil) == 1
            && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
            && EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1
        precondition(isDone, "libcrypto could not hash")
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
