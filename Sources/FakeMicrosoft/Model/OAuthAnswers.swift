import ForwarderCore

/// An error of the token endpoint.
struct OAuthError: Sendable, Equatable {
    var status: Int
    var error: String
    /// The number of the description, as in `AADSTS70000`.
    var number: Int
    var description: String

    static let notAForm = OAuthError(
        status: 400, error: "invalid_request", number: 900_144, description: "The request body must be a form.")
    static let parameterMissing = OAuthError(
        status: 400, error: "invalid_request", number: 900_144, description: "A required parameter is missing.")
    static let grantTypeUnsupported = OAuthError(
        status: 400, error: "unsupported_grant_type", number: 70_003, description: "The grant type is not supported.")
    static let applicationUnknown = OAuthError(
        status: 400, error: "unauthorized_client", number: 700_016, description: "The application was not found.")
    static let publicClientWithSecret = OAuthError(
        status: 400, error: "invalid_request", number: 90_023, description: "Public clients can't send a client secret."
    )
    static let secretInvalid = OAuthError(
        status: 401, error: "invalid_client", number: 7_000_215, description: "The client secret is not valid.")
    static let secretMissing = OAuthError(
        status: 401, error: "invalid_client", number: 7_000_218, description: "A client secret is required.")
    static let redirectInvalid = OAuthError(
        status: 400, error: "invalid_request", number: 50_011, description: "The redirect URI is not registered.")
    static let codeInvalid = OAuthError(
        status: 400, error: "invalid_grant", number: 70_000, description: "The code is not valid.")
    static let codeRedeemed = OAuthError(
        status: 400, error: "invalid_grant", number: 54_005, description: "The code was already redeemed.")
    static let codeExpired = OAuthError(
        status: 400, error: "invalid_grant", number: 70_008, description: "The code has expired.")
    static let verifierWrong = OAuthError(
        status: 400, error: "invalid_grant", number: 501_481, description: "The code_verifier does not match.")
    static let scopeInvalid = OAuthError(
        status: 400, error: "invalid_scope", number: 70_011, description: "The scope is not valid.")
    static let grantInvalid = OAuthError(
        status: 400, error: "invalid_grant", number: 70_000, description: "The refresh token is not valid.")
}

/// The words in which the token endpoint answers.
enum OAuthAnswers {
    /// What a fault answers in place of the service; nil if the service gets to see the request.
    static func gateway(_ exchange: Exchange, using rng: inout some RandomNumberGenerator) -> FakeReply? {
        switch exchange.fault {
        case .status(let status, let retryAfter):
            var reply =
                status == 429 || status >= 500
                ? refusal(
                    OAuthError(
                        status: status, error: "temporarily_unavailable", number: 90_055,
                        description: "The server is too busy."), now: exchange.now, using: &rng)
                : FakeReply.page(status, "\(status)")
            reply.add(retryAfter, now: exchange.now)
            return reply
        case .oauthError(let error, let number):
            let isTransient = error == "temporarily_unavailable" || error == "server_error"
            let told = OAuthError(
                status: isTransient ? 503 : 400, error: error, number: number, description: "The request was refused.")
            return refusal(told, now: exchange.now, using: &rng)
        case .bodyLimit: return .page(413, "Payload Too Large")
        case .drop: return .dropped
        default: return nil
        }
    }

    static func granted(_ access: String, refresh: String?, _ settings: GrantSettings) -> FakeReply {
        let lifetime = settings.accessTokenLifetime.milliseconds / 1000
        var writer = JSONWriter()
        writer.object {
            $0.member("token_type", "Bearer")
            $0.member("scope", settings.scope)
            $0.member("expires_in", lifetime)
            $0.member("ext_expires_in", lifetime)
            $0.member("access_token", access)
            if let refresh { $0.member("refresh_token", refresh) }
        }
        var reply = FakeReply.json(200, writer.bytes)
        reply.headers["Cache-Control"] = "no-store"
        return reply
    }

    static func refusal(
        _ error: OAuthError, now: Timestamp, using rng: inout some RandomNumberGenerator
    ) -> FakeReply {
        let trace = rng.guid()
        let correlation = rng.guid()
        var writer = JSONWriter()
        writer.object {
            $0.member("error", error.error)
            $0.member("error_description", "AADSTS\(error.number): \(error.description) Trace ID: \(trace)")
            $0.name("error_codes")
            $0.array { $0.value(error.number) }
            $0.member("timestamp", now.tokenErrorDate)
            $0.member("trace_id", trace)
            $0.member("correlation_id", correlation)
        }
        return .json(error.status, writer.bytes)
    }
}
