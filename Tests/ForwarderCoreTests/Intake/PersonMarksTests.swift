import Testing

@testable import ForwarderCore

struct PersonMarksTests {
    private func isFound(_ text: String?, _ fill: (inout PersonMarks) -> Void) -> Bool {
        var marks = PersonMarks()
        fill(&marks)
        return Array((text ?? "").utf8).withUnsafeBufferPointer { marks.makeFinder().finds(in: $0) }
    }

    private static let user = #"""
        "email":"Jo\u00e9.A+shop@Mail.example","phone":"+1 (425) 555-0100","external_id":"c\"\u002f7 é","anonymous_id":"a1",\#
        "msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab"
        """#

    @Test func `a person is found in what each destination is sent, and in the neutral event`() {
        let shop = Shop(.capi(), .offline())
        let record = event(user: PersonMarksTests.user, properties: #""transaction_id":"t1""#)
        let outcomes = shop.publish(record)
        let texts =
            outcomes.map(\.content)
            + (0..<2).map { index in
                shop.neutral(Array(record.utf8), for: index).map { String(decoding: $0, as: UTF8.self) }
            }
        for (index, text) in texts.enumerated() {
            #expect(text != nil)
            #expect(isFound(text) { _ = $0.add(email: " joé.a@mail.example") }, "\(index)")
            #expect(isFound(text) { _ = $0.add(phone: "0014255550100") }, "\(index)")
            #expect(!isFound(text) { _ = $0.add(email: "joe.b@mail.example") })
            #expect(!isFound(text) { _ = $0.add(phone: "+14255550101") })
            // An offline conversion itself has none of these.
            guard index != 1 else { continue }
            #expect(isFound(text) { $0.add(externalID: "c\"/7 é") }, "\(index): \(text ?? "")")
            #expect(isFound(text) { $0.add(anonymousID: "a1") }, "\(index)")
            #expect(isFound(text) { $0.add(transactionID: "t1") }, "\(index)")
            #expect(!isFound(text) { $0.add(externalID: "a1") } && !isFound(text) { $0.add(anonymousID: "a") })
        }
    }

    @Test func `what is no address or number is refused, and a hash is taken as it is`() {
        var marks = PersonMarks()
        let taken = [marks.add(email: "nobody"), marks.add(phone: "4255550100")]
        #expect(taken == [false, false] && marks.isEmpty)
        let hash = String(repeating: "AB", count: 32)
        let hashes = [marks.add(email: hash), marks.add(phone: hash.lowercased())]
        #expect(hashes == [true, true] && marks.marks == ["\"\(hash.lowercased())\""])
    }
}
