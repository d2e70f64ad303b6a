import ForwarderCore
import Testing

@Suite struct RetryAfterTests {
    /// 1994-11-06T08:49:37Z
    private static let then = Timestamp(seconds: 784_111_777)

    @Test(arguments: [
        ("0", Int64(0)), ("1", 1), ("120", 120), ("  120 ", 120), ("\t7", 7), ("000007", 7), ("999999999", 999_999_999),
        ("99999999999999999999999999", 999_999_999),
    ])
    func `seconds`(text: String, seconds: Int64) {
        #expect(RetryAfter.parse(text, now: RetryAfterTests.then) == .seconds(seconds))
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", Int64(0)), ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
        ("Mon, 07 Nov 1994 08:49:37 GMT", 86_400), ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Tue, 29 Feb 2000 12:00:00 GMT", 167_713_823),
    ])
    func `a date`(text: String, seconds: Int64) {
        #expect(RetryAfter.parse(text, now: RetryAfterTests.then) == .seconds(seconds))
    }

    @Test(arguments: [
        "", " ", "-1", "+1", "1.5", "1e3", "0x10", "soon", "1 2", "1,2", "120;", "Sun, 06 Nov 1994 08:49:37 PST",
        "06 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nix 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "١٢٠",
    ])
    func `garbage`(text: String) {
        #expect(RetryAfter.parse(text, now: RetryAfterTests.then) == nil)
    }
}
