/// Writes HTML. Names of elements and attributes are literals of this program; whatever else goes in is text and is
/// escaped, so a page cannot be made to hold more than its author wrote.
struct HTML: Sendable {
    /// An attribute that is nil is left out.
    typealias Attributes = KeyValuePairs<StaticString, String?>

    private(set) var bytes: [UInt8] = []

    mutating func element(
        _ name: StaticString, _ attributes: Attributes = [:], _ body: (inout HTML) -> Void
    ) {
        void(name, attributes)
        body(&self)
        literal("</")
        literal(name)
        literal(">")
    }

    mutating func element(_ name: StaticString, _ attributes: Attributes, _ text: String) {
        element(name, attributes) { $0.text(text) }
    }

    mutating func element(_ name: StaticString, _ text: String) {
        element(name, [:], text)
    }

    /// An element without content and end: `input`, `meta`.
    mutating func void(_ name: StaticString, _ attributes: Attributes = [:]) {
        literal("<")
        literal(name)
        for case (let name, let value?) in attributes {
            literal(" ")
            literal(name)
            literal("=\"")
            text(value)
            literal("\"")
        }
        literal(">")
    }

    /// What an author of this program wrote, as it is.
    mutating func literal(_ text: StaticString) {
        text.withUTF8Buffer { bytes += $0 }
    }

    /// Safe between tags and inside of quotes.
    mutating func text(_ text: some StringProtocol) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": literal("&amp;")
            case "<": literal("&lt;")
            case ">": literal("&gt;")
            case "\"": literal("&quot;")
            case "'": literal("&#39;")
            case _ where scalar.isMisleading: literal("\u{FFFD}")
            default: bytes += scalar.utf8
            }
        }
    }
}

extension Unicode.Scalar {
    /// Shown as nothing, or able to show what follows in another order than it has.
    fileprivate var isMisleading: Bool {
        switch value {
        case 0x09, 0x0A, 0x0D: false
        case 0x00...0x1F, 0x7F...0x9F, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2069, 0xFEFF: true
        default: false
        }
    }
}

/// A path of this site with its query. The path is a literal: no value can lead elsewhere.
struct Link {
    var text: String

    init(_ path: StaticString, _ query: KeyValuePairs<StaticString, String?> = [:]) {
        text = "\(path)"
        var separator = "?"
        for case (let name, let value?) in query where !value.isEmpty {
            text += "\(separator)\(name)=\(Form.escaped(value))"
            separator = "&"
        }
    }
}
