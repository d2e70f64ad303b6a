import ForwarderCore
import Glibc
import HTTPServer
import Synchronization

/// What a sink was sent.
public struct SinkCounts: Sendable, Equatable {
    public var requests = 0
    public var events = 0
    public var bytes = 0
    /// By the path of their requests.
    public var eventsByPath: [String: Int] = [:]
    /// The sum of the ids' hashes, whatever their order: one event that is missing and another that came twice differ in it.
    /// Offline conversions have no ids.
    public var idSum: UInt64 = 0

    public init() {}

    /// What an id adds to `idSum` (FNV-1a).
    public static func hash(_ id: some Sequence<UInt8>) -> UInt64 {
        id.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

/// How a sink takes what it is sent.
public struct SinkSettings: Sendable {
    /// Each answer takes at least so long.
    public var delay = Duration.zero
    /// Gets the body of each request that carries events, on the thread of its connection.
    public var onBody: (@Sendable ([UInt8]) -> Void)?

    public init(delay: Duration = .zero, onBody: (@Sendable ([UInt8]) -> Void)? = nil) {
        self.delay = delay
        self.onBody = onBody
    }
}

/// Accepts everything and counts events by a name that each of them holds once.
final class Sink: Sendable {
    let settings: SinkSettings
    private let total = Mutex(SinkCounts())

    init(_ settings: SinkSettings) {
        self.settings = settings
    }

    var counts: SinkCounts { total.withLock { $0 } }

    /// Nil for a request that carries no events.
    func answer(_ request: ServerRequest) -> ServerAnswer? {
        let found: Found
        let body: String
        switch Route(path: request.path) {
        case .capi:
            found = Sink.find("\"eventId\":", pivot: 6, in: request.body)
            body = "{\"eventsReceived\":\(found.count)}"
        case .offline:
            found = Sink.find("\"ConversionName\":", pivot: 11, in: request.body)
            body = "{\"PartialErrors\":[]}"
        case .unknown where request.method == "POST":
            // Records as the shop publishes them, for programs that pass them on as they are.
            found = Sink.find("\"event_id\":", pivot: 6, in: request.body)
            // What programs that write in bulk to a search engine want to hear.
            body = "{\"took\":1,\"errors\":false,\"items\":[]}"
        case .oauth, .goalReport, .tagToken, .consent, .customers, .pixel, .pixelService, .unknown: return nil
        }
        let hasIDs = if case .offline = Route(path: request.path) { false } else { true }
        total.withLock { total in
            total.requests += 1
            total.events += found.count
            total.bytes += request.body.count
            total.eventsByPath[request.path, default: 0] += found.count
            if hasIDs { total.idSum &+= found.textSum }
        }
        settings.onBody?(request.body)
        return .json(200, Array(body.utf8))
    }

    func report() -> [UInt8] {
        let counts = counts
        var writer = JSONWriter()
        writer.object {
            $0.name("sink")
            $0.object {
                $0.member("requests", counts.requests)
                $0.member("events", counts.events)
                $0.member("bytes", counts.bytes)
            }
        }
        return writer.bytes
    }

    private struct Found {
        var count = 0
        /// Of the texts behind the name.
        var textSum: UInt64 = 0
    }

    /// Looks for one byte of the name that is rare in events, and for the rest only where that is found.
    private static func find(_ name: StaticString, pivot: Int, in body: [UInt8]) -> Found {
        body.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Found() }
            let length = name.utf8CodeUnitCount
            let rare = Int32(name.utf8Start[pivot])
            var found = Found()
            var offset = pivot
            while offset < bytes.count, let hit = memchr(base + offset, rare, bytes.count - offset) {
                let start = UnsafeRawPointer(hit) - base - pivot
                if start + length <= bytes.count, memcmp(base + start, name.utf8Start, length) == 0 {
                    found.count += 1
                    // Some writers put a space in front of a value.
                    let value = bytes[(start + length)...].drop { $0 == UInt8(ascii: " ") }
                    found.textSum &+= SinkCounts.hash(value.dropFirst().prefix { $0 != UInt8(ascii: "\"") })
                }
                offset = start + pivot + 1
            }
            return found
        }
    }
}
