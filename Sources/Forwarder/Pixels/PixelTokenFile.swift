import ForwarderCore
import Glibc

/// The file in which the token of the Conversion Pixel Service, and when tokens were asked for, outlive a command. One for
/// each service and user, beside the grants.
struct PixelTokenFile {
    private let file: SealedFile
    private let key: AES256GCM?

    static func folder(in stateDirectory: String) -> String { "\(stateDirectory)/grants" }

    init(_ settings: PixelServiceSettings, _ state: StateSettings) throws(PixelDesk.Refused) {
        let folder = PixelTokenFile.folder(in: state.directory)
        if mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw .init(reason: "\(folder) cannot be made (\(String(cString: strerror(errno))))")
        }
        file = SealedFile(in: folder, name: "pixels-", identity: "pixels\n\(settings.endpoint)\n\(settings.username)")
        do throws(Secrets.Unreadable) {
            key = try Secrets.encryptionKey(state.key)
        } catch {
            throw .init(reason: "state.key: \(error.reason)")
        }
    }

    func read() throws(PixelDesk.Refused) -> PixelTokenRecord {
        switch file.read(key) {
        case .missing: return PixelTokenRecord()
        case .bytes(let bytes, let isSealed):
            let record = PixelTokenRecord(json: bytes) ?? PixelTokenRecord()
            // The key is newer than the file.
            if key != nil, !isSealed { try write(record) }
            return record
        // Not taken for missing: the sign-ins that it has noted count.
        case .locked(let reason), .unreadable(let reason):
            throw .init(reason: "\(reason); mend that, or delete the file: the next command signs in anew")
        }
    }

    func write(_ record: PixelTokenRecord) throws(PixelDesk.Refused) {
        do throws(SmallFile.Failure) {
            try file.write(record.json, key)
        } catch {
            throw .init(reason: "\(file.path): \(error.reason)")
        }
    }
}
