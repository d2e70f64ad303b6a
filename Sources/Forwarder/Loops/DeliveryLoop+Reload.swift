import ForwarderCore

/// The destinations that were taken out of the configuration while the process ran.
struct Detached {
    var ids: Set<DestinationID> = []
    /// Those of them that still have something in memory.
    var leaving: Set<DestinationID> = []
}

extension DeliveryLoop {
    /// A destination that is gone puts what it has into its queue; a new one begins; one that changed goes on with what it
    /// has.
    func reload(_ plan: Plan) {
        self.plan = plan
        let planned = Set(plan.destinations.map(\.id))
        for id in lanes.keys.sorted() where !planned.contains(id) && detached.ids.insert(id).inserted {
            detached.leaving.insert(id)
            tell(id, .leave)
        }
        for destination in plan.destinations {
            detached.ids.remove(destination.id)
            detached.leaving.remove(destination.id)
            if lanes[destination.id] == nil {
                addLane(destination)
            } else {
                tell(destination.id, .reconfigure(destination.settings))
            }
        }
        carryOut(credentials.reload(plan, now))
    }

    /// Says of each destination that has left how much waits for it.
    func reportDetached() {
        for id in detached.leaving.sorted() {
            guard let lane = lanes[id], lane.isEmpty else { continue }
            detached.leaving.remove(id)
            telemetry.report(.detached(destination: lane.settings.name, pending: lane.snapshot(now: now).pending))
        }
    }
}
