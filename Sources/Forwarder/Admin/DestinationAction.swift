import ForwarderCore

/// What an operator does to a destination.
enum DestinationAction: String, CaseIterable {
    case pause, resume

    var title: String {
        switch self {
        case .pause: "Pause"
        case .resume: "Resume"
        }
    }

    var path: StaticString {
        switch self {
        case .pause: "/destinations/pause"
        case .resume: "/destinations/resume"
        }
    }

    var meaning: String {
        switch self {
        case .pause:
            "Nothing more is sent to it; its deliveries wait in its queue, and Kafka is read on for the others. It stays "
                + "paused over restarts."
        case .resume:
            "Ends a pause or a halt and reads the secrets anew. Begins with one request and goes on once that is answered "
                + "well. It brings nothing forward: what waits for a later try waits on."
        }
    }

    func applies(toGate gate: String) -> Bool {
        switch self {
        case .pause: gate != "paused"
        case .resume: ["paused", "halted", "parked"].contains(gate)
        }
    }

    func request(_ name: String) -> ControlRequest {
        switch self {
        case .pause: .pause(name)
        case .resume: .resume(name)
        }
    }
}
