import ForwarderCore

/// How a fault that leaves the processing alone spoils its answer.
extension FakeReply {
    mutating func spoil(by fault: Fault?) {
        switch fault {
        case .answerLost: conduct = .dropped
        case .answerCut: conduct = .cut(after: body.count / 2)
        case .slow(let delay): self.delay = delay
        case .emptyAnswer:
            status = 200
            body = []
        case .pageAnswer:
            let page = FakeReply.page(200, "Service is starting")
            status = page.status
            body = page.body
            headers["Content-Type"] = page.headers["Content-Type"]
        case .status, .drop, .bodyLimit, .campaignFault, .oauthError, .miscount, .badRequestPage, .refuseWhole,
            .refuse, .partialErrors, .poison, nil:
            break
        }
    }

    mutating func add(_ retryAfter: Fault.RetryAfter, now: Timestamp) {
        switch retryAfter {
        case .absent: break
        case .seconds(let seconds): headers["Retry-After"] = "\(seconds)"
        case .date(let seconds): headers["Retry-After"] = (now + .seconds(seconds)).httpDate
        }
    }

    static var dropped: FakeReply {
        var reply = FakeReply(status: 500)
        reply.conduct = .dropped
        return reply
    }
}

/// How a fault refuses a request as a whole, although it was understood.
enum WholeRefusal {
    case poison
    case page
    /// Somebody in it is refused for good.
    case culprit
}

extension Exchange {
    func wholeRefusal<Code>(of judgement: Judgement<Code>) -> WholeRefusal? {
        if !poisons.isEmpty, judgement.items.contains(where: { poisons.contains($0.id) }) { return .poison }
        switch fault {
        case .badRequestPage(let sparesSingles):
            return judgement.items.count > (sparesSingles ? 1 : 0) ? .page : nil
        case .refuseWhole(let share):
            let salt = chosen?.phase ?? 0
            return judgement.items.contains { $0.isChosen(share: share, salt: salt) } ? .culprit : nil
        default: return nil
        }
    }

    /// The fault that shows in the answer, by name.
    func faultName(_ refusal: WholeRefusal?) -> String? {
        switch (refusal, fault) {
        case (.poison, _): "poison"
        case (nil, .badRequestPage), (nil, .refuseWhole): nil
        default: fault?.name
        }
    }
}
