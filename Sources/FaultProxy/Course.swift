/// What is to happen on the connections of a proxy, and what has. Pure: bytes are only counted.
struct ProxyPlan {
    /// Since the plan was made.
    private(set) var connections = 0
    private(set) var turns = 0
    private(set) var happened = 0
    private var waiting: [Disturbance] = []
    /// Turns before this plan: one that still goes on has none of its numbers.
    private var turnsBefore = 0

    mutating func follow(_ disturbances: [Disturbance]) {
        turnsBefore += turns
        (connections, turns, happened) = (0, 0, 0)
        waiting = disturbances
    }

    mutating func connect() -> [Disturbance.Kind] {
        defer { connections += 1 }
        let now = waiting.filter { $0.place == .connection(connections) }
        waiting.removeAll { now.contains($0) }
        happened += now.count
        return now.map(\.kind)
    }

    /// - Returns: what the turn is known by.
    mutating func beginTurn() -> Int {
        defer { turns += 1 }
        return turnsBefore + turns
    }

    /// Takes the first disturbance of a turn whose place is among the next bytes.
    mutating func next(
        turn: Int, _ direction: Disturbance.Direction, bytes: Range<Int>
    ) -> (offset: Int, kind: Disturbance.Kind)? {
        let number = turn - turnsBefore
        var found: (index: Int, offset: Int)?
        for (index, disturbance) in waiting.enumerated() {
            guard case .turn(number, direction, let offset) = disturbance.place, bytes.contains(offset),
                offset < found?.offset ?? .max
            else { continue }
            found = (index, offset)
        }
        guard let found else { return nil }
        happened += 1
        return (found.offset, waiting.remove(at: found.index).kind)
    }
}

/// What has passed on one connection.
struct Course {
    enum Step: Equatable {
        case pass(Int)
        case drip(Int)
        case act(Disturbance.Kind)
    }

    private var turn: Int?
    private var clientSpokeLast = false
    private var passed: [Disturbance.Direction: Int] = [:]
    private var drips: Set<Disturbance.Direction> = []

    /// What is to be done with so many bytes that have come. Nothing follows a step that ends the connection.
    mutating func take(_ count: Int, _ direction: Disturbance.Direction, plan: inout ProxyPlan) -> [Step] {
        if direction == .toServer, !clientSpokeLast || turn == nil {
            turn = plan.beginTurn()
            passed = [:]
            drips = []
        }
        clientSpokeLast = direction == .toServer
        var steps: [Step] = []
        var position = passed[direction, default: 0]
        let end = position + count
        // A server that speaks first does so before any turn.
        while let turn, let next = plan.next(turn: turn, direction, bytes: position..<end) {
            pass(next.offset - position, direction, to: &steps)
            position = next.offset
            switch next.kind {
            case .drip: drips.insert(direction)
            case .delay: steps.append(.act(next.kind))
            case .reset, .close, .stall: return steps + [.act(next.kind)]
            }
        }
        pass(end - position, direction, to: &steps)
        passed[direction] = end
        return steps
    }

    private func pass(_ count: Int, _ direction: Disturbance.Direction, to steps: inout [Step]) {
        if count > 0 { steps.append(drips.contains(direction) ? .drip(count) : .pass(count)) }
    }
}
