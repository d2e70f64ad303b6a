import ForwarderCore

/// ApplyOfflineConversions, ApplyOfflineConversionAdjustments and ApplyOnlineConversionAdjustments.
extension MicrosoftModel {
    mutating func admitOffline(
        _ request: FakeRequest, as content: CampaignContent, _ exchange: Exchange
    ) -> Admission {
        let account = settings.accounts.first { $0.accountID == request.headers["customeraccountid"] }
        let destination = account.map { FakeDestination.campaign(content, account: $0.accountID) }
        if let reply = OfflineAnswers.gateway(exchange) {
            withBooks(destination) { $0.traffic.count(reply, fault: exchange.fault?.name) }
            return .reply(reply)
        }
        guard request.method == "POST", request.hasJSON else {
            let isPost = request.method == "POST"
            let reply = FakeReply.page(isPost ? 415 : 405, isPost ? "Unsupported Media Type" : "Method Not Allowed")
            withBooks(destination) {
                $0.blame(Finding(reason: isPost ? "content_type_not_json" : "method_not_post"))
                $0.traffic.count(reply, fault: nil)
            }
            return .reply(reply)
        }
        if let code = credentialFault(request, account: account, now: exchange.now) {
            let reply = OfflineAnswers.fault(code, exchange)
            withBooks(destination) { books in
                for name in OfflineAnswers.headers where request.headers[name.lowercased()] == nil {
                    books.blame(Finding(reason: "header_missing", property: name))
                }
                books.traffic.count(reply, fault: nil)
            }
            return .reply(reply)
        }
        guard let account else { preconditionFailure("an unknown account passed the check of credentials") }
        return .pending(PendingRequest(kind: .offline(content, account), exchange: exchange, body: request.body))
    }

    /// What is wrong with who is asking.
    func credentialFault(
        _ request: FakeRequest, account: OfflineAccount?, now: Timestamp
    ) -> CampaignCode? {
        guard let authorization = request.headers["authorization"], authorization.hasPrefix("Bearer ") else {
            return .invalidCredentials
        }
        switch tokens.state(ofAccessToken: String(authorization.dropFirst(7)), now: now) {
        case .unknown: return .invalidCredentials
        case .expired: return .authenticationTokenExpired
        case .valid: break
        }
        guard request.headers["developertoken"] == settings.developerToken else { return .invalidCredentials }
        guard let customerID = request.headers["customerid"], !customerID.isEmpty else { return .customerIDMissing }
        guard let accountID = request.headers["customeraccountid"], !accountID.isEmpty else { return .accountIDMissing }
        guard let account else { return .invalidAccountID }
        return account.customerID == customerID ? nil : .userIsNotAuthorized
    }

    mutating func settleOffline(_ pending: PendingRequest, _ found: Judgement<CampaignCode>) -> FakeReply {
        var judgement = found
        let exchange = pending.exchange
        let wholeRefusal = exchange.wholeRefusal(of: judgement)
        var reply: FakeReply
        if let refusal = judgement.refusal {
            // An empty list is how a client asks whether its credentials are good.
            if refusal.code != .noConversions {
                withBooks(pending.destination) { $0.blame(Finding(refusal, body: pending.body)) }
            }
            reply = OfflineAnswers.fault(refusal.code, exchange)
            reply.spoil(by: exchange.fault)
        } else if let wholeRefusal {
            let culprit = CampaignCode.invalidDateObject
            withBooks(pending.destination) {
                $0.bookRefused(judgement, wholeRefusal, told: culprit.told, body: pending.body)
            }
            reply =
                switch wholeRefusal {
                case .poison: OfflineAnswers.fault(.internalError, exchange)
                case .page: .page(400, "Bad Request")
                case .culprit: OfflineAnswers.fault(culprit, exchange)
                }
        } else {
            if case .partialErrors(let code, let share) = exchange.fault {
                judgement.refuse(share: share, salt: exchange.chosen?.phase ?? 0, code: code, name: "ConversionName")
            }
            var isNew = [Bool](repeating: false, count: judgement.items.count)
            var day: CalendarDay?
            if case .offline(.conversions, _) = pending.kind { day = CalendarDay(of: exchange.now) }
            _ = withBooks(pending.destination) {
                $0.book(judgement, body: pending.body, isProcessed: true, on: day) { isNew[$0] = true }
            }
            if case .offline(let content, let account) = pending.kind, content != .conversions {
                for (index, item) in judgement.items.enumerated() where isNew[index] {
                    adjust(item, at: index, content, of: account, pending)
                }
            }
            reply = OfflineAnswers.applied(judgement, body: pending.body)
            reply.spoil(by: exchange.fault)
        }
        reply.headers["TrackingId"] = exchange.trackingID
        withBooks(pending.destination) { $0.traffic.count(reply, fault: exchange.faultName(wholeRefusal)) }
        return reply
    }
}
