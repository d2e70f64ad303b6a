import ForwarderCore

extension DeliveryLoop {
    private static let numbersInterval = Duration.milliseconds(500)

    /// Says what the intake must know at once, and from time to time everything.
    func publish() {
        reportDetached()
        regulate()
        var isFinished = false
        if case .finished = ending { isFinished = true }
        let isLogged = nextMetricsLine <= now.uptime || isFinished
        guard isLogged || nextNumbers <= now.uptime else { return }
        nextNumbers = now.uptime + DeliveryLoop.numbersInterval
        if isLogged { nextMetricsLine = now.uptime + plan.configuration.log.metricsInterval }
        telemetry.publish(metrics, isLogged: isLogged)
    }

    private func regulate() {
        let wasFull = isQueueFull
        // Nothing more comes for those that are configured no longer, however full their queues are.
        let fed = lanes.values.filter { !detached.ids.contains($0.id) }
        isQueueFull = fed.contains { $0.isQueueFull } || wasFull && fed.contains { !$0.hasQueueRoom }
        if isQueueFull, !wasFull {
            for lane in fed where lane.isQueueFull { telemetry.report(.queueFull(destination: lane.settings.name)) }
        }
        pressure.set(isBackedUp: lanes.values.contains { $0.isBackedUp }, isQueueFull: isQueueFull)
    }

    private var metrics: Metrics {
        let names = Set(lanes.values.map(\.settings.name))
        var storeNumbers = store.numbers
        storeNumbers.deliveryLogDropped = pressure.unloggedCount
        return Metrics(
            uptime: now.uptime - startedAt, destinations: lanes.values.sorted { $0.id < $1.id }.map(describe),
            kafka: kafka, store: storeNumbers,
            detached: store.detached.filter { !names.contains($0.key) })
    }

    private func describe(_ lane: DestinationLane) -> Metrics.Destination {
        let numbers = numbers[lane.id] ?? HandOver.Numbers(books: IntakeBooks(), gathering: 0)
        var snapshot = lane.snapshot(now: now)
        if detached.ids.contains(lane.id) { snapshot.gate = "detached" }
        let oldest = snapshot.pending > 0 ? store.oldest[lane.id] : nil
        var destination = Metrics.Destination(
            type: lane.settings.kind.type, intake: numbers.books, gathering: numbers.gathering, lane: snapshot,
            requestTime: requestTimes[lane.id] ?? Histogram(),
            oldestPendingSeconds: oldest.map { max(0, Double(now.wall.seconds - $0)) })
        destination.credentialProblem = credentials.problem(of: lane.id)
        destination.credentialExpiresSeconds = credentials.expires(of: lane.id).map {
            max(0, Double(($0 - now.uptime).milliseconds) / 1000)
        }
        (destination.goals, destination.verdictAgeSeconds) = verdictNumbers(of: lane)
        return destination
    }
}
