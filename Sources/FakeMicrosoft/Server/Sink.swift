import ForwarderCore
import Glibc
import HTTPServer
import Synchronization

/// What a sink was sent.
public struct SinkCounts: Sendable, Equatable {
    public var requests = 0
    public var events = 0
    public var bytes = 0
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
    private let requests = Atomic(0)
    private let events = Atomic(0)
    private let bytes = Atomic(0)

    init(_ settings: SinkSettings) {
        self.settings = settings
    }

    var counts: SinkCounts {
        SinkCounts(
            requests: requests.load(ordering: .relaxed), events: events.load(ordering: .relaxed),
            bytes: bytes.load(ordering: .relaxed))
    }

    /// Nil for a request that carries no events.
    func answer(_ request: ServerRequest) -> ServerAnswer? {
        let count: Int
        let body: String
        switch Route(path: request.path) {
        case .capi:
            count = Sink.occurrences(of: "\"eventType\":", pivot: 6, in: request.body)
            body = "{\"eventsReceived\":\(count)}"
        case .offline:
            count = Sink.occurrences(of: "\"ConversionName\":", pivot: 11, in: request.body)
            body = "{\"PartialErrors\":[]}"
        case .unknown where request.method == "POST":
            // Records as the shop publishes them, for programs that pass them on as they are.
            count = Sink.occurrences(of: "\"event_id\":", pivot: 6, in: request.body)
            // What programs that write in bulk to a search engine want to hear.
            body = "{\"took\":1,\"errors\":false,\"items\":[]}"
        case .oauth, .goalReport, .tagToken, .consent, .customers, .unknown: return nil
        }
        requests.add(1, ordering: .relaxed)
        events.add(count, ordering: .relaxed)
        bytes.add(request.body.count, ordering: .relaxed)
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

    /// Looks for one byte of the name that is rare in events, and for the rest only where that is found.
    private static func occurrences(of name: StaticString, pivot: Int, in body: [UInt8]) -> Int {
        body.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            let length = name.utf8CodeUnitCount
            let rare = Int32(name.utf8Start[pivot])
            var count = 0
            var offset = pivot
            while offset < bytes.count, let hit = memchr(base + offset, rare, bytes.count - offset) {
                let start = UnsafeRawPointer(hit) - base - pivot
                if start + length <= bytes.count, memcmp(base + start, name.utf8Start, length) == 0 { count += 1 }
                offset = start + pivot + 1
            }
            return count
        }
    }
}
