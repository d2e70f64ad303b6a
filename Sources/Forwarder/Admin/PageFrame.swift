/// Who looks at a page.
struct Viewer: Sendable {
    /// Goes with every form; proves that it was made for this viewer.
    var formKey: String
    var mayAct: Bool
    var hasSession: Bool
    /// Has not shown who it is: sees no way to other pages.
    var isGuest = false

    static let guest = Viewer(formKey: "", mayAct: false, hasSession: false, isGuest: true)
}

/// What all pages have around them.
enum PageFrame {
    private static let places: [(path: StaticString, title: StaticString)] = [
        ("/", "Overview"), ("/deliveries", "Deliveries"), ("/dead-letters", "Dead letters"), ("/rejects", "Rejects"),
        ("/debugger", "Debugger"),
        ("/send-test", "Send test"),
    ]

    /// Whether a path is one of the navigation.
    static func isPlace(_ path: String) -> Bool { places.contains { "\($0.path)" == path } }

    /// - Parameters:
    ///   - place: the entry of the navigation that this page belongs to.
    ///   - heading: the page's only `h1`.
    static func page(
        _ heading: String, place: StaticString? = nil, _ viewer: Viewer, _ body: (inout HTML) -> Void
    ) -> HTML {
        var html = HTML()
        html.literal("<!DOCTYPE html>\n")
        html.element("html", ["lang": "en"]) { html in
            html.element("head") { html in
                html.void("meta", ["charset": "utf-8"])
                html.void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
                html.void("meta", ["name": "color-scheme", "content": "light dark"])
                html.element("title", "\(heading) – conversion-forwarder")
                html.void("link", ["rel": "icon", "href": "/icon.svg", "type": "image/svg+xml"])
                html.void("link", ["rel": "stylesheet", "href": "/style.css"])
                html.element("script", ["src": "/page.js", "defer": ""]) { _ in }
            }
            html.element("body") { html in
                html.element("a", ["class": "skip", "href": "#content"], "Skip to content")
                html.element("header", ["class": "top"]) { html in
                    html.element("span", ["class": "brand"], "conversion-forwarder")
                    if !viewer.isGuest { navigation(place, viewer, &html) }
                }
                html.element("main", ["id": "content", "tabindex": "-1"]) { html in
                    html.element("h1", heading)
                    body(&html)
                }
                html.element("footer") { html in
                    html.element("p", "conversion-forwarder \(Version.text). Times are UTC.")
                }
            }
        }
        return html
    }

    private static func navigation(_ place: StaticString?, _ viewer: Viewer, _ html: inout HTML) {
        html.element("nav", ["aria-label": "Pages"]) { html in
            html.element("ul") { html in
                for (path, title) in places {
                    let isHere = place.map { "\($0)" } == "\(path)"
                    html.element("li") { html in
                        html.element("a", ["href": "\(path)", "aria-current": isHere ? "page" : nil], "\(title)")
                    }
                }
            }
        }
        if viewer.hasSession {
            html.element("form", ["method": "post", "action": "/logout"]) { html in
                html.formKey(viewer)
                html.element("button", ["class": "quiet"], "Log out")
            }
        }
    }
}

extension HTML {
    mutating func formKey(_ viewer: Viewer) {
        void("input", ["type": "hidden", "name": "form_key", "value": viewer.formKey])
    }

    /// A state: its word, a sign of its own and a colour, so that no one of them is needed to know it.
    mutating func badge(_ tone: Tone, _ word: String) {
        element("span", ["class": "badge \(tone.rawValue)"]) { html in
            html.element("span", ["aria-hidden": "true"], tone.sign)
            html.text(" \(word)")
        }
    }

    mutating func link(_ text: String, _ link: Link, kind: String? = nil) {
        element("a", ["href": link.text, "class": kind], text)
    }

    /// A box that says something at once; read out by screen readers.
    mutating func notice(_ tone: Tone, _ body: (inout HTML) -> Void) {
        element("div", ["class": "notice \(tone.rawValue)", "role": "status"]) { html in
            html.element("span", ["class": "sign", "aria-hidden": "true"], tone.sign)
            html.element("div", [:], body)
        }
    }

    /// One number or word with its name, inside of a `dl`.
    mutating func fact(_ name: String, _ value: String) {
        element("div") { html in
            html.element("dt", name)
            html.element("dd", value)
        }
    }

    mutating func time(_ text: String) {
        // To the second, and without the T in between.
        let parts = text.split(separator: "T")
        let shown = parts.count == 2 ? "\(parts[0]) \(parts[1].prefix(8))" : text
        element("time", ["datetime": text], shown)
    }
}

enum Tone: String, Sendable {
    case good, careful, bad, quiet

    var sign: String {
        switch self {
        case .good: "●"
        case .careful: "▲"
        case .bad: "■"
        case .quiet: "○"
        }
    }
}

enum Numbers {
    /// `1234567` as `1,234,567`.
    static func text(_ number: some BinaryInteger) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return number < 0 ? "−\(text)" : text
    }

    /// Below ten with one decimal.
    static func text(rate: Double) -> String {
        guard rate.isFinite, rate < 1e15 else { return "–" }
        if rate >= 10 || rate == 0 { return text(Int(rate.rounded())) }
        let tenths = Int((rate * 10).rounded())
        return tenths == 0 ? "< 0.1" : "\(tenths / 10).\(tenths % 10)"
    }

    /// `3 d 4 h`, `4 h 5 min`, `5 min 6 s`, `6 s`.
    static func text(seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "–" }
        let whole = Int(max(0, seconds))
        let units = [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")]
        guard let first = units.firstIndex(where: { $0.0 > 0 }) else { return "0 s" }
        return units[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }
}
