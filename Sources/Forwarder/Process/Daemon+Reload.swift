import ForwarderCore

extension Daemon {
    private static let planTimeout = Duration.seconds(30)

    /// Reads the configuration anew and goes on by it, or says what is wrong with it and goes on as before.
    func reload() {
        notifier.reloading()
        defer { notifier.ready() }
        do throws(ConfigurationLoading.Refused) {
            let loaded = try ConfigurationLoading.load(configurationPath)
            let obstacles = obstacles(to: loaded.configuration)
            guard obstacles.isEmpty else { throw .init(problems: obstacles) }
            try apply(loaded.configuration)
            telemetry.report(.configurationReloaded)
        } catch {
            telemetry.report(.configurationRejected(problems: error.problems))
        }
    }

    /// What the other configuration says differently although it is read only at start.
    private func obstacles(to other: Configuration) -> [String] {
        var sections: [String] = []
        if configuration.kafka != other.kafka { sections.append("kafka") }
        if configuration.state != other.state { sections.append("state") }
        if configuration.http != other.http { sections.append("http") }
        if configuration.admin != other.admin { sections.append("admin") }
        let moved = other.destinations.filter { fingerprints[$0.name, default: $0.fingerprint] != $0.fingerprint }
        return sections.map { "\($0): cannot change while the daemon runs; restart it" }
            + moved.map { destination in
                """
                destination \(destination.name): deliveries for \(fingerprints[destination.name] ?? "") may be on their \
                way; give it a new name now that it is \(destination.fingerprint), or restart the daemon
                """
            }
    }

    private func apply(_ configuration: Configuration) throws(ConfigurationLoading.Refused) {
        let reply = Reply<Result<Plan, Refusal>>()
        mailboxes.store.put(
            .inspect { store, _ in
                do throws(Refusal) {
                    reply.send(.success(try Daemon.makePlan(configuration, store)))
                } catch {
                    reply.send(.failure(error))
                }
            })
        switch answer(reply, timeout: Daemon.planTimeout) {
        case .success(let plan)?:
            self.configuration = configuration
            fingerprints.merge(configuration.fingerprints) { _, new in new }
            telemetry.set(configuration.log)
            mailboxes.store.put(.reload(plan))
            // The intake hands over what it has by the old plan, then passes the new one on.
            mailboxes.intake.put(.reload(plan))
        case .failure(.failed(let text, _))?: throw .init(problems: [text])
        case .failure(.stopped)?: throw .init(problems: ["the daemon is stopping"])
        case nil:
            let reason = isToldToStop ? "the daemon is stopping" : "the store has not answered within 30 seconds"
            throw .init(problems: [reason])
        }
    }
}
