import ForwarderCore
import Testing

@testable import FakeMicrosoft

@Suite struct FormTests {
    @Test func `every day from 1600 to 2400 is told and read the same`() throws {
        var previous: CivilDate?
        for days in -135_140...157_054 {
            let date = CivilDate(daysSince1970: days)
            #expect(date.daysSince1970 == days)
            #expect(CivilDate(year: date.year, month: date.month, day: date.day) == date)
            if let previous {
                let isNext =
                    (date.day == previous.day + 1 && date.month == previous.month)
                    || (date.day == 1 && date.month == previous.month % 12 + 1)
                #expect(isNext)
            }
            previous = date
        }
        #expect(CivilDate(daysSince1970: 0) == CivilDate(year: 1970, month: 1, day: 1))
        #expect(CivilDate(year: 2000, month: 2, day: 29) != nil)
        #expect(CivilDate(year: 1900, month: 2, day: 29) == nil)
        #expect(CivilDate(year: 2026, month: 4, day: 31) == nil)
    }

    @Test func `HTTP dates`() {
        #expect(Timestamp(seconds: 784_111_777).httpDate == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(Timestamp(milliseconds: -1).httpDate == "Wed, 31 Dec 1969 23:59:59 GMT")
    }

    @Test(
        arguments: [
            ("2026-08-06T07:06:40Z", .utc(Timestamp(seconds: 1_786_000_000))),
            ("2026-08-06T07:06:40.5Z", .utc(Timestamp(milliseconds: 1_786_000_000_500))),
            ("2026-08-06T07:06:40.0619999Z", .utc(Timestamp(milliseconds: 1_786_000_000_061))),
            ("2026-08-06T07:06:40.12345678Z", .unreadable), ("2026-08-06T07:06:40.Z", .unreadable),
            ("2026-08-06T07:06:40+00:00", .notUTC), ("2026-08-06T07:06:40", .notUTC),
            ("2026-08-06T07:06:40z", .unreadable), ("2026-08-06T24:00:00Z", .unreadable),
            ("2026-08-06T07:06:60Z", .unreadable), ("2026-8-6T07:06:40Z", .unreadable), ("", .unreadable),
        ] as [(String, TimeReading)])
    func `conversion times`(text: String, reading: TimeReading) {
        #expect(Array(text.utf8).withUnsafeBufferPointer { TimeReading($0) } == reading)
    }

    @Test func `a form is read with its escapes`() {
        let form = Form("a=b+c%2Bd&%65=%E2%82%AC&empty=&flag&bad=%zz".utf8)
        #expect(form["a"] == "b c+d")
        #expect(form["e"] == "€")
        #expect(form["empty"] == "")
        #expect(form["flag"] == "")
        #expect(form["bad"] == "%zz")
        #expect(form["none"] == nil)
    }

    @Test func `two texts hash as two, whatever their lengths`() {
        func hash(_ texts: String...) -> UInt64 {
            var hash = ContentHash()
            for text in texts { Array(text.utf8).withUnsafeBufferPointer { hash.add($0) } }
            return hash.value
        }
        var seen: Set<UInt64> = []
        for length in 0..<64 {
            for other in 0..<64 {
                seen.insert(hash(String(repeating: "a", count: length), String(repeating: "a", count: other)))
            }
        }
        #expect(seen.count == 64 * 64)
        #expect(hash("ab", "c") != hash("a", "bc"))
        #expect(hash("abcdefgh") != hash("abcdefgi"))
    }

    @Test func `a request of the core arrives with its path and its headers`() {
        let request = FakeRequest(
            HTTPRequest(
                method: .post, url: "https://capi.example:8443/v1/1/events?x=y",
                headers: [.init("DeveloperToken", "t")],
                body: [1], timeout: .seconds(1)))
        #expect(request.path == "/v1/1/events")
        #expect(request.headers == ["developertoken": "t"])
        #expect(request.method == "POST")
        #expect(FakeRequest(HTTPRequest(method: .get, url: "http://h", timeout: .seconds(1))).path == "/")
    }

    @Test func `a reply is seen as the core sees answers`() {
        var reply = FakeReply.json(200, Array(repeating: 7, count: HTTPAnswer.bodyLimit + 1))
        guard case .answer(let answer) = reply.outcome else {
            Issue.record("no answer")
            return
        }
        #expect(answer.isTruncated && answer.body.count == HTTPAnswer.bodyLimit)
        #expect(answer.headers["content-type"] == "application/json; charset=utf-8")
        reply.conduct = .cut(after: 1)
        #expect(reply.outcome == .noAnswer(.reset))
    }
}
