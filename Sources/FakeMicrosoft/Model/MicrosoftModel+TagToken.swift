import ForwarderCore

/// GetUetTagAuthKey: the token of a tag, for whoever may manage it.
extension MicrosoftModel {
    mutating func answerTagToken(_ request: FakeRequest, _ exchange: Exchange) -> FakeReply {
        tagTokenQuestions += 1
        return answerQuestion("tag_token", request, exchange) { model, _, destination in
            // Microsoft's guide and its reference differ in the names; the reference is what its own clients use. Numbers
            // of 64 bits travel as text.
            let members = (try? JSONDocument(request.body))?.root.members ?? []
            guard members.count == 1, members[0].name == "UetTagId", let tag = members[0].value.string else {
                model.withBooks(destination) { $0.blame(Finding(reason: "tag_token_question_unreadable")) }
                return OfflineAnswers.fault(.nullRequest, exchange)
            }
            return MicrosoftModel.answer(model.settings.tags[tag])
        }
    }

    private static func answer(_ token: String?) -> FakeReply {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("UetTagAuthKey")
            if let token { writer.value(token) } else { writer.null() }
            writePartialErrors(token == nil ? [0] : [], .tagUnknown, "The account has no such tag.", to: &writer)
        }
        return .json(200, writer.bytes)
    }
}
