import ForwarderCore

/// How the daemon and each of its destinations are.
enum OverviewPage {
    struct Values: Sendable {
        var metrics: Metrics
        /// Why it is not ready; empty when it is.
        var reasons: [String]
        var series: [String: ThroughputHistory.Series]
        var at: Timestamp
    }

    static func page(_ values: Values, _ viewer: Viewer) -> HTML {
        PageFrame.page("Overview", place: "/", viewer) { html in
            html.element("div", ["class": "refresh", "id": "refresh", "hidden": ""]) { html in
                html.void("input", ["type": "checkbox", "id": "refresh-on", "checked": "", "autocomplete": "off"])
                html.element("label", ["for": "refresh-on"], "Refresh every 10 seconds")
            }
            // Read out when its words change, and only then.
            html.element("p", ["id": "summary", "class": "hidden", "role": "status"], summary(values))
            html.element("div", ["id": "live"]) { html in
                readiness(values, &html)
                html.element("section", ["aria-labelledby": "destinations"]) { html in
                    html.element("h2", ["id": "destinations"], "Destinations")
                    html.element("p", ["class": "hint"], "Counts are since the start; curves show the last 20 minutes.")
                    html.element("div", ["class": "cards"]) { html in
                        for destination in values.metrics.destinations {
                            card(
                                destination, values.series[destination.lane.name] ?? ThroughputHistory.Series(), viewer,
                                &html)
                        }
                        for (name, pending) in values.metrics.detached.sorted(by: { $0.key < $1.key }) {
                            detached(name, pending, &html)
                        }
                    }
                }
                partitions(values.metrics.kafka, &html)
            }
            if !viewer.mayAct {
                html.element("p", ["class": "hint"]) { html in
                    html.text("These pages only show: no ")
                    html.element("code", "admin.token")
                    html.text(" is configured. The command line acts for the daemon’s user.")
                }
            }
        }
    }

    // MARK: The daemon

    private static func summary(_ values: Values) -> String {
        let troubled = values.metrics.destinations.filter { gate($0.lane.gate).tone != .good }
        let gates = troubled.map { "\($0.lane.name) \(gate($0.lane.gate).word)" }
        let state = values.reasons.isEmpty ? "Ready" : "Not ready"
        return ([state] + gates).joined(separator: ", ") + "."
    }

    private static func readiness(_ values: Values, _ html: inout HTML) {
        let metrics = values.metrics
        html.element("section", ["aria-labelledby": "daemon"]) { html in
            html.element("h2", ["id": "daemon"]) { html in
                html.text("Daemon ")
                html.badge(values.reasons.isEmpty ? .good : .bad, values.reasons.isEmpty ? "ready" : "not ready")
            }
            html.element("p", ["class": "hint"]) { html in
                html.text("Up for \(Numbers.text(seconds: Double(metrics.uptime.milliseconds) / 1000)), as of ")
                html.time(LogTime.text(values.at))
                html.text(" UTC")
            }
            if !values.reasons.isEmpty {
                html.element("ul", ["class": "reasons"]) { html in
                    for reason in values.reasons {
                        html.element("li") { html in
                            html.element("code", reason)
                            if let words = words(ofReason: reason) { html.text(" – \(words)") }
                        }
                    }
                }
            }
            let lag = metrics.kafka.partitions.reduce(0) { $0 + ($1.lag ?? 0) }
            html.element("dl", ["class": "facts panel"]) { html in
                html.fact("Lag", "\(Numbers.text(lag)) records")
                html.fact("Partitions", Numbers.text(metrics.kafka.partitions.count))
                html.fact("Brokers up", "\(metrics.kafka.brokersUp) of \(metrics.kafka.brokersKnown)")
                html.element("div", ["class": metrics.unaccounted == 0 ? nil : "alarm"]) { html in
                    html.element("dt", "Unaccounted")
                    html.element("dd", Numbers.text(metrics.unaccounted))
                }
                html.fact("Reading", metrics.kafka.isPaused ? "paused: a queue or memory is full" : "yes")
                html.fact("Store", metrics.store.isWritable ? "writable" : "not writable")
            }
        }
    }

    /// What `/readyz` means; the reasons are its words.
    private static func words(ofReason reason: String) -> String? {
        switch reason {
        case "starting": "it has just been started"
        case "not_in_the_group": "Kafka’s group does not have this member"
        case "partition_stopped": "a position was lost, and kafka.offset_out_of_range says to stop"
        case "kafka_unreachable": "no broker answers"
        case "lag_without_progress": "there is something to read, and nothing was read for a minute"
        case "store_not_writable": "look at the disk of state.directory"
        case "unaccounted": "this program has lost count; please report it"
        case _ where reason.hasSuffix("_loop_stalled"): "a thread does not go round; the log says since when"
        default: nil
        }
    }

    // MARK: Destinations

