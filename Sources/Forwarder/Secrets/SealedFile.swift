import ForwarderCore
import Glibc

/// A file of secrets that outlives the process: for its owner only, and encrypted if there is a key.
struct SealedFile: Equatable {
    private static let sizeLimit = 64 << 10

    let path: String
    private let directory: String
    /// What it is for; nobody can pass it off as another's.
    private let identity: String

    /// `name` begins the name of the file, before sixteen hexadecimal digits that stand for the identity.
    init(in directory: String, name: String = "", identity: String) {
        self.directory = directory
        self.identity = identity
        path = "\(directory)/\(name)\(SealedFile.digits(of: identity)).json"
    }

    static func digits(of identity: String) -> String {
        var text = identity
        let hash = text.withUTF8 { SHA256().prefix64($0) }
        let digits = String(UInt64(bitPattern: hash), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    enum Content {
        case missing
        case bytes([UInt8], isSealed: Bool)
        /// It is encrypted, and not to be read with the key there is.
        case locked(String)
        case unreadable(String)
    }

    func read(_ key: AES256GCM?) -> Content {
        let bytes: [UInt8]
        do throws(SmallFile.Failure) {
            bytes = try SmallFile.read(path, limit: SealedFile.sizeLimit, isRegular: true)
        } catch {
            return error.isMissing ? .missing : .unreadable("\(path): \(error.reason)")
        }
        guard SealedRecord.isSealed(bytes) else { return .bytes(bytes, isSealed: false) }
        guard let key else { return .locked("\(path): is encrypted, and state.key is not set") }
        guard let plain = SealedRecord.open(bytes, key, grant: identity) else {
            return .locked("\(path): state.key is not the key it was encrypted with, or the file was changed")
        }
        return .bytes(plain, isSealed: true)
    }

    func write(_ bytes: [UInt8], _ key: AES256GCM?) throws(SmallFile.Failure) {
        mkdir(directory, 0o700)
        guard let key else { return try SmallFile.replace(path, with: bytes) }
        let nonce = Secrets.random(AES256GCM.nonceByteCount)
        try SmallFile.replace(path, with: SealedRecord.seal(bytes, key, nonce: nonce, grant: identity))
    }
}
