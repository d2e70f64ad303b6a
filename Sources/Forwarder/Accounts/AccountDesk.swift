import ForwarderCore

/// Has the daemon do what concerns a grant, or does it while none runs: two that refresh one grant would throttle or lose it.
final class AccountDesk {
    private let configuration: Configuration
    /// Kept from one request to the next: its access token is still good.
    private var session: DirectSession?

    init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    func answer(_ request: ControlRequest) -> [UInt8] {
        let directory = configuration.state.directory
        switch ControlSocket.ask(directory: directory, request.json) {
        case .line(let answer): return answer
        case .silent:
            return StoreCommand.error(
                "the daemon at \(ControlSocket.path(in: directory)) does not answer; look at its log")
        case .notRunning: return answerAlone(request)
        }
    }

    private func answerAlone(_ request: ControlRequest) -> [UInt8] {
        do throws(DirectSession.Refused) {
            switch request {
            case .redeem(let code, let name):
                let (id, _, session) = try open(name, keepsGrant: true)
                return AccountAnswer.redeemed(name, session.redeem(code, for: id))
            case .accounts(let name):
                let (id, offline, session) = try open(name, keepsGrant: false)
                return list(name, id, offline, try session.credential(of: id), session)
            case .grants(let name):
                if let name { _ = try owner(name) }
                let grants = configuration.destinations.compactMap { settings -> GrantStatus? in
                    guard name == nil || name == settings.name, case .offlineConversions(let offline) = settings.kind
                    else { return nil }
                    return GrantStatus(settings, offline.oauth, configuration.state)
                }
                return AccountAnswer.grants(grants, isRunning: false)
            case .status, .pause, .resume, .deliveries, .erase, .store, .test, .verdicts:
                preconditionFailure("not about a grant")
            }
        } catch {
            return StoreCommand.error(error.reason)
        }
    }

    private func list(
        _ name: String, _ id: DestinationID, _ offline: OfflineSettings, _ credential: MicrosoftInterface.Credential,
        _ session: DirectSession
    ) -> [UInt8] {
        var listing = AccountListing(offline, credential)
        var request = listing.firstRequest
        while true {
            let knewUser = listing.user != nil
            let step = listing.answered(session.exchange(request).outcome, now: SystemClock.now.wall)
            if !knewUser, let user = listing.user { session.learned(user, of: id) }
            switch step {
            case .ask(let next): request = next
            case .done: return AccountAnswer.list(name, listing)
            case .refused(let reason): return StoreCommand.error("\(name): \(reason)")
            }
        }
    }

    private func owner(_ name: String) throws(DirectSession.Refused) -> OfflineSettings {
        switch configuration.grantOwner(name) {
        case .success(let offline): return offline
        case .failure(let obstacle): throw .init(reason: obstacle.reason)
        }
    }

    private func open(
        _ name: String, keepsGrant: Bool
    ) throws(DirectSession.Refused) -> (DestinationID, OfflineSettings, DirectSession) {
        let offline = try owner(name)
        let session: DirectSession
        if let kept = self.session {
            session = kept
        } else {
            session = try DirectSession(configuration, keepsGrant: keepsGrant)
            self.session = session
        }
        guard let id = session.id(of: name) else { throw .init(reason: "there is no destination \(name)") }
        return (id, offline, session)
    }
}

extension AccountDesk {
    /// What would keep a consent from being used; nil if nothing is known.
    func obstacle(toLogin name: String) -> String? {
        let root = (try? JSONDocument(answer(.grants(of: name))))?.root
        if let error = root?["error"]?.string { return error }
        guard let grant = root?["grants"]?.elements?.first, case .success(let offline) = configuration.grantOwner(name)
        else { return "the daemon does not know this destination; are daemon and command of one version?" }
        let problem = grant["problem"]?.string
        if root?["running"]?.bool == true {
            if grant["grant"]?.string != GrantKey(offline.oauth).id {
                return "the daemon runs with another `oauth` section; have it read this configuration first (SIGHUP)"
            }
            return problem == "unreadable"
                ? "the daemon cannot read what the grant needs; `check` and its log say what" : nil
        }
        if let problem, problem != "no_consent" { return "saved grant: \(problem)" }
        let references = [
            ("oauth.client_secret", offline.oauth.clientSecret), ("oauth.refresh_token", offline.oauth.refreshToken),
        ]
        for (key, reference) in references {
            guard let reference else { continue }
            do throws(Secrets.Unreadable) {
                _ = try Secrets.read(reference)
            } catch {
                return "\(key): \(error.reason); mend it, or leave the key out"
            }
        }
        return nil
    }
}
