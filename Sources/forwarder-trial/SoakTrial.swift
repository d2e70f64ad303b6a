import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import KafkaClient
import MockKafka

/// Hours of a shop in minutes: a quarter of the time all is well, then the second destination is dead. Memory and file
/// descriptors must stay what they are, and the healthy destination must not notice.
struct SoakTrial {
    var binary: String
    var seconds: Int
    /// Events a second.
    var rate: Int

    /// One look at the process.
    struct Sample {
        var second: Double
        var events: Int
        var residentKilobytes: Int
        var descriptors: Int
    }

    struct Report {
        var events = 0
        var samples: [Sample] = []
        /// From publishing an event to its being accepted, in milliseconds, while all was well and after that.
        var before: [Int] = []
        var after: [Int] = []
        var waiting = 0
        var unaccounted = 0
    }

    func run(_ say: (String) -> Void) throws -> Report {
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        let microsoft = try Microsoft.start()
        defer { microsoft.stop() }
        let mock = try MockCluster()
        try mock.createTopic("events", partitions: 16)
        let settings = DaemonSettings(
            brokers: mock.bootstrapServers, topic: "events", endpoint: microsoft.endpoint,
            authority: microsoft.authority)
        try settings.write(to: directory)
        let daemon = try DaemonProcess(binary, directory)
        try daemon.waitUntilReading()
        let publisher = try Publisher(
            brokers: mock.bootstrapServers, topic: "events", seed: 1, name: "soak", properties: [("linger.ms", "5")])
        let prober = try KafkaProducer(properties: [
            ("bootstrap.servers", mock.bootstrapServers), ("linger.ms", "0"),
        ])

        var report = Report()
        let began = SystemClock.now.uptime
        var isDead = false
        var nextSample = began
        var second = 0
        while second < seconds {
            if !isDead, second >= seconds / 4 {
                isDead = true
                microsoft.withModel {
                    $0.follow(FaultPlan([.init(.drop, targets: .offline)]), from: SystemClock.now.wall)
                }
                say("after \(second) s: the second destination is dead")
            }
            // A second's events in tenths; the probe goes with the third of them.
            var probe: Uptime?
            var isAnswered = false
            let id = "probe-\(second)"
            for tenth in 0..<10 {
                try publisher.publish(rate / 10)
                report.events += rate / 10
                if tenth == 3 {
                    try prober.produce("events", value: SoakTrial.event(id))
                    try prober.flush(timeoutMilliseconds: 5000)
                    probe = SystemClock.now.uptime
                }
                let end = began + .milliseconds(Int64(second * 1000 + (tenth + 1) * 100))
                repeat {
                    if let start = probe, !isAnswered, SoakTrial.isAccepted(id, microsoft) {
                        isAnswered = true
                        let took = Int((SystemClock.now.uptime - start).milliseconds)
                        if isDead { report.after.append(took) } else { report.before.append(took) }
                    }
                    usleep(2000)
                } while SystemClock.now.uptime < end
            }
            if !isAnswered { throw HarnessFailure("\(id) was not accepted within its second") }
            second += 1
            if SystemClock.now.uptime >= nextSample {
                nextSample = nextSample + .seconds(max(1, Int64(seconds) / 40))
                let usage = ProcessUsage(daemon.id)
                report.samples.append(
                    Sample(
                        second: Double(second), events: report.events, residentKilobytes: usage.residentKilobytes,
                        descriptors: usage.descriptors))
            }
        }
        report.waiting = Int(
            directory.status()?["destinations"]?.elements?.last?["pending"]?.integer ?? -1)
        try daemon.stop()
        report.unaccounted = directory.logLines("metrics").reduce(0) { $0 + Int($1["unaccounted"]?.integer ?? 1) }
        return report
    }

    private static func event(_ id: String) -> [UInt8] {
        Array(
            """
            {"event":"PageView","event_id":"\(id)","event_time":\(SystemClock.now.wall.seconds - 1),\
            "url":"https://shop.example/","user":{"anonymous_id":"a"}}
            """.utf8)
    }

    private static func isAccepted(_ id: String, _ microsoft: FakeMicrosoftServer) -> Bool {
        microsoft.withModel { $0.timesAccepted(tag: Microsoft.tag, eventID: id) > 0 }
    }
}

extension SoakTrial.Report {
    /// What the second half of the time with a dead destination adds to the memory, in KiB for a million events.
    var slope: Double {
        let late = samples.suffix(samples.count * 3 / 8)
        let count = Double(late.count)
        let meanX = late.reduce(0) { $0 + Double($1.events) } / count
        let meanY = late.reduce(0) { $0 + Double($1.residentKilobytes) } / count
        let above = late.reduce(0) { $0 + (Double($1.events) - meanX) * (Double($1.residentKilobytes) - meanY) }
        let below = late.reduce(0) { $0 + (Double($1.events) - meanX) * (Double($1.events) - meanX) }
        return below > 0 ? above / below * 1e6 : 0
    }

    var text: String {
        func quantile(_ values: [Int], _ share: Double) -> Int {
            values.sorted()[min(values.count - 1, Int(Double(values.count) * share))]
        }
        let resident = samples.map(\.residentKilobytes)
        let descriptors = samples.map(\.descriptors)
        let highest = (resident.max() ?? 0) / 1024
        return """
            events:          \(events) in \(samples.last?.second ?? 0) s; \(waiting) wait for the dead destination
            memory:          \(resident.map { "\($0 / 1024)" }.joined(separator: " ")) MiB
                             highest \(highest) MiB, slope of the last part \(Int(slope)) KiB for a million events
            descriptors:     \(descriptors.min() ?? 0) to \(descriptors.max() ?? 0)
            to acceptance:   all well: median \(quantile(before, 0.5)) ms, 99 % \(quantile(before, 0.99)) ms
                             second destination dead: median \(quantile(after, 0.5)) ms, 99 % \(quantile(after, 0.99)) ms
            unaccounted:     \(unaccounted)
            """
    }
}
