import FakeMicrosoft
import ForwarderCore

/// Tokens: who has which, when they die, and how they come to life again.
extension Simulation {
    var grantSecrets: OAuthGrant.Secrets { OAuthGrant.Secrets(clientSecret: nil, seed: secrets.seed) }

    mutating func rereadSecret(_ index: Int) {
        guard let process else { return }
        if Simulation.ofGrant.contains(index) { return tellGrant(.secrets(grantSecrets)) }
        // A pixel has no secret.
        if index == 3 { return tell(index, .credential(isReady: true, generation: 1)) }
        if process.tagToken != secrets.tagToken {
            process.tagToken = secrets.tagToken
            process.tagTokenGeneration += 1
        }
        tell(0, .credential(isReady: true, generation: process.tagTokenGeneration))
    }

    mutating func tellGrant(_ input: OAuthGrant.Input) {
        guard let process else { return }
        for action in process.grant.handle(input, now: now) {
            switch action {
            case .request(let request): after(1...60, .arrival(request, nil, life: process.life))
            case .save(let record):
                if !isGrantUnsavable { savedGrant = record }
                tellGrant(.saved(!isGrantUnsavable))
            case .ready(let token):
                process.accessToken = token
                process.tokenGeneration += 1
                tellOfToken(isReady: true)
            case .unready:
                process.accessToken = nil
                tellOfToken(isReady: false)
            case .signal: trace("  grant: \(process.grant.problem ?? "well")")
            // Nobody consents anew here.
            case .redeemed, .keep: break
            }
        }
        // A lane without a credential has no probes that would have the secrets read.
        guard process.accessToken == nil, process.grant.problem != nil, !process.isLookDue else { return }
        process.isLookDue = true
        after(RetrySettings().parkedProbe.milliseconds, .lookAtSecrets(life: process.life))
    }

    private mutating func tellOfToken(isReady: Bool) {
        guard let process else { return }
        let generation = process.tokenGeneration
        for index in Simulation.ofGrant { tell(index, .credential(isReady: isReady, generation: generation)) }
    }

    mutating func lookAtSecrets() {
        process?.isLookDue = false
        rereadSecret(1)
    }

    // MARK: Trouble

    /// Half of the time between two requests: of what is in flight then, some has arrived with the old token.
    mutating func beginCredentialTrouble(_ trouble: Trouble) {
        if Bool.random(using: &random) {
            ambush = (trouble, .random(in: 1...4, using: &random))
        } else {
            breakCredential(trouble)
        }
    }

    mutating func strike() {
        guard let (trouble, requests) = ambush, !isHealed else { return }
        if requests > 1 { return ambush = (trouble, requests - 1) }
        ambush = nil
        trace("-- \(trouble), between two requests")
        breakCredential(trouble)
    }

    private mutating func breakCredential(_ trouble: Trouble) {
        switch trouble {
        case .expiredToken: microsoft.expireAccessTokens(now: trueTime)
        case .revokedGrant:
            // Somebody signs in again: what was handed out before is worth nothing from here on.
            validSecrets.seed += "'"
            microsoft.consent(refreshToken: validSecrets.seed, revoking: true)
            handOutSecretsLater()
        case .refusedGrant:
            microsoft.expireAccessTokens(now: trueTime)
            let length = Duration.milliseconds(Int64.random(in: 1000...3_600_000, using: &random))
            let refusal = Fault.oauthError("invalid_grant", aadsts: 70_000)
            microsoft.add(FaultPlan.Phase(refusal, targets: .oauth, window: .zero..<length), from: trueTime)
        case .newTagToken:
            validSecrets.tagToken += "'"
            microsoft.setToken(validSecrets.tagToken, ofTag: Simulation.tag)
            handOutSecretsLater()
        default: break
        }
    }

    private mutating func handOutSecretsLater() {
        after(0...1_800_000, .secretsHandedOut)
    }
}
