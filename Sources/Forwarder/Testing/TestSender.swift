import ForwarderCore

/// Sends test requests for a command while no daemon runs.
struct TestSender {
    private let configuration: Configuration
    private let session: DirectSession

    init(_ configuration: Configuration) throws(DirectSession.Refused) {
        self.configuration = configuration
        session = try DirectSession(configuration)
    }

    func send(_ request: TestRequest) -> TestResult {
        let test = PreparedTest(request, configuration, now: SystemClock.now.wall)
        guard let id = session.id(of: request.destination), test.result.obstacles.isEmpty else { return test.result }
        do throws(DirectSession.Refused) {
            guard let request = test.request(try session.credential(of: id)) else { return test.result }
            let completion = session.exchange(request)
            return test.answered(completion.outcome, elapsed: completion.elapsed, now: SystemClock.now.wall)
        } catch {
            return test.refused(error.reason)
        }
    }

    /// Asks what became of conversions.
    func read(_ request: VerdictRequest) -> VerdictAnswer {
        var answer = VerdictAnswer(request, configuration, now: SystemClock.now.wall)
        guard let id = session.id(of: request.destination), answer.report != nil else { return answer }
        let deadline = SystemClock.now.uptime + VerdictRequest.timeLimit
        do throws(DirectSession.Refused) {
            let credential = try session.credential(of: id)
            while SystemClock.now.uptime < deadline, let request = answer.report?.request(credential) {
                answer.report?.answered(session.exchange(request).outcome, now: SystemClock.now.wall)
            }
            answer.endInTime(credential)
        } catch {
            answer.obstacle = error.reason
        }
        return answer
    }
}
