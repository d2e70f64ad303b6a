import ForwarderCore

/// Which rows of the store a page shows, as its form says.
struct RowFilter: Sendable {
    /// Rows on a page.
    static let limit = 100

    var destination: String?
    var reason: String?

    init(_ form: Form) {
        destination = form["destination"]
        reason = form["reason"].map { String($0.prefix(100)) }
    }

    var selection: StoreSelection {
        StoreSelection(destination: destination, reason: reason, limit: RowFilter.limit)
    }
}

/// Lists of what the store keeps. Each takes the answer that the command line gets for `--json`.
enum StorePages {
    static func deadLetters(
        _ answer: JSONElement?, _ filter: RowFilter, destinations: [String], _ viewer: Viewer
    ) -> HTML {
        PageFrame.page("Dead letters", place: "/dead-letters", viewer) { html in
            html.element(
                "p", ["class": "hint"],
                "Deliveries that were given up: refused by Microsoft, not fit to be sent, or too old. They are kept for "
                    + "state.keep_for.")
            filters("/dead-letters", filter, reasons: "Class or reason", destinations: destinations, &html)
            guard let letters = rows(answer, "dead_letters", &html) else { return }
            guard !letters.isEmpty else { return html.element("p", "There are none.") }
            let columns = ["#Id", "Why", "Destination", "Goal", "Given up", "#Tries", "Event time", "From Kafka"]
            html.table("Dead letters", columns + (viewer.mayAct ? ["Actions"] : [])) { html in
                for letter in letters { row(letter, viewer, &html) }
            }
            count(letters.count, &html)
            guard viewer.mayAct else { return }
            html.element("p", ["class": "actions"]) { html in
                for action in LetterAction.allCases {
                    html.link(
                        "\(action.title) all \(filter.isEmpty ? "dead letters" : "of this selection")…",
                        Link(
                            "/dead-letters/act",
                            [
                                "action": action.rawValue, "destination": filter.destination,
                                "reason": filter.reason,
                            ]), kind: "button")
                }
            }
        }
    }

    private static func row(_ letter: JSONElement, _ viewer: Viewer, _ html: inout HTML) {
        let id = letter["id"]?.rawText ?? ""
        html.row { html in
            html.element("th", ["scope": "row", "class": "number"], id)
            html.element("td") { html in
                html.element("code", letter["reason"]?.string ?? "")
                html.text(" (\(letter["class"]?.string ?? ""))")
            }
            html.element("td", letter["destination"]?.string ?? "")
            html.element("td", letter["goal"]?.string ?? "")
            html.element("td") { $0.time(letter["dead_at"]?.string ?? "") }
            html.number(letter["attempts"]?.integer)
            html.element("td") { $0.time(seconds: letter["event_time"]) }
            html.element("td", position(letter))
            guard viewer.mayAct else { return }
            html.element("td") { html in
                for action in LetterAction.allCases {
                    html.element(
                        "a",
                        [
                            "class": "button", "aria-label": "\(action.title) dead letter \(id)",
                            "href": Link("/dead-letters/act", ["action": action.rawValue, "id": id]).text,
                        ], "\(action.title)…")
                }
            }
        }
    }

    static func rejects(
        _ answer: JSONElement?, _ filter: RowFilter, destinations: [String], _ viewer: Viewer
    ) -> HTML {
        PageFrame.page("Rejects", place: "/rejects", viewer) { html in
            html.element(
                "p", ["class": "hint"],
                "Events that could not be taken, by their place in Kafka; nothing of their content is kept. Look one up "
                    + "there and paste it into the debugger.")
            filters("/rejects", filter, reasons: "Reason", destinations: destinations, &html)
            guard let rejects = rows(answer, "rejects", &html) else { return }
            guard !rejects.isEmpty else { return html.element("p", "There are none.") }
            html.table("Rejects", ["Rejected", "Reasons", "Destination", "From Kafka"]) { html in
                for reject in rejects {
                    html.row { html in
                        html.element("th", ["scope": "row"]) { $0.time(reject["at"]?.string ?? "") }
                        html.element("td", ["class": "wide"]) { html in
                            for reason in reject["reasons"]?.elements?.compactMap(\.string) ?? [] {
                                html.reason(reason, Meanings.ofReject(reason))
                            }
                        }
                        html.element("td", reject["destination"]?.string ?? "all")
                        html.element("td", position(reject))
                    }
                }
            }
            count(rejects.count, &html)
        }
    }

    // MARK: Pieces

    private static func filters(
        _ path: StaticString, _ filter: RowFilter, reasons: String, destinations: [String], _ html: inout HTML
    ) {
        html.element("form", ["class": "filters", "method": "get", "action": "\(path)"]) { html in
            html.field("Destination", id: "destination") {
                $0.select(
                    "destination", [("", "all")] + destinations.map { ($0, $0) }, chosen: filter.destination ?? "")
            }
            html.field(reasons, id: "reason") { $0.input("reason", filter.reason) }
            html.element("button", "Filter")
        }
    }

    /// The rows of an answer; nil after having said why there are none.
    static func rows(_ answer: JSONElement?, _ member: String, _ html: inout HTML) -> [JSONElement]? {
        if let rows = answer?[member]?.elements { return rows }
        html.notice(.bad) { $0.element("p", answer?["error"]?.string ?? "the daemon gave no answer") }
        return nil
    }

    private static func count(_ count: Int, _ html: inout HTML) {
        html.element(
            "p", ["class": "hint"],
            count < RowFilter.limit
                ? "\(count) shown." : "Not more than \(RowFilter.limit) are shown; the command line lists more.")
    }

    private static func position(_ row: JSONElement) -> String {
        "\(row["topic"]?.string ?? "") \(row["partition"]?.rawText ?? "") @ \(row["offset"]?.rawText ?? "")"
    }
}

extension RowFilter {
    var isEmpty: Bool { destination == nil && reason == nil }
}

extension HTML {
    mutating func select(_ name: String, _ options: [(value: String, title: String)], chosen: String) {
        element("select", ["id": name, "name": name]) { html in
            for (value, title) in options {
                html.element("option", ["value": value, "selected": value == chosen ? "" : nil], title)
            }
        }
    }

    /// UNIX seconds.
    mutating func time(seconds: JSONElement?) {
        guard let seconds = seconds?.integer else { return text("–") }
        time(LogTime.text(Timestamp(seconds: seconds)))
    }

    /// A reason in the words of the log, and in a person's.
    mutating func reason(_ name: String, _ words: String?) {
        element("div") { html in
            html.element("code", name)
            if let words { html.text(" – \(words)") }
        }
    }
}
