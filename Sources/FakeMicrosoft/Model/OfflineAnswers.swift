import ForwarderCore

/// The words in which the Campaign Management service answers.
enum OfflineAnswers {
    /// The headers that every call must have.
    static let headers = ["Authorization", "DeveloperToken", "CustomerId", "CustomerAccountId"]

    /// What a fault answers in place of the service; nil if the service gets to see the request.
    static func gateway(_ exchange: Exchange) -> FakeReply? {
        switch exchange.fault {
        case .status(let status, let retryAfter):
            var reply: FakeReply =
                switch status {
                case 401: fault(.authenticationTokenExpired, exchange)
                case 403: fault(.userIsNotAuthorized, exchange)
                case 429: fault(.callRateExceeded, exchange)
                case 500: fault(.internalError, exchange)
                default: .page(status, "\(status)")
                }
            reply.add(retryAfter, now: exchange.now)
            return reply
        case .campaignFault(let code): return fault(code, exchange)
        case .bodyLimit: return .page(413, "Payload Too Large")
        case .drop: return .dropped
        default: return nil
        }
    }

    /// The answer that reports one error for the whole request.
    static func fault(_ code: CampaignCode, _ exchange: Exchange) -> FakeReply {
        var writer = JSONWriter()
        writer.object { fault in
            fault.member("TrackingId", exchange.trackingID)
            fault.member("Type", code.isAdAPIFault ? "AdApiFaultDetail" : "ApiFaultDetail")
            if !code.isAdAPIFault {
                fault.name("BatchErrors")
                fault.array { _ in }
            }
            fault.name(code.isAdAPIFault ? "Errors" : "OperationErrors")
            fault.array {
                $0.object {
                    $0.member("Code", code.rawValue)
                    $0.name(code.isAdAPIFault ? "Detail" : "Details")
                    $0.null()
                    $0.member("ErrorCode", code.name)
                    $0.member("Message", "The request was refused: \(code.name).")
                }
            }
        }
        var reply = FakeReply.json(code.status, writer.bytes)
        reply.headers["TrackingId"] = exchange.trackingID
        return reply
    }

    /// The answer to a request that was carried out, with the errors of single conversions.
    static func applied(_ judgement: Judgement<CampaignCode>, body: [UInt8]) -> FakeReply {
        var writer = JSONWriter()
        writer.object {
            $0.name("PartialErrors")
            $0.array { list in
                for problem in judgement.problems { list.object { write(problem, body: body, to: &$0) } }
            }
        }
        return .json(200, writer.bytes)
    }

    private static func write(_ problem: Problem<CampaignCode>, body: [UInt8], to writer: inout JSONWriter) {
        let property = problem.property(in: body)
        writer.member("Code", problem.code.rawValue)
        writer.name("Details")
        writer.null()
        writer.member("ErrorCode", problem.code.name)
        writer.name("FieldPath")
        if property.isEmpty { writer.null() } else { writer.value(property) }
        writer.name("ForwardCompatibilityMap")
        writer.null()
        writer.member("Index", problem.item)
        writer.member("Message", "The offline conversion was refused: \(problem.code.name).")
        writer.member("Type", "BatchError")
    }
}
