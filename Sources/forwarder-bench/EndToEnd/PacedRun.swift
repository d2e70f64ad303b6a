import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import KafkaClient
import MockKafka
import Synchronization

/// So many events a second for a while, each looked at by itself: how long from when it is published until the sink has it.
struct PacedRun {
    struct Report {
        /// Of one event, in milliseconds; nil where there were none.
        var median: Double?
        var percentile99: Double?
        /// Per cent of one core.
        var cpu = 0.0
        var peakMebibytes = 0.0
    }

    var name: String
    var ground: Ground
    /// Events a second; 0: none, and Kafka is asked as seldom as by default.
    var rate: Int
    var seconds: Int
    /// How long the sink takes for each answer.
    var delay = Duration.zero

    private static let topic = "paced"

    func run() throws(HarnessFailure) -> Report {
        let run = "\(getpid())-\(Arrivals.runs.add(1, ordering: .relaxed).newValue)"
        let arrivals = Arrivals(count: rate * seconds, run: run)
        let sink = try Microsoft.start(
            mode: .sink(SinkSettings(delay: delay, onBody: { arrivals.note($0) })), tls: ground.identity)
        defer { sink.stop() }
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        var settings = ground.settings(topic: PacedRun.topic, sink, isIdle: rate == 0)
        // What an earlier run has published is none of this one's.
        settings.kafka.append("start_from: latest")
        try settings.write(to: directory)
        let daemon = try DaemonProcess(ground.binary, directory, isBound: true)
        try daemon.waitUntilReading()
        // The start, and what was read to look at it, is not what is measured.
        usleep(2_500_000)
        let before = ProcessUsage.cpuNanoseconds(daemon.id)
        let began = monotonicNanoseconds()
        let published = rate == 0 ? [] : try publish(arrivals.run)
        if rate == 0 { sleep(UInt32(seconds)) }
        let elapsed = monotonicNanoseconds() - began
        let used = ProcessUsage.cpuNanoseconds(daemon.id) - before
        if rate > 0 { try daemon.waitUntilSettled() }
        try daemon.stop()
        try requireBalance(directory)
        // Not what the sink has in all: where the broker takes the latest to be, some of an earlier run may follow.
        guard arrivals.total == rate * seconds else {
            throw HarnessFailure("\(arrivals.total) events arrived instead of \(rate * seconds)")
        }
        guard elapsed < Int64(seconds) * 1_100_000_000 else {
            throw HarnessFailure("publishing took \(elapsed / 1_000_000) ms: no \(rate) a second")
        }
        let times = Spread(try arrivals.times(since: published))
        return Report(
            median: rate == 0 ? nil : times.median, percentile99: rate == 0 ? nil : times.quantile(0.99),
            cpu: Double(used) / Double(elapsed) * 100,
            peakMebibytes: Double(daemon.usage?.peakKilobytes ?? 0) / 1024)
    }

    /// Of the times the median of the runs.
    func line(_ reports: [Report]) -> String {
        func median(_ values: [Double]) -> String { values.isEmpty ? "-" : fixed(Spread(values).median, 0) }
        return name.padded(to: 24) + median(reports.compactMap(\.median)).leftPadded(to: 20)
            + median(reports.compactMap(\.percentile99)).leftPadded(to: 8) + "            "
            + Spread(reports.map(\.cpu)).text(width: 7, decimals: 2) + " %"
            + median(reports.map(\.peakMebibytes)).leftPadded(to: 9)
    }

    /// When each event was handed to the producer, in nanoseconds.
    private func publish(_ run: String) throws(HarnessFailure) -> [Int64] {
        var published: [Int64] = []
        do throws(KafkaError) {
            let producer = try KafkaProducer(properties: [
                ("bootstrap.servers", ground.brokers), ("linger.ms", "5"), ("compression.type", "lz4"),
            ])
            let began = monotonicNanoseconds()
            for number in 0..<(rate * seconds) {
                let due = began + Int64(number) * 1_000_000_000 / Int64(rate)
                let left = due - monotonicNanoseconds()
                if left > 0 { usleep(UInt32(left / 1000)) }
                published.append(monotonicNanoseconds())
                try producer.produce(PacedRun.topic, value: PacedRun.event(number, run))
            }
            try producer.flush(timeoutMilliseconds: 30_000)
        } catch {
            throw HarnessFailure("publishing: \(error)")
        }
        return published
    }

    private static func event(_ number: Int, _ run: String) -> [UInt8] {
        Array(
            """
            {"event":"PageView","event_id":"\(Arrivals.mark(run))\(number)","event_time":\(SystemClock.now.wall.seconds),\
            "url":"https://shop.example/p/\(number % 400)?utm_source=bing&utm_campaign=c1","title":"A page",\
            "user":{"anonymous_id":"b171a9b06ce011ecafcd1b209be8601b","email":"ada\(number)@mail.example",\
            "ip_address":"203.0.113.7","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Chrome/124.0"}}
            """.utf8)
    }
}

/// When the sink had each event first.
final class Arrivals: Sendable {
    static let runs = Atomic(0)
    let run: String
    private let member: [UInt8]
    private let firsts: Mutex<[Int64]>
    private let arrived = Atomic(0)

    init(count: Int, run: String) {
        self.run = run
        member = Array("\"eventId\":\"\(Arrivals.mark(run))".utf8)
        firsts = Mutex(Array(repeating: 0, count: count))
    }

    static func mark(_ run: String) -> String { "paced-\(run)-" }

    /// Events of this run, repeats too.
    var total: Int { arrived.load(ordering: .relaxed) }

    func note(_ body: [UInt8]) {
        let now = monotonicNanoseconds()
        firsts.withLock { firsts in
            var rest = body[...]
            while let quote = rest.firstIndex(of: UInt8(ascii: "\"")) {
                rest = rest[quote...]
                guard rest.starts(with: member) else {
                    rest = rest.dropFirst()
                    continue
                }
                rest = rest.dropFirst(member.count)
                arrived.add(1, ordering: .relaxed)
                var number = 0
                while let digit = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
                    number = number * 10 + Int(digit - UInt8(ascii: "0"))
                    rest = rest.dropFirst()
                }
                if firsts.indices.contains(number), firsts[number] == 0 { firsts[number] = now }
            }
        }
    }

    /// Milliseconds from when each was published.
    func times(since published: [Int64]) throws(HarnessFailure) -> [Double] {
        let firsts = firsts.withLock { $0 }
        let missing = published.indices.count { firsts[$0] == 0 }
        guard missing == 0 else { throw HarnessFailure("\(missing) of \(published.count) events did not arrive") }
        return published.indices.map { Double(firsts[$0] - published[$0]) / 1e6 }
    }
}

private func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
