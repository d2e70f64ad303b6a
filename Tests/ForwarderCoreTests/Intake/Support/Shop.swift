@testable import ForwarderCore

/// A shop that publishes events, the intake that reads them, and what comes of it.
final class Shop {
    /// When the events of these tests come in: 100 s after their usual time.
    static let now: Int64 = 1_786_000_100

    let intake: Intake
    var now: Moment
    private var sequence: UInt64 = 0

    init(_ destinations: DestinationSettings..., input: InputSettings = InputSettings(), now: Int64 = Shop.now) {
        let destinations = destinations.enumerated().map { index, settings in
            IntakeDestination(DestinationID(Int32(index + 1)), settings, firstSeen: Timestamp(seconds: Shop.now))
        }
        intake = Intake(input, destinations)
        self.now = Moment(wall: Timestamp(seconds: now), uptime: Uptime(milliseconds: 0))
        _ = intake.index(ofTopic: "events")
    }

    /// What became of one event for each destination.
    struct Outcome {
        var disposition: Intake.Disposition
        /// What is sent, if anything is owed.
        var content: String?
        var delivery: Delivery?
        /// `field reason` of everything left out.
        var dropped: [String]
        var books: IntakeBooks

        var rejects: [String]? {
            if case .rejected(let reasons) = disposition { reasons.names } else { nil }
        }
    }

    @discardableResult
    func publish(_ event: String, publishedAt: Timestamp? = nil, storedFor: UInt64 = 0) -> [Outcome] {
        publish(Array(event.utf8), publishedAt: publishedAt, storedFor: storedFor)
    }

    @discardableResult
    func publish(_ event: [UInt8]?, publishedAt: Timestamp? = nil, storedFor: UInt64 = 0) -> [Outcome] {
        let origin = Intake.Origin(
            topic: 0, partition: 0, offset: Int64(sequence), assignment: AssignmentID(1), sequence: sequence,
            publishedAt: publishedAt, storedFor: storedFor)
        sequence += 1
        if let event {
            event.withUnsafeBufferPointer { intake.accept($0, origin, now: now) }
        } else {
            intake.accept(nil, origin, now: now)
        }
        return zip(intake.destinations, intake.dispositions).map { destination, disposition in
            let batch = destination.takeBatches(now: now.uptime, all: true).first
            let delivery = batch?.deliveries.first
            return Outcome(
                disposition: disposition,
                content: delivery.flatMap { delivery in
                    batch.map { String(decoding: $0.contents[delivery.content], as: UTF8.self) }
                },
                delivery: delivery,
                dropped: destination.droppedFields.map { "\($0.field.name) \($0.reason.name)" },
                books: destination.books)
        }
    }

    /// The form of an event that is kept on disk for the destination of that index.
    func neutral(_ event: [UInt8], for index: Int) -> [UInt8]? {
        var output = ByteBuffer()
        let isRead = event.withUnsafeBufferPointer {
            intake.neutralEvent(of: $0, for: intake.destinations[index], to: &output)
        }
        return isRead ? output.array() : nil
    }
}

extension DestinationSettings {
    static func capi(
        _ change: (inout CAPISettings) -> Void = { _ in }, _ settings: (inout DestinationSettings) -> Void = { _ in }
    ) -> DestinationSettings {
        var capi = CAPISettings(uetTagID: "1", token: .environment("TOKEN"))
        change(&capi)
        var destination = DestinationSettings(name: "capi", kind: .capi(capi))
        settings(&destination)
        return destination
    }

    static func offline(
        goals: [OfflineSettings.Goal] = [.init(event: "Purchase", name: "Purchase")],
        _ change: (inout OfflineSettings) -> Void = { $0.enhancedConversions = true },
        _ settings: (inout DestinationSettings) -> Void = { _ in }
    ) -> DestinationSettings {
        var offline = OfflineSettings(
            goals: goals, customerID: "1", accountID: "2", developerToken: .environment("TOKEN"),
            oauth: OAuthSettings(clientID: "id", refreshToken: .environment("TOKEN")))
        change(&offline)
        var destination = DestinationSettings(name: "offline", kind: .offlineConversions(offline))
        settings(&destination)
        return destination
    }
}

extension DestinationSettings {
    static func pixels(
        _ events: [InvestPixelSettings.Mapping] = [.init(event: "Purchase", pixelID: 37)],
        _ change: (inout InvestPixelSettings) -> Void = { _ in },
        _ settings: (inout DestinationSettings) -> Void = { _ in }
    ) -> DestinationSettings {
        var pixels = InvestPixelSettings(events: events)
        change(&pixels)
        var destination = DestinationSettings(name: "invest", kind: .investPixel(pixels))
        settings(&destination)
        return destination
    }
}

/// An event's JSON, of parts that a test changes. A part that is nil is left out.
func event(
    _ name: String? = #""Purchase""#, id: String? = #""e-1""#, time: String? = "1786000000",
    user: String? = #""external_id":"x""#, properties: String? = nil, _ others: String...
) -> String {
    var members = others
    if let name { members.append(#""event":\#(name)"#) }
    if let id { members.append(#""event_id":\#(id)"#) }
    if let time { members.append(#""event_time":\#(time)"#) }
    if let user { members.append(#""user":{\#(user)}"#) }
    if let properties { members.append(#""properties":{\#(properties)}"#) }
    return "{" + members.joined(separator: ",") + "}"
}

/// The value of a member in JSON text, by its path; as it stands in the text, strings without quotes. nil if absent.
func value(_ path: String..., in json: String?) -> String? {
    guard let json, var element = try? JSONDocument(json).root else { return nil }
    for step in path {
        let next = Int(step).flatMap { index in
            element.elements.flatMap { $0.indices.contains(index) ? $0[index] : nil }
        }
        guard let found = next ?? element[step] else { return nil }
        element = found
    }
    switch element.kind {
    case .string: return element.string
    case .object, .array: return String(decoding: element.json, as: UTF8.self)
    case .number, .true, .false, .null: return element.rawText
    }
}

/// Lends the bytes of a text, and an arena to work in.
func withBytes<Result>(_ text: String, _ body: (Bytes, inout Arena) -> Result) -> Result {
    var arena = Arena()
    return Array(text.utf8).withUnsafeBufferPointer { body($0, &arena) }
}

func text(_ bytes: Bytes) -> String {
    String(decoding: bytes, as: UTF8.self)
}

func sha256(_ text: String) -> String {
    withBytes(text) { bytes, arena in String(decoding: SHA256().hexDigest(bytes, in: &arena), as: UTF8.self) }
}
