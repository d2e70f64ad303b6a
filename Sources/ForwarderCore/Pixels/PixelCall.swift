/// One request to the Conversion Pixel Service.
public enum PixelCall: Sendable, Equatable {
    /// A page of a list, from its `start` on.
    case list(PixelQuery, start: Int, size: Int)
    case one(PixelReference)
    /// Which fields can be filtered and sorted by.
    case meta
    case create(PixelDraft, for: PixelAdvertiser)
    /// With `appends` what is listed is added to the lists there are; without it takes their place.
    case change(PixelDraft, of: String, advertiserID: String, appends: Bool)
    case delete(String, advertiserID: String)

    /// Whether it may be sent again when nobody knows what became of it.
    var isRepeatable: Bool { method == .get }

    var method: HTTPRequest.Method {
        switch self {
        case .list, .one, .meta: .get
        case .create: .post
        case .change: .put
        case .delete: .delete
        }
    }

    /// Behind the endpoint.
    var target: String {
        switch self {
        case .list(let query, let start, let size):
            path(query.parameters + [("start_element", "\(start)"), ("num_elements", "\(size)")])
        case .one(let reference): path(reference.parameters)
        case .meta: "/pixel/meta"
        case .create(_, let advertiser): path([advertiser.parameter])
        case .change(_, let id, let advertiserID, let appends):
            path([("advertiser_id", advertiserID), ("id", id)] + (appends ? [("append", "true")] : []))
        case .delete(let id, let advertiserID): path([("advertiser_id", advertiserID), ("id", id)])
        }
    }

    private func path(_ parameters: [(name: String, value: String)]) -> String {
        let query = parameters.map { parameter in
            // Digits, and plain commas between the ids of a list, as the service's page has them.
            parameter.name == "id"
                ? "id=\(parameter.value)" : String(decoding: FormEncoding.encode([parameter]), as: UTF8.self)
        }
        return query.isEmpty ? "/pixel" : "/pixel?" + query.joined(separator: "&")
    }

    var body: [UInt8] {
        switch self {
        case .create(let draft, _), .change(let draft, _, _, _): draft.json
        case .list, .one, .meta, .delete: []
        }
    }
}

/// Whose pixels.
public enum PixelAdvertiser: Sendable, Equatable {
    case id(String)
    /// The advertiser's code, by which its owner calls it.
    case code(String)

    var parameter: (name: String, value: String) {
        switch self {
        case .id(let id): ("advertiser_id", id)
        case .code(let code): ("advertiser_code", code)
        }
    }
}

/// One pixel.
public enum PixelReference: Sendable, Equatable {
    /// Of any advertiser, unless one is named.
    case id(String, advertiserID: String?)
    case code(String, advertiserCode: String)

    var parameters: [(name: String, value: String)] {
        switch self {
        case .id(let id, nil): [("id", id)]
        case .id(let id, let advertiserID?): [("advertiser_id", advertiserID), ("id", id)]
        case .code(let code, let advertiserCode): [("advertiser_code", advertiserCode), ("code", code)]
        }
    }

    /// `pixel 17`
    public var words: String {
        switch self {
        case .id(let id, nil): "pixel \(id)"
        case .id(let id, let advertiserID?): "pixel \(id) of advertiser \(advertiserID)"
        case .code(let code, let advertiserCode):
            "pixel \(code.printable()) of advertiser \(advertiserCode.printable())"
        }
    }
}

/// Which pixels are listed, and in which order.
public struct PixelQuery: Sendable, Equatable {
    /// Empty: all.
    public var ids: [String] = []
    public var advertiser: PixelAdvertiser?
    private var filters: [Filter] = []
    private var sort: String?

    private struct Filter: Equatable {
        var field: String
        var value: String
    }

    public init() {}

    /// Parameters that mean something else than a filter.
    private static let reserved = [
        "id", "advertiser_id", "advertiser_code", "start_element", "num_elements", "sort", "append",
    ]

    /// What the command line says.
    ///
    /// - Parameters:
    ///   - filters: `FIELD=VALUE`; `min_FIELD` and `max_FIELD` for numbers and times.
    ///   - sort: `FIELD`, `FIELD.asc` or `FIELD.desc`.
    /// - Throws: everything that is wrong with it.
    public init(ids: [String], advertiser: PixelAdvertiser?, filters: [String], sort: String?) throws(PixelProblems) {
        var problems: [String] = []
        for id in ids where !ConversionPixel.isID(id) { problems.append("\(quoted(id)) is no id of a pixel") }
        if ids.count > PixelLimits.page { problems.append("at most \(PixelLimits.page) ids at once") }
        self.ids = ids
        self.advertiser = advertiser
        for filter in filters {
            let parts = filter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count != 2 || !PixelQuery.isField(parts[0]) || parts[1].isEmpty {
                problems.append(
                    "--filter: \(quoted(filter)) is not FIELD=VALUE; `conversion-forwarder pixels meta` lists the fields"
                )
            } else if PixelQuery.reserved.contains(parts[0]) {
                problems.append("--filter: \(parts[0]) is no filter; give ids as they are, or an option of its own")
            } else {
                self.filters.append(Filter(field: parts[0], value: parts[1]))
            }
        }
        if let sort {
            let parts = sort.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            if PixelQuery.isField(parts[0]), parts.count == 1 || parts.count == 2 && ["asc", "desc"].contains(parts[1])
            {
                self.sort = parts.count == 1 ? "\(sort).asc" : sort
            } else {
                problems.append("--sort: \(quoted(sort)) is not FIELD, FIELD.asc or FIELD.desc")
            }
        }
        guard problems.isEmpty else { throw PixelProblems(problems) }
    }

    private static func isField(_ text: String) -> Bool {
        1...64 ~= text.utf8.count
            && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    var parameters: [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        if let advertiser { parameters.append(advertiser.parameter) }
        if !ids.isEmpty { parameters.append(("id", ids.joined(separator: ","))) }
        parameters += filters.map { ($0.field, $0.value) }
        if let sort { parameters.append(("sort", sort)) }
        return parameters
    }
}

extension ConversionPixel {
    /// Whether the text can be an id: of a pixel, or of an advertiser.
    public static func isID(_ text: String) -> Bool {
        1...19 ~= text.utf8.count && text.utf8.allSatisfy(isDigit)
    }
}
