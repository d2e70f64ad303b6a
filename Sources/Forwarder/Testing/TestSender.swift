import DeliveryStore
import ForwarderCore
import Glibc
import HTTPClient

/// Sends test requests for a command while no daemon runs. Holds the lock of the state directory meanwhile: what a grant
/// rotates has one owner.
final class TestSender {
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

    init(_ configuration: Configuration) throws(Refused) {
        self.configuration = configuration
        lock = try TestSender.lock(configuration.state.directory)
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
    private static func lock(_ directory: String) throws(Refused) -> DirectoryLock? {
        var info = stat()
        guard stat(directory, &info) == 0 else { return nil }
        guard info.st_uid == geteuid() else {
            throw Refused(reason: "\(directory) belongs to another user (\(info.st_uid)); run this as that user")
        }
        do throws(StoreError) {
            return try DirectoryLock(directory: directory, mayCreate: false)
        } catch {
            guard case .missing = error.kind else { throw Refused(reason: error.description) }
            return nil
        }
    }

    func send(_ request: TestRequest) -> TestResult {
        let test = PreparedTest(request, configuration, now: SystemClock.now.wall)
        guard let id = ids[request.destination], test.result.obstacles.isEmpty else { return test.result }
        switch credential(of: id) {
        case .failure(let refused): return test.refused(refused.reason)
        case .success(let credential):
            guard let request = test.request(credential) else { return test.result }
            let completion = carry(request)
            return test.answered(completion.outcome, elapsed: completion.elapsed, now: SystemClock.now.wall)
        }
    }

    /// Asks what became of conversions.
    func read(_ request: VerdictRequest) -> VerdictAnswer {
        var answer = VerdictAnswer(request, configuration, now: SystemClock.now.wall)
        guard let id = ids[request.destination], answer.report != nil else { return answer }
        let deadline = SystemClock.now.uptime + VerdictRequest.timeLimit
        switch credential(of: id) {
        case .failure(let refused): answer.obstacle = refused.reason
        case .success(let credential):
            while SystemClock.now.uptime < deadline, let request = answer.report?.request(credential) {
                answer.report?.answered(carry(request).outcome, now: SystemClock.now.wall)
            }
            answer.endInTime(credential)
        }
        return answer
    }

    private func credential(of id: DestinationID) -> Result<MicrosoftInterface.Credential, Refused> {
        let deadline = SystemClock.now.uptime + TestSender.credentialTimeout
        while true {
            if let credential = credentials.credential(of: id) { return .success(credential) }
            if let problem = credentials.problem(of: id) { return .failure(Refused(reason: "credential: \(problem)")) }
            guard SystemClock.now.uptime < deadline else { return .failure(Refused(reason: "credential: no answer")) }
            step { _ in }
        }
    }

    private func carry(_ request: HTTPRequest) -> HTTPClient.Completion {
        // A grant's requests have the highest bit.
        let own = RequestID(1)
        client.start(request, id: own)
        while true {
            var found: HTTPClient.Completion?
            step { completion in
                if completion.id == own { found = completion }
            }
            if let found { return found }
        }
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
        for case .request(let request, let id) in actions { client.start(request, id: id) }
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
