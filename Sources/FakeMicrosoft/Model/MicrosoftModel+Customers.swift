import ForwarderCore

/// A call of Customer Management, by its path.
enum CustomerRequest: String {
    case user = "User/Query"
    case accounts = "Accounts/Search"
}

/// An account as SearchAccounts lists it.
public struct ListedAccount: Sendable {
    public var id: String
    public var customerID: String
    public var name: String

    public init(id: String, customerID: String, name: String) {
        self.id = id
        self.customerID = customerID
        self.name = name
    }
}

/// GetUser and SearchAccounts.
extension MicrosoftModel {
    mutating func answerCustomerRequest(
        _ request: FakeRequest, _ kind: CustomerRequest, _ exchange: Exchange
    ) -> FakeReply {
        guard request.method == "POST", request.hasJSON else { return .page(415, "Unsupported Media Type") }
        guard let authorization = request.headers["authorization"], authorization.hasPrefix("Bearer "),
            request.headers["developertoken"] == settings.developerToken
        else { return OfflineAnswers.fault(.invalidCredentials, exchange) }
        switch tokens.state(ofAccessToken: String(authorization.dropFirst(7)), now: exchange.now) {
        case .unknown: return OfflineAnswers.fault(.invalidCredentials, exchange)
        case .expired: return OfflineAnswers.fault(.authenticationTokenExpired, exchange)
        case .valid: break
        }
        guard let body = (try? JSONDocument(request.body))?.root, let members = body.members else {
            return .page(400, "Bad Request")
        }
        switch kind {
        case .user:
            // Only the one who asks.
            guard members.allSatisfy({ $0.name == "UserId" && $0.value.isNull }) else {
                return .page(400, "Bad Request")
            }
            return .json(200, userAnswer)
        case .accounts: return search(body)
        }
    }

    private var listed: [ListedAccount] {
        settings.accounts.map {
            ListedAccount(id: $0.accountID, customerID: $0.customerID, name: "Account \($0.accountID)")
        } + settings.user.moreAccounts
    }

    private var userAnswer: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("User")
            writer.object {
                $0.member("Id", settings.user.id)
                $0.member("UserName", settings.user.name)
                $0.member("CustomerId", settings.accounts.first?.customerID ?? "")
                $0.member("UserLifeCycleStatus", "Active")
            }
            writer.name("CustomerRoles")
            writer.array { roles in
                roles.object {
                    $0.member("CustomerId", settings.accounts.first?.customerID ?? "")
                    $0.member("RoleId", 41)
                    $0.member("AccountIds", array: [])
                }
            }
        }
        return writer.bytes
    }

    /// By exactly one predicate of at least four letters; without a size nothing comes.
    private func search(_ body: JSONElement) -> FakeReply {
        guard body.members?.allSatisfy({ ["Predicates", "PageInfo", "Ordering"].contains($0.name) }) == true,
            let predicates = body["Predicates"]?.elements, predicates.count == 1,
            predicates[0]["Field"]?.string == "UserId", predicates[0]["Operator"]?.string == "Equals",
            let value = predicates[0]["Value"]?.string, value.utf8.count >= 4
        else { return .page(400, "Bad Request") }
        let size = body["PageInfo"]?["Size"]?.integer ?? 0
        let index = body["PageInfo"]?["Index"]?.integer ?? 0
        guard 0...1000 ~= size, 0...1_000_000 ~= index else { return .page(400, "Bad Request") }
        let found = value == settings.user.id ? listed : []
        let page = found.dropFirst(Int(index * size)).prefix(Int(size))
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("Accounts")
            writer.array { list in
                for account in page { list.object { MicrosoftModel.write(account, to: &$0) } }
            }
        }
        return .json(200, writer.bytes)
    }

    /// With some of what nobody needs.
    private static func write(_ account: ListedAccount, to writer: inout JSONWriter) {
        writer.member("AccountFinancialStatus", "ClearFinancialStatus")
        writer.member("AccountLifeCycleStatus", "Active")
        writer.member("CurrencyCode", "EUR")
        writer.member("Id", account.id)
        writer.member("Language", "English")
        writer.member("Name", account.name)
        writer.member("Number", "X\(account.id.suffix(7))")
        writer.member("ParentCustomerId", account.customerID)
        writer.name("PauseReason")
        writer.null()
        writer.member("TimeZone", "AmsterdamBerlinBernRomeStockholmVienna")
    }
}
