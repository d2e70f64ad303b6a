import Glibc
import Synchronization

/// Stands on loopback between a client and a server and passes bytes on, until it is told to disturb.
public final class FaultProxy: Sendable {
    private let relay: Relay
    private let server: LoopbackServer

    /// - Parameter isKafka: what the server says of its own address is changed to the proxy's.
    public init(toPort upstream: UInt16, isKafka: Bool = false) throws(LoopbackFailure) {
        let relay = Relay(toPort: upstream, isKafka: isKafka)
        self.relay = relay
        server = try LoopbackServer { relay.run($0) }
        relay.ownPort.store(server.port, ordering: .sequentiallyConsistent)
    }

    public var port: UInt16 { server.port }

    /// Passes on what comes on a connection of another server, as if it were its own.
    public func relay(_ connection: Connection) {
        relay.run(connection)
    }

    /// What is to go wrong from now on. Connections and turns count from here, those of open connections as well; what
    /// was planned before is withdrawn.
    public func disturb(_ disturbances: [Disturbance]) {
        relay.plan.withLock { $0.follow(disturbances) }
    }

    public func disturb(_ disturbances: Disturbance...) {
        disturb(disturbances)
    }

    /// How many of the disturbances have come about.
    public var happened: Int { relay.plan.withLock { $0.happened } }

    /// How many turns have begun since the last `disturb`.
    public var turns: Int { relay.plan.withLock { $0.turns } }

    /// How many connections were made since the last `disturb`.
    public var connections: Int { relay.plan.withLock { $0.connections } }

    public func stop() {
        server.stop()
    }
}

/// Carries out the plan of a proxy on one connection after another.
final class Relay: Sendable {
    let plan = Mutex(ProxyPlan())
    let ownPort = Atomic<UInt16>(0)
    private let upstream: UInt16
    private let isKafka: Bool

    init(toPort upstream: UInt16, isKafka: Bool) {
        self.upstream = upstream
        self.isKafka = isKafka
    }

    func run(_ client: Connection) {
        for kind in plan.withLock({ $0.connect() }) where !act(kind, client) { return }
        guard let server = Connection(toPort: upstream) else { return }
        var course = Course()
        var address = KafkaAddress(port: upstream, replacedBy: ownPort.load(ordering: .sequentiallyConsistent))
        while let direction = waitForBytes(client, server) {
            guard var bytes = (direction == .toServer ? client : server).read() else { return }
            if isKafka, direction == .toClient { bytes = address.take(bytes) }
            let steps = plan.withLock { course.take(bytes.count, direction, plan: &$0) }
            guard carryOut(steps, bytes, direction, client, server) else { return }
        }
    }

    private func waitForBytes(_ client: Connection, _ server: Connection) -> Disturbance.Direction? {
        var waits = [client, server].map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&waits, 2, -1) > 0 else { return nil }
        // What the server has said was said before the client's next words.
        return waits[1].revents != 0 ? .toClient : .toServer
    }

    /// - Returns: whether the connection goes on.
    private func carryOut(
        _ steps: [Course.Step], _ bytes: [UInt8], _ direction: Disturbance.Direction, _ client: Connection,
        _ server: Connection
    ) -> Bool {
        let other = direction == .toServer ? server : client
        var rest = bytes[...]
        for step in steps {
            switch step {
            case .pass(let count):
                guard other.send(rest.prefix(count)) else { return false }
                rest = rest.dropFirst(count)
            case .drip(let count):
                for byte in rest.prefix(count) {
                    guard other.send([byte]) else { return false }
                    usleep(10)
                }
                rest = rest.dropFirst(count)
            case .act(let kind):
                if kind == .reset { server.resetWhenClosed() }
                guard act(kind, client) else { return false }
            }
        }
        return true
    }

    /// - Returns: whether the connection goes on.
    private func act(_ kind: Disturbance.Kind, _ client: Connection) -> Bool {
        switch kind {
        case .reset: client.resetWhenClosed()
        case .close: break
        case .stall: client.readToEnd()
        case .delay(let milliseconds): usleep(milliseconds * 1000)
        case .drip: return true
        }
        if case .delay = kind { return true }
        return false
    }
}
