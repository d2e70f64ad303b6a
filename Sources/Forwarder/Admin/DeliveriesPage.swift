import ForwarderCore

/// The delivery log: what became of conversions.
enum DeliveriesPage {
    static let limit = 200

    /// What is asked for, as its form says. Times are as a browser's field for them writes them, and mean UTC.
    struct Filter: Sendable {
        var query = DeliveryLogQuery()
        var since: String?
        var until: String?

        init(_ form: Form) {
            query.destination = form["destination"]
            query.status = form["status"]
            query.event = form["event"]
            query.goal = form["goal"]
            query.transactionID = form["transaction_id"]
            query.limit = DeliveriesPage.limit
            since = form["since"]
            until = form["until"]
            query.since = since.flatMap(Filter.time)
            query.until = until.flatMap(Filter.time)
        }

        /// `2026-08-06T07:06`, with or without seconds.
        private static func time(_ text: String) -> Timestamp? {
            Timestamp(iso8601: text.utf8.count == 16 ? "\(text):00Z" : "\(text)Z")
        }
    }

    static func page(_ answer: JSONElement?, _ filter: Filter, destinations: [String], _ viewer: Viewer) -> HTML {
        PageFrame.page("Deliveries", place: "/deliveries", viewer) { html in
            html.element(
                "p", ["class": "hint"],
                "What came to its end, newest first: every offline conversion, the CAPI events named in "
                    + "delivery_log.events, and all that was refused. What is not here may still wait, or have been "
                    + "rejected or skipped. A verdict is what Microsoft made of all conversions of a goal and day.")
            filters(filter, destinations: destinations, &html)
            guard let entries = StorePages.rows(answer, "deliveries", &html) else { return }
            guard !entries.isEmpty else { return html.element("p", "There are none.") }
            let columns = [
                "Settled", "Destination", "Status", "Event", "Goal", "#Value", "Transaction", "Event time", "#Tries",
            ]
            html.table("Deliveries", columns) { html in
                for entry in entries { row(entry, &html) }
            }
            html.element(
                "p", ["class": "hint"],
                entries.count < limit
                    ? "\(entries.count) shown." : "Not more than \(limit) are shown; the command line lists more.")
        }
    }

    private static func row(_ entry: JSONElement, _ html: inout HTML) {
        html.row { html in
            html.element("th", ["scope": "row"]) { $0.time(entry["at"]?.string ?? "") }
            html.element("td", entry["destination"]?.string ?? "")
            html.element("td") { html in
                let (tone, word) = status(entry["status"]?.string ?? "")
                html.badge(tone, word)
                if entry["status"]?.string == "verdict" {
                    html.text(" \(VerdictWords.summary(entry))")
                } else if let code = entry["code"]?.string {
                    html.text(" ")
                    html.element("code", code)
                }
            }
            html.element("td", entry["event"]?.string ?? "")
            html.element("td", entry["goal"]?.string ?? "")
            let value = entry["value"].map { $0.string ?? $0.rawText }
            html.element(
                "td", ["class": "number"],
                [value, entry["currency"]?.string].compactMap { $0 }.joined(separator: " "))
            html.element("td", entry["transaction_id"]?.string ?? "–")
            html.element("td") { $0.time(seconds: entry["event_time"]) }
            html.number(entry["attempts"]?.integer)
        }
    }

    private static func status(_ name: String) -> (Tone, String) {
        switch name {
        case "delivered": (.good, "delivered")
        case "delivered_unconfirmed": (.careful, "unconfirmed")
        case "dead_lettered": (.bad, "dead letter")
        default: (.quiet, name)
        }
    }

    private static func filters(_ filter: Filter, destinations: [String], _ html: inout HTML) {
        let statuses = DeliveryLogQuery.statuses.map { ($0, status($0).1) }
        html.element("form", ["class": "filters", "method": "get", "action": "/deliveries"]) { html in
            html.field("Destination", id: "destination") {
                $0.select(
                    "destination", [("", "all")] + destinations.map { ($0, $0) }, chosen: filter.query.destination ?? ""
                )
            }
            html.field("Status", id: "status") {
                $0.select("status", [("", "all")] + statuses, chosen: filter.query.status ?? "")
            }
            html.field("Event", id: "event") { $0.input("event", filter.query.event) }
            html.field("Goal", id: "goal") { $0.input("goal", filter.query.goal) }
            html.field("Transaction id", id: "transaction_id") {
                $0.input("transaction_id", filter.query.transactionID)
            }
            html.field("Since (UTC)", id: "since") { $0.input("since", filter.since, type: "datetime-local") }
            html.field("Until (UTC)", id: "until") { $0.input("until", filter.until, type: "datetime-local") }
            html.element("button", "Filter")
        }
    }
}

extension HTML {
    /// A control and its label.
    mutating func field(_ title: String, id: String, _ control: (inout HTML) -> Void) {
        element("div") { html in
            html.element("label", ["for": id], title)
            control(&html)
        }
    }

    mutating func input(_ name: String, _ value: String?, type: StaticString = "text") {
        void(
            "input",
            [
                "type": "\(type)", "id": name, "name": name, "value": value ?? "", "maxlength": "200",
                "spellcheck": "false",
            ])
    }
}
