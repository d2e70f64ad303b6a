import ForwarderCore

/// The Conversions API.
extension MicrosoftModel {
    mutating func admitCAPI(_ request: FakeRequest, tag: String, _ exchange: Exchange) -> Admission {
        let destination = FakeDestination.capi(tag: tag)
        if var reply = CAPIAnswers.gateway(exchange.fault, now: exchange.now) {
            reply.headers["x-ms-request-id"] = exchange.trackingID
            withBooks(destination) { $0.traffic.count(reply, fault: exchange.fault?.name) }
            return .reply(reply)
        }
        // What Campaign Management wants to know has no business here.
        for (name, reason) in MicrosoftModel.foreignHeaders where request.headers[name] != nil {
            withBooks(destination) { $0.blame(Finding(reason: reason)) }
        }
        guard request.method == "POST" else {
            return .reply(refuse(destination, .page(405, "Method Not Allowed"), "method_not_post", exchange))
        }
        guard let token = settings.tags[tag], request.headers["authorization"] == "Bearer \(token)" else {
            var reply = CAPIAnswers.unauthorized
            reply.headers["x-ms-request-id"] = exchange.trackingID
            withBooks(destination) { $0.traffic.count(reply, fault: nil) }
            return .reply(reply)
        }
        guard request.hasJSON else {
            let reply = FakeReply.page(415, "Unsupported Media Type")
            return .reply(refuse(destination, reply, "content_type_not_json", exchange))
        }
        return .pending(PendingRequest(kind: .capi(tag: tag), exchange: exchange, body: request.body))
    }

    private static let foreignHeaders = [
        ("developertoken", "developer_token_sent_to_capi"), ("customerid", "customer_id_sent_to_capi"),
        ("customeraccountid", "account_id_sent_to_capi"),
    ]

    private mutating func refuse(
        _ destination: FakeDestination, _ reply: FakeReply, _ reason: String, _ exchange: Exchange
    ) -> FakeReply {
        withBooks(destination) {
            $0.blame(Finding(reason: reason))
            $0.traffic.count(reply, fault: nil)
        }
        return reply
    }

    mutating func settleCAPI(_ pending: PendingRequest, _ found: Judgement<CAPICode>) -> FakeReply {
        var judgement = found
        let exchange = pending.exchange
        let wholeRefusal = exchange.wholeRefusal(of: judgement)
        var reply: FakeReply
        if let refusal = judgement.refusal {
            // An empty list is how a client asks whether its token is good.
            if refusal.code != .noEvents {
                withBooks(pending.destination) { $0.blame(Finding(refusal, body: pending.body)) }
            }
            reply = CAPIAnswers.refusal(refusal, body: pending.body)
            reply.spoil(by: exchange.fault)
        } else if let wholeRefusal {
            withBooks(pending.destination) { $0.bookRefused(judgement, wholeRefusal, told: "", body: pending.body) }
            reply =
                switch wholeRefusal {
                case .poison: CAPIAnswers.serverError(500)
                case .page: .page(400, "Bad Request")
                case .culprit: CAPIAnswers.badRequest
                }
        } else {
            if case .refuse(let share) = exchange.fault {
                judgement.refuse(share: share, salt: exchange.chosen?.phase ?? 0, code: .blocked, name: "eventId")
            }
            let refused = judgement.count(atLeast: .setback)
            let isProcessed = refused == 0 || (judgement.continuesOnError && refused < judgement.items.count)
            let processed = withBooks(pending.destination) {
                $0.book(judgement, body: pending.body, isProcessed: isProcessed)
            }
            var told = processed
            if case .miscount(let difference) = exchange.fault { told = max(0, processed + difference) }
            reply =
                isProcessed
                ? CAPIAnswers.processed(told, judgement, body: pending.body)
                : CAPIAnswers.invalid(judgement, body: pending.body)
            reply.spoil(by: exchange.fault)
        }
        reply.headers["x-ms-request-id"] = exchange.trackingID
        withBooks(pending.destination) { $0.traffic.count(reply, fault: exchange.faultName(wholeRefusal)) }
        return reply
    }
}

extension FakeRequest {
    var hasJSON: Bool {
        let type = headers["content-type"]?.prefix { $0 != ";" } ?? ""
        return type.lowercased() == "application/json"
    }
}
