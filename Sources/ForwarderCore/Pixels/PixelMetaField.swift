/// A field of pixels, as `/pixel/meta` tells what can be done with it.
public struct PixelMetaField: Sendable, Equatable {
    public var name: String
    public var type: String
    public var isFilter: Bool
    public var isSorting: Bool

    /// nil without a name. Whoever is not said to filter or sort does not.
    public init?(_ element: JSONElement) {
        guard let name = element["name"]?.string, !name.isEmpty else { return nil }
        self.name = name.printable()
        type = element["type"]?.string?.printable() ?? ""
        isFilter = element["filter_by"]?.bool ?? false
        isSorting = element["sort_by"]?.bool ?? false
    }
}
