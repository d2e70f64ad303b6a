import Testing

@testable import ForwarderCore

@Suite struct IdentifierTests {
    private func user(_ field: String, _ value: String) -> Shop.Outcome {
        Shop(.capi()).publish(event(user: #""anonymous_id":"x","\#(field)":"\#(value)""#))[0]
    }

    @Test(arguments: [
        ("dd4afcccb1c94a4cad9544dd7e5006ab", "dd4afcccb1c94a4cad9544dd7e5006ab"),
        ("DD4AFCCCb1c94a4cad9544dd7e5006ab", "DD4AFCCCb1c94a4cad9544dd7e5006ab"),
        ("dd4afccc-b1c9-4a4c-ad95-44dd7e5006ab", "dd4afccc-b1c9-4a4c-ad95-44dd7e5006ab"),
        (" dd4afcccb1c94a4cad9544dd7e5006ab ", "dd4afcccb1c94a4cad9544dd7e5006ab"),
        ("_uetdd4afcccb1c94a4cad9544dd7e5006ab", "dd4afcccb1c94a4cad9544dd7e5006ab"),
        ("dd4afcccb1c94a4cad9544dd7e5006ab-0", "dd4afcccb1c94a4cad9544dd7e5006ab"),
        ("dd4afcccb1c94a4cad9544dd7e5006ab-1", "dd4afcccb1c94a4cad9544dd7e5006ab"),
        ("_uetdd4afccc-b1c9-4a4c-ad95-44dd7e5006ab-1", "dd4afccc-b1c9-4a4c-ad95-44dd7e5006ab"),
    ])
    func `a click id goes to the Conversions API as given, offline as 32 digits`(_ given: String, _ id: String) {
        let outcomes = Shop(.capi(), .offline()).publish(event(user: #""msclkid":"\#(given)""#))
        #expect(value("userData", "msclkid", in: outcomes[0].content) == id)
        #expect(value("MicrosoftClickId", in: outcomes[1].content) == id.filter { $0 != "-" })
    }

    @Test(arguments: [
        "dd4afcccb1c9a4cad9544dd7e5006", "dd4afcccb1c94a4cad9544dd7e5006ag", "dd4afcccb1c94a4cad9544dd7e5006ab-2",
        "dd4afccc-b1c9-4a4c-ad9544dd7e5006ab", "dd4afcccb1c94a4cad9544dd7e5006ab00", "_uet", "x",
    ])
    func `a click id that is none costs the field, not the event`(_ given: String) {
        #expect(user("msclkid", given).dropped == ["msclkid invalid"])
        #expect(user("msclkid", given).disposition == .owed)
    }

    @Test(arguments: [
        "203.0.113.7", "0.0.0.0", "255.255.255.255", "127.0.0.1", "::1", "2001:db8::1", "2001:DB8:0:0:0:0:0:1",
        "::ffff:203.0.113.7", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
    ])
    func `an IP address of either kind is sent`(_ address: String) {
        #expect(value("userData", "clientIpAddress", in: user("ip_address", " \(address)").content) == address)
    }

    @Test(arguments: [
        "203.0.113", "203.0.113.256", "203.0.113.7.1", "203.0.113.07", "203.0.113.7:80", "203.0.113.7, 10.0.0.1",
        "[::1]", "::1%eth0", ":::", "1::2::3", "2001:db8", "12345::", "localhost", "0x7f000001", "203.0.113.7\\u0000x",
        "1:2:3:4:5:6:7:8:9", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ])
    func `what is no IP address is dropped`(_ address: String) {
        let outcome = user("ip_address", address)
        #expect(outcome.dropped == ["ip_address invalid"])
        #expect(value("userData", "clientIpAddress", in: outcome.content) == nil)
    }

    @Test(arguments: ["idfa", "gaid"])
    func `an advertising id of zeros is nobody's`(_ field: String) {
        let id = "3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77"
        #expect(value("userData", field, in: user(field, id).content) == id)
        for wrong in ["00000000-0000-0000-0000-000000000000", "3f0c1b526a5e4f0e9c2a0e6f3b1d9a77", "3f0c1b52-6a5e"] {
            #expect(user(field, wrong).dropped == ["\(field) invalid"])
        }
    }

    @Test func `a page load id must be a UUID of version 4`() {
        func dropped(_ id: String) -> [String] {
            Shop(.capi()).publish(event(properties: nil, #""page_load_id":"\#(id)""#))[0].dropped
        }
        #expect(dropped("3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77") == [])
        #expect(dropped("3F0C1B52-6A5E-4F0E-BC2A-0E6F3B1D9A77") == [])
        for wrong in [
            "3f0c1b52-6a5e-1f0e-9c2a-0e6f3b1d9a77", "3f0c1b52-6a5e-4f0e-7c2a-0e6f3b1d9a77", "3f0c1b52", "x",
            "3f0c1b52x6a5e-4f0e-9c2a-0e6f3b1d9a77", "3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a7g",
        ] { #expect(dropped(wrong) == ["page_load_id invalid"], "\(wrong)") }
    }

    @Test func `a currency is three capitals`() {
        func currency(_ given: String) -> Shop.Outcome {
            Shop(.capi()).publish(event(properties: #""currency":\#(given)"#))[0]
        }
        for given in [#""usd""#, #""USD""#, #"" Usd ""#] {
            #expect(value("customData", "currency", in: currency(given).content) == "USD")
        }
        for given in [#""US""#, #""USDT""#, #""U$D""#, #""€""#, "840"] {
            #expect(currency(given).dropped == ["currency invalid"])
        }
        let offline = Shop(.offline()).publish(
            event(user: #""phone":"+14255550100""#, properties: #""currency":"eur""#))[0]
        #expect(value("ConversionCurrencyCode", in: offline.content) == "EUR")
    }
}
