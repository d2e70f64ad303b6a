import FakeMicrosoft
import Testing

@testable import ForwarderCore

@Suite struct AccountListingTests {
    private static let settings = OfflineSettings(
        goals: [], customerID: "1", accountID: "2", developerToken: .environment("D"),
        oauth: OAuthSettings(clientID: "id", refreshToken: nil))

    private static func listing() -> AccountListing {
        AccountListing(settings, .init(token: "access", developerToken: "developer"))
    }

    private static let user = #"{"User":{"Id":"1234567890123456789","UserName":"ada"},"CustomerRoles":[]}"#

    private static func page(_ range: Range<Int>) -> String {
        let accounts = range.map {
            #"{"Id":"\#(9_007_199_254_740_993 + $0)","ParentCustomerId":"77","Name":"Shop \#($0)"}"#
        }
        return #"{"Accounts":[\#(accounts.joined(separator: ","))]}"#
    }

    @Test func `the requests are those of the contract`() {
        var listing = Self.listing()
        let headers: [HTTPRequest.Header] = [
            .init("Authorization", "Bearer access"), .init("DeveloperToken", "developer"),
            .init("Content-Type", "application/json"),
        ]
        let first = listing.firstRequest
        #expect(first.url == "https://clientcenter.api.bingads.microsoft.com/CustomerManagement/v13/User/Query")
        #expect(first.method == .post)
        #expect(first.headers == headers)
        #expect(String(decoding: first.body, as: UTF8.self) == #"{"UserId":null}"#)
        guard case .ask(let second) = listing.answered(SampleAnswers.answer(200, Self.user), now: .distantPast) else {
            Issue.record("asks no further")
            return
        }
        #expect(second.url == "https://clientcenter.api.bingads.microsoft.com/CustomerManagement/v13/Accounts/Search")
        #expect(second.headers == headers)
        #expect(
            String(decoding: second.body, as: UTF8.self)
                == #"{"Predicates":[{"Field":"UserId","Operator":"Equals","Value":"1234567890123456789"}],"#
                + #""PageInfo":{"Index":0,"Size":1000}}"#)
    }

    @Test func `pages are asked for until one is not full, and ids keep their digits`() {
        var listing = Self.listing()
        _ = listing.answered(SampleAnswers.answer(200, Self.user), now: .distantPast)
        guard case .ask(let next) = listing.answered(SampleAnswers.answer(200, Self.page(0..<1000)), now: .distantPast)
        else {
            Issue.record("asks no further")
            return
        }
        #expect(String(decoding: next.body, as: UTF8.self).hasSuffix(#""PageInfo":{"Index":1,"Size":1000}}"#))
        #expect(listing.answered(SampleAnswers.answer(200, Self.page(1000..<1001)), now: .distantPast) == .done)
        #expect(listing.accounts.count == 1001)
        #expect(listing.accounts.last?.id == "9007199254741993")
        #expect(listing.accounts.last?.customerID == "77")
        #expect(listing.user == MicrosoftUser(id: "1234567890123456789", name: "ada"))
        #expect(!listing.isCut)
    }

    @Test func `I-4: a list without end is cut`() {
        var listing = Self.listing()
        _ = listing.answered(SampleAnswers.answer(200, Self.user), now: .distantPast)
        var asked = 1
        while case .ask = listing.answered(SampleAnswers.answer(200, Self.page(0..<1000)), now: .distantPast) {
            asked += 1
        }
        #expect(asked == AccountListing.pageLimit)
        #expect(listing.isCut)
    }

    struct Refusal: Sendable {
        var status: Int
        var body: String
        var words: String
    }

    @Test(arguments: [
        Refusal(status: 200, body: "<html>", words: "unreadable_200"),
        Refusal(status: 200, body: "{}", words: "the answer names no user"),
        Refusal(status: 200, body: #"{"User":{"Id":"ada@example.com"}}"#, words: "the answer names no user"),
        Refusal(
            status: 401,
            body: #"{"Errors":[{"Code":105,"ErrorCode":"InvalidCredentials","Message":"ada@example.com"}]}"#,
            words: "the credential is not accepted"),
        Refusal(status: 404, body: "", words: "look at customer_endpoint"),
        Refusal(status: 429, body: "", words: "throttled"), Refusal(status: 503, body: "", words: "no useful answer"),
    ])
    func `what is no list is said in words, and not in Microsoft's`(refusal: Refusal) {
        var listing = Self.listing()
        guard
            case .refused(let words) = listing.answered(
                SampleAnswers.answer(refusal.status, refusal.body), now: .distantPast)
        else {
            Issue.record("not refused")
            return
        }
        #expect(words.contains(refusal.words), "\(words)")
        #expect(!words.contains("example"))
    }

    @Test func `names that would move a terminal's cursor do not`() {
        var listing = Self.listing()
        _ = listing.answered(SampleAnswers.answer(200, Self.user), now: .distantPast)
        let page = #"{"Accounts":[{"Id":"1","ParentCustomerId":"2","Name":"a\u001b[2J\nb: c"},{"Id":"x"},7]}"#
        #expect(listing.answered(SampleAnswers.answer(200, page), now: .distantPast) == .done)
        #expect(listing.accounts.map(\.name) == ["a\u{FFFD}[2J\u{FFFD}b: c"])
    }
}
