import ForwarderCore
import Testing

/// What can be wrong with a destination of the type `invest_pixel`.
@Suite struct PixelProblemTests {
    static let lines = [
        Mistake("token: {env: X}", "token", "belongs to destinations of type capi"),
        Mistake("goals: {A: B}", "goals", "belongs to destinations of type offline_conversions"),
        Mistake("retry_ambiguous: maybe", "retry_ambiguous", "`maybe` is neither true nor false; write true or false"),
        Mistake("max_event_age: 91d", "max_event_age", "`91d` is out of bounds", write: duration("2m", "90d")),
        Mistake("token_paramater: x", "token_paramater", "unknown key; did you mean token_parameter?"),
    ]

    @Test(arguments: Mistake.onlyOfCAPI + lines)
    func `each mistake in a destination of pixels is named with line, path and remedy`(_ mistake: Mistake) {
        #expect(
            problems(pixels("{Purchase: {pixel_id: 37, min_minutes_per_conv: 60}}", mistake.lines)) == [
                "line 6: destinations[0].\(mistake.problem)"
            ])
    }

    @Test(arguments: [
        ("{Purchase: 0}", "`0` is out of bounds; write a whole number from 1 to 9223372036854775807"),
        ("{Purchase: abc}", "`abc` is no whole number; write a whole number from 1 to 9223372036854775807"),
        (
            "{Purchase: {order_id: transaction_id}}",
            "pixel_id: is missing; write a whole number from 1 to 9223372036854775807"
        ),
        (
            "{Purchase: {pixel_id: 1, order_id: email}}",
            "order_id: `email` cannot be sent there; write the name of a field: transaction_id, event_id, category, label, "
                + "page_type, ecomm_category, currency or source, or off"
        ),
        (
            "{Purchase: {pixel_id: 1, value: currency}}",
            "value: `currency` cannot be sent there; write the name of a field: value, event_value or ecomm_total_value, or off"
        ),
        (
            "{Purchase: {pixel_id: 1, min_minutes_per_conv: 32768}}",
            "min_minutes_per_conv: `32768` is out of bounds; write null for one conversion per user, or a whole number "
                + "from 0 to 32767"
        ),
    ])
    func `what a pixel cannot be is named`(events: String, problem: String) {
        let found = problems(pixels(events, "retry_ambiguous: true"))
        let path = problem.hasPrefix("`") ? ": " : "."
        #expect(found == ["line 5: destinations[0].events.Purchase\(path)\(problem)"])
    }

    private func pixels(_ events: String, _ lines: String) -> String {
        let head = """
            kafka: {brokers: [localhost:9092], topics: [t]}
            destinations:
              - name: invest
                type: invest_pixel
                events: \(events)
            """
        return head + "\n" + lines.split(separator: "\n").map { "    \($0)\n" }.joined()
    }
}
