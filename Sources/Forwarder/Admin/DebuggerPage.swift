import ForwarderCore

/// What each destination would get of an event that is pasted, and why not.
enum DebuggerPage {
    /// Events of one paste that are looked at.
    static let limit = 10

    /// - Parameter pasted: what was pasted; nil before.
    static func page(_ pasted: String?, _ explanations: [Explanation], _ viewer: Viewer) -> HTML {
        PageFrame.page("Event debugger", place: "/debugger", viewer) { html in
            html.element("form", ["class": "panel", "method": "post", "action": "/debugger"]) { html in
                html.formKey(viewer)
                html.element("label", ["for": "event"], "Event")
                html.element(
                    "p", ["id": "event-hint", "class": "hint"],
                    "One storefront event as JSON, or up to \(limit), one a line. It is judged by the configuration the daemon "
                        + "runs with. Nothing is sent and nothing is kept.")
                html.element(
                    "textarea",
                    [
                        "id": "event", "name": "event", "required": "", "spellcheck": "false", "autocomplete": "off",
                        "aria-describedby": "event-hint",
                    ]
                ) { html in
                    // HTML drops a line break that stands first.
                    html.text("\n" + (pasted ?? sample))
                }
                html.element("button", "Explain")
            }
            guard pasted != nil else { return }
            html.element("div", ["role": "status"]) { html in
                html.element("h2", "What would become of it")
                if explanations.isEmpty { html.element("p", "There is no event in it.") }
            }
            for (index, explanation) in explanations.enumerated() {
                write(explanation, number: explanations.count > 1 ? index + 1 : nil, &html)
            }
        }
    }

    private static let sample = """
        {"event": "Purchase", "event_id": "debug-1", "event_time": 1790000000,
         "url": "https://shop.example/thanks",
         "user": {"anonymous_id": "a-1", "email": "someone@example.com"},
         "properties": {"value": 19.99, "currency": "EUR", "transaction_id": "t-1"}}
        """

    private static func write(_ explanation: Explanation, number: Int?, _ html: inout HTML) {
        html.element("section", ["class": "stack"]) { html in
            let name = explanation.unreadable == nil ? explanation.event ?? "(no name)" : "(unreadable)"
            html.element("h3", "\(number.map { "\($0): " } ?? "")\(name) \(explanation.eventID ?? "")")
            if let reasons = explanation.unreadable {
                return html.notice(.bad) { html in
                    html.element("p", "No destination gets it: the record is rejected.")
                    for reason in reasons { html.reason(reason, Meanings.ofReject(reason)) }
                }
            }
            for destination in explanation.destinations { write(destination, &html) }
        }
    }

    private static func write(_ destination: Explanation.Destination, _ html: inout HTML) {
        let (tone, word) = outcome(destination.outcome)
        html.element("article", ["class": "card \(tone.rawValue)"]) { html in
            html.element("h4", ["class": "verdict"]) { html in
                html.element("span", ["class": "name"], "\(destination.name): \(Meanings.ofType(destination.type))")
                html.badge(tone, word)
            }
            for reason in destination.reasons {
                let words = Meanings.ofReject(reason) ?? Meanings.ofSkip(reason)
                html.reason(reason, words)
            }
            if !destination.dropped.isEmpty {
                html.element("p", ["class": "what"], "Without, or with less of:")
                html.element("ul", ["class": "pairs"]) { html in
                    for (field, reason) in destination.dropped {
                        html.element("li") { html in
                            html.element("code", field)
                            html.text(": ")
                            html.element("code", reason)
                            if let words = Meanings.ofDrop(reason) { html.text(" – \(words)") }
                        }
                    }
                }
            }
            if let request = destination.request {
                html.element("p", ["class": "what"]) { html in
                    html.element("code", "\(request.method) \(request.url)")
                }
                html.element(
                    "pre",
                    ["tabindex": "0", "role": "region", "aria-label": "Body of the request to \(destination.name)"],
                    PrettyJSON.text(request.body))
            }
        }
    }

    private static func outcome(_ outcome: Explanation.Outcome) -> (Tone, String) {
        switch outcome {
        case .deliver: (.good, "would be sent")
        case .skip: (.quiet, "skipped")
        case .reject: (.bad, "rejected")
        }
    }
}

/// JSON for people: a member a line.
enum PrettyJSON {
    static func text(_ json: [UInt8]) -> String {
        guard let root = (try? JSONDocument(json))?.root else { return String(decoding: json, as: UTF8.self) }
        var text = ""
        write(root, indentation: "", &text)
        return text
    }

    private static func write(_ element: JSONElement, indentation: String, _ text: inout String) {
        let inner = indentation + "  "
        if let members = element.members, !members.isEmpty {
            text += "{"
            for (index, member) in members.enumerated() {
                text += "\(index == 0 ? "" : ",")\n\(inner)\"\(member.name)\": "
                write(member.value, indentation: inner, &text)
            }
            text += "\n\(indentation)}"
        } else if let elements = element.elements, !elements.isEmpty {
            text += "["
            for (index, element) in elements.enumerated() {
                text += "\(index == 0 ? "" : ",")\n\(inner)"
                write(element, indentation: inner, &text)
            }
            text += "\n\(indentation)]"
        } else {
            text += String(decoding: element.json, as: UTF8.self)
        }
    }
}
