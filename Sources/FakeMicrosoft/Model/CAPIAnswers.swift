import ForwarderCore

/// The words in which the Conversions API answers.
enum CAPIAnswers {
    /// Problems listed in one answer, however many there are.
    static let listLimit = 10

    private static let umbrella =
        "One or multiple parameters did not pass validation checks, see details. "
        + "Note that only the first 10 errors and warnings are shown."

    static var unauthorized: FakeReply {
        error(401, "Unauthorized", "You are not authorized to access this resource.")
    }

    /// Says that something is wrong, and not with what.
    static var badRequest: FakeReply {
        error(400, "BadRequest", "The request could not be processed.")
    }

    static func serverError(_ status: Int) -> FakeReply {
        error(status, "InternalServerError", "The request could not be processed.")
    }

    /// What a fault answers in place of the service; nil if the service gets to see the request.
    static func gateway(_ fault: Fault?, now: Timestamp) -> FakeReply? {
        switch fault {
        case .status(let status, let retryAfter):
            var reply: FakeReply =
                switch status {
                case 401: unauthorized
                case 403: error(403, "Forbidden", "Access to this resource is denied.")
                case 429: error(429, "TooManyRequests", "Too many requests.")
                case 500: serverError(500)
                default: .page(status, "\(status)")
                }
            reply.add(retryAfter, now: now)
            return reply
        case .bodyLimit: return .page(413, "Payload Too Large")
        case .drop: return .dropped
        default: return nil
        }
    }

    static func processed(_ count: Int, _ judgement: Judgement<CAPICode>, body: [UInt8]) -> FakeReply {
        var writer = JSONWriter()
        writer.object {
            $0.member("eventsReceived", count)
            if judgement.isAnythingTold {
                let isInvalid = judgement.count(atLeast: .setback) > 0
                $0.name("error")
                write(isInvalid ? "ValidationError" : "ValidationWarning", judgement, body: body, to: &$0)
            }
        }
        return .json(200, writer.bytes)
    }

    static func invalid(_ judgement: Judgement<CAPICode>, body: [UInt8]) -> FakeReply {
        var writer = JSONWriter()
        writer.object {
            $0.name("error")
            write("ValidationError", judgement, body: body, to: &$0)
        }
        return .json(400, writer.bytes)
    }

    /// The answer to a request that cannot be taken apart into events.
    static func refusal(_ problem: Problem<CAPICode>, body: [UInt8]) -> FakeReply {
        var judgement = Judgement<CAPICode>()
        judgement.problems = [problem]
        return invalid(judgement, body: body)
    }

    private static func write(
        _ code: String, _ judgement: Judgement<CAPICode>, body: [UInt8], to writer: inout JSONWriter
    ) {
        writer.object {
            $0.member("code", code)
            $0.member("message", umbrella)
            $0.name("details")
            $0.array { list in
                for problem in judgement.problems.lazy.filter({ $0.severity > .remark }).prefix(listLimit) {
                    list.object { write(problem, body: body, to: &$0) }
                }
            }
        }
    }

    private static func write(_ problem: Problem<CAPICode>, body: [UInt8], to writer: inout JSONWriter) {
        let property = problem.property(in: body)
        if problem.item >= 0 {
            writer.member("index", problem.item)
            writer.member(
                "propertyName", property.isEmpty ? "data[\(problem.item)]" : "data[\(problem.item)].\(property)")
        } else if !property.isEmpty {
            writer.member("propertyName", property)
        }
        if !problem.text.isEmpty, problem.name != nil {
            let value = body[Int(problem.text.lowerBound)..<Int(problem.text.upperBound)]
            writer.member("attemptedValue", String(decoding: value.prefix(200), as: UTF8.self))
        }
        let leaf = property.split(separator: ".").last.map(String.init) ?? property
        writer.member("errorMessage", problem.code.message(for: leaf))
        writer.member("errorCode", problem.code.rawValue)
        writer.member("isWarning", problem.severity == .warning)
    }

    private static func error(_ status: Int, _ code: String, _ message: String) -> FakeReply {
        var writer = JSONWriter()
        writer.object {
            $0.name("error")
            $0.object {
                $0.member("code", code)
                $0.member("message", message)
            }
        }
        return .json(status, writer.bytes)
    }
}

extension Judgement {
    /// Whether there is a problem that the answer has to name.
    var isAnythingTold: Bool { problems.contains { $0.severity > .remark } }
}
