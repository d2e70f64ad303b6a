import ForwarderCore

extension Section {
    static var intake: [Section] {
        [
            Section(name: "parse", summary: "take a purchase's JSON apart") {
                var tape = JSONTape()
                return { parse(Samples.purchase, with: &tape, rounds: $0) }
            },
            Section(name: "decode", summary: "parse, find the fields, normalise and hash them") {
                var reader = EventReader(InputSettings())
                return { decode(Samples.purchase, with: &reader, rounds: $0) }
            },
            Section(name: "decode-segment", summary: "the same of the call of Segment that says the same") {
                var reader = EventReader(Section.segment)
                return { decode(Samples.orderCompleted, with: &reader, rounds: $0) }
            },
            Section(name: "hash", summary: "SHA-256 of an e-mail address, as 64 digits", unit: "hash") {
                let address = Array("adalovelace@example.com".utf8)
                return { hash(address, rounds: $0) }
            },
            Section(
                name: "map-capi",
                summary: "judge and map a purchase that is read already, and write it into a CAPI batch"
            ) {
                map(capi)
            },
            Section(name: "map-offline", summary: "the same as an offline conversion") { map(offline) },
            Section(name: "intake-capi", summary: "the whole way of a purchase to the Conversions API's batch") {
                intake(capi)
            },
            Section(name: "intake-segment", summary: "the same of the call of Segment") {
                intake(capi, input: Section.segment, records: [Samples.orderCompleted])
            },
            Section(name: "intake-both", summary: "the same, to an offline conversion's batch as well") {
                intake(capi, offline)
            },
            Section(name: "intake-shop", summary: "a shop's events as they come, good and bad, to CAPI's batch") {
                intake(capi, records: Samples.shop)
            },
            Section(name: "neutral", summary: "the form of a purchase that is kept on disk") {
                let destination = IntakeDestination(DestinationID(1), capi, firstSeen: .distantPast)
                let intake = Intake(InputSettings(), [destination])
                var output = ByteBuffer(capacity: 2 << 10)
                return { rounds in
                    Samples.purchase.withUnsafeBufferPointer { record in
                        for _ in 0..<rounds {
                            output.removeAll()
                            _ = intake.neutralEvent(of: record, for: destination, to: &output)
                        }
                    }
                }
            },
        ]
    }

    private static func parse(_ text: [UInt8], with tape: inout JSONTape, rounds: Int) {
        text.withUnsafeBufferPointer { text in
            for _ in 0..<rounds { try? tape.parse(text) }
        }
    }

    private static func hash(_ text: [UInt8], rounds: Int) {
        let hasher = SHA256()
        var hex = ByteBuffer(capacity: 64)
        text.withUnsafeBufferPointer { text in
            for _ in 0..<rounds {
                hex.removeAll()
                hasher.withDigest(text) { hex.append(hex: $0) }
            }
        }
    }

    private static func decode(_ record: [UInt8], with reader: inout EventReader, rounds: Int) {
        record.withUnsafeBufferPointer { record in
            for _ in 0..<rounds where reader.open(record) == nil { reader.read(now: Timestamp(seconds: Samples.now)) }
        }
    }

    private static let segment: InputSettings = {
        var input = InputSettings()
        input.preset = .segment
        return input
    }()

    static let capi = DestinationSettings(
        name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("TOKEN"))))

    private static let offline: DestinationSettings = {
        var settings = OfflineSettings(
            goals: [.init(event: "Purchase", name: "Purchase")], customerID: "1", accountID: "2",
            developerToken: .environment("TOKEN"),
            oauth: OAuthSettings(clientID: "id", refreshToken: .environment("TOKEN")))
        settings.enhancedConversions = true
        return DestinationSettings(name: "offline", kind: .offlineConversions(settings))
    }()

    private static func map(_ settings: DestinationSettings) -> (Int) -> Void {
        let destination = IntakeDestination(DestinationID(1), settings, firstSeen: .distantPast)
        _ = Intake(InputSettings(), [destination]).index(ofTopic: "events")
        var reader = EventReader(InputSettings())
        let now = Moment(wall: Timestamp(seconds: Samples.now), uptime: Uptime(milliseconds: 0))
        let origin = Intake.Origin(topic: 0, partition: 0, offset: 0, assignment: AssignmentID(1), sequence: 0)
        return { rounds in
            Samples.purchase.withUnsafeBufferPointer { record in
                _ = reader.open(record)
                for _ in 0..<rounds {
                    _ = destination.take(&reader, origin, isStored: false, now: now)
                    if destination.hasReady { _ = destination.takeBatches(now: now.uptime) }
                }
            }
        }
    }

    private static func intake(
        _ settings: DestinationSettings..., input: InputSettings = InputSettings(),
        records: [[UInt8]] = [Samples.purchase]
    ) -> (Int) -> Void {
        let destinations = settings.enumerated().map { index, settings in
            IntakeDestination(DestinationID(Int32(index + 1)), settings, firstSeen: .distantPast)
        }
        let intake = Intake(input, destinations)
        let now = Moment(wall: Timestamp(seconds: Samples.now), uptime: Uptime(milliseconds: 0))
        var origin = Intake.Origin(
            topic: intake.index(ofTopic: "events"), partition: 0, offset: 0, assignment: AssignmentID(1), sequence: 0)
        return { rounds in
            for round in 0..<rounds {
                records[round % records.count].withUnsafeBufferPointer { intake.accept($0, origin, now: now) }
                origin.offset += 1
                origin.sequence += 1
                for destination in destinations where destination.hasReady {
                    _ = destination.takeBatches(now: now.uptime)
                }
            }
        }
    }
}
