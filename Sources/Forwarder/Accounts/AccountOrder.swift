import ForwarderCore

/// What the commands want of a grant from whoever owns it. The answer is the JSON that the command prints, or an error.
enum AccountOrder: Sendable {
    case redeem(AuthorizationCode, for: String, Reply<[UInt8]>)
    case list(of: String, Reply<[UInt8]>)
    case grants(of: String?, Reply<[UInt8]>)
}

/// The answers, by whoever they are given.
enum AccountAnswer {
    static func redeemed(_ destination: String, _ redemption: OAuthGrant.Redemption) -> [UInt8] {
        switch redemption {
        case .refused(let refusal): return StoreCommand.error("\(destination): \(refusal.words)")
        case .granted(let isSaved):
            var writer = JSONWriter()
            writer.object {
                $0.member("destination", destination)
                $0.member("saved", isSaved)
            }
            return writer.bytes
        }
    }

    static func list(_ destination: String, _ listing: AccountListing) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("destination", destination)
            writer.member("user_id", listing.user?.id ?? "")
            writer.member("user_name", listing.user?.name ?? "")
            writer.member("complete", !listing.isCut)
            writer.name("accounts")
            writer.array { list in
                for account in listing.accounts {
                    list.object {
                        $0.member("account_id", account.id)
                        $0.member("customer_id", account.customerID)
                        $0.member("name", account.name)
                        $0.member("number", account.number)
                        $0.member("currency", account.currency)
                        $0.member("status", account.status)
                    }
                }
            }
        }
        return writer.bytes
    }

    static func grants(_ grants: [GrantStatus], isRunning: Bool) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("running", isRunning)
            writer.name("grants")
            writer.array { for grant in grants { grant.write(&$0) } }
        }
        return writer.bytes
    }
}

extension Configuration {
    /// The destination of that name, if it lives by a grant; else what to say.
    func grantOwner(_ name: String) -> Result<OfflineSettings, NoGrant> {
        guard let settings = destinations.first(where: { $0.name == name }) else {
            let names = destinations.map(\.name).joined(separator: ", ")
            return .failure(NoGrant(reason: "there is no destination \(name); there are: \(names)"))
        }
        guard case .offlineConversions(let offline) = settings.kind else {
            return .failure(
                NoGrant(reason: "\(name) is of type capi, which has a token of its own and needs no consent"))
        }
        return .success(offline)
    }
}

struct NoGrant: Error {
    var reason: String
}
