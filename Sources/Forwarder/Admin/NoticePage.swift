/// Pages that say one thing.
enum NoticePage {
    static func page(
        _ heading: String, _ text: String, _ viewer: Viewer, tone: Tone = .careful, back: (String, Link)? = nil
    ) -> HTML {
        PageFrame.page(heading, viewer) { html in
            html.notice(tone) { $0.element("p", text) }
            html.element("p") { html in
                html.link(back?.0 ?? "Back to the overview", back?.1 ?? Link("/"))
            }
        }
    }

    static func needsToken(_ viewer: Viewer) -> HTML {
        page(
            "A token is needed",
            "Without admin.token in the configuration these pages only show how things are, neither act nor show orders. Set one and restart the daemon; until then "
                + "the command line does the same for the daemon's user.", viewer)
    }

    static func staleForm(_ viewer: Viewer) -> HTML {
        page(
            "This form is out of date",
            "Nothing was done. The daemon was restarted or you have logged in anew since the form was made; go back, "
                + "reload that page and try again.", viewer)
    }
}

enum LoginPage {
    /// - Parameter next: the path of the page that was asked for.
    static func page(next: String, isRefused: Bool) -> HTML {
        PageFrame.page("Log in", .guest) { html in
            if isRefused {
                html.notice(.bad) { $0.element("p", "That is not the token.") }
            }
            html.element("form", ["class": "panel narrow", "method": "post", "action": "/login"]) { html in
                html.void("input", ["type": "hidden", "name": "next", "value": next])
                html.element("label", ["for": "token"], "Token")
                html.void(
                    "input",
                    [
                        "id": "token", "name": "token", "type": "password", "required": "",
                        "autocomplete": "current-password", "aria-describedby": "token-hint",
                    ])
                html.element(
                    "p", ["id": "token-hint", "class": "hint"], "What admin.token of the configuration refers to.")
                html.element("button", "Log in")
            }
        }
    }
}
