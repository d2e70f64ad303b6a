import ForwarderCore
import Testing

/// Answers that nobody would send, and what must not come out of any.
@Suite struct HostileAnswerTests {
    /// What Microsoft may echo of an event, and what no verdict may hold.
    private static let secrets = [
        "ada@example.com", "+14255550100", "14255550100", "203.0.113.7", "Lovelace",
        "fc74fd17edafd80e8447b0d46741ee243b7eb74dd2149a0ab1b9246fb30382f2",
        "2c74fd17edafd80e8447b0d46741ee243b7eb74dd2149a0ab1b9246fb30382f2",
    ]

    private func verdicts(_ answer: HTTPAnswer, of count: Int) -> [Verdict] {
        [
            ConversionsAPI.verdict(.answer(answer), entryCount: count, now: SampleDeliveries.wallStart),
            CampaignManagement.verdict(.answer(answer), entryCount: count, now: SampleDeliveries.wallStart),
        ]
    }

    @Test func `I-6: nothing that Microsoft quotes of an event is in a verdict`() {
        for seed in 0..<3000 {
            var random = SeededRandom(seed: UInt64(seed))
            let secret = HostileAnswerTests.secrets.randomElement(using: &random) ?? ""
            let body = HostileAnswerTests.answer(quoting: secret, &random)
            let status = [200, 200, 400, 401, 429, 500].randomElement(using: &random) ?? 200
            let header =
                ["trackingid", "x-ms-request-id", "retry-after", "location"].randomElement(using: &random) ?? ""
            let isEMail = secret.contains("@")
            let answer = HTTPAnswer(
                status: status, headers: isEMail ? [header: secret] : [:], body: Array(body.utf8))
            for verdict in verdicts(answer, of: 4) {
                #expect(!"\(verdict)".contains(secret), "seed \(seed): \(body)")
            }
        }
    }

    /// An answer with the secret in free text, in values and in places where codes and names belong.
    private static func answer(quoting secret: String, _ random: inout SeededRandom) -> String {
        // A word that looks like a code cannot be told from one; it is never where a code belongs.
        func text(_ usual: String) -> String {
            Int.random(in: 0..<3, using: &random) == 0 && secret != "Lovelace" ? secret : usual
        }
        var details: [String] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let index = Int.random(in: 0...3, using: &random)
            details.append(
                #"{"index":\#(index),"Index":\#(index),"propertyName":"\#(text("data[\(index)].userData.em"))","#
                    + #""attemptedValue":"\#(secret)","errorMessage":"'\#(secret)' is bad","Message":"\#(secret)","#
                    + #""errorCode":"\#(text("InvalidSha256"))","ErrorCode":"\#(text("InternalError"))","#
                    + #""FieldPath":"\#(secret)","Details":"\#(secret)","isWarning":\#(Bool.random(using: &random)),"#
                    + #""Code":\#(text("5604") == "5604" ? "5604" : "\"\(secret)\"")}"#)
        }
        let list = details.joined(separator: ",")
        return #"{"eventsReceived":2,"error":{"code":"\#(secret)","message":"\#(secret)","details":[\#(list)]},"#
            + #""PartialErrors":[\#(list)],"Errors":[\#(list)],"OperationErrors":[\#(list)],"Extra":"\#(secret)"}"#
    }

    @Test func `deep, endless and crooked answers are survived`() {
        let deep = String(repeating: "[", count: 60_000)
        let many = (0..<1500).map { #"{"index":\#($0),"Index":\#($0)}"# }.joined(separator: ",")
        let bodies = [
            deep, deep + String(repeating: "]", count: 60_000), String(repeating: "{\"a\":", count: 10_000),
            #"{"error":{"details":[\#(many)]},"PartialErrors":[\#(many)]}"#,
            #"{"eventsReceived":99999999999999999999999,"PartialErrors":{"Index":0}}"#,
            #"{"eventsReceived":-9223372036854775808}"#, #"{"eventsReceived":9223372036854775807}"#,
            #"{"error":{"details":[[],{},null,1,"x",{"index":{}}]},"PartialErrors":[[],{},null,1,"x",{"Index":{}}]}"#,
            #"{"PartialErrors":[{"Code":99999999999999999999,"Index":0},{"Code":-1,"Index":1},{"Code":1e9,"Index":2}]}"#,
            "\u{0}\u{1}", "{\"a\":\"\\ud800\"}",
        ]
        for body in bodies {
            for status in [200, 400, 500] {
                for count in [1, 4, 1000] {
                    for verdict in verdicts(HTTPAnswer(status: status, body: Array(body.utf8)), of: count) {
                        #expect(verdict.problems.count <= 10)
                        #expect(verdict.entries.allSatisfy { 0..<count ~= $0.index })
                        #expect(zip(verdict.entries, verdict.entries.dropFirst()).allSatisfy { $0.index < $1.index })
                    }
                }
            }
        }
    }

    @Test func `answers changed at random are survived`() {
        let samples = [
            #"{"eventsReceived":2,"error":{"code":"x","details":[{"index":1,"errorCode":"Empty","isWarning":false}]}}"#,
            #"{"TrackingId":"t","PartialErrors":[{"Code":5604,"ErrorCode":"A","Index":1,"Message":"m"}]}"#,
        ]
        for seed in 0..<3000 {
            var random = SeededRandom(seed: UInt64(seed))
            var body = Array((samples.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: body[place] = .random(in: 0...255, using: &random)
                case 1: body.remove(at: place)
                default: body.insert(body[.random(in: 0..<body.count, using: &random)], at: place)
                }
            }
            for verdict in verdicts(HTTPAnswer(status: Bool.random(using: &random) ? 200 : 400, body: body), of: 3) {
                #expect(verdict.entries.allSatisfy { 0..<3 ~= $0.index }, "seed \(seed)")
            }
        }
    }
}
