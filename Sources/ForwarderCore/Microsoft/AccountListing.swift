/// An advertising account that a user reaches.
public struct AdvertisingAccount: Sendable, Equatable {
    /// What goes into the configuration as `account_id`.
    public var id: String
    /// The customer that owns it: `customer_id`.
    public var customerID: String
    public var name: String
    public var number: String
    public var currency: String
    public var status: String
}

/// Asks Customer Management v13 who consented (GetUser) and which accounts that person reaches (SearchAccounts, page by
/// page). A value: answers in, the next request out.
public struct AccountListing: Sendable {
    public enum Step: Sendable, Equatable {
        case ask(HTTPRequest)
        case done
        /// Why there is no list.
        case refused(String)
    }

    static let pageSize = 1000
    /// More accounts than these nobody reads.
    static let pageLimit = 20
    /// A page of a thousand accounts with addresses and tax data.
    private static let answerLimit = 8 << 20
    private static let requestTimeout = Duration.seconds(12)

    public private(set) var user: MicrosoftUser?
    public private(set) var accounts: [AdvertisingAccount] = []
    /// There are more than were asked for.
    public private(set) var isCut = false
    private let endpoint: String
    private let credential: MicrosoftInterface.Credential
    private var page = 0

    public init(_ settings: OfflineSettings, _ credential: MicrosoftInterface.Credential) {
        endpoint = settings.customerEndpoint
        self.credential = credential
    }

    /// Where it begins.
    public var firstRequest: HTTPRequest {
        var body = JSONWriter()
        body.object {
            $0.name("UserId")
            $0.null()
        }
        return request("User/Query", body.bytes)
    }

    public mutating func answered(_ outcome: HTTPOutcome, now: Timestamp) -> Step {
        guard case .answer(let answer) = outcome, answer.status == 200, let root = answer.readableRoot else {
            return .refused(AccountListing.refusal(outcome, now))
        }
        guard let user else {
            guard let found = MicrosoftUser(root["User"]) else { return .refused("the answer names no user") }
            user = found
            return .ask(search(found))
        }
        guard let elements = root["Accounts"]?.elements else { return .refused("the answer holds no accounts") }
        accounts += elements.compactMap(AdvertisingAccount.init)
        guard elements.count >= AccountListing.pageSize else { return .done }
        page += 1
        isCut = page >= AccountListing.pageLimit
        return isCut ? .done : .ask(search(user))
    }

    private func search(_ user: MicrosoftUser) -> HTTPRequest {
        var body = JSONWriter()
        body.object {
            $0.name("Predicates")
            $0.array {
                $0.object {
                    $0.member("Field", "UserId")
                    $0.member("Operator", "Equals")
                    $0.member("Value", user.id)
                }
            }
            $0.name("PageInfo")
            $0.object {
                $0.member("Index", page)
                $0.member("Size", AccountListing.pageSize)
            }
        }
        return request("Accounts/Search", body.bytes)
    }

    private func request(_ path: String, _ body: [UInt8]) -> HTTPRequest {
        var request = HTTPRequest(
            method: .post, url: "\(endpoint)/CustomerManagement/v13/\(path)",
            headers: [
                .init("Authorization", "Bearer \(credential.token)"),
                .init("DeveloperToken", credential.developerToken), .init("Content-Type", "application/json"),
            ],
            body: body, timeout: AccountListing.requestTimeout)
        request.answerLimit = AccountListing.answerLimit
        return request
    }

    /// The errors are those of Campaign Management.
    private static func refusal(_ outcome: HTTPOutcome, _ now: Timestamp) -> String {
        if case .answer(let answer) = outcome, answer.isTruncated { return "the answer is too long" }
        let verdict = CampaignManagement.verdict(outcome, entryCount: 0, now: now)
        let meaning =
            switch verdict.others {
            case .credentialRefused:
                "the credential is not accepted; look at developer_token, and whether it and the consent are of the same "
                    + "environment"
            case .throttled, .busy: "throttled; try again in a few minutes"
            case .retry: "no useful answer; look at the network, or at Microsoft's service health"
            default: "refused; look at customer_endpoint, and at the rights of the person who consented"
            }
        return "\(meaning) (\(([verdict.reason] + verdict.problems).joined(separator: ", ")))"
    }
}

extension MicrosoftUser {
    fileprivate init?(_ element: JSONElement?) {
        guard let id = element?["Id"]?.microsoftID else { return nil }
        self.init(id: id, name: element?["UserName"]?.string?.printable() ?? "")
    }
}

extension AdvertisingAccount {
    fileprivate init?(_ element: JSONElement) {
        guard let id = element["Id"]?.microsoftID, let customerID = element["ParentCustomerId"]?.microsoftID else {
            return nil
        }
        func text(_ name: String) -> String { element[name]?.string?.printable() ?? "" }
        self.init(
            id: id, customerID: customerID, name: text("Name"), number: text("Number"), currency: text("CurrencyCode"),
            status: text("AccountLifeCycleStatus"))
    }
}
