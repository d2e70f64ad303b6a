import ForwarderCore
import Glibc

/// What every destination needs to be let in: tokens read from where the configuration says, access tokens kept alive by
/// their grants. Belongs to the delivery loop; nothing else ever holds a secret.
final class Credentials {
    enum Action {
        case request(HTTPRequest, RequestID)
        /// A lane may send, or may not any more. `generation` tells credentials apart without knowing them.
        case credential(DestinationID, isReady: Bool, generation: Int)
        /// All that the same grant lets in must wait.
        case throttled(DestinationID, for: Duration)
    }

    /// A secret that cannot be read is looked for again this often, and a token that could not be saved is saved.
    private static let againWait = Duration.seconds(10)

    private struct Account {
        var settings: DestinationSettings
        var token: String?
        var developerToken: String?
        var grant: GrantKey?
        var generation = 0

        /// Everything that is read from files and environment is there.
        var isComplete: Bool {
            switch settings.kind {
            case .capi: token != nil || settings.hasTokenFromElsewhere
            case .offlineConversions, .adjustments: developerToken != nil && grant != nil
            }
        }
    }

    /// Destinations with the same client and the same first refresh token share one grant.
    private struct GrantKey: Hashable {
        var clientID: String
        var authority: String
        var scope: String
        var seed: String
    }

    private struct Grant {
        var machine: OAuthGrant
        var file: String
        /// What could not be written down; used from memory meanwhile.
        var unsaved: GrantRecord?
        var request: RequestID?
        var accessToken: String?
        var generation = 0
    }

    private let telemetry: Telemetry
    private var directory: String
    private var accounts: [DestinationID: Account] = [:]
    var tagTokens: TagTokens
    private var grants: [GrantKey: Grant] = [:]
    private var nextRequest: UInt64 = 0
    private var nextLook = Uptime.distantFuture

    init(_ plan: Plan, telemetry: Telemetry) {
        self.telemetry = telemetry
        directory = "\(plan.configuration.state.directory)/grants"
        tagTokens = TagTokens(telemetry: telemetry)
        tagTokens.configure(plan)
        for destination in plan.destinations { accounts[destination.id] = Account(settings: destination.settings) }
    }

    /// Reads everything for the first time.
    func start(_ now: Moment) -> [Action] {
        accounts.keys.sorted().flatMap { reread($0, now) } + tick(now)
    }

    func reload(_ plan: Plan, _ now: Moment) -> [Action] {
        tagTokens.configure(plan)
        let ids = Set(plan.destinations.map(\.id))
        accounts = accounts.filter { ids.contains($0.key) }
        for destination in plan.destinations {
            accounts[destination.id, default: Account(settings: destination.settings)].settings = destination.settings
        }
        let actions = start(now)
        let used = Set(accounts.values.compactMap(\.grant))
        grants = grants.filter { used.contains($0.key) }
        return actions
    }

    /// What a request of that destination is signed with; nil if there is nothing.
    func credential(of id: DestinationID) -> MicrosoftInterface.Credential? {
        guard let account = accounts[id] else { return nil }
        switch account.settings.kind {
        case .capi:
            let token = tagTokens.isHere(id) ? tagTokens.token(of: id) : account.token
            return token.map { .init(token: $0) }
        case .offlineConversions, .adjustments:
            guard let key = account.grant, let access = grants[key]?.accessToken else { return nil }
            return account.developerToken.map { .init(token: access, developerToken: $0) }
        }
    }

    /// The other destinations that are let in by the same grant.
    func sharing(_ id: DestinationID) -> [DestinationID] {
        guard let key = accounts[id]?.grant else { return [] }
        return accounts.filter { $0.key != id && $0.value.grant == key }.keys.sorted()
    }

    /// The problem a destination's credential has, in one word; nil if there is none.
    func problem(of id: DestinationID) -> String? {
        guard let account = accounts[id] else { return nil }
        guard account.isComplete else { return "unreadable" }
        if let source = tagTokens.source(of: id) {
            return tagTokenProblem(of: id, source: source, accounts[source]?.settings.name ?? "")
        }
        guard let grant = account.grant.flatMap({ grants[$0] }) else { return nil }
        if grant.unsaved != nil { return "not_saved" }
        // Saved in the meantime.
        return grant.machine.problem == "not_saved" ? nil : grant.machine.problem
    }

