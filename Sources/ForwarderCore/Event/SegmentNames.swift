/// The storefront's names for the events of Segment's e-commerce specification, the names that they had in its first
/// version among them.
enum SegmentNames {
    static let pageView: StaticString = "PageView"

    static let names: [(segment: String, storefront: StaticString)] = [
        ("order completed", "Purchase"), ("completed order", "Purchase"),
        ("product added", "AddToCart"), ("added product", "AddToCart"), ("wishlist product added to cart", "AddToCart"),
        ("product viewed", "ViewContent"), ("viewed product", "ViewContent"),
        ("checkout started", "InitiateCheckout"), ("started order", "InitiateCheckout"),
        ("products searched", "Search"), ("signed up", "SignUp"), ("lead generated", "Lead"),
        ("order refunded", "Refund"),
    ]

    /// By name, the place in `names`.
    private static let table = NameTable(
        names.enumerated().map { NameTable<Int>.Entry(name: $1.segment, value: $0) })

    private static let longest = 32

    /// The storefront's name for an event; nil for one that keeps its own. Case does not count, and an underscore is a
    /// space: shops write `order_completed` too.
    static func storefrontName(of name: Bytes) -> StaticString? {
        guard name.count <= longest else { return nil }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: longest) { plain in
            for index in name.indices {
                plain.initializeElement(
                    at: index, to: name[index] == UInt8(ascii: "_") ? UInt8(ascii: " ") : lowercased(name[index]))
            }
            return table.find(Bytes(rebasing: Bytes(plain)[..<name.count])).map { names[$0].storefront }
        }
    }
}

extension EventText {
    /// A text of the program's own, which nothing takes back.
    init(_ text: StaticString) {
        self.init(plain: Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
