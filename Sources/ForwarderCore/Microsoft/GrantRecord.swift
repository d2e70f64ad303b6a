/// What is kept of a grant between two starts.
public struct GrantRecord: Sendable, Equatable {
    public var refreshToken: String
    /// Of the refresh token that the configuration named when the grant began: another one there is a new grant.
    public var seedHash: String
    /// When somebody consented with `auth login`.
    public var consentedAt: Timestamp?
    /// When the refresh token was last replaced.
    public var refreshedAt: Timestamp?
    /// Who consented.
    public var user: MicrosoftUser?

    public init(refreshToken: String, seedHash: String) {
        self.refreshToken = refreshToken
        self.seedHash = seedHash
    }

    public init?(json: [UInt8]) {
        guard let root = (try? JSONDocument(json))?.root, let token = root["refresh_token"]?.string, !token.isEmpty,
            let hash = root["seed_hash"]?.string
        else { return nil }
        self.init(refreshToken: token, seedHash: hash)
        consentedAt = root["consented_at"]?.integer.map(Timestamp.init(milliseconds:))
        refreshedAt = root["refreshed_at"]?.integer.map(Timestamp.init(milliseconds:))
        user = root["user_id"]?.string.map { MicrosoftUser(id: $0, name: root["user_name"]?.string ?? "") }
    }

    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("version", 1)
            $0.member("refresh_token", refreshToken)
            $0.member("seed_hash", seedHash)
            if let consentedAt { $0.member("consented_at", consentedAt.milliseconds) }
            if let refreshedAt { $0.member("refreshed_at", refreshedAt.milliseconds) }
            if let user {
                $0.member("user_id", user.id)
                $0.member("user_name", user.name)
            }
        }
        return writer.bytes
    }

    /// Whether it continues the grant that this seed began; no seed is one as well.
    func continues(_ seed: String?) -> Bool { seedHash == GrantRecord.hash(ofSeed: seed) }

    public static func hash(ofSeed seed: String?) -> String {
        var arena = Arena(capacity: 64)
        var copy = seed ?? ""
        return copy.withUTF8 { String(decoding: SHA256().hexDigest($0, in: &arena), as: UTF8.self) }
    }
}

/// A user of Microsoft Advertising.
public struct MicrosoftUser: Sendable, Equatable {
    public var id: String
    public var name: String

    public init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// A grant's file encrypted: `{"version":2,"cipher":"aes-256-gcm","nonce":…,"sealed":…}`, both as hexadecimal digits.
public enum SealedRecord {
    /// - Parameter nonce: 12 bytes of chance, for this one use.
    /// - Parameter grant: whose record it is; it cannot be passed off as another's.
    public static func seal(_ record: [UInt8], _ key: AES256GCM, nonce: [UInt8], grant: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("version", 2)
            $0.member("cipher", "aes-256-gcm")
            $0.member("nonce", Hexadecimal.text(nonce))
            $0.member("sealed", Hexadecimal.text(key.seal(record, nonce: nonce, context: context(grant))))
        }
        return writer.bytes
    }

    /// Whether a file is encrypted.
    public static func isSealed(_ file: [UInt8]) -> Bool {
        (try? JSONDocument(file))?.root["sealed"] != nil
    }

    /// What was sealed; nil if it is another key's or another grant's, or was changed.
    public static func open(_ file: [UInt8], _ key: AES256GCM, grant: String) -> [UInt8]? {
        guard let root = (try? JSONDocument(file))?.root,
            let nonce = root["nonce"]?.string.flatMap(Hexadecimal.bytes),
            let sealed = root["sealed"]?.string.flatMap(Hexadecimal.bytes)
        else { return nil }
        return key.open(sealed, nonce: nonce, context: context(grant))
    }

    private static func context(_ grant: String) -> [UInt8] {
        Array("conversion-forwarder grant\n\(grant)".utf8)
    }
}
