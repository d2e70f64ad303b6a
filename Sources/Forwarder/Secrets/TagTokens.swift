import ForwarderCore
import Glibc

/// The tokens of tags that Campaign Management is asked for: `token: {from: NAME}`. Part of the credentials.
struct TagTokens {
    enum Action {
        case request(HTTPRequest, RequestID)
        /// The token of that destination is another one, or gone.
        case changed(DestinationID)
        case throttled(by: DestinationID, for: Duration)
        case renewGrant(of: DestinationID)
    }

    private struct Entry {
        var machine: TagToken
        var file: TagTokenFile
        /// Whose grant, developer token, customer and account are used.
        var source: DestinationID
        var request: RequestID?
        var generation = 0
    }

    private let telemetry: Telemetry
    private var entries: [DestinationID: Entry] = [:]

    init(telemetry: Telemetry) {
        self.telemetry = telemetry
    }

    /// Goes on by this configuration. What is asked for as before keeps its token.
    mutating func configure(_ plan: Plan) {
        var next: [DestinationID: Entry] = [:]
        for destination in plan.destinations {
            guard case .capi(let capi) = destination.settings.kind, case .destination(let name) = capi.token,
                let source = plan.destinations.first(where: { $0.settings.name == name }),
                case .offlineConversions(let account) = source.settings.kind
            else { continue }
            let file = TagTokenFile(
                tag: capi.uetTagID, account: account, endpoint: source.settings.endpoint,
                plan.configuration.state)
            if let old = entries[destination.id], old.file == file, old.source == source.id {
                next[destination.id] = old
                continue
            }
            let machine = TagToken(
                name: destination.settings.name, tag: capi.uetTagID, account: account,
                endpoint: source.settings.endpoint, timeout: source.settings.requestTimeout,
                retry: destination.settings.retry, saved: file.read(), seed: .random(in: .min ... .max))
            next[destination.id] = Entry(machine: machine, file: file, source: source.id)
        }
        entries = next
    }

    /// When something has to be done, of those whose source can be asked with.
    func nextWake(where isReady: (DestinationID) -> Bool) -> Uptime {
        entries.values.filter { isReady($0.source) }.map(\.machine.nextWake).min() ?? .distantFuture
    }

    var sources: Set<DestinationID> { Set(entries.values.map(\.source)) }

    func isHere(_ id: DestinationID) -> Bool { entries[id] != nil }
    func token(of id: DestinationID) -> String? { entries[id]?.machine.token }
    func problem(of id: DestinationID) -> String? { entries[id]?.machine.problem }
    func source(of id: DestinationID) -> DestinationID? { entries[id]?.source }
    func generation(of id: DestinationID) -> Int { entries[id]?.generation ?? 0 }

    /// Asks for what is missing, where that is possible now.
    mutating func look(
        _ now: Moment, nextID: () -> RequestID, credential: (DestinationID) -> MicrosoftInterface.Credential?
    ) -> [Action] {
        entries.keys.sorted().flatMap { id in
            tell(id, .look(entries[id].flatMap { credential($0.source) }), now, nextID: nextID)
        }
    }

    mutating func refused(_ id: DestinationID, _ now: Moment) -> [Action] { tell(id, .refused, now) }
    mutating func hurry(_ id: DestinationID, _ now: Moment) -> [Action] { tell(id, .hurry, now) }

    /// nil if the request was none of these.
    mutating func answered(_ request: RequestID, _ outcome: HTTPOutcome, _ now: Moment) -> [Action]? {
        guard let id = entries.first(where: { $0.value.request == request })?.key else { return nil }
        entries[id]?.request = nil
        return tell(id, .answered(outcome), now)
    }

    private mutating func tell(
        _ id: DestinationID, _ input: TagToken.Input, _ now: Moment, nextID: () -> RequestID? = { nil }
    ) -> [Action] {
        guard let todo = entries[id]?.machine.handle(input, now: now), let source = entries[id]?.source else {
            return []
        }
        var actions: [Action] = []
        for action in todo {
            switch action {
            case .request(let request):
                guard let request = nextID().map({ (request, $0) }) else { continue }
                entries[id]?.request = request.1
                actions.append(.request(request.0, request.1))
            case .save(let token): save(token, id)
            case .ready, .unready:
                entries[id]?.generation += 1
                actions.append(.changed(id))
            case .throttled(let wait): actions.append(.throttled(by: source, for: wait))
            case .renewGrant: actions.append(.renewGrant(of: source))
            case .signal(let signal): telemetry.report(signal)
            }
        }
        return actions
    }

    /// Without it the next start asks once more.
    private func save(_ token: String, _ id: DestinationID) {
        guard let entry = entries[id] else { return }
        do throws(SmallFile.Failure) {
            try entry.file.write(token)
        } catch {
            telemetry.report(
                .secretUnreadable(
                    destination: entry.machine.name, secret: "saved token",
                    reason: "\(entry.file.path): \(error.reason)"))
        }
    }
}

/// The file in which a tag's token outlives the process.
struct TagTokenFile: Equatable {
    private let file: SealedFile
    private let key: SecretReference?

    var path: String { file.path }

    /// One for each tag, and each account that is asked for it.
    init(tag: String, account: OfflineSettings, endpoint: String, _ state: StateSettings) {
        file = SealedFile(
            in: "\(state.directory)/grants", name: "tag-",
            identity: "\(tag)\n\(endpoint)\n\(account.customerID)\n\(account.accountID)")
        key = state.key
    }

    /// nil if there is none to be had: then Microsoft is asked.
    func read() -> String? {
        let encryption: AES256GCM?
        do throws(Secrets.Unreadable) {
            encryption = try Secrets.encryptionKey(key)
        } catch {
            // It is said where the token is saved, and of the grant beside it.
            return nil
        }
        guard case .bytes(let bytes, let isSealed) = file.read(encryption) else { return nil }
        let token = (try? JSONDocument(bytes))?.root["token"]?.string
        // The key is newer than the file. If that cannot be written now, the next token is.
        if let token, encryption != nil, !isSealed { try? write(token) }
        return token
    }

    func write(_ token: String) throws(SmallFile.Failure) {
        let encryption: AES256GCM?
        do throws(Secrets.Unreadable) {
            encryption = try Secrets.encryptionKey(key)
        } catch {
            throw SmallFile.Failure(reason: "state.key: \(error.reason)", isMissing: false)
        }
        var writer = JSONWriter()
        writer.object {
            $0.member("version", 1)
            $0.member("token", token)
        }
        try file.write(writer.bytes, encryption)
    }
}
