import Testing

@testable import ForwarderCore

@Suite struct PhoneNumberTests {
    private static let microsofts = "c59475d96e9f01d7d18d06cfad84dd02333207f02c0c2c5663ef2782cda0390e"

    private func normalized(_ input: String) -> String? {
        withBytes(input) { bytes, arena in PhoneNumber.normalized(bytes, in: &arena).map(text) }
    }

    @Test(arguments: [
        ("+14255551234", "+14255551234", microsofts),
        ("+1 (425) 555-1234", "+14255551234", microsofts),
        ("+1.425.555.1234", "+14255551234", microsofts),
        ("  +1-425-555-1234\n", "+14255551234", microsofts),
        ("+1\u{A0}425\u{2011}555\u{2013}1234", "+14255551234", microsofts),
        ("(+1) 425 [555] 1234", "+14255551234", microsofts),
        ("+44 20 7946 0958", "+442079460958", "f0bf0228144d9fe2bdf1da2d8ca698f17bf1410ee688b075c27062e47b6f0b6d"),
        ("0044 20 7946 0958", "+442079460958", "f0bf0228144d9fe2bdf1da2d8ca698f17bf1410ee688b075c27062e47b6f0b6d"),
        ("+911234567890", "+911234567890", "8c229df83de8ab269e90918846e326c4008c86481393223d17a30ff5a407b08e"),
        ("+142555512345", "+142555512345", "43a8774c55016ec6108ac3e1c909903bc86c006a8ecca6f4cda2d08ad9c19d8f"),
    ])
    func `a number is hashed in E.164, plus sign and all`(_ input: String, _ number: String, _ hash: String) {
        #expect(normalized(input) == number)
        let shop = Shop(.capi(), .offline())
        let outcomes = shop.publish(event(user: #""phone":"\#(input.replacingNewline)""#))
        #expect(value("userData", "ph", in: outcomes[0].content) == hash)
        #expect(value("HashedPhoneNumber", in: outcomes[1].content) == hash)
    }

    /// Hashed unformatted, without the plus sign, with dots left in, with the trunk zero or the extension.
    @Test(arguments: [
        ("+1 (425) 555-1234", "9c7807477c514aa87e5450ad3eed1f85dd0eb1c469f7f482baccfc2d448bef4b"),
        ("+1.425.555.1234", "5220b88654c5fc793142c8977b93742cd21986a71b87fb327bfcae8c1882c4ba"),
        ("+44 20 7946 0958", "35e206e5dec4c89b9e8b71b8c32724a5bb518483ac5a20c6617d738375b3b823"),
        ("+14255551234", "f8a0621a89b87b16447d34d2169bdba8e3eaae523b45df87d86108ee65bd1d6f"),
        ("(425) 555-1234", "f24b372d5ff436981312c598f92929cb79d2ad250b216179c41d6e6a72447905"),
        ("1-425-555-1234", "f8a0621a89b87b16447d34d2169bdba8e3eaae523b45df87d86108ee65bd1d6f"),
        ("0044 20 7946 0958", "6defaeb4edc8a39f558f59d8848bc1c4765e5ce060bb431793dc83932dbe4030"),
        ("+44 (0)20 7946 0958", "4e2b154833817c3fa2d6332246c75f253043292a0edd90ae79e3147f15e9f036"),
        ("+1 (425) 555-1234 ext. 99", "a302a8c07876f0a288ab4aaa70340536612b12d82e31510fafe02ed51728edc4"),
        ("+1 (425) 555-1234 ext. 99", "e712345b32acb38dcced0b30ed61315dfe9b6cb8b43c1ad59041bf83d308c751"),
    ])
    func `hashes that others send are not sent`(_ input: String, _ wrong: String) {
        #expect(normalized(input).map(sha256) != wrong)
    }

    @Test(arguments: [
        "(425) 555-1234", "4255551234", "1-425-555-1234", "+44 (0)20 7946 0958", "+44 [0] 20 7946 0958",
        "+44 20 (0) 7946 0958", "+1 (425) 555-1234 ext. 99", "+1 425 555 1234 x99", "+1 425 555 1234,99", "+", "00",
        "+123456", "+1234567890123456", "00 0044 20 7946", "+0442079460958", "++14255551234", "+1425+5551234",
        "14255551234+", "tel:+14255551234", "+1425555١٢٣٤", "call me", "+1/425/5551234",
    ])
    func `what is no E.164 number without guessing is dropped`(_ input: String) {
        #expect(normalized(input) == nil)
        let shop = Shop(.capi(), .offline())
        let user = #""msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab","phone":"\#(input)""#
        for outcome in shop.publish(event(user: user)) {
            #expect(outcome.disposition == .owed)
            #expect(outcome.dropped == ["phone phone_not_e164"])
        }
    }

    @Test func `seven to fifteen digits are a number`() {
        #expect(normalized("+1234567") == "+1234567")
        #expect(normalized("+123456789012345") == "+123456789012345")
    }

    @Test(arguments: ["14255551234", "1.4255551234e10", "-14255551234"])
    func `a number that is a JSON number has no plus sign and is dropped`(_ number: String) {
        let shop = Shop(.capi())
        let outcome = shop.publish(event(user: #""external_id":"x","phone":\#(number)"#))[0]
        #expect(outcome.dropped == ["phone phone_not_e164"])
        #expect(value("userData", "ph", in: outcome.content) == nil)
    }
}

extension String {
    fileprivate var replacingNewline: String {
        split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
    }
}
