import Testing

@testable import ForwarderCore

@Suite struct PageURLTests {
    private enum Examined: Equatable {
        case clean(String)
        case cut(String)
        case invalid
    }

    private func examine(_ url: String) -> Examined {
        withBytes(url) { bytes, arena in
            switch PageURL.examine(bytes, in: &arena) {
            case .clean(let url): .clean(text(url))
            case .cut(let url): .cut(text(url))
            case .invalid: .invalid
            }
        }
    }

    @Test(arguments: [
        "https://shop.example/", "http://shop.example", "HTTPS://Shop.Example/A", "https://shop.example:8443/a",
        "https://[2001:db8::1]/a", "https://shop.example?x", "https://shop.example#top",
        "https://xn--bcher-kva.example/",
        "https://shop.example/a/b/c.html?utm_source=bing&utm_medium=cpc&msclkid=dd4afcccb1c94a4cad9544dd7e5006ab#reviews",
        "https://shop.example/søk?q=blå%20kopp&page=2", "https://shop.example/a;v=1?x=1;y=2&&z#a&b",
        "https://shop.example/?",
        "https://shop.example/?#", "https://shop.example/?=&=", "https://shop.example/%", "https://shop.example/%4",
        "https://shop.example/?a=%",
        "https://shop.example/%E2%82%AC?p=50%25", "https://shop.example/@shop.example/feed",
        "https://shop.example/a+b+123456",
        "https://shop.example/?q=mug+123456", "https://shop.example/1234567+a",
        "https://shop.example/npm/pkg@1.2.3/index.js", "https://shop.example/?order=1234567890",
        "https://shop.example/?t=2026-08-06T09:06:40+02:00", "https://shop.example/?phone=12",
        "https://shop.example/?phone=iphone15",
        "https://shop.example/?q=%2B49", "https://shop.example/{a}|b?x={y}", "https://shop.example/c++/",
        "https://shop.example/?telephony=4255550100", "https://shop.example/?id=+123456",
    ])
    func `an ordinary URL stays byte for byte`(_ url: String) {
        #expect(examine(url) == .clean(url))
        #expect(examine(" \(url)\n") == .clean(url))
    }

