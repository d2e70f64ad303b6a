import DeliveryStore
import ForwarderCore

/// Brings configuration and store together.
enum Planning {
    enum Refused: Error {
        case store(StoreError)
        /// The configuration does not fit what is in the queues.
        case configuration([String])
    }

    static func plan(
        _ configuration: Configuration, _ store: DeliveryStore, now: Timestamp
    ) throws(Refused) -> Plan {
        var destinations: [PlannedDestination] = []
        var problems: [String] = []
        do throws(StoreError) {
            for settings in configuration.running {
                switch try store.register(name: settings.name, fingerprint: settings.fingerprint, now: now) {
                case .registered(let known):
                    destinations.append(
                        PlannedDestination(
                            id: known.id, settings: settings, firstSeen: known.firstSeen, state: known.state,
                            depth: known.depth, heldGoals: try store.heldGoals(of: known.id)))
                case .fingerprintDiffers(let stored, let configured, let rows):
                    problems.append(
                        """
                        destination \(settings.name): \(rows) deliveries wait in its queue for \(stored), but it is \
                        now configured for \(configured); give the destination a new name, so that they go where \
                        they were made for
                        """)
                }
            }
            let ids = Set(destinations.map(\.id))
            let detached = try store.destinations().filter { !ids.contains($0.id) && $0.depth.rows > 0 }
            if problems.isEmpty {
                return Plan(
                    configuration: configuration, destinations: destinations, storeIdentity: store.identity,
                    detached: Dictionary(uniqueKeysWithValues: detached.map { ($0.name, $0.depth.rows) }))
            }
        } catch {
            throw .store(error)
        }
        throw .configuration(problems)
    }
}
