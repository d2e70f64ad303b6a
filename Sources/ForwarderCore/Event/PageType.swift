/// The kinds of page that Microsoft knows.
enum PageType {
    private static let known: [StaticString] = [
        "cart", "category", "home", "other", "product", "purchase", "searchresults",
    ]

    static func isKnown(_ text: Bytes) -> Bool {
        known.contains { text.equals($0) }
    }
}
