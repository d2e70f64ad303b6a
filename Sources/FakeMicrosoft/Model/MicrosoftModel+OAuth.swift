import ForwarderCore

/// The token endpoint.
extension MicrosoftModel {
    mutating func answerTokenRequest(
        _ request: FakeRequest, _ exchange: Exchange, using rng: inout some RandomNumberGenerator
    ) -> FakeReply {
        var reply: FakeReply
        if let gateway = OAuthAnswers.gateway(exchange, using: &rng) {
            reply = gateway
        } else {
            reply = grant(request, exchange, using: &rng)
            reply.spoil(by: exchange.fault)
        }
        tokenTraffic.count(reply, fault: exchange.fault?.name)
        return reply
    }

    private mutating func grant(
        _ request: FakeRequest, _ exchange: Exchange, using rng: inout some RandomNumberGenerator
    ) -> FakeReply {
        func refuse(_ error: OAuthError) -> FakeReply {
            OAuthAnswers.refusal(error, now: exchange.now, using: &rng)
        }
        let type = request.headers["content-type"]?.prefix { $0 != ";" } ?? ""
        guard request.method == "POST", type.lowercased() == "application/x-www-form-urlencoded" else {
            return refuse(.notAForm)
        }
        let form = Form(request.body)
        switch form["grant_type"] {
        case "refresh_token", "authorization_code": break
        case nil: return refuse(.parameterMissing)
        default: return refuse(.grantTypeUnsupported)
        }
        guard form["client_id"] == settings.grant.clientID else { return refuse(.applicationUnknown) }
        switch (settings.grant.clientSecret, form["client_secret"]) {
        case (nil, nil): break
        case (nil, _): return refuse(.publicClientWithSecret)
        case (_, nil): return refuse(.secretMissing)
        case (let expected, let given): if expected != given { return refuse(.secretInvalid) }
        }
        let scopes = (form["scope"] ?? "").split(separator: " ")
        guard scopes.contains(settings.grant.scope[...]) else { return refuse(.scopeInvalid) }
        let pair: (access: String, refresh: String)
        if form["grant_type"] == "authorization_code" {
            if let error = consents.redeem(form, settings.grant, now: exchange.now) { return refuse(error) }
            pair = tokens.issue(now: exchange.now, using: &rng)
        } else {
            guard let token = form["refresh_token"] else { return refuse(.parameterMissing) }
            guard let renewed = tokens.refresh(token, now: exchange.now, using: &rng) else {
                return refuse(.grantInvalid)
            }
            pair = renewed
        }
        return OAuthAnswers.granted(
            pair.access, refresh: scopes.contains("offline_access") ? pair.refresh : nil, settings.grant)
    }
}

/// What a form-encoded body says.
struct Form {
    private var fields: [String: String] = [:]

    init(_ body: some Sequence<UInt8>) {
        for pair in Array(body).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            fields[Form.decoded(parts[0])] = parts.count == 2 ? Form.decoded(parts[1]) : ""
        }
    }

    subscript(name: String) -> String? { fields[name] }

    private static func decoded(_ escaped: ArraySlice<UInt8>) -> String {
        var plain: [UInt8] = []
        var rest = escaped
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let escape = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                plain.append(escape)
                rest = rest.dropFirst(2)
            } else {
                plain.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
