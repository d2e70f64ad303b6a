import ForwarderCore

/// Tokens of tags, which Campaign Management is asked for with the credential of another destination.
extension Credentials {
    /// Without the credential to ask with, it is that credential's coming that wakes.
    var nextTagLook: Uptime {
        tagTokens.nextWake(where: { credential(of: $0) != nil })
    }

    func lookForTagTokens(_ now: Moment) -> [Action] {
        let sources = tagTokens.sources
        let credentials = Dictionary(
            uniqueKeysWithValues: sources.compactMap { id in credential(of: id).map { (id, $0) } })
        return carryOut(tagTokens.look(now, nextID: nextRequestID) { credentials[$0] }, now)
    }

    func carryOut(_ actions: [TagTokens.Action], _ now: Moment) -> [Action] {
        actions.flatMap { action -> [Action] in
            switch action {
            case .request(let request, let id): [.request(request, id)]
            case .changed(let id): changed(id)
            case .throttled(let source, let wait): [.throttled(source, for: wait)]
            case .renewGrant(let source): renew(source, now)
            }
        }
    }

    /// Refused, or not given; or there is nothing to ask with.
    func tagTokenProblem(of id: DestinationID, source: DestinationID, _ name: String) -> String? {
        if let problem = tagTokens.problem(of: id) { return problem }
        guard tagTokens.token(of: id) == nil, credential(of: source) == nil else { return nil }
        return problem(of: source).map { "\(name): \($0)" }
    }
}

extension DestinationSettings {
    /// Its token is asked for, not read.
    var hasTokenFromElsewhere: Bool {
        guard case .capi(let capi) = kind, case .destination = capi.token else { return false }
        return true
    }
}
