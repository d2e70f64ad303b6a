import ForwarderCore
import Forwarder
import Glibc
import KafkaClient
import MockKafka
import StorefrontEvents

/// Publishes the events of a make-believe shop and remembers what should become of each.
public final class Publisher {
    public private(set) var expectation = Expectation()
    private var shop: Storefront
    private let producer: KafkaProducer
    private let topic: String

    /// `properties` are librdkafka's, for the producer.
    public init(
        brokers: String, topic: String, seed: UInt64, name: String,
        properties: [(name: String, value: String)] = []
    ) throws(HarnessFailure) {
        self.topic = topic
        shop = Storefront(seed: seed, name: name)
        do throws(KafkaError) {
            producer = try KafkaProducer(
                properties: [("bootstrap.servers", brokers), ("linger.ms", "20")] + properties)
        } catch {
            throw HarnessFailure("the producer does not start: \(error)")
        }
    }

    /// Publishes `count` records, no faster than `rate` a second where there is one, and waits until Kafka has them.
    public func publish(
        _ count: Int, rate: Int? = nil, onProgress: (Int) throws(HarnessFailure) -> Void = { _ in }
    ) throws(HarnessFailure) {
        let began = SystemClock.now.uptime
        var done = 0
        while done < count {
            let slice = min(count - done, 500)
            try produce(slice)
            done += slice
            if let rate {
                let due = began + .milliseconds(Int64(done) * 1000 / Int64(rate))
                usleep(UInt32(max(0, (due - SystemClock.now.uptime).milliseconds)) * 1000)
            }
            try onProgress(done)
        }
        try flush()
    }

    private func produce(_ count: Int) throws(HarnessFailure) {
        let now = SystemClock.now.wall.seconds
        do throws(KafkaError) {
            for _ in 0..<count {
                let record = shop.next(now: now)
                try producer.produce(topic, key: record.key, value: record.value)
                expectation.add(record)
            }
        } catch {
            throw HarnessFailure("publishing: \(error)")
        }
    }

    private func flush() throws(HarnessFailure) {
        do throws(KafkaError) {
            try producer.flush(timeoutMilliseconds: 60_000)
        } catch {
            throw HarnessFailure("publishing: \(error)")
        }
        guard producer.delivered == expectation.records else {
            throw HarnessFailure("Kafka took \(producer.delivered) of \(expectation.records) records")
        }
    }
}
