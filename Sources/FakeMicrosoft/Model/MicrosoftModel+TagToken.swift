import ForwarderCore

/// GetUetTagAuthKey: the token of a tag, for whoever may manage it.
extension MicrosoftModel {
    mutating func answerTagToken(_ request: FakeRequest, _ exchange: Exchange) -> FakeReply {
        tagTokenQuestions += 1
        var reply = tagToken(request, exchange)
        reply.headers["TrackingId"] = exchange.trackingID
        return reply
    }

    private mutating func tagToken(_ request: FakeRequest, _ exchange: Exchange) -> FakeReply {
        if let reply = OfflineAnswers.gateway(exchange) { return reply }
        let account = settings.accounts.first { $0.accountID == request.headers["customeraccountid"] }
        let destination = account.map { FakeDestination.offline(account: $0.accountID) }
        guard request.method == "POST", request.hasJSON else {
            withBooks(destination) { $0.blame(Finding(reason: "tag_token_not_asked_for_with_json")) }
            return .page(415, "Unsupported Media Type")
        }
        if let code = credentialFault(request, account: account, now: exchange.now) {
            return OfflineAnswers.fault(code, exchange)
        }
        // Microsoft's guide and its reference differ in the names; the reference is what its own clients use. Numbers of
        // 64 bits travel as text.
        let members = (try? JSONDocument(request.body))?.root.members ?? []
        guard members.count == 1, members[0].name == "UetTagId", let tag = members[0].value.string else {
            withBooks(destination) { $0.blame(Finding(reason: "tag_token_question_unreadable")) }
            return OfflineAnswers.fault(.nullRequest, exchange)
        }
        var reply = MicrosoftModel.answer(settings.tags[tag])
        reply.spoil(by: exchange.fault)
        return reply
    }

    private static func answer(_ token: String?) -> FakeReply {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("UetTagAuthKey")
            if let token { writer.value(token) } else { writer.null() }
            writer.name("PartialErrors")
            writer.array { writer in
                guard token == nil else { return }
                writer.object { writer in
                    writer.member("Code", CampaignCode.tagUnknown.rawValue)
                    writer.member("ErrorCode", CampaignCode.tagUnknown.name)
                    writer.member("Index", 0)
                    writer.member("Message", "The account has no such tag.")
                    writer.member("Type", "BatchError")
                }
            }
        }
        return .json(200, writer.bytes)
    }
}
