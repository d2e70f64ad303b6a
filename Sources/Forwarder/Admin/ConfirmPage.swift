/// Says what is about to be done, and does it only when told again.
struct ConfirmPage {
    var heading: String
    /// What it would mean.
    var meaning: String
    /// What it is about, by name.
    var facts: [(name: String, value: String)] = []
    var action: StaticString
    /// What the form repeats.
    var fields: [(name: String, value: String)]
    var button: String
    var isDangerous = false
    var back: Link

    func page(_ viewer: Viewer) -> HTML {
        PageFrame.page(heading, viewer) { html in
            html.element("form", ["class": "panel narrow", "method": "post", "action": "\(action)"]) { html in
                html.formKey(viewer)
                for (name, value) in fields {
                    html.void("input", ["type": "hidden", "name": name, "value": value])
                }
                html.element("dl", ["class": "facts"]) { html in
                    for (name, value) in facts { html.fact(name, value) }
                }
                html.element("p", meaning)
                html.element("div", ["class": "choices"]) { html in
                    html.element("button", ["class": isDangerous ? "danger" : nil], button)
                    html.link("Cancel", back)
                }
            }
        }
    }
}

/// What came of it.
enum ResultPage {
    static func page(
        _ heading: String, _ tone: Tone, _ lines: [String], back: (title: String, link: Link), _ viewer: Viewer
    ) -> HTML {
        PageFrame.page(heading, viewer) { html in
            html.notice(tone) { html in
                for line in lines { html.element("p", line) }
            }
            html.element("p") { $0.link(back.title, back.link) }
        }
    }
}
