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
        let deadline = SystemClock.now.uptime + TestSender.credentialTimeout
        while credentials.credential(of: id) == nil {
            if let problem = credentials.problem(of: id) { return test.refused("credential: \(problem)") }
            guard SystemClock.now.uptime < deadline else { return test.refused("credential: no answer") }
            step { _ in }
        }
        guard let credential = credentials.credential(of: id), let request = test.request(credential) else {
            return test.result
        }
        // A grant's requests have the highest bit.
        let own = RequestID(1)
        client.start(request, id: own)
        var result: TestResult?
        while result == nil {
            step { completion in
                guard completion.id == own else { return }
                result = test.answered(completion.outcome, elapsed: completion.elapsed, now: SystemClock.now.wall)
            }
        }
        return result ?? test.result
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
