/// A list of pixels, page by page. A value: answers in, the next call out.
public struct PixelListing: Sendable {
    public let query: PixelQuery
    public private(set) var pixels: [ConversionPixel] = []
    /// How many there are by the service's own count; nil if it gives none.
    public private(set) var count: Int?
    /// There are more than were asked for.
    public private(set) var isCut = false
    private let limit: Int
    private var start = 0
    private var known: Set<String> = []

    /// - Parameter limit: most pixels that are listed; so the number of calls has a bound.
    public init(_ query: PixelQuery, limit: Int) {
        self.query = query
        self.limit = limit
    }

    private var size: Int { min(PixelLimits.page, limit - pixels.count) }

    public var firstCall: PixelCall { .list(query, start: 0, size: size) }

    /// - Parameter response: of the last call.
    /// - Returns: the next call; nil when the list is done.
    public mutating func answered(_ response: JSONElement) -> PixelCall? {
        let asked = size
        let page = response.pixels
        // What has no id is on the page all the same.
        let received = response["pixels"]?.elements?.count ?? page.count
        if let total = response["count"]?.integer ?? response["count"]?.string.flatMap(Int64.init), total >= 0 {
            count = Int(clamping: total)
        }
        // Pages shift while somebody else makes and deletes pixels.
        let new = page.filter { known.insert($0.id).inserted }
        isCut = new.count > limit - pixels.count
        pixels += new.prefix(limit - pixels.count)
        start += received
        let hasMore = count.map { start < $0 } ?? (received >= asked)
        // A page without anything new would come for ever.
        guard hasMore, !new.isEmpty else { return nil }
        guard pixels.count < limit else {
            isCut = true
            return nil
        }
        return .list(query, start: start, size: size)
    }

    /// Ids that were asked for and are not there, or not for this user.
    public var missing: [String] {
        query.ids.filter { id in !pixels.contains { $0.id == id } }
    }
}

extension JSONElement {
    /// The pixels of an answer: a list, or one by itself.
    public var pixels: [ConversionPixel] {
        if let list = self["pixels"]?.elements { return list.compactMap(ConversionPixel.init) }
        return self["pixel"].flatMap {
            $0.elements?.compactMap(ConversionPixel.init) ?? ConversionPixel($0).map { [$0] }
        }
            ?? []
    }

    /// The id that an answer names: of what was just made.
    public var pixelID: String? { self["id"]?.microsoftID ?? pixels.first?.id }
}