    private static func card(
        _ destination: Metrics.Destination, _ series: ThroughputHistory.Series, _ viewer: Viewer, _ html: inout HTML
    ) {
        let lane = destination.lane
        let gate = gate(lane.gate)
        html.element("article", ["class": "card \(gate.tone.rawValue)", "aria-labelledby": "d-\(lane.name)"]) { html in
            html.element("h3", ["id": "d-\(lane.name)"]) { html in
                html.element("span", ["class": "name"], lane.name)
                html.badge(gate.tone, gate.word)
            }
            html.element("p", ["class": "what"]) { html in
                html.text("\(Meanings.ofType(destination.type)): \(gate.meaning)")
                if let reason = lane.gateReason {
                    html.text(": ")
                    html.element("code", reason)
                }
            }
            charts(destination, series, &html)
            html.element("dl", ["class": "facts"]) { html in
                html.fact(
                    "Oldest pending",
                    destination.oldestPendingSeconds.map { Numbers.text(seconds: $0) } ?? "–")
                html.fact("In flight", Numbers.text(destination.inFlight))
                html.fact("Delivered", Numbers.text(lane.books.delivered))
                html.fact("Dead letters", Numbers.text(lane.books.deadLettered))
                html.fact("Rejected", Numbers.text(destination.intake.rejected))
                html.fact("Skipped", Numbers.text(destination.skipped))
                html.element("div", ["class": lane.isCredentialReady ? nil : "alarm"]) { html in
                    html.element("dt", "Credential")
                    html.element("dd", credential(destination))
                }
                if destination.unaccounted != 0 {
                    html.element("div", ["class": "alarm"]) { html in
                        html.element("dt", "Unaccounted")
                        html.element("dd", Numbers.text(destination.unaccounted))
                    }
                }
            }
            if viewer.mayAct { actions(lane, &html) }
        }
    }

    private static func charts(
        _ destination: Metrics.Destination, _ series: ThroughputHistory.Series, _ html: inout HTML
    ) {
        let rate = series.deliveredPerSecond.last
        let top = series.deliveredPerSecond.max() ?? 0
        html.element("div", ["class": "charts"]) { html in
            html.element("figure") { html in
                html.element("figcaption") { html in
                    html.element("strong", rate.map { Numbers.text(rate: $0) } ?? "–")
                    html.text(" delivered/s")
                }
                Sparkline.write(
                    series.deliveredPerSecond,
                    label: "Delivered per second during the last 20 minutes, at most \(Numbers.text(rate: top))", &html)
            }
            html.element("figure") { html in
                html.element("figcaption") { html in
                    html.element("strong", Numbers.text(destination.lane.pending))
                    html.text(" pending")
                }
                Sparkline.write(
                    series.pending,
                    label:
                        "Pending during the last 20 minutes, at most \(Numbers.text(rate: series.pending.max() ?? 0))",
                    &html)
            }
        }
    }

    private static func credential(_ destination: Metrics.Destination) -> String {
        let state = destination.lane.isCredentialReady ? "ready" : "missing"
        return destination.credentialProblem.map { "\(state): \($0)" } ?? state
    }

    private static func actions(_ lane: LaneSnapshot, _ html: inout HTML) {
        html.element("p", ["class": "actions"]) { html in
            for action in [DestinationAction.pause, .resume] where action.applies(toGate: lane.gate) {
                html.element(
                    "a",
                    [
                        "class": "button", "href": Link(action.path, ["name": lane.name]).text,
                        "aria-label": "\(action.title) \(lane.name)",
                    ], "\(action.title)…")
            }
        }
    }

    private static func detached(_ name: String, _ pending: Int, _ html: inout HTML) {
        html.element("article", ["class": "card quiet", "aria-labelledby": "d-\(name)"]) { html in
            html.element("h3", ["id": "d-\(name)"]) { html in
                html.element("span", ["class": "name"], name)
                html.badge(.quiet, "detached")
            }
            html.element(
                "p", ["class": "what"], "not configured any more; \(Numbers.text(pending)) deliveries wait for it")
        }
    }

    private static func gate(_ name: String) -> (word: String, tone: Tone, meaning: String) {
        switch name {
        case "open": ("open", .good, "sends as it should")
        case "half_open": ("half-open", .careful, "about to try again")
        case "closed": ("closed", .careful, "waits before it tries again")
        case "parked": ("parked", .bad, "refused as a whole, tries now and then")
        case "halted": ("halted", .bad, "too much was refused; goes on after a resume")
        case "paused": ("paused", .quiet, "paused by an operator")
        default: (name, .careful, "")
        }
    }

    // MARK: Kafka

    private static func partitions(_ kafka: Metrics.Kafka, _ html: inout HTML) {
        html.element("section", ["aria-labelledby": "partitions"]) { html in
            html.element("h2", ["id": "partitions"], "Partitions")
            guard !kafka.partitions.isEmpty else {
                return html.element("p", "None are assigned to this process.")
            }
            html.table("Partitions read by this process", ["Topic", "#Partition", "#Position", "#Committed", "#Lag"]) {
                html in
                for partition in kafka.partitions {
                    html.row { html in
                        html.element("th", ["scope": "row"], partition.topic)
                        html.number(partition.partition)
                        html.number(partition.position)
                        html.number(partition.committed)
                        html.number(partition.lag)
                    }
                }
            }
        }
    }
}

extension HTML {
    /// Wider than the window it scrolls by itself, also by keyboard. A column of numbers has a `#` before its name.
    mutating func table(_ label: String, _ columns: [String], _ body: (inout HTML) -> Void) {
        element("div", ["class": "scroll", "role": "region", "aria-label": label, "tabindex": "0"]) { html in
            html.element("table") { html in
                html.element("thead") { html in
                    html.element("tr") { html in
                        for column in columns {
                            let isNumber = column.hasPrefix("#")
                            html.element(
                                "th", ["scope": "col", "class": isNumber ? "number" : nil],
                                isNumber ? String(column.dropFirst()) : column)
                        }
                    }
                }
                html.element("tbody", [:], body)
            }
        }
    }

    mutating func row(_ body: (inout HTML) -> Void) { element("tr", [:], body) }

    mutating func number(_ number: (some BinaryInteger)?) {
        element("td", ["class": "number"], number.map { Numbers.text($0) } ?? "–")
    }
}