    /// When the access token of a destination ends; nil where there is none.
    func expires(of id: DestinationID) -> Uptime? {
        accounts[id]?.grant.flatMap { grants[$0]?.machine.expires }
    }

    // MARK: Time and answers

    var nextWake: Uptime {
        grants.values.map { $0.machine.nextWake() }.reduce(min(nextLook, nextTagLook), min)
    }

    func tick(_ now: Moment) -> [Action] {
        var actions: [Action] = []
        if nextLook <= now.uptime {
            nextLook = .distantFuture
            for (id, account) in accounts.sorted(by: { $0.key < $1.key })
            where !account.isComplete || isGrantRefused(account) {
                actions += reread(id, now)
            }
            for (key, grant) in grants {
                if let record = grant.unsaved { _ = save(record, key, now) }
            }
        }
        for key in grants.keys { actions += tell(key, .tick, now) }
        return actions + lookForTagTokens(now)
    }

    func nextRequestID() -> RequestID {
        nextRequest += 1
        return RequestID(1 << 63 | nextRequest)
    }

    /// The answer to a grant's request; nil if the request was not a grant's.
    func answered(_ request: RequestID, _ outcome: HTTPOutcome, _ now: Moment) -> [Action]? {
        if let actions = tagTokens.answered(request, outcome, now) { return carryOut(actions, now) }
        guard let key = grants.first(where: { $0.value.request == request })?.key else {
            return request.rawValue >> 63 == 1 ? [] : nil
        }
        grants[key]?.request = nil
        return tell(key, .answered(outcome), now) + lookForTagTokens(now)
    }

    /// The token in use was refused.
    func renew(_ id: DestinationID, _ now: Moment) -> [Action] {
        if tagTokens.isHere(id) { return carryOut(tagTokens.refused(id, now), now) + lookForTagTokens(now) }
        guard let key = accounts[id]?.grant else { return [] }
        return tell(key, .refused, now)
    }

    // MARK: Secrets

    /// Reads the secrets of a destination anew.
    func reread(_ id: DestinationID, _ now: Moment) -> [Action] {
        guard let account = accounts[id] else { return [] }
        var actions: [Action] = []
        if case .capi(let capi) = account.settings.kind {
            switch capi.token {
            case .secret(let reference): take(read(reference, "token", account), \.token, id)
            case .destination: actions = carryOut(tagTokens.hurry(id, now), now) + lookForTagTokens(now)
            }
        }
        if let offline = account.settings.kind.account {
            take(read(offline.developerToken, "developer_token", account), \.developerToken, id)
            actions = rereadGrant(id, offline.oauth, now)
        }
        lookAgain(id, now)
        return actions + changed(id)
    }

    /// A gate that is parked has its secrets read anew with each probe; a lane without a credential has no probes.
    private func lookAgain(_ id: DestinationID, _ now: Moment) {
        guard let account = accounts[id] else { return }
        if !account.isComplete {
            nextLook = min(nextLook, now.uptime + Credentials.againWait)
        } else if isGrantRefused(account) {
            nextLook = min(nextLook, now.uptime + account.settings.retry.parkedProbe)
        }
    }

    private func isGrantRefused(_ account: Account) -> Bool {
        guard let grant = account.grant.flatMap({ grants[$0] }) else { return false }
        return grant.accessToken == nil && grant.machine.problem != nil
    }

    /// What cannot be read now does not put out of use what could be read before.
    private func take(_ secret: String?, _ place: WritableKeyPath<Account, String?>, _ id: DestinationID) {
        guard let secret, secret != accounts[id]?[keyPath: place] else { return }
        accounts[id]?[keyPath: place] = secret
        accounts[id]?.generation += 1
    }

