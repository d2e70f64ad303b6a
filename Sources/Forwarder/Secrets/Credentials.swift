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
        /// What came of a code that was given for a destination.
        case redeemed(DestinationID, OAuthGrant.Redemption)
    }

    /// A secret that cannot be read is looked for again this often, and a token that could not be saved is saved.
    private static let againWait = Duration.seconds(10)

    private struct Account {
        var settings: DestinationSettings
        var token: String?
        var developerToken: String?
        var grant: GrantKey?
        var generation = 0
        /// What its lane was told last, and what that stood for.
        var told: (number: Int, generations: [Int]) = (0, [])

        /// Everything that is read from files and environment is there.
        var isComplete: Bool {
            switch settings.kind {
            case .capi: token != nil || settings.hasTokenFromElsewhere
            case .offlineConversions, .adjustments: developerToken != nil && grant != nil
            case .investPixel: true
            }
        }
    }

    private struct Grant {
        var machine: OAuthGrant
        var file: GrantFile
        var encryption: AES256GCM?
        /// Whose code is being redeemed.
        var redeemer: DestinationID?
        /// What could not be written down; used from memory meanwhile.
        var unsaved: GrantRecord?
        var request: RequestID?
        var accessToken: String?
        var generation = 0
    }

    private let telemetry: Telemetry
    private let state: StateSettings
    private var accounts: [DestinationID: Account] = [:]
    var tagTokens: TagTokens
    private var grants: [GrantKey: Grant] = [:]
    private var nextRequest: UInt64 = 0
    private var nextLook = Uptime.distantFuture

    init(_ plan: Plan, telemetry: Telemetry) {
        self.telemetry = telemetry
        state = plan.configuration.state
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
        var actions = start(now)
        let used = Set(accounts.values.compactMap(\.grant))
        for (key, grant) in grants where !used.contains(key) {
            grants[key] = nil
            // Nobody hears the answer any more.
            guard let id = grant.redeemer else { continue }
            actions.append(.redeemed(id, .refused(OAuthRefusal(reason: "reconfigured"))))
        }
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
        // What lets in is in the event.
        case .investPixel: return .init(token: "")
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

    // MARK: Consent

    /// Begins a grant with what somebody's consent gave. What comes of it is among the actions, now or later.
    func redeem(_ code: AuthorizationCode, for id: DestinationID, _ now: Moment) -> [Action] {
        // The registration's secret may be there only now.
        let actions = reread(id, now)
        guard let key = accounts[id]?.grant, let grant = grants[key] else {
            return actions + [.redeemed(id, .refused(OAuthRefusal(reason: "unreadable")))]
        }
        guard grant.redeemer == nil else {
            return actions + [.redeemed(id, .refused(OAuthRefusal(reason: "busy")))]
        }
        grants[key]?.redeemer = id
        return actions + tell(key, .redeem(code), now)
    }

    /// Microsoft has said who consented.
    func learned(_ user: MicrosoftUser, of id: DestinationID, _ now: Moment) -> [Action] {
        accounts[id]?.grant.map { tell($0, .user(user), now) } ?? []
    }

    /// How the grant of a destination is; nil if it needs none.
    func status(of id: DestinationID, _ now: Moment) -> GrantStatus? {
        guard let account = accounts[id], case .offlineConversions(let offline) = account.settings.kind else {
            return nil
        }
        var status = GrantStatus(destination: account.settings.name, grant: GrantKey(offline.oauth).id)
        guard let grant = account.grant.flatMap({ grants[$0] }) else {
            status.problem = "unreadable"
            return status
        }
        status.isEncrypted = grant.encryption != nil && grant.unsaved == nil
        status.take(grant.machine.record)
        status.accessTokenLeft = grant.machine.expires.map { max(.zero, $0 - now.uptime) }
        status.problem = problem(of: id)
        status.isDead = grant.machine.isDead
        status.lastRefusal = grant.machine.lastRefusal.map { ($0.reason, $0.at) }
        return status
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
        guard let account = accounts[id] else { return [] }
        let key = GrantKey(settings)
        // Another grant than before: that one is not used on, whether this one can be read or not.
        if account.grant != key { accounts[id]?.grant = nil }
        var secrets = OAuthGrant.Secrets(clientSecret: nil, seed: nil)
        if let reference = settings.refreshToken {
            secrets.seed = read(reference, "oauth.refresh_token", account)
            if secrets.seed == nil { return [] }
        }
        if let reference = settings.clientSecret {
            secrets.clientSecret = read(reference, "oauth.client_secret", account)
            if secrets.clientSecret == nil { return [] }
        }
        if grants[key] == nil { grants[key] = openGrant(key, settings, secrets, account.settings) }
        guard grants[key] != nil else { return [] }
        accounts[id]?.grant = key
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
        let generations = [
            account.generation, account.grant.flatMap { grants[$0]?.generation } ?? 0, tagTokens.generation(of: id),
        ]
        // It only rises, also when another grant begins to count anew.
        if account.told.generations != generations {
            accounts[id]?.told = (account.told.number + 1, generations)
        }
        return [.credential(id, isReady: isReady, generation: accounts[id]?.told.number ?? 0)]
    }

    // MARK: Grants

    /// Nil if what is saved can be neither read nor replaced.
    private func openGrant(
        _ key: GrantKey, _ settings: OAuthSettings, _ secrets: OAuthGrant.Secrets, _ destination: DestinationSettings
    ) -> Grant? {
        func report(_ secret: String, _ reason: String) {
            telemetry.report(.secretUnreadable(destination: destination.name, secret: secret, reason: reason))
        }
        let encryption: AES256GCM?
        do throws(Secrets.Unreadable) {
            encryption = try Secrets.encryptionKey(state.key)
        } catch {
            report("state.key", error.reason)
            return nil
        }
        let file = GrantFile(key, state)
        var record: GrantRecord?
        var unsaved: GrantRecord?
        switch file.read(encryption) {
        case .missing: break
        case .record(let saved, let isSealed):
            record = saved
            // The key is newer than the file.
            if encryption != nil, !isSealed { unsaved = saved }
        case .locked(let reason):
            report("saved grant", reason)
            return nil
        // What is there may be newer than what the configuration names: it is not begun anew behind its back.
        case .unreadable(let reason):
            report("saved grant", reason)
            return nil
        }
        let machine = OAuthGrant(
            name: destination.name, settings: settings, retry: destination.retry, secrets: secrets, record: record,
            seed: .random(in: .min ... .max))
        if unsaved != nil { nextLook = .distantPast }
        return Grant(machine: machine, file: file, encryption: encryption, unsaved: unsaved)
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
            case .redeemed(let redemption):
                guard let id = grants[key]?.redeemer else { continue }
                grants[key]?.redeemer = nil
                actions.append(.redeemed(id, redemption))
            case .keep(let record): _ = save(record, key, now)
            case .signal(let signal): telemetry.report(signal)
            }
        }
        return actions
    }

    private func changedAll(_ key: GrantKey) -> [Action] {
        accounts.filter { $0.value.grant == key }.keys.sorted().flatMap(changed)
    }

    private func save(_ record: GrantRecord, _ key: GrantKey, _ now: Moment) -> Bool {
        guard let grant = grants[key] else { return false }
        do throws(SmallFile.Failure) {
            try grant.file.write(record, grant.encryption)
            grants[key]?.unsaved = nil
            return true
        } catch {
            grants[key]?.unsaved = record
            nextLook = min(nextLook, now.uptime + Credentials.againWait)
            let names = accounts.values.filter { $0.grant == key }.map(\.settings.name).sorted()
            telemetry.report(
                .secretUnreadable(
                    destination: names.joined(separator: ","), secret: "saved grant",
                    reason: "\(grant.file.path): \(error.reason)"))
            return false
        }
    }
}
