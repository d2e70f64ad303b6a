import ForwarderCore
import HTTPClient

/// Requests outside the lanes, for `send-test` and `check --online`: with the daemon's own credentials and connections,
/// which a command cannot have while it runs.
extension DeliveryLoop {
    struct RunningTest {
        var test: PreparedTest
        var reply: Reply<TestResult>
    }

    /// Tells requests of this kind from those of lanes and grants.
    func nextTestID() -> RequestID {
        lastTest += 1
        return RequestID(3 << 62 | lastTest)
    }

    func start(_ request: TestRequest, _ reply: Reply<TestResult>) {
        let test = PreparedTest(request, plan.configuration, now: now.wall)
        guard let destination = plan.destinations.first(where: { $0.settings.name == request.destination }) else {
            return reply.send(test.result)
        }
        guard let credential = credentials.credential(of: destination.id) else {
            return reply.send(test.refused("credential: \(credentials.problem(of: destination.id) ?? "missing")"))
        }
        guard let request = test.request(credential) else { return reply.send(test.result) }
        let id = nextTestID()
        tests[id] = RunningTest(test: test, reply: reply)
        client.start(request, id: id)
    }

    /// Whether it was an answer to one of these.
    func isTest(_ completion: HTTPClient.Completion) -> Bool {
        guard let running = tests.removeValue(forKey: completion.id) else { return false }
        running.reply.send(running.test.answered(completion.outcome, elapsed: completion.elapsed, now: now.wall))
        return true
    }
}
