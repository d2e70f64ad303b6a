import FakeMicrosoft
import ForwarderCore
import Testing

@Suite struct AdjustmentTests {
    static let time = "2026-08-06T06:00:00Z"
    static let key = ConversionKey(name: "Purchase", time: time, clickID: Bench.clickID)

    // MARK: The form

    struct Case: Sendable, CustomTestStringConvertible {
        var json: String
        var codes: [Int64]

        var testDescription: String { "\(json) → \(codes)" }

        init(_ json: String, _ codes: Int64...) {
            self.json = json
            self.codes = codes
        }
    }

    static let offlineCases: [Case] = [
        Case(Bench.restate(10)),
        Case(Bench.retract()),
        Case(Bench.restate(10, more: #""AdjustmentCurrencyCode":"EUR""#)),
        Case(Bench.restate(10, more: #""AdjustmentCurrencyCode":"eur""#), 5611),
        Case(Bench.restate(-1), 5610),
        Case(Bench.adjustment("Restate"), 5625),
        Case(Bench.retract(more: #""AdjustmentValue":0"#), 5624),
        Case(Bench.adjustment("restate"), 5618),
        Case(Bench.adjustment(nil), 5618),
        Case(Bench.retract(at: ""), 5619),
        Case(Bench.retract(at: "2026-08-06T05:59:59Z"), 5620),
        Case(Bench.retract(at: time)),
        Case(Bench.retract(at: "2026-08-06T07:00:00+00:00"), 5621),
        Case(Bench.retract(at: "2026-08-06T07:06:41Z"), 5622),
        Case(Bench.retract(at: "2026-08-06T07:06:40Z")),
        Case(Bench.retract(time: "2026-05-08T07:06:39Z", at: "2026-05-08T07:06:39Z"), 5609, 5623),
        Case(Bench.retract(name: "Nobody"), 5606),
        Case(Bench.retract(clickID: nil), 5603),
        Case(Bench.retract(clickID: "dd4afccc-b1c9-4a4c-ad95-44dd7e5006ab"), 5604),
        Case(Bench.retract(clickID: nil, more: #""HashedEmailAddress":"\#(Bench.emailHash)""#)),
        Case(Bench.retract(more: #""ConversionValue":1"#), 99_101),
        Case(Bench.retract(more: #""TransactionId":"1""#), 99_101),
    ]

    @Test(arguments: offlineCases)
    func `each rule for an offline adjustment has its code`(sample: Case) throws {
        var bench = Bench()
        let answer = try bench.adjust(.offline, [sample.json])
        #expect(answer.status == 200)
        #expect(answer.partialErrors == sample.codes.map { [0, $0] })
        let books = try #require(bench.model.books(of: .offlineAdjustments(account: "20")))
        #expect(books.accepted == (sample.codes.isEmpty ? 1 : 0))
        #expect(books.invalid == (sample.codes.isEmpty ? 0 : 1))
    }

    static let onlineCases: [Case] = [
        Case(Bench.online("ord-1", value: 10)),
        Case(Bench.online("ord-1")),
        Case(Bench.online(""), 99_007),
        Case(Bench.online("ord-1", name: ""), 5605),
        Case(Bench.online("ord-1", name: "Nobody"), 5606),
        Case(Bench.online("ord-1", more: #""ConversionTime":"\#(time)""#), 99_101),
        Case(Bench.online("ord-1", more: #""MicrosoftClickId":"\#(Bench.clickID)""#), 99_101),
    ]

    @Test(arguments: onlineCases)
    func `each rule for an online adjustment has its code`(sample: Case) throws {
        var bench = Bench { $0.accounts[0].onlineGoals = ["Purchase"] }
        #expect(try bench.adjust(.online, [sample.json]).partialErrors == sample.codes.map { [0, $0] })
    }

    @Test func `a time or value that cannot be read fails the whole request`() throws {
        var bench = Bench()
        #expect(try bench.adjust(.offline, [Bench.restate(1), Bench.retract(at: "soon")]).faultCode == 113)
        let item = Bench.adjustment("Restate", more: #""AdjustmentValue":"10""#)
        #expect(try bench.adjust(.offline, [Bench.restate(1), item]).faultCode == 100)
        #expect(try bench.adjust(.online, []).faultCode == 5600)
        #expect(bench.model.books(of: .offlineAdjustments(account: "20"))?.accepted == 0)
    }

    // MARK: What counts

    @Test func `after refunds of 10 and 20 the conversion counts what is left, and nothing once it is retracted`()
        throws
    {
        var bench = Bench()
        let worth = #""ConversionValue":79.99,"ConversionCurrencyCode":"EUR""#
        _ = try bench.apply([Bench.conversion(more: worth)])
        #expect(bench.model.countedValue(account: "20", AdjustmentTests.key) == .amount("79.99", currency: "EUR"))
        let euros = #""AdjustmentCurrencyCode":"EUR""#
        let first = Bench.restate(69.99, at: "2026-08-06T06:10:00Z", more: euros)
        _ = try bench.adjust(.offline, [first])
        _ = try bench.adjust(.offline, [Bench.restate(49.99, at: "2026-08-06T06:20:00Z", more: euros)])
        // A repeat is nothing new, although a newer one came between.
        _ = try bench.adjust(.offline, [first])
        #expect(bench.model.countedValue(account: "20", AdjustmentTests.key) == .amount("49.99", currency: "EUR"))
        #expect(bench.model.books(of: .offlineAdjustments(account: "20"))?.duplicates == 1)
        #expect(bench.counted(by: "offline/20") == ["EUR": "49.99"])

        _ = try bench.adjust(.offline, [Bench.retract(at: "2026-08-06T06:30:00Z")])
        #expect(bench.model.countedValue(account: "20", AdjustmentTests.key) == .retracted)
        #expect(bench.counted(by: "offline/20") == ["EUR": "0"])
        #expect(try bench.objections(.offline) == [])
    }

    @Test func `a conversion is found by its click id alone, or by its hashes`() throws {
        var bench = Bench()
        let email = #""HashedEmailAddress":"\#(Bench.emailHash)""#
        _ = try bench.apply([
            Bench.conversion(more: email + #","ConversionValue":5"#),
            Bench.conversion(time: "2026-08-06T06:00:01Z", clickID: nil, more: email),
        ])
        _ = try bench.adjust(
            .offline, [Bench.restate(1), Bench.retract(time: "2026-08-06T06:00:01Z", clickID: nil, more: email)])
        #expect(try bench.objections(.offline) == [])
        let byHash = ConversionKey(name: "Purchase", time: "2026-08-06T06:00:01Z", emailHash: Bench.emailHash)
        #expect(bench.model.countedValue(account: "20", byHash) == .retracted)
        #expect(bench.model.countedValue(account: "20", AdjustmentTests.key) == .amount("1", currency: ""))
    }

    @Test func `a transaction of any tag of the account is adjusted for each goal by itself`() throws {
        var bench = Bench {
            $0.tags["2"] = "token"
            $0.accounts[0].tags = ["2"]
        }
        let order = Bench.event(customData: #""transactionId":"ord-1","value":100,"currency":"USD""#)
        _ = try bench.send(Bench.capi(#"{"data":[\#(order)]}"#, tag: "2"))
        _ = try bench.adjust(.online, [Bench.online("ord-1", value: 80.5), Bench.online("ord-1", name: "Lead")])
        #expect(
            bench.model.countedValue(tag: "2", transactionID: "ord-1", goal: "Purchase")
                == .amount("80.5", currency: "USD"))
        #expect(bench.model.countedValue(tag: "2", transactionID: "ord-1", goal: "Lead") == .retracted)
        #expect(
            bench.model.countedValue(tag: "2", transactionID: "ord-1", goal: "Other")
                == .amount("100", currency: "USD"))
        #expect(bench.model.countedValue(tag: "2", transactionID: "ord-2", goal: "Purchase") == nil)
        #expect(try bench.objections(.online) == [])

        // Tag 1 is not the account's.
        _ = try bench.send([Bench.event(id: "e2", customData: #""transactionId":"ord-2","value":100"#)])
        _ = try bench.adjust(.online, [Bench.online("ord-2")])
        #expect(try bench.objections(.online) == ["adjustment_without_original"])
    }

    // MARK: Objections

    struct Sequence: Sendable, CustomTestStringConvertible {
        var steps: [String]
        var objections: [String]
        var value: CountedValue

        var testDescription: String { objections.joined(separator: ", ") }
    }

    static let sequences: [Sequence] = [
        Sequence(
            steps: [Bench.retract(at: "2026-08-06T06:10:00Z"), Bench.retract(at: "2026-08-06T06:20:00Z")],
            objections: ["retracted_twice"], value: .retracted),
        Sequence(
            steps: [Bench.retract(at: "2026-08-06T06:10:00Z"), Bench.restate(5, at: "2026-08-06T06:20:00Z")],
            objections: ["restated_after_retract"], value: .retracted),
        Sequence(
            steps: [Bench.restate(4, at: "2026-08-06T06:20:00Z"), Bench.restate(5, at: "2026-08-06T06:10:00Z")],
            objections: ["adjustment_out_of_order"], value: .amount("4", currency: "EUR")),
        Sequence(
            steps: [Bench.restate(4, at: "2026-08-06T06:20:00Z"), Bench.restate(5, at: "2026-08-06T06:20:00Z")],
            objections: ["adjustments_at_same_time"], value: .amount("5", currency: "EUR")),
        Sequence(
            steps: [Bench.retract(time: "2026-08-06T06:00:00.000Z")],
            objections: ["adjustment_without_original"], value: .amount("9", currency: "EUR")),
    ]

    @Test(arguments: sequences)
    func `what Microsoft accepts and never counts is held against the client`(sequence: Sequence) throws {
        var bench = Bench()
        let worth = #""ConversionValue":9,"ConversionCurrencyCode":"EUR""#
        _ = try bench.apply([Bench.conversion(more: worth)])
        for step in sequence.steps {
            let item = step.replacing("\"AdjustmentValue\"", with: #""AdjustmentCurrencyCode":"EUR","AdjustmentValue""#)
            #expect(try bench.adjust(.offline, [item]).partialErrors == [])
        }
        #expect(try bench.objections(.offline) == sequence.objections)
        #expect(bench.model.books(of: .offlineAdjustments(account: "20"))?.judgedInvalid == 1)
        #expect(bench.model.countedValue(account: "20", AdjustmentTests.key) == sequence.value)
    }

    @Test func `an online adjustment older than its event is held against the client`() throws {
        var bench = Bench()
        _ = try bench.send([Bench.event(customData: #""transactionId":"ord-1","value":9"#)])
        _ = try bench.adjust(.online, [Bench.online("ord-1", at: "2026-08-06T07:06:39Z")])
        #expect(try bench.objections(.online) == ["adjustment_before_conversion"])
    }

    @Test func `an adjustment ahead of its conversion finds nothing, though both are in the end there`() throws {
        var bench = Bench()
        _ = try bench.adjust(.offline, [Bench.retract()])
        _ = try bench.apply([Bench.conversion(more: #""ConversionValue":9"#)])
        #expect(try bench.objections(.offline) == ["adjustment_without_original"])
        #expect(bench.model.countedValue(account: "20", AdjustmentTests.key) == .amount("9", currency: ""))
    }

    // MARK: Faults

    struct Trouble: Sendable {
        var fault: Fault
        var status: Int
    }

    static let troubles: [Trouble] = [
        Trouble(fault: .status(503), status: 503),
        Trouble(fault: .campaignFault(.callRateExceeded), status: 429),
        Trouble(fault: .poison(id: Bench.clickID), status: 500),
        Trouble(fault: .badRequestPage(sparesSingles: false), status: 400),
    ]

    @Test(arguments: troubles)
    func `faults befall adjustments as they do conversions, and nothing is counted`(trouble: Trouble) throws {
        var bench = Bench(plan: FaultPlan([.init(trouble.fault, targets: .offline)]))
        #expect(try bench.adjust(.offline, [Bench.retract()]).status == trouble.status)
        bench.model.follow(.none, from: bench.now)
        _ = try bench.apply([Bench.conversion(more: #""ConversionValue":9"#)])
        _ = try bench.adjust(.offline, [Bench.retract()])
        #expect(try bench.objections(.offline) == [])
        #expect(bench.model.countedValue(account: "20", AdjustmentTests.key) == .retracted)
    }

    @Test func `an answer that is lost has counted, and its repeat is a duplicate`() throws {
        var bench = Bench()
        _ = try bench.apply([Bench.conversion(more: #""ConversionValue":9"#)])
        bench.model.follow(FaultPlan([.init(.answerLost, targets: .offline, most: 1)]), from: bench.now)
        #expect(try bench.adjust(.offline, [Bench.restate(3)]).reply.conduct == .dropped)
        #expect(try bench.adjust(.offline, [Bench.restate(3)]).partialErrors == [])
        #expect(try bench.objections(.offline) == [])
        #expect(bench.model.books(of: .offlineAdjustments(account: "20"))?.duplicates == 1)
        #expect(bench.model.countedValue(account: "20", AdjustmentTests.key) == .amount("3", currency: ""))
    }

    @Test func `a stranger adjusts nothing`() throws {
        var bench = Bench()
        let request = Bench.adjustments(.offline, [Bench.retract()], token: "nobody's")
        #expect(try bench.send(request).faultCode == 105)
        #expect(bench.model.books(of: .offlineAdjustments(account: "20"))?.received == 0)
    }
}

extension Bench {
    enum Side {
        case offline, online
    }

    static func adjustment(
        _ type: String?, name: String = "Purchase", time: String = AdjustmentTests.time, clickID: String? = clickID,
        at: String = "2026-08-06T07:00:00Z", more: String = ""
    ) -> String {
        var parts = [#""AdjustmentTime":"\#(at)""#]
        if let type { parts.append(#""AdjustmentType":"\#(type)""#) }
        if !more.isEmpty { parts.append(more) }
        return conversion(name: name, time: time, clickID: clickID, more: parts.joined(separator: ","))
    }

    static func restate(_ value: Double, at: String = "2026-08-06T07:00:00Z", more: String = "") -> String {
        adjustment("Restate", at: at, more: #""AdjustmentValue":\#(value)"# + (more.isEmpty ? "" : "," + more))
    }

    static func retract(
        name: String = "Purchase", time: String = AdjustmentTests.time, clickID: String? = clickID,
        at: String = "2026-08-06T07:00:00Z", more: String = ""
    ) -> String {
        adjustment("Retract", name: name, time: time, clickID: clickID, at: at, more: more)
    }

    /// Without a value it retracts.
    static func online(
        _ transaction: String, name: String = "Purchase", value: Double? = nil, at: String = "2026-08-06T07:06:40Z",
        more: String = ""
    ) -> String {
        var parts = [
            #""TransactionId":"\#(transaction)""#, #""ConversionName":"\#(name)""#, #""AdjustmentTime":"\#(at)""#,
            #""AdjustmentType":"\#(value == nil ? "Retract" : "Restate")""#,
        ]
        if let value { parts.append(#""AdjustmentValue":\#(value),"AdjustmentCurrencyCode":"USD""#) }
        if !more.isEmpty { parts.append(more) }
        return "{" + parts.joined(separator: ",") + "}"
    }

    static func adjustments(_ side: Side, _ items: [String], token: String) -> FakeRequest {
        let name = side == .offline ? "OfflineConversionAdjustments" : "OnlineConversionAdjustments"
        var request = offline(#"{"\#(name)":[\#(items.joined(separator: ","))]}"#, token: token)
        request.path = "/CampaignManagement/v13/\(name)/Apply"
        return request
    }

    mutating func adjust(_ side: Side, _ items: [String]) throws -> Answer {
        let token = try accessToken()
        return try send(Bench.adjustments(side, items, token: token))
    }

    /// What the adjustments of one kind are reproached with.
    func objections(_ side: Side) throws -> [String] {
        let books = model.books(
            of: side == .offline ? .offlineAdjustments(account: "20") : .onlineAdjustments(account: "20"))
        return try #require(books).findings.map(\.reason)
    }

    /// The sums by currency, as the report has them.
    func counted(by destination: String) -> [String: String] {
        let report = try? JSONDocument(model.report()).root
        var sums: [String: String] = [:]
        for currency in ["EUR", "USD", ""] {
            if let sum = report?["destinations"]?[destination]?["counted_value"]?[currency]?.string {
                sums[currency] = sum
            }
        }
        return sums
    }
}
