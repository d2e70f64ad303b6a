extension EventReader {
    /// Finds out what the call is, what the storefront calls it, and what stands in for fields that it does not have in
    /// their own place.
    mutating func openCall() {
        call = scanner.segmentCall()
        scanner.standIn(for: call)
        switch call {
        case .other: break
        case .page: segmentName = EventText(SegmentNames.pageView)
        case .track:
            let given = scanner.rawText(.event)
            segmentName = SegmentNames.storefrontName(of: given.bytes).map { EventText($0) } ?? given
        }
    }

    /// Reads what only the calls of Segment and RudderStack have.
    mutating func readSegment() {
        if scanner.place(of: .clickID) == nil, !scanner.isElsewhere(.clickID) { readClickIDOfPage() }
        if call == .track, scanner.place(of: .items) == nil, !scanner.isElsewhere(.items) { readLoneProduct() }
    }

    /// What has to be added to the original time because the clock of the phone or browser was wrong: the call was sent
    /// when it was received. Segment and RudderStack do the same; what passed through them has `timestamp` already.
    mutating func clockCorrection() -> Int64 {
        guard let original = scanner.place(of: .originalTimestamp), scanner.place(of: .eventTime) == original,
            let sent = seconds(.sentAt), let received = seconds(.receivedAt)
        else { return 0 }
        return received - sent
    }

    private mutating func seconds(_ part: SegmentPart) -> Int64? {
        guard let place = scanner.place(of: part), case .text(let text) = scanner.value(at: place) else { return nil }
        return ISO8601.seconds(text.bytes.trimmed())
    }

    // MARK: Click id

    /// The click id that the page was reached with.
    private mutating func readClickIDOfPage() {
        var id: Bytes?
        if let place = scanner.place(of: .search), case .text(let text) = scanner.value(at: place) {
            id = PageURL.parameter("msclkid", of: text.bytes)
        }
        if id == nil, case .text(let url) = scanner.value(.url) { id = PageURL.parameter("msclkid", of: url.bytes) }
        guard let id, !id.isEmpty else { return }
        if let normalized = ClickID.normalized(id) {
            event.clickID = EventText(plain: normalized)
        } else {
            event.dropped.insert(.clickID, .invalid)
        }
    }

    // MARK: Keywords

    /// Keywords come in a list, and Microsoft takes them joined by commas.
    mutating func keywords() -> EventText {
        guard let list = scanner.place(of: .keywords), scanner.kind(at: list) == .array else {
            return plainText(.keywords)
        }
        var joined = ByteBuffer()
        var needsEscaping = false
        var (place, end) = scanner.inside(list)
        while place < end {
            let keyword = plainText(.keywords, at: place)
            if keyword.isPresent {
                if !joined.isEmpty { joined.append(UInt8(ascii: ",")) }
                joined.append(keyword.bytes)
                needsEscaping = needsEscaping || keyword.needsEscaping
            }
            place = scanner.next(place)
        }
        return EventText(bytes: joined.withBytes { scanner.arena.copy($0) }, needsEscaping: needsEscaping)
    }

    // MARK: Products

    /// By `ItemMember`, where the members of a product stand; 0 where they are not.
    private typealias ProductPlaces = InlineArray<6, Int>

    /// A call about one product has it in its properties themselves. Only `product_id` and `sku` say that it is about one:
    /// anything has a name.
    private mutating func readLoneProduct() {
        guard let properties = scanner.place(of: .properties), scanner.kind(at: properties) == .object else { return }
        var places = places(ofProduct: properties)
        places[.id] = 0
        guard places[.productID] != 0 || places[.sku] != 0 else { return }
        let product = product(places)
        if product.id.isPresent { event.items.append(product) }
    }

    mutating func readProduct(_ object: Int) -> EventItem {
        product(places(ofProduct: object))
    }

    private mutating func product(_ places: ProductPlaces) -> EventItem {
        var product = EventItem()
        for member in [ItemMember.productID, .sku, .id] where !product.id.isPresent && places[member] != 0 {
            product.id = plainText(.itemID, at: places[member])
        }
        if places[.name] != 0 { product.name = plainText(.itemName, at: places[.name]) }
        if places[.price] != 0 { product.price = decimal(.itemPrice, at: places[.price]) }
        if places[.quantity] != 0 { product.quantity = wholeNumber(.itemQuantity, at: places[.quantity]) }
        return product
    }

    private mutating func places(ofProduct object: Int) -> ProductPlaces {
        var places = ProductPlaces(repeating: 0)
        var (name, end) = scanner.inside(object)
        while name < end {
            if let member = ItemMember.segment.find(scanner.name(at: name)) { places[member] = name + 1 }
            name = scanner.next(name + 1)
        }
        return places
    }
}

extension InlineArray<6, Int> {
    fileprivate subscript(_ member: ItemMember) -> Int {
        get { self[Int(member.rawValue)] }
        set { self[Int(member.rawValue)] = newValue }
    }
}
