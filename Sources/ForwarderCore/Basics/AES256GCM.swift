import CCrypto

/// AES-256 in Galois/Counter Mode by libcrypto: nobody without the key reads what was sealed or changes it unnoticed.
public struct AES256GCM: Sendable {
    public static let keyByteCount = 32
    public static let nonceByteCount = 12
    static let tagByteCount = 16

    private let key: [UInt8]

    /// Nil unless the key has 32 bytes.
    public init?(key: [UInt8]) {
        guard key.count == AES256GCM.keyByteCount else { return nil }
        self.key = key
    }

    /// A key written as 64 hexadecimal digits.
    public init?(hexadecimal text: String) {
        guard let bytes = Hexadecimal.bytes(text) else { return nil }
        self.init(key: bytes)
    }

    /// The ciphertext with the tag behind it. The same `nonce` must never be used twice with one key: take it from chance.
    /// - Parameter context: what the content belongs to; it cannot be opened as anything else's.
    public func seal(_ plain: [UInt8], nonce: [UInt8], context: [UInt8]) -> [UInt8] {
        precondition(nonce.count == AES256GCM.nonceByteCount, "a nonce has 12 bytes")
        return withCipher(nonce, EVP_EncryptInit_ex) { cipher in
            var sealed = [UInt8](repeating: 0, count: plain.count)
            var tag = [UInt8](repeating: 0, count: AES256GCM.tagByteCount)
            var count: Int32 = 0
            let isDone =
                EVP_EncryptUpdate(cipher, nil, &count, context, Int32(context.count)) == 1
                && EVP_EncryptUpdate(cipher, &sealed, &count, plain, Int32(plain.count)) == 1
                && EVP_EncryptFinal_ex(cipher, nil, &count) == 1
                && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, Int32(tag.count), &tag) == 1
            precondition(isDone, "libcrypto could not encrypt")
            return sealed + tag
        }
    }

    /// What was sealed; nil if the key, the nonce or the context is another one, or a bit was changed.
    public func open(_ sealed: [UInt8], nonce: [UInt8], context: [UInt8]) -> [UInt8]? {
        guard sealed.count >= AES256GCM.tagByteCount, nonce.count == AES256GCM.nonceByteCount else { return nil }
        return withCipher(nonce, EVP_DecryptInit_ex) { cipher in
            let text = Array(sealed.dropLast(AES256GCM.tagByteCount))
            var tag = Array(sealed.suffix(AES256GCM.tagByteCount))
            var plain = [UInt8](repeating: 0, count: text.count)
            var count: Int32 = 0
            let isWhole =
                EVP_DecryptUpdate(cipher, nil, &count, context, Int32(context.count)) == 1
                && EVP_DecryptUpdate(cipher, &plain, &count, text, Int32(text.count)) == 1
                && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1
                && EVP_DecryptFinal_ex(cipher, nil, &count) == 1
            return isWhole ? plain : nil
        }
    }

    private typealias Start = (
        OpaquePointer?, OpaquePointer?, OpaquePointer?, UnsafePointer<UInt8>?, UnsafePointer<UInt8>?
    ) -> Int32

    private func withCipher<Result>(_ nonce: [UInt8], _ start: Start, _ body: (OpaquePointer) -> Result) -> Result {
        // Nil only when memory ran out. The length of the nonce is the cipher's default.
        guard let cipher = EVP_CIPHER_CTX_new() else { preconditionFailure("libcrypto offers no cipher") }
        defer { EVP_CIPHER_CTX_free(cipher) }
        precondition(start(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1, "libcrypto offers no AES-256-GCM")
        return body(cipher)
    }
}

/// Bytes as hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: [UInt8]) -> String {
        var text = ByteBuffer(capacity: 2 * bytes.count)
        bytes.withUnsafeBufferPointer { text.append(hex: $0) }
        return text.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Nil unless there are two digits for each byte, and nothing else.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map(hexValue)
        guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { (digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0) }
    }
}
