/// A conversion pixel as the service has it.
public struct ConversionPixel: Sendable, Equatable {
    /// A line item that counts its conversions.
    public struct LineItem: Sendable, Equatable {
        public var id: String
        public var name: String
        public var state: String
    }

    public var id: String
    public var advertiserID: String
    /// Every field that may be written; `.null` for what is absent.
    public var values: [PixelField: PixelValue]
    public var lineItems: [LineItem]
    /// Ids.
    public var campaigns: [String]
    /// `YYYY-MM-DD hh:mm:ss`, as the service writes it; empty if it does not.
    public var createdOn: String
    public var lastModified: String

    /// Longer texts are of nobody who reads them.
    private static let textLimit = 1000

    /// nil if it has no id. Members of another kind than the service's page says are taken for absent.
    init?(_ element: JSONElement) {
        guard let id = element["id"]?.microsoftID else { return nil }
        func text(_ element: JSONElement?) -> String {
            element?.string?.printable(limit: ConversionPixel.textLimit) ?? ""
        }
        self.id = id
        advertiserID = element["advertiser_id"]?.microsoftID ?? ""
        values = [:]
        for field in PixelField.allCases { values[field] = ConversionPixel.value(of: field, element[field.rawValue]) }
        lineItems = (element["line_items"]?.elements ?? []).compactMap { item in
            item["id"]?.microsoftID.map { LineItem(id: $0, name: text(item["name"]), state: text(item["state"])) }
        }
        campaigns = (element["campaigns"]?.elements ?? []).compactMap { $0["id"]?.microsoftID }
        createdOn = text(element["created_on"])
        lastModified = text(element["last_modified"])
    }

    private static func value(of field: PixelField, _ element: JSONElement?) -> PixelValue {
        switch field {
        case .name, .code, .state, .trigger:
            return element?.string.map { .text($0.printable(limit: textLimit)) } ?? .null
        case .postClickMinutes, .postViewMinutes, .repeatMinutes, .category:
            return (element?.integer ?? element?.string.flatMap(Int64.init)).map { .integer($0) } ?? .null
        case .postClickValue, .postViewValue:
            return (element?.double ?? element?.string.flatMap(Double.init)).map { .number($0) } ?? .null
        case .piggybacks:
            return .piggybacks(
                (element?.elements ?? []).compactMap { pixel in
                    guard let kind = pixel["pixel_type"]?.string.flatMap(PiggybackPixel.Kind.init) else { return nil }
                    return PiggybackPixel(kind, url: pixel["url"]?.string?.printable(limit: textLimit) ?? "")
                })
        }
    }

    public var piggybacks: [PiggybackPixel] {
        guard case .piggybacks(let pixels) = values[.piggybacks] else { return [] }
        return pixels
    }

    /// With the service's names, whatever the service itself has written: ids as texts, no member missing.
    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", id)
            json.member("advertiser_id", advertiserID)
            for field in PixelField.allCases {
                json.name(field.rawValue)
                (values[field] ?? .null).write(to: &json)
            }
            json.name("line_items")
            json.array { list in
                for item in lineItems {
                    list.object {
                        $0.member("id", item.id)
                        $0.member("name", item.name)
                        $0.member("state", item.state)
                    }
                }
            }
            json.member("campaigns", array: campaigns)
            json.member("created_on", createdOn)
            json.member("last_modified", lastModified)
        }
    }
}

/// A field that is not what it was, or should have been.
public struct PixelChange: Sendable, Equatable {
    public var field: PixelField
    public var from: PixelValue
    public var to: PixelValue

    /// What `draft` changes of `pixel`. With `appends` its piggyback pixels come behind those there are.
    public static func all(of pixel: ConversionPixel, by draft: PixelDraft, appends: Bool) -> [PixelChange] {
        PixelField.allCases.compactMap { field in
            guard var to = draft.values[field], let from = pixel.values[field] else { return nil }
            if appends, case .piggybacks(let more) = to { to = .piggybacks(pixel.piggybacks + more) }
            return from == to ? nil : PixelChange(field: field, from: from, to: to)
        }
    }

    /// What the service has made of changes, where that is something else: its pages do not say whether a value that they do
    /// not allow is refused or adjusted.
    public static func otherwise(_ changes: [PixelChange], in result: ConversionPixel) -> [PixelChange] {
        changes.compactMap { change in
            let value = result.values[change.field] ?? .null
            return value == change.to ? nil : PixelChange(field: change.field, from: change.to, to: value)
        }
    }

    /// `post-click: 14d → 7d`
    public var words: String { "\(field.title): \(field.words(from)) → \(field.words(to))" }

    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("field", field.rawValue)
            json.name("from")
            from.write(to: &json)
            json.name("to")
            to.write(to: &json)
        }
    }
}