    private func rereadGrant(_ id: DestinationID, _ settings: OAuthSettings, _ now: Moment) -> [Action] {
        guard let account = accounts[id], let seed = read(settings.refreshToken, "oauth.refresh_token", account) else {
            return []
        }
        var clientSecret: String?
        if let reference = settings.clientSecret {
            guard let secret = read(reference, "oauth.client_secret", account) else { return [] }
            clientSecret = secret
        }
        let secrets = OAuthGrant.Secrets(clientSecret: clientSecret, seed: seed)
        let key = GrantKey(
            clientID: settings.clientID, authority: settings.authority, scope: settings.scope,
            seed: settings.refreshToken.redacted)
        accounts[id]?.grant = key
        if grants[key] == nil { grants[key] = openGrant(key, settings, secrets, account.settings) }
        return tell(key, .secrets(secrets), now)
    }

    private func read(_ reference: SecretReference, _ name: String, _ account: Account) -> String? {
        do throws(Secrets.Unreadable) {
            return try Secrets.read(reference)
        } catch {
            telemetry.report(
                .secretUnreadable(destination: account.settings.name, secret: name, reason: error.reason))
            return nil
        }
    }

    /// Tells the lane where something has changed for it.
    func changed(_ id: DestinationID) -> [Action] {
        guard let account = accounts[id] else { return [] }
        let isReady = credential(of: id) != nil
        let generation =
            account.generation + (account.grant.flatMap { grants[$0]?.generation } ?? 0)
            + tagTokens.generation(of: id)
        return [.credential(id, isReady: isReady, generation: generation)]
    }

    // MARK: Grants

    private func openGrant(
        _ key: GrantKey, _ settings: OAuthSettings, _ secrets: OAuthGrant.Secrets, _ destination: DestinationSettings
    ) -> Grant {
        let file = "\(directory)/\(Credentials.fileName(key)).json"
        let machine = OAuthGrant(
            name: destination.name, settings: settings, retry: destination.retry, secrets: secrets,
            record: readRecord(file, destination), seed: .random(in: .min ... .max))
        return Grant(machine: machine, file: file)
    }

    private static func fileName(_ key: GrantKey) -> String {
        var text = "\(key.clientID)\n\(key.authority)\n\(key.seed)"
        let hash = text.withUTF8 { SHA256().prefix64($0) }
        let digits = String(UInt64(bitPattern: hash), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private func readRecord(_ file: String, _ destination: DestinationSettings) -> GrantRecord? {
        do throws(SmallFile.Failure) {
            return GrantRecord(json: try SmallFile.read(file, limit: 64 << 10, isRegular: true))
        } catch {
            if !error.isMissing {
                telemetry.report(
                    .secretUnreadable(
                        destination: destination.name, secret: "saved grant", reason: "\(file): \(error.reason)"))
            }
            return nil
        }
    }

    private func tell(_ key: GrantKey, _ input: OAuthGrant.Input, _ now: Moment) -> [Action] {
        guard let todo = grants[key]?.machine.handle(input, now: now) else { return [] }
        for (id, account) in accounts where account.grant == key { lookAgain(id, now) }
        var actions: [Action] = []
        for action in todo {
            switch action {
            case .request(let request):
                let id = nextRequestID()
                grants[key]?.request = id
                actions.append(.request(request, id))
            case .save(let record):
                actions += tell(key, .saved(save(record, key, now)), now)
            case .ready(let token):
                grants[key]?.accessToken = token
                grants[key]?.generation += 1
                actions += changedAll(key)
            case .unready:
                grants[key]?.accessToken = nil
                actions += changedAll(key)
            case .signal(let signal): telemetry.report(signal)
            }
        }
        return actions
    }

    private func changedAll(_ key: GrantKey) -> [Action] {
        accounts.filter { $0.value.grant == key }.keys.sorted().flatMap(changed)
    }

    private func save(_ record: GrantRecord, _ key: GrantKey, _ now: Moment) -> Bool {
        guard let file = grants[key]?.file else { return false }
        mkdir(directory, 0o700)
        do throws(SmallFile.Failure) {
            try SmallFile.replace(file, with: record.json)
            grants[key]?.unsaved = nil
            return true
        } catch {
            grants[key]?.unsaved = record
            nextLook = min(nextLook, now.uptime + Credentials.againWait)
            let names = accounts.values.filter { $0.grant == key }.map(\.settings.name).sorted()
            telemetry.report(
                .secretUnreadable(
                    destination: names.joined(separator: ","), secret: "saved grant",
                    reason: "\(file): \(error.reason)"))
            return false
        }
    }
}