    @Test(arguments: [
        // Query and fragment.
        ("https://s.example/a?email=ada@example.com", "https://s.example/a"),
        ("https://s.example/a?email=ada@example.com&b=1", "https://s.example/a?b=1"),
        ("https://s.example/a?b=1&email=ada@example.com&c=2#top", "https://s.example/a?b=1&c=2#top"),
        ("https://s.example/a?b=1&email=ada%40example.com", "https://s.example/a?b=1"),
        ("https://s.example/a?b=1&email=ada%2540example.com", "https://s.example/a?b=1"),
        ("https://s.example/a?b=1&email=ada%252540example.com", "https://s.example/a?b=1"),
        ("https://s.example/a?b=1&email=ada%2bnews%40example%2ecom", "https://s.example/a?b=1"),
        ("https://s.example/a?email=ada+news@example.com", "https://s.example/a"),
        ("https://s.example/?ada@example.com", "https://s.example/"),
        ("https://s.example/?ada%40example.com=1&b=2", "https://s.example/?b=2"),
        ("https://s.example/?next=https%3A%2F%2Fs.example%2F%3Fe%3Dada%2540example.com&b=1", "https://s.example/?b=1"),
        ("https://s.example/?a=1;e=ada@example.com;b=2", "https://s.example/?a=1;b=2"),
        ("https://s.example/#e=ada@example.com", "https://s.example/"),
        ("https://s.example/?a=1#e=ada@example.com&b=2", "https://s.example/?a=1#b=2"),
        ("https://s.example/?e=ada@example.com#top", "https://s.example/#top"),
        ("https://s.example/?e=a@example.com&f=b@example.com", "https://s.example/"),
        ("https://s.example#/account/ada@example.com", "https://s.example"),
        ("https://s.example/?e=%C3%A4da@example.com", "https://s.example/"),
        // Telephone numbers.
        ("https://s.example/?a=1&p=%2B14255550100", "https://s.example/?a=1"),
        ("https://s.example/?a=1&p=%252B1%2520425%2520555%25200100", "https://s.example/?a=1"),
        ("https://s.example/?p=+14255550100&a=1", "https://s.example/?a=1"),
        ("https://s.example/?p=%2B1+(425)+555-0100", "https://s.example/"),
        ("https://s.example/?phone=4255550100", "https://s.example/"),
        ("https://s.example/?user%5Bphone_number%5D=425-555-0100&a=1", "https://s.example/?a=1"),
        ("https://s.example/?MOBILE=0425+555+0100", "https://s.example/"),
        ("https://s.example/?tel=00491701234567", "https://s.example/"),
        ("https://s.example/?q=call%20%2B14255550100%20now", "https://s.example/"),
        ("https://s.example/?q=mail:+14255550100", "https://s.example/"),
        ("https://s.example/?p=%2014255550100", "https://s.example/"),
        ("https://s.example/#p=+14255550100", "https://s.example/"),
        ("https://s.example/#call:+14255550100", "https://s.example/"),
        ("https://s.example/?+14255550100", "https://s.example/"),
        // The path.
        ("https://s.example/u/ada@example.com/orders", "https://s.example/u//orders"),
        ("https://s.example/u/ada%40example.com", "https://s.example/u/"),
        ("https://s.example/u/ada%2540example.com/x?b=1", "https://s.example/u//x?b=1"),
        ("https://s.example/u;m=ada@example.com/x", "https://s.example//x"),
        ("https://s.example/tel/+14255550100/x", "https://s.example/tel//x"),
        ("https://s.example/tel:%2b1.425.555.0100/x", "https://s.example//x"),
        ("https://s.example/tel/%2B1%20425%20555%200100", "https://s.example/tel/"),
    ])
    func `personal data is cut out, and nothing else`(_ url: String, _ expected: String) {
        #expect(examine(url) == .cut(expected))
        #expect(examine(expected) == .clean(expected))
    }

    @Test(arguments: [
        "", "shop.example", "/a", "//shop.example/a", "ftp://shop.example/", "javascript:alert(1)", "https://",
        "https:///a",
        "https://?a", "https://#a", "https://:80/", "http:/shop.example", "https//shop.example",
        "https://shop.example/a b",
        "https://shop.example/a\tb", "https://shop.example/\u{0}", "https://shop.example/\u{7F}",
        "https://shop.example/<a>",
        "https://shop.example/\"a\"", "https://shop.example\\a", "https://ada@shop.example/",
        "https://ada:pw@shop.example/",
        "https://ada%40shop.example/", "about:blank", "https://ada@example.com",
    ])
    func `what is no URL of a page is dropped`(_ url: String) {
        #expect(examine(url) == .invalid)
    }

    @Test func `a URL that was cut is counted, and sent`() {
        let outcome = Shop(.capi()).publish(
            event(
                #""PageView""#, properties: nil,
                #""url":"https:\/\/s.example\/?e=ada@example.com&b=1","referrer":"https://s.example/?phone=4255550100""#
            ))[0]
        #expect(outcome.dropped == ["url personal_data_cut", "referrer personal_data_cut"])
        #expect(value("eventSourceUrl", in: outcome.content) == "https://s.example/?b=1")
        #expect(value("referrerUrl", in: outcome.content) == "https://s.example/")
    }

    @Test func `a URL that is none is dropped where it is not needed`() {
        let outcome = Shop(.capi()).publish(event(properties: nil, #""url":"x","referrer":"y""#))[0]
        #expect(outcome.dropped == ["url invalid", "referrer invalid"])
        #expect(outcome.content == Shop(.capi()).publish(event())[0].content)
    }

    @Test func `a long URL costs no more than its length`() {
        let long =
            "https://s.example/" + String(repeating: "%2540a@", count: 20_000) + "?"
            + String(repeating: "a=+1&", count: 20_000)
        guard case .clean = examine(long) else { Issue.record("nothing personal is in it"); return }
    }
}
