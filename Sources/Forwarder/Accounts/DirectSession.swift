import DeliveryStore
import ForwarderCore
import Glibc
import HTTPClient

/// Speaks to Microsoft for a command while no daemon runs. Holds the lock of the state directory meanwhile: what a grant
/// rotates has one owner.
final class DirectSession {
    struct Refused: Error {
        var reason: String
    }

    /// For an access token.
    private static let credentialTimeout = Duration.seconds(30)

    private let configuration: Configuration
    private let client: HTTPClient
    private let credentials: Credentials
    private var ids: [String: DestinationID] = [:]
    private let lock: DirectoryLock?
    private var redemption: OAuthGrant.Redemption?
    private var lastRequest: UInt64 = 0

    /// - Parameter keepsGrant: something is going to be written to the state directory, which is made if need be.
    init(_ configuration: Configuration, keepsGrant: Bool = false) throws(Refused) {
        self.configuration = configuration
        lock = try DirectSession.lock(configuration.state.directory, mayCreate: keepsGrant)
        let destinations = configuration.destinations.enumerated().map { index, settings in
            PlannedDestination(
                id: DestinationID(Int32(index)), settings: settings, firstSeen: .distantPast, state: .running,
                depth: QueueDepth(), heldGoals: [])
        }
        for destination in destinations { ids[destination.settings.name] = destination.id }
        do throws(HTTPClientError) {
            client = try HTTPClient(options: HTTPClient.Options(configuration.http))
        } catch {
            throw Refused(reason: "http: \(error.description)")
        }
        // What it has to report is told by the results.
        let silent = Telemetry(sink: LogSink(descriptor: STDERR_FILENO), settings: LogSettings())
        credentials = Credentials(
            Plan(configuration: configuration, destinations: destinations, storeIdentity: "", detached: [:]),
            telemetry: silent)
        carryOut(credentials.start(SystemClock.now))
    }

    /// Nothing to lock before the first start.
    private static func lock(_ directory: String, mayCreate: Bool) throws(Refused) -> DirectoryLock? {
        guard try hasOwnDirectory(directory, mayCreate: mayCreate) else { return nil }
        do throws(StoreError) {
            return try DirectoryLock(directory: directory, mayCreate: mayCreate)
        } catch {
            guard case .missing = error.kind else { throw Refused(reason: error.description) }
            return nil
        }
    }

    /// Whether the state directory is there, which must be this user's: what is written to another's, the daemon cannot use.
    static func hasOwnDirectory(_ directory: String, mayCreate: Bool) throws(Refused) -> Bool {
        var info = stat()
        if stat(directory, &info) != 0 {
            guard mayCreate else { return false }
            guard mkdir(directory, 0o700) == 0, stat(directory, &info) == 0 else {
                throw Refused(reason: "\(directory) cannot be made (\(String(cString: strerror(errno))))")
            }
        }
        guard info.st_uid == geteuid() else {
            throw Refused(reason: "\(directory) belongs to another user (\(info.st_uid)); run this as that user")
        }
        return true
    }

    func id(of destination: String) -> DestinationID? { ids[destination] }

    /// What requests of a destination are signed with, once there is an access token.
    func credential(of id: DestinationID) throws(Refused) -> MicrosoftInterface.Credential {
        let deadline = SystemClock.now.uptime + DirectSession.credentialTimeout
        while true {
            if let credential = credentials.credential(of: id) { return credential }
            if let problem = credentials.problem(of: id) { throw Refused(reason: "credential: \(problem)") }
            guard SystemClock.now.uptime < deadline else { throw Refused(reason: "credential: no answer") }
            step { _ in }
        }
    }

    /// Sends one request and waits for what comes of it.
    func exchange(_ request: HTTPRequest) -> HTTPClient.Completion {
        lastRequest += 1
        // A grant's requests have the highest bit.
        let own = RequestID(lastRequest)
        client.start(request, id: own)
        while true {
            var found: HTTPClient.Completion?
            step { if $0.id == own { found = $0 } }
            if let found { return found }
        }
    }

    /// Begins a grant with what somebody's consent gave. The grant's requests have an end, so this has one.
    func redeem(_ code: AuthorizationCode, for id: DestinationID) -> OAuthGrant.Redemption {
        redemption = nil
        carryOut(credentials.redeem(code, for: id, SystemClock.now))
        while true {
            if let redemption { return redemption }
            step { _ in }
        }
    }

    func learned(_ user: MicrosoftUser, of id: DestinationID) {
        carryOut(credentials.learned(user, of: id, SystemClock.now))
    }

    private func step(_ answered: (HTTPClient.Completion) -> Void) {
        for completion in client.run(timeout: .milliseconds(100)) {
            if let actions = credentials.answered(completion.id, completion.outcome, SystemClock.now) {
                carryOut(actions)
            } else {
                answered(completion)
            }
        }
        if credentials.nextWake <= SystemClock.now.uptime { carryOut(credentials.tick(SystemClock.now)) }
    }

    private func carryOut(_ actions: [Credentials.Action]) {
        for action in actions {
            switch action {
            case .request(let request, let id): client.start(request, id: id)
            case .redeemed(_, let redemption): self.redemption = redemption
            case .credential, .throttled: break
            }
        }
    }
}

extension HTTPClient.Options {
    /// What the configuration says of requests.
    init(_ settings: HTTPSettings) {
        self.init(
            userAgent: "conversion-forwarder/\(Version.text)", proxy: settings.proxy, caFile: settings.caFile,
            connectTimeout: settings.connectTimeout)
    }
}
