import FakeMicrosoft
import ForwarderCore
import Testing

@Suite struct OfflineContractTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var json: String
        var codes: [Int64]

        var testDescription: String { "\(json) → \(codes)" }

        init(_ json: String, _ codes: Int64...) {
            self.json = json
            self.codes = codes
        }
    }

    @Test(arguments: [
        Case(Bench.conversion()),
        Case(Bench.conversion(time: "2026-08-06T06:00:00.1234567Z")),
        Case(Bench.conversion(name: "Nobody"), 5606),
        Case(Bench.conversion(name: ""), 5605),
        Case(#"{"ConversionTime":"2026-08-06T06:00:00Z","MicrosoftClickId":"\#(Bench.clickID)"}"#, 5605),
        Case(#"{"ConversionName":"Purchase","MicrosoftClickId":"\#(Bench.clickID)"}"#, 5608),
        Case(Bench.conversion(time: "2026-08-06T00:00:00-06:00"), 5607),
        Case(Bench.conversion(time: "2026-08-06T06:00:00"), 5607),
        Case(Bench.conversion(time: "2026-08-06T07:06:41Z"), 5614),
        Case(Bench.conversion(time: "2026-05-08T07:06:39Z"), 5609),
        Case(Bench.conversion(time: "2026-05-08T07:06:40Z")),
        Case(Bench.conversion(clickID: nil), 5603),
        Case(Bench.conversion(clickID: ""), 5603),
        Case(Bench.conversion(clickID: "dd4afccc-b1c9-4a4c-ad95-44dd7e5006ab"), 5604),
        Case(Bench.conversion(clickID: nil, more: #""HashedEmailAddress":"\#(Bench.emailHash)""#)),
        Case(Bench.conversion(clickID: nil, more: #""HashedPhoneNumber":"\#(Bench.phoneHash)""#)),
        Case(Bench.conversion(more: #""HashedEmailAddress":"ada@example.com""#), 99_001),
        Case(Bench.conversion(more: #""HashedPhoneNumber":"\#(Bench.phoneHash.uppercased())""#), 99_002),
        Case(
            Bench.conversion(name: "Plain", clickID: nil, more: #""HashedEmailAddress":"\#(Bench.emailHash)""#),
            99_003),
        Case(Bench.conversion(name: "Plain", more: #""HashedEmailAddress":"\#(Bench.emailHash)""#)),
        Case(Bench.conversion(more: #""ConversionValue":0,"ConversionCurrencyCode":"EUR""#)),
        Case(Bench.conversion(more: #""ConversionValue":999999999998.125"#)),
        Case(Bench.conversion(more: #""ConversionValue":999999999999.000"#)),
        Case(Bench.conversion(more: #""ConversionValue":999999999999.125"#), 5610),
        Case(Bench.conversion(more: #""ConversionValue":1000000000000"#), 5610),
        Case(Bench.conversion(more: #""ConversionValue":1.0005"#), 5610),
        Case(Bench.conversion(more: #""ConversionValue":-1"#), 5610),
        Case(Bench.conversion(more: #""ConversionCurrencyCode":"eur""#), 5611),
        Case(Bench.conversion(more: #""ConversionCurrencyCode":"XXX""#), 5611),
        Case(Bench.conversion(more: #""ConversionCurrencyCode":"ZMW""#)),
        Case(Bench.conversion(more: #""conversionCurrency":"EUR""#), 99_101),
        Case(Bench.conversion(more: #""ExternalAttributionCredit":0.5"#), 99_006),
        Case(Bench.conversion(name: "External"), 99_005),
        Case(
            Bench.conversion(
                name: "External", more: #""ExternalAttributionCredit":1,"ExternalAttributionModel":"LastTouch""#)),
        Case(
            Bench.conversion(
                name: "External", more: #""ExternalAttributionCredit":0,"ExternalAttributionModel":"LastTouch""#),
            99_004),
        Case("null", 5602),
        Case(Bench.conversion(name: "Nobody", clickID: "x"), 5606, 5604),
    ])
    func `each rule has its code`(sample: Case) throws {
        var bench = Bench()
        let answer = try bench.apply([Bench.conversion(clickID: String(repeating: "0", count: 32)), sample.json])
        #expect(answer.status == 200)
        #expect(answer.partialErrors == sample.codes.map { [1, $0] })
        #expect(try bench.offline.accepted == (sample.codes.isEmpty ? 2 : 1))
        #expect(try bench.offline.judgedInvalid == (sample.codes.isEmpty ? 0 : 1))
    }

    @Test func `a partial error has the documented form`() throws {
        var bench = Bench()
        let answer = try bench.apply([Bench.conversion(clickID: "x")])
        #expect(
            String(decoding: answer.reply.body, as: UTF8.self)
                == #"{"PartialErrors":[{"Code":5604,"Details":null,"#
                + #""ErrorCode":"OfflineConversionMicrosoftClickIdInvalid","#
                + #""FieldPath":"MicrosoftClickId","ForwardCompatibilityMap":null,"Index":0,"#
                + #""Message":"The offline conversion was refused: OfflineConversionMicrosoftClickIdInvalid.","#
                + #""Type":"BatchError"}]}"#)
        #expect(answer.reply.headers["TrackingId"]?.count == 36)
    }

    @Test func `a goal that is too young refuses without blame until it is old enough`() throws {
        var bench = Bench()
        #expect(try bench.apply([Bench.conversion(name: "Young")]).partialErrors == [[0, 5615]])
        #expect(try bench.offline.refusedByPlan == 1)
        #expect(try bench.offline.judgedInvalid == 0)
        bench.now = Bench.start + .seconds(7200)
        #expect(try bench.apply([Bench.conversion(name: "Young")]).partialErrors.isEmpty)
        #expect(try bench.offline.accepted == 1)
    }

    @Test(
        arguments: [
            (Bench.conversion(time: "yesterday"), 113), (Bench.conversion(time: "2026-02-30T00:00:00Z"), 113),
            (Bench.conversion(time: "2026-08-06 06:00:00Z"), 113),
            (Bench.conversion(more: #""ConversionValue":"12""#), 100), (#"{"ConversionName":7}"#, 100), ("[]", 100),
        ] as [(String, Int64)])
    func `a value that cannot be read fails the whole request without an index`(item: String, code: Int64) throws {
        var bench = Bench()
        let answer = try bench.apply([Bench.conversion(), item])
        #expect(answer.status == 400)
        #expect(answer.faultCode == code)
        #expect(try bench.offline.received == 0)
        #expect(try bench.offline.judgedInvalid == 1)
    }

    @Test(
        arguments: [
            ("{", 100), ("[]", 100), (#"{"OfflineConversions":{}}"#, 100), (#"{"Conversions":[]}"#, 99_101),
        ] as [(String, Int64)])
    func `a request that cannot be taken apart is held against the client`(body: String, code: Int64) throws {
        var bench = Bench()
        #expect(try bench.apply(body: body).faultCode == code)
        #expect(try bench.offline.judgedInvalid == 1)
    }

    @Test func `an empty list asks about the credentials and is not held against the client`() throws {
        var bench = Bench()
        for body in [#"{"OfflineConversions":[]}"#, #"{"OfflineConversions":null}"#, "{}"] {
            #expect(try bench.apply(body: body).faultCode == 5600)
        }
        #expect(try bench.offline.judgedInvalid == 0)
    }

    @Test func `a thousand conversions are taken, one more is not`() throws {
        var bench = Bench()
        let conversions = (0..<1001).map { number in
            let digits = "\(number)"
            return Bench.conversion(clickID: String(repeating: "a", count: 32 - digits.count) + digits)
        }
        #expect(try bench.apply(Array(conversions.dropLast())).partialErrors.isEmpty)
        #expect(try bench.offline.accepted == 1000)
        #expect(try bench.apply(conversions).faultCode == 5601)
    }

    @Test func `a repeat is accepted once and counted as a duplicate`() throws {
        var bench = Bench()
        let value = #""ConversionValue":1"#
        _ = try bench.apply([Bench.conversion(more: value), Bench.conversion(more: value)])
        _ = try bench.apply([
            Bench.conversion(more: value), Bench.conversion(time: "2026-08-06T06:00:01Z", more: value),
        ])
        #expect(try bench.offline.accepted == 2)
        #expect(try bench.offline.duplicates == 2)
        _ = try bench.apply([Bench.conversion(more: #""ConversionValue":2"#)])
        #expect(try bench.offline.changed == 1)
        #expect(try bench.offline.findings.map(\.reason) == ["content_changed"])
        let key = ConversionKey(name: "Purchase", time: "2026-08-06T06:00:00Z", clickID: Bench.clickID)
        #expect(bench.model.timesAccepted(account: "20", key) == 3)
        #expect(bench.model.timesAccepted(account: "20", ConversionKey(name: "Plain", time: key.time)) == 0)
    }
}
