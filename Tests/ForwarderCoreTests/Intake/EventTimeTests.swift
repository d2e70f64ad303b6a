import Testing

@testable import ForwarderCore

@Suite struct EventTimeTests {
    private static let day: Int64 = 86_400

    private func rejects(
        _ time: String?, _ destination: DestinationSettings = .capi(), input: InputSettings = InputSettings()
    ) -> [String]? {
        Shop(destination, input: input).publish(event(time: time))[0].rejects
    }

    private func sent(_ time: String, input: InputSettings = InputSettings()) -> String? {
        value("eventTime", in: Shop(.capi(), input: input).publish(event(time: time))[0].content)
    }

    private static func iso8601() -> InputSettings {
        var input = InputSettings()
        input.timeFormat = .iso8601
        return input
    }

    @Test func `an event of seven days ago is sent, a second older it is too old`() {
        let limit = Shop.now - 7 * EventTimeTests.day
        #expect(sent("\(limit)") == "\(limit)")
        #expect(rejects("\(limit - 1)") == ["too_old"])
    }

    @Test func `an offline conversion may be older where its destination says so`() {
        func destination(_ days: Int) -> DestinationSettings {
            .offline(goals: [.init(event: "Purchase", name: "P")], { $0.enhancedConversions = true }) {
                $0.maxEventAge = .seconds(days * 86_400)
            }
        }
        let user = #""phone":"+14255551234""#
        let limit = Shop.now - 90 * EventTimeTests.day
        let outcomes = [limit, limit - 1].map {
            Shop(destination(90), destination(7)).publish(event(time: "\($0)", user: user)).map(\.disposition)
        }
        #expect(
            outcomes == [
                [.owed, .rejected([.init(.tooOld)])], [.rejected([.init(.tooOld)]), .rejected([.init(.tooOld)])],
            ])
    }

    @Test func `from 100,000,000,000 on the number is taken for milliseconds`() {
        #expect(rejects("99999999999") == ["in_the_future"])
        #expect(rejects("100000000000") == ["timestamp_in_milliseconds"])
        #expect(rejects("1786000000000") == ["timestamp_in_milliseconds"])
        #expect(rejects("1786000000000000") == ["timestamp_in_milliseconds"])
        #expect(rejects("1e27") == ["timestamp_in_milliseconds"])
        #expect(rejects(#""1786000000123""#) == ["timestamp_in_milliseconds"])
    }

    @Test func `a clock may be five minutes ahead, not a second more`() {
        #expect(sent("\(Shop.now + 300)") == "\(Shop.now + 300)")
        #expect(rejects("\(Shop.now + 301)") == ["in_the_future"])
    }

    @Test func `an event ahead of time is due when its time has come`() throws {
        let shop = Shop(.capi())
        let early = try #require(shop.publish(event(time: "\(Shop.now + 7)"))[0].delivery)
        #expect(early.dueAt == Timestamp(seconds: Shop.now + 7))
        let ripe = try #require(shop.publish(event(time: "\(Shop.now)"))[0].delivery)
        #expect(ripe.dueAt == Timestamp(milliseconds: 0))
    }

    @Test(arguments: [
        "1786000000.999", #""1786000000.5""#, #"" 1786000000 ""#, "1.786e9", "17860000000e-1", "1786000000e0",
    ])
    func `a fraction is cut off, and a number may be text or have an exponent`(_ time: String) {
        #expect(sent(time) == "1786000000")
    }

    @Test(arguments: [
        #""yesterday""#, #""2026-08-06T09:06:40Z""#, "true", "{}", "[1786000000]", #""1786000000s""#, #""0x6A7""#,
        #""01786000000""#, #""1,786,000,000""#, "1e999",
    ])
    func `what is no number is rejected as such`(_ time: String) {
        #expect(rejects(time) == ["timestamp_not_a_number"])
    }

    @Test(arguments: [nil, "null", #""""#, #""  ""#])
    func `a missing time is rejected as such`(_ time: String?) {
        #expect(rejects(time) == ["timestamp_missing"])
    }

    @Test(arguments: [
        "0", "-1", "-0.5", "-1786000000", "-9223372036854775808", "-99999999999999999999999", "-1e20",
        "-9000000000000000000",
    ])
    func `a time long gone is too old, however long`(_ time: String) {
        #expect(rejects(time) == ["too_old"])
    }

    @Test(arguments: [
        ("2026-08-06T07:06:40Z", 1_786_000_000), ("2026-08-06T09:06:40+02:00", 1_786_000_000),
        ("2026-08-06T01:06:40-06:00", 1_786_000_000), ("2026-08-06T12:36:40+0530", 1_786_000_000),
        ("2026-08-06T09:06:40+02", 1_786_000_000), ("2026-08-06 07:06:40z", 1_786_000_000),
        ("2026-08-06t07:06:40.999Z", 1_786_000_000), ("2026-08-06T07:06:40,123456789Z", 1_786_000_000),
        ("2026-08-06T07:06Z", 1_785_999_960), (" 2026-08-06T07:06:40Z ", 1_786_000_000),
        ("2026-08-05T23:59:60Z", 1_785_974_399), ("1786000000", 1_786_000_000),
    ])
    func `ISO 8601 with a zone is read where the input says so`(_ time: String, _ seconds: Int) {
        #expect(sent(#""\#(time)""#, input: EventTimeTests.iso8601()) == "\(seconds)")
    }

    @Test(arguments: [
        "2026-08-06T07:06:40", "2026-08-06", "2026-13-06T07:06:40Z", "2026-02-29T07:06:40Z", "2026-08-06T24:06:40Z",
        "2026-08-06T07:60:40Z", "2026-08-06T07:06:61Z", "2026-08-06T07:06:40.Z", "2026-08-06T07:06:40+24:00",
        "2026-08-06T07:06:40+02:60", "2026-08-06T07:06:40Zx", "26-08-06T07:06:40Z", "2026-8-6T07:06:40Z",
        "Thu, 06 Aug 2026 07:06:40 GMT",
    ])
    func `a time without a zone, or one that does not exist, is rejected`(_ time: String) {
        #expect(rejects(#""\#(time)""#, input: EventTimeTests.iso8601()) == ["timestamp_not_a_number"])
    }

    @Test func `every day of four centuries is written and read back`() {
        for day in stride(from: Int64(-135_140), through: 146_097, by: 1) {
            let seconds = day * 86_400 + (day &* 7919) % 86_400
            var text = ByteBuffer()
            ISO8601.append(seconds, to: &text)
            let isSame = text.withBytes { ISO8601.seconds($0) == seconds && $0.count == 20 }
            if !isSame { Issue.record("day \(day)") }
        }
    }

    @Test func `a delivery may be sent until a minute and its request's timeout before the limit`() throws {
        let shop = Shop(.capi({ _ in }) { $0.requestTimeout = .seconds(30) })
        let delivery = try #require(shop.publish(event())[0].delivery)
        #expect(delivery.eventTime == 1_786_000_000)
        #expect(delivery.sendBy == Timestamp(seconds: 1_786_000_000 + 7 * EventTimeTests.day - 90))
    }
}
