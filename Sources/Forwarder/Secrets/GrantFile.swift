import ForwarderCore
import Glibc

/// What tells grants apart: destinations that agree in it share one.
struct GrantKey: Hashable {
    private var clientID: String
    private var authority: String
    private var scope: String
    /// Where the first refresh token is read; empty if the grant begins with somebody's consent.
    private var seed: String
    private var name: String

    init(_ settings: OAuthSettings) {
        clientID = settings.clientID
        authority = settings.authority
        scope = settings.scope
        seed = settings.refreshToken?.redacted ?? ""
        name = settings.grant
    }

    /// What its file is for; nobody can pass it off as another's.
    fileprivate var identity: String {
        let scope = scope == OAuthSettings.defaultScope ? "" : "\n\(scope)"
        return "\(clientID)\n\(authority)\n\(seed)" + (name == OAuthSettings.defaultGrant ? "" : "\n\(name)") + scope
    }

    /// Sixteen hexadecimal digits, the name of its file.
    var id: String { SealedFile.digits(of: identity) }
}

/// The file in which a grant outlives the process.
struct GrantFile {
    private let file: SealedFile

    var path: String { file.path }

    init(_ key: GrantKey, _ state: StateSettings) {
        file = SealedFile(in: "\(state.directory)/grants", identity: key.identity)
    }

    enum Content {
        case missing
        case record(GrantRecord, isSealed: Bool)
        /// Whatever is wrong, it must not be overwritten: with the right key it is a consent.
        case locked(String)
        case unreadable(String)
    }

    func read(_ key: AES256GCM?) -> Content {
        switch file.read(key) {
        case .missing: .missing
        case .bytes(let bytes, let isSealed):
            GrantRecord(json: bytes).map { .record($0, isSealed: isSealed) }
                ?? (isSealed ? .locked("\(path): holds no grant") : .missing)
        case .locked(let reason): .locked(reason)
        case .unreadable(let reason): .unreadable(reason)
        }
    }

    func write(_ record: GrantRecord, _ key: AES256GCM?) throws(SmallFile.Failure) {
        try file.write(record.json, key)
    }
}
