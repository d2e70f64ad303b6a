import Testing

@testable import ForwarderCore

@Suite struct EncryptionTests {
    private static func bytes(_ hexadecimal: String) -> [UInt8] { Hexadecimal.bytes(hexadecimal) ?? [] }

    struct Vector: Sendable {
        var key: String
        var nonce: String
        var context: String
        var plain: String
        var sealed: String
    }

    /// Of the specification of GCM (McGrew and Viega), test cases 13, 14 and 16.
    @Test(arguments: [
        Vector(
            key: String(repeating: "0", count: 64), nonce: String(repeating: "0", count: 24), context: "", plain: "",
            sealed: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            key: String(repeating: "0", count: 64), nonce: String(repeating: "0", count: 24), context: "",
            plain: String(repeating: "0", count: 32),
            sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            nonce: "cafebabefacedbaddecaf888", context: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"),
    ])
    func `the cipher is the one that the standard describes`(vector: Vector) throws {
        let cipher = try #require(AES256GCM(hexadecimal: vector.key))
        let (nonce, context) = (Self.bytes(vector.nonce), Self.bytes(vector.context))
        #expect(cipher.seal(Self.bytes(vector.plain), nonce: nonce, context: context) == Self.bytes(vector.sealed))
        #expect(cipher.open(Self.bytes(vector.sealed), nonce: nonce, context: context) == Self.bytes(vector.plain))
    }

    @Test func `a sealed record is opened by its key, for its grant, unchanged, and not else`() throws {
        let key = try #require(AES256GCM(key: (0..<32).map { UInt8($0) }))
        let other = try #require(AES256GCM(key: (1..<33).map { UInt8($0) }))
        let record = GrantRecord(refreshToken: "made-up", seedHash: "hash").json
        let sealed = SealedRecord.seal(record, key, nonce: [UInt8](repeating: 7, count: 12), grant: "a")
        #expect(SealedRecord.isSealed(sealed) && !SealedRecord.isSealed(record))
        #expect(!String(decoding: sealed, as: UTF8.self).contains("made-up"))
        #expect(SealedRecord.open(sealed, key, grant: "a") == record)
        #expect(SealedRecord.open(sealed, key, grant: "b") == nil)
        #expect(SealedRecord.open(sealed, other, grant: "a") == nil)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            let opened = SealedRecord.open(changed, key, grant: "a")
            #expect(opened == nil || opened == record, "byte \(index)")
        }
        for length in sealed.indices { #expect(SealedRecord.open(Array(sealed[..<length]), key, grant: "a") == nil) }
    }

    @Test(arguments: [
        "", "0", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
        String(repeating: "g", count: 64),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", String(repeating: "é", count: 32),
    ])
    func `what is not 64 hexadecimal digits is no key`(text: String) {
        #expect(AES256GCM(hexadecimal: text) == nil)
    }

    @Test func `a record is read back as it was written`() {
        var record = GrantRecord(refreshToken: "a\"b", seedHash: GrantRecord.hash(ofSeed: nil))
        #expect(GrantRecord(json: record.json) == record)
        record.consentedAt = Timestamp(milliseconds: 1)
        record.refreshedAt = Timestamp(milliseconds: 2)
        record.user = MicrosoftUser(id: "1", name: "ü")
        #expect(GrantRecord(json: record.json) == record)
        #expect(record.continues(nil) && !record.continues("seed"))
    }
}
