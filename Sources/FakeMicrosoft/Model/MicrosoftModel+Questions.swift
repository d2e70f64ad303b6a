import ForwarderCore

/// The calls of Campaign Management that ask and change nothing.
extension MicrosoftModel {
    /// Has `answer` read the question, if whoever asks may and does it as the service demands.
    /// - Parameter name: what is asked for, as findings name it.
    mutating func answerQuestion(
        _ name: String, _ request: FakeRequest, _ exchange: Exchange,
        _ answer: (inout MicrosoftModel, OfflineAccount, FakeDestination) -> FakeReply
    ) -> FakeReply {
        var reply = question(name, request, exchange, answer)
        reply.headers["TrackingId"] = exchange.trackingID
        return reply
    }

    private mutating func question(
        _ name: String, _ request: FakeRequest, _ exchange: Exchange,
        _ answer: (inout MicrosoftModel, OfflineAccount, FakeDestination) -> FakeReply
    ) -> FakeReply {
        if let reply = OfflineAnswers.gateway(exchange) { return reply }
        let account = settings.accounts.first { $0.accountID == request.headers["customeraccountid"] }
        let destination = account.map { FakeDestination.offline(account: $0.accountID) }
        guard request.method == "POST", request.hasJSON else {
            withBooks(destination) { $0.blame(Finding(reason: "\(name)_not_asked_for_with_json")) }
            return .page(415, "Unsupported Media Type")
        }
        if let code = credentialFault(request, account: account, now: exchange.now) {
            return OfflineAnswers.fault(code, exchange)
        }
        guard let account, let destination else {
            preconditionFailure("an unknown account passed the check of credentials")
        }
        var reply = answer(&self, account, destination)
        reply.spoil(by: exchange.fault)
        return reply
    }

    /// The member of an answer that says which entries of the question were not answered.
    static func writePartialErrors(
        _ indices: [Int], _ code: CampaignCode, _ message: String, to writer: inout JSONWriter
    ) {
        writer.name("PartialErrors")
        writer.array { writer in
            for index in indices {
                writer.object { writer in
                    writer.member("Code", code.rawValue)
                    writer.member("ErrorCode", code.name)
                    writer.member("Index", index)
                    writer.member("Message", message)
                    writer.member("Type", "BatchError")
                }
            }
        }
    }
}
