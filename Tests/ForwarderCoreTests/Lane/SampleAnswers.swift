import ForwarderCore

/// Answers of Microsoft, as far as their words matter.
enum SampleAnswers {
    static func answer(_ status: Int, _ body: String = "", after: String? = nil) -> HTTPOutcome {
        .answer(
            HTTPAnswer(
                status: status, headers: after.map { ["retry-after": $0] } ?? [:], body: Array(body.utf8)))
    }

    static func details(_ problems: [(index: Int, code: String)]) -> String {
        problems.map {
            #"{"index":\#($0.index),"propertyName":"data[\#($0.index)].eventTime","attemptedValue":"ada@example.com","#
                + #""errorMessage":"ada@example.com is bad","errorCode":"\#($0.code)","isWarning":false}"#
        }.joined(separator: ",")
    }

    /// The Conversions API processed all but some, and says so.
    static func processed(_ count: Int, _ problems: [(index: Int, code: String)] = []) -> HTTPOutcome {
        let error = problems.isEmpty ? "" : #","error":{"code":"ValidationError","details":[\#(details(problems))]}"#
        return answer(200, #"{"eventsReceived":\#(count)\#(error)}"#)
    }

    static func invalid(_ problems: [(index: Int, code: String)]) -> HTTPOutcome {
        answer(400, #"{"error":{"code":"ValidationError","message":"x","details":[\#(details(problems))]}}"#)
    }

    static func campaignErrors(_ problems: [(index: Int?, code: Int)]) -> String {
        problems.map {
            #"{"Code":\#($0.code),"ErrorCode":"","Index":\#($0.index.map(String.init) ?? "null"),"Message":"x"}"#
        }.joined(separator: ",")
    }

    /// ApplyOfflineConversions was carried out.
    static func applied(_ problems: [(index: Int?, code: Int)] = []) -> HTTPOutcome {
        answer(200, #"{"PartialErrors":[\#(campaignErrors(problems))]}"#)
    }

    static func fault(_ status: Int, _ code: Int, after: String? = nil) -> HTTPOutcome {
        answer(status, #"{"Type":"AdApiFaultDetail","Errors":[{"Code":\#(code),"ErrorCode":""}]}"#, after: after)
    }
}
