import ForwarderCore

/// An event that says of itself that it is a test.
enum TestEvent {
    /// - Parameter clickID: a `msclkid`; without it Offline Conversions take it only with enhanced conversions.
    static func json(_ name: String, clickID: String?, now: Timestamp, random: UInt64) -> [UInt8] {
        let digits = String(random, radix: 16)
        let id = "test-" + String(repeating: "0", count: 16 - digits.count) + digits
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("event", name)
            writer.member("event_id", id)
            writer.member("event_time", now.seconds)
            writer.member("url", "https://shop.example/conversion-forwarder-test")
            writer.member("title", "conversion-forwarder test")
            writer.name("user")
            writer.object { writer in
                writer.member("anonymous_id", id)
                // Reserved for examples: nobody's.
                writer.member("email", "conversion-forwarder-test@example.com")
                if let clickID { writer.member("msclkid", clickID) }
            }
            writer.name("properties")
            writer.object { writer in
                writer.name("value")
                writer.raw(Array("0.01".utf8))
                writer.member("currency", "USD")
                writer.member("transaction_id", id)
                writer.member("search_term", "conversion-forwarder test")
            }
        }
        return writer.bytes
    }
}
