import FakeMicrosoft
import Forwarder
import ForwarderCore

/// What people do while the daemons run: those at Microsoft's side of the fence and the daemons' operator.
extension ChaosTrial {
    func handOutToken() throws(HarnessFailure) {
        for member in members { try member.directory.write(token, to: "capi-token") }
    }

    /// Somebody signs in again, and has another refresh token.
    func consentAnew(revoking: Bool) {
        refreshToken += "-anew"
        microsoft.withModel { [refreshToken] in $0.consent(refreshToken: refreshToken, revoking: revoking) }
    }

    func handOutGrant() throws(HarnessFailure) {
        for member in members { try member.directory.write(refreshToken, to: "refresh-token") }
    }

    /// `destinations resume`, where the status says halted. A daemon that is just dying is asked again another time.
    func resumeHalted() throws(HarnessFailure) {
        for member in members {
            for destination in member.directory.status()?["destinations"]?.elements ?? []
            where destination["gate"]?.string == "halted" {
                guard let name = destination["name"]?.string else { continue }
                _ = try CommandRun(
                    binary, ["destinations", "resume", name, "--config", member.directory.configuration])
            }
        }
    }

    /// Whether all that waits was told that its goal is too young, and waits for the two hours that Microsoft wants then.
    func isOnlyWaitingForGoals() throws(HarnessFailure) -> Bool {
        let soon = CivilText.utc(SystemClock.now.wall.seconds + 3600)
        var count = 0
        for member in members {
            guard let status = member.directory.status(), let destinations = status["destinations"]?.elements,
                status["assignments"]?.elements?.allSatisfy({ $0["lag"]?.integer == 0 }) == true
            else { return false }
            let pending = destinations.reduce(0) {
                $0 + ($1["pending"]?.integer ?? 0) + ($1["in_flight"]?.integer ?? 0)
            }
            let rows = try StoreView.list(binary, member.directory, ["queue", "list"], "deliveries")
            guard rows.count == Int(pending),
                rows.allSatisfy({ $0["last_failure"]?.string == "5615" && $0["due_at"]?.string ?? "" > soon })
            else { return false }
            count += rows.count
        }
        if count > 0 { report.youngGoals = count }
        return count > 0
    }
}
