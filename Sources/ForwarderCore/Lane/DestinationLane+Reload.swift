extension DestinationLane {
    /// The destination of a request that one of its lanes started.
    public static func destination(of request: RequestID) -> DestinationID {
        DestinationID(Int32(truncatingIfNeeded: request.rawValue >> idBits))
    }

    /// Ids of requests and tickets have the destination in front of a counter.
    static let idBits: UInt64 = 40

    /// The request for entries of this destination.
    public func request(
        _ contents: [UInt8], isStrict: Bool, _ credential: MicrosoftInterface.Credential
    ) -> HTTPRequest {
        interface.request(contents, isStrict: isStrict, credential)
    }

    /// Nothing waits for the store.
    public var isStored: Bool { storing.isEmpty }

    /// Nothing is on its way to Microsoft, and what it took is remembered, as far as it can be: its offsets may go.
    public var isAnswered: Bool { attempts.isEmpty && (storing.isEmpty || !isStoreWritable) }

    /// Nothing is left in memory.
    public var isEmpty: Bool {
        storing.isEmpty && attempts.isEmpty && fresh.isEmpty && early.isEmpty && parts.isEmpty && due.isEmpty
            && inquired.isEmpty
    }

    /// Goes on by other settings with what there is. What was written for Microsoft is not touched.
    mutating func reconfigure(_ settings: DestinationSettings, _ now: Moment) {
        guard settings != self.settings else { return }
        self.settings = settings
        interface = MicrosoftInterface(settings)
        pace = RateLimit(eventsPerSecond: settings.rateLimit)
        gate.reconfigure(settings.retry, concurrency: settings.concurrency)
    }
}
