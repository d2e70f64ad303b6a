import Testing

@testable import ForwarderCore

@Suite struct DecimalTests {
    private func read(_ number: String) -> String? {
        withBytes(number) { bytes, arena in DecimalText(bytes, in: &arena).map { text($0.text) } }
    }

    @Test(arguments: [
        ("19.99", "19.99"), ("0", "0"), ("7", "7"), ("-3.50", "-3.50"), ("79.990", "79.990"), ("0.1", "0.1"),
        (" 12 ", "12"), ("1234567890123456789012345678", "1234567890123456789012345678"),
        ("0.123456789012345678901234567", "0.123456789012345678901234567"),
        ("1e2", "100"), ("1E+2", "100"), ("1.5e1", "15"), ("1.25e1", "12.5"), ("125e-2", "1.25"), ("5e-3", "0.005"),
        ("-1.5e-1", "-0.15"), ("19.99e0", "19.99"), ("5e0", "5"), ("0e5", "0"), ("0.0e-3", "0"), ("100e-2", "1"),
        ("1e27", "1000000000000000000000000000"), ("1.20e1", "12"), ("12e00001", "120"),
        ("-0", "0"), ("-0.00", "0.00"), ("-0e3", "0"), ("-0.0e-3", "0"),
    ])
    func `a decimal stays text, without exponent and without minus zero`(_ number: String, _ expected: String) {
        #expect(read(number) == expected)
    }

    @Test(arguments: [
        "", " ", "-", "+1", "01", "-01", "1.", ".5", "1,5", "1.5.2", "1e", "1e+", "1e1.5", "1e 5", "e5", "0x10", "NaN",
        "inf", "12a", "1 2", "--1", "1e65", "1e-65", "1e99999999999999999999",
        "1e9223372036854775807", "1e-9223372036854775808", "12345678901234567890123456789",
        "0.1234567890123456789012345678", "1e28", "1e-28", "$5", "5 USD", "١٢",
    ])
    func `what is no number, or longer than any sum of money, is none`(_ number: String) {
        #expect(read(number) == nil)
    }

    @Test(
        arguments: [
            ("0", 0), ("1786000000.9", 1_786_000_000), ("-1.5", -1), ("-0.5", 0),
            ("999999999999999999", 999_999_999_999_999_999),
            ("1000000000000000000", nil), ("-99999999999999999999", nil), ("1.5e1", 15), ("5e0", 5),
            ("17860000000e-1", 1_786_000_000),
        ] as [(String, Int64?)])
    func `the integer of a decimal is exact or nothing`(_ number: String, _ expected: Int64?) {
        let integer = withBytes(number) { bytes, arena in DecimalText(bytes, in: &arena)?.truncatedInteger }
        #expect(integer == expected)
    }

    @Test func `money leaves as it came, as a number or as text that holds one`() {
        for given in ["19.99", #""19.99""#, #"" 19.99 ""#, "1999e-2"] {
            let outcomes = Shop(.capi(), .offline()).publish(
                event(user: #""phone":"+14255550100""#, properties: #""value":\#(given),"ecomm_total_value":\#(given)"#)
            )
            #expect(outcomes[0].content?.contains(#""value":19.99,"#) == true)
            #expect(outcomes[0].content?.contains(#""ecommTotalValue":19.99"#) == true)
            #expect(outcomes[1].content?.contains(#""ConversionValue":19.99"#) == true)
        }
    }

    @Test func `a value that is no number is dropped and counted`() {
        for given in [#""19,99""#, #""free""#, #""1e400""#, "1e400"] {
            let outcome = Shop(.capi()).publish(event(properties: #""value":\#(given)"#))[0]
            #expect(outcome.dropped == ["value invalid"])
            #expect(outcome.disposition == .owed)
        }
    }
}
