import ForwarderCore

/// Sends one event for real.
enum SendTestPage {
    static func page(destinations: [String], _ viewer: Viewer) -> HTML {
        PageFrame.page("Send a test event", place: "/send-test", viewer) { html in
            html.notice(.careful) { html in
                html.element(
                    "p", "Microsoft has no place for tests: an accepted event counts as a conversion of the account.")
            }
            guard viewer.mayAct else {
                return html.element("p") { html in
                    html.text("This needs a token: set ")
                    html.element("code", "admin.token")
                    html.text(", or use the command ")
                    html.element("code", "conversion-forwarder send-test")
                    html.text(".")
                }
            }
            html.element("form", ["class": "panel narrow", "method": "post", "action": "/send-test"]) { html in
                html.formKey(viewer)
                html.element("label", ["for": "destination"], "Destination")
                html.select("destination", destinations.map { ($0, $0) }, chosen: "")
                html.element("label", ["for": "name"], "Event name")
                html.void(
                    "input",
                    ["id": "name", "name": "name", "value": "Purchase", "maxlength": "100", "spellcheck": "false"])
                html.element("label", ["for": "msclkid"], "Click id (msclkid)")
                html.void(
                    "input",
                    [
                        "id": "msclkid", "name": "msclkid", "maxlength": "200", "spellcheck": "false",
                        "autocomplete": "off", "aria-describedby": "msclkid-hint",
                    ])
                html.element(
                    "p", ["id": "msclkid-hint", "class": "hint"],
                    "Optional. Offline Conversions without enhanced conversions need a real one.")
                html.element("p", ["class": "hint"]) { html in
                    html.text(
                        "The event is made up: its ids begin with test-, its e-mail is of example.com, its value is 0.01 USD. "
                            + "It is sent once, also to a destination that is paused or in shadow mode, and stands in no count."
                    )
                }
                html.element("div", ["class": "check"]) { html in
                    html.void(
                        "input", ["type": "checkbox", "id": "sure", "name": "sure", "value": "yes", "required": ""])
                    html.element("label", ["for": "sure"], "Send it, although it counts as a conversion")
                }
                html.element("button", "Send")
            }
        }
    }

    static func result(_ answer: JSONElement?, _ viewer: Viewer) -> HTML {
        let isWell = answer?["well"]?.bool ?? false
        let lines = answer.map { root in
            root["error"]?.string.map { [$0] } ?? TestResult.text(root).split(separator: "\n").map(String.init)
        }
        return ResultPage.page(
            "Test event", isWell ? .good : .bad, lines ?? ["the daemon gave no answer"],
            back: ("Send another one", Link("/send-test")), viewer)
    }
}
