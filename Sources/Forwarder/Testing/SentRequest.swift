import ForwarderCore

/// A request as it may be shown: what says who somebody is, is cut short.
struct SentRequest: Sendable {
    var method: String
    var url: String
    private(set) var body: [UInt8]

    /// Members whose values identify a person, a device or a click.
    private static let telling: Set<String> = [
        "em", "ph", "msclkid", "anonymousId", "externalId", "idfa", "gaid", "clientIpAddress", "HashedEmailAddress",
        "HashedPhoneNumber", "MicrosoftClickId",
    ]
    private static let kept = 8

    init(_ request: HTTPRequest) {
        method = request.method.rawValue
        url = SentRequest.shortened(url: request.url)
        guard let root = (try? JSONDocument(request.body))?.root else {
            body = []
            return
        }
        var writer = JSONWriter(capacity: request.body.count)
        SentRequest.write(root, to: &writer)
        body = writer.bytes
    }

    private static func write(_ element: JSONElement, to writer: inout JSONWriter) {
        if let members = element.members {
            writer.object { writer in
                for (name, value) in members {
                    writer.name(name)
                    if telling.contains(name), let text = value.string {
                        writer.value(shortened(text))
                    } else {
                        write(value, to: &writer)
                    }
                }
            }
        } else if let elements = element.elements {
            writer.array { writer in for element in elements { write(element, to: &writer) } }
        } else {
            writer.raw(element.json)
        }
    }

    /// A pixel has its token last.
    private static func shortened(url: String) -> String {
        let parts = url.split(separator: "&", omittingEmptySubsequences: false).map { part in
            part.hasPrefix("sspdata=") ? "sspdata=" + shortened(String(part.dropFirst("sspdata=".count))) : String(part)
        }
        return parts.joined(separator: "&")
    }

    private static func shortened(_ text: String) -> String {
        text.count > 2 * kept ? text.prefix(kept) + "…" : "…"
    }
}
