/// What the members of an item mean.
enum ItemMember: UInt8, Sendable {
    case id, name, price, quantity
    // Of Segment and RudderStack, whose items are products.
    case productID, sku

    static let storefront = NameTable<ItemMember>([
        .init(name: "id", value: .id), .init(name: "name", value: .name), .init(name: "price", value: .price),
        .init(name: "quantity", value: .quantity),
    ])

    static let segment = NameTable<ItemMember>([
        .init(name: "product_id", value: .productID), .init(name: "productId", value: .productID),
        .init(name: "sku", value: .sku), .init(name: "id", value: .id), .init(name: "name", value: .name),
        .init(name: "price", value: .price), .init(name: "quantity", value: .quantity),
    ])
}
