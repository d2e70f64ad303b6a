import ForwarderCore

/// An event that says of itself that it is a test. Written in the shapes of all presets at once: whoever reads it takes
/// what is his.
enum TestEvent {
    private static let url = "https://shop.example/conversion-forwarder-test"
    private static let title = "conversion-forwarder test"
    /// Reserved for examples: nobody's.
    private static let email = "conversion-forwarder-test@example.com"

    /// - Parameters:
    ///   - clickID: a `msclkid`; without it Offline Conversions take it only with enhanced conversions.
    ///   - token: the `sspdata` of an auction; without it no pixel is fired.
    static func json(
        _ name: String, clickID: String?, token: String? = nil, now: Timestamp, random: UInt64
    ) -> [UInt8] {
        let digits = String(random, radix: 16)
        let id = "test-" + String(repeating: "0", count: 16 - digits.count) + digits
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("event", name)
            writer.member("event_id", id)
            writer.member("event_time", now.seconds)
            writer.member("url", url)
            writer.member("title", title)
            writer.name("user")
            writer.object { writer in
                writer.member("anonymous_id", id)
                writer.member("email", email)
                if let clickID { writer.member("msclkid", clickID) }
                if let token { writer.member("sspdata", token) }
            }
            writer.name("properties")
            writer.object { writer in
                writer.name("value")
                writer.raw(Array("0.01".utf8))
                writer.member("currency", "USD")
                writer.member("transaction_id", id)
                writer.member("search_term", title)
                if let clickID { writer.member("msclkid", clickID) }
                if let token { writer.member("sspdata", token) }
            }
            writer.member("messageId", id)
            writer.member("timestamp", now.seconds)
            writer.member("anonymousId", id)
            writer.name("context")
            writer.object { writer in
                writer.name("page")
                writer.object { writer in
                    writer.member("url", url)
                    writer.member("title", title)
                }
                writer.name("traits")
                writer.object { $0.member("email", email) }
            }
        }
        return writer.bytes
    }
}
