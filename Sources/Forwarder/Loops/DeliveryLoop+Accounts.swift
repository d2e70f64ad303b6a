import ForwarderCore
import HTTPClient

/// What the loop does for `auth` and `accounts`, by the grants that it alone refreshes.
struct AccountWork {
    struct Listing {
        var destination: DestinationID
        var name: String
        var listing: AccountListing
        var reply: Reply<[UInt8]>
    }

    var listings: [RequestID: Listing] = [:]
    /// Who waits for a code to be redeemed.
    var redemptions: [DestinationID: (name: String, reply: Reply<[UInt8]>)] = [:]
}

extension DeliveryLoop {
    func handle(_ order: AccountOrder) {
        switch order {
        case .redeem(let code, let name, let reply):
            guard let (id, _) = owner(name, reply) else { return }
            guard accountWork.redemptions[id] == nil else {
                return reply.send(AccountAnswer.redeemed(name, .refused(OAuthRefusal(reason: "busy"))))
            }
            accountWork.redemptions[id] = (name, reply)
            carryOut(credentials.redeem(code, for: id, now))
        case .list(let name, let reply):
            guard let (id, offline) = owner(name, reply) else { return }
            guard let credential = credentials.credential(of: id) else {
                return reply.send(
                    StoreCommand.error("\(name): credential: \(credentials.problem(of: id) ?? "no access token yet")"))
            }
            let listing = AccountListing(offline, credential)
            send(
                listing.firstRequest, .init(destination: id, name: name, listing: listing, reply: reply))
        case .grants(let name, let reply):
            if let name, owner(name, reply) == nil { return }
            let wanted = plan.destinations.filter { name == nil || $0.settings.name == name }
            let grants = wanted.compactMap { credentials.status(of: $0.id, now) }
            reply.send(AccountAnswer.grants(grants, isRunning: true))
        }
    }

    func redeemed(_ id: DestinationID, _ redemption: OAuthGrant.Redemption) {
        guard let (name, reply) = accountWork.redemptions.removeValue(forKey: id) else { return }
        reply.send(AccountAnswer.redeemed(name, redemption))
    }

    /// Whether it was an answer to one of these.
    func isOfListing(_ completion: HTTPClient.Completion) -> Bool {
        guard var work = accountWork.listings.removeValue(forKey: completion.id) else { return false }
        let knewUser = work.listing.user != nil
        let step = work.listing.answered(completion.outcome, now: now.wall)
        if !knewUser, let user = work.listing.user { carryOut(credentials.learned(user, of: work.destination, now)) }
        switch step {
        case .ask(let request): send(request, work)
        case .done: work.reply.send(AccountAnswer.list(work.name, work.listing))
        case .refused(let reason): work.reply.send(StoreCommand.error("\(work.name): \(reason)"))
        }
        return true
    }

    private func send(_ request: HTTPRequest, _ work: AccountWork.Listing) {
        let id = nextTestID()
        accountWork.listings[id] = work
        client.start(request, id: id)
    }

    private func owner(_ name: String, _ reply: Reply<[UInt8]>) -> (DestinationID, OfflineSettings)? {
        switch plan.configuration.grantOwner(name) {
        case .failure(let obstacle): reply.send(StoreCommand.error(obstacle.reason))
        case .success(let offline):
            if let id = plan.destinations.first(where: { $0.settings.name == name })?.id { return (id, offline) }
            reply.send(StoreCommand.error("there is no destination \(name)"))
        }
        return nil
    }
}
