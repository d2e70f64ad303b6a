import ForwarderCore
import Glibc

@main
struct Main {
    static func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    static func main() {
        let purchase = Array(
            #"""
            {"event":"Purchase","event_id":"ord-991-abcdef","event_time":1786000000,"url":"https://shop.example/thanks/for/your/order?utm_source=bing&utm_medium=cpc","referrer":"https://shop.example/cart","title":"Thank you for your order","page_load_id":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77","consent":{"ad_storage":"granted"},"user":{"email":"Ada.Lovelace@example.com","phone":"+1 (425) 555-0100","external_id":"c0ffee00c0ffee00c0ffee00c0ffee00","anonymous_id":"b171a9b06ce011ecafcd1b209be8601b","msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab","ip_address":"203.0.113.7","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36"},"properties":{"value":79.99,"currency":"USD","transaction_id":"991","items":[{"id":"a","name":"Mug","price":19.99,"quantity":2},{"id":"b","name":"Plate","price":40.01,"quantity":1}],"page_type":"purchase"},"source":"shop-eu"}
            """#.utf8)
        print(purchase.count, "bytes")
        let capi = DestinationSettings(name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("X"))))
        let intake = Intake(
            InputSettings(), [IntakeDestination(DestinationID(1), capi, firstSeen: Timestamp(seconds: 0))])
        let now = Moment(wall: Timestamp(seconds: 1_786_000_100), uptime: Uptime(milliseconds: 0))
        var tape = JSONTape()
        for _ in 0..<(CommandLine.arguments.count > 1 ? 1 : 3) {
            var start = clock()
            let rounds = Int(CommandLine.arguments.dropFirst().first ?? "200000") ?? 1
            purchase.withUnsafeBufferPointer { text in
                for _ in 0..<rounds { try? tape.parse(text) }
            }
            print("parse", (clock() - start) / Double(rounds) * 1e9, "ns")
            start = clock()
            var bytes = 0
            let topic = intake.index(ofTopic: "t")
            purchase.withUnsafeBufferPointer { text in
                for sequence in 0..<rounds {
                    intake.accept(
                        text,
                        .init(
                            topic: topic, partition: 0, offset: Int64(sequence), assignment: AssignmentID(1),
                            sequence: UInt64(sequence)), now: now)
                    if intake.destinations[0].hasReady {
                        for batch in intake.destinations[0].takeBatches(now: now.uptime) {
                            bytes += batch.contents.count
                        }
                    }
                }
            }
            print("intake", (clock() - start) / Double(rounds) * 1e9, "ns", bytes / rounds, "bytes an event")
        }
        for batch in intake.destinations[0].takeBatches(now: now.uptime, all: true) {
            print(String(decoding: batch.contents[batch.deliveries[0].content], as: UTF8.self))
        }
        print(intake.destinations[0].books.owed, intake.destinations[0].books.rejectedByReason)
    }
}
