/// Normalises one record after the other into a `StorefrontEvent`: the only place where a storefront's words are judged.
///
/// `open` takes the record apart, which is all that routing needs; `read` normalises everything into `event`. What they
/// lend is valid until the next `open`.
package struct EventReader: ~Copyable {
    private let timeFormat: InputSettings.TimeFormat
    let isSegment: Bool
    let hasher = SHA256()
    var scanner: RecordScanner

    var event = StorefrontEvent()
    /// Whether `event` is that of the record that is open.
    private(set) var isRead = false
    /// With the segment preset, what kind of call the record is, and the storefront's name for it.
    var call = SegmentCall.track
    var segmentName = EventText.absent

    package init(_ settings: InputSettings) {
        isSegment = settings.preset == .segment
        timeFormat = isSegment ? .iso8601 : settings.timeFormat
        scanner = RecordScanner(settings)
    }

    /// Takes a record apart. Returns what is wrong with the record as a whole.
    package mutating func open(_ record: Bytes) -> RejectReason? {
        isRead = false
        guard isSegment else { return scanner.open(record) }
        segmentName = .absent
        if let reason = scanner.open(record) { return reason }
        openCall()
        return nil
    }

    /// Forgets the record that is open.
    mutating func close() {
        isRead = false
        segmentName = .absent
        scanner.close()
    }

    /// The bytes of the record that is open.
    var record: Bytes { scanner.record }

    /// The field's text as it stands in the event, without white space around it; for routing. The name of an event is
    /// the storefront's, whatever the preset.
    mutating func rawText(_ field: EventField) -> Bytes {
        field == .event ? name().bytes : scanner.rawText(field).bytes
    }

    private mutating func name() -> EventText {
        isSegment ? segmentName : scanner.rawText(.event)
    }

    /// What the storefront says of consent, for routing.
    mutating func adStorage() -> AdStorage {
        scanner.adStorage()
    }

    // MARK: The whole event

    /// Normalises every field, once for each record. `now` is what the future is measured against.
    package mutating func read(now: Timestamp) {
        guard !isRead else { return }
        isRead = true
        event.reset()
        readName()
        readTime(now)
        readID()
        readPage()
        readUser()
        readProperties()
        readItemIDs()
        readItems()
        if isSegment { readSegment() }
    }

    private mutating func readName() {
        event.name = name()
        if event.name.isPresent {
            if PersonalData.isHeld(in: event.name.bytes, &scanner.arena) { event.violations.insert(.eventInvalid) }
        } else if case .other = scanner.value(.event) {
            event.violations.insert(.eventInvalid)
        } else {
            event.violations.insert(.eventMissing)
        }
    }

    private mutating func readTime(_ now: Timestamp) {
        let reading: EventTime.Reading
        switch scanner.value(.eventTime) {
        case .absent: return event.violations.insert(.timestampMissing)
        case .other: return event.violations.insert(.timestampNotANumber)
        case .text(let text): reading = readTime(text.bytes)
        }
        switch reading {
        case .rejected(let reason): event.violations.insert(reason)
        case .seconds(let seconds):
            event.time = isSegment ? seconds + clockCorrection() : seconds
            if event.time > now.seconds + EventTime.futureLimit { event.violations.insert(.inTheFuture) }
        }
    }

    private mutating func readTime(_ text: Bytes) -> EventTime.Reading {
        switch timeFormat {
        case .unix: EventTime.read(unix: text, in: &scanner.arena)
        case .iso8601: EventTime.read(iso8601: text, in: &scanner.arena)
        }
    }

    private mutating func readID() {
        event.id = plainText(.eventID)
        if !event.id.isPresent {
            // The browser's copy of the event cannot be recognised by this id, but a repeat of this record can.
            let hex = hasher.hexDigest(scanner.record, in: &scanner.arena)
            event.id = EventText(plain: Bytes(rebasing: hex[..<32]))
            event.isIDDerived = true
        }
    }

    private mutating func readPage() {
        event.url = url(.url)
        event.referrer = url(.referrer)
        event.title = plainText(.title)
        event.keywords = isSegment ? keywords() : plainText(.keywords)
        event.source = plainText(.source)
        event.pageLoadID = checked(.pageLoadID, UUIDText.isVersion4)
        event.adStorage = scanner.adStorage()
        if event.adStorage == .unreadable { event.dropped.insert(.adStorage, .invalid) }
    }

    private mutating func readUser() {
        readEmail()
        readPhone()
        event.externalID = plainText(.externalID)
        event.anonymousID = plainText(.anonymousID)
        if case .text(let text) = scanner.value(.clickID), let id = ClickID.normalized(text.bytes) {
            event.clickID = EventText(plain: id)
        } else {
            dropIfGiven(.clickID, .invalid)
        }
        if scanner.hasAny(of: EventField.sspData.bit) { event.sspData = checked(.sspData, SSPToken.isValid) }
        event.ipAddress = checked(.ipAddress, IPAddress.isValid)
        event.userAgent = plainText(.userAgent)
        event.idfa = checked(.idfa) { UUIDText.isDashed($0) && !UUIDText.isZero($0) }
        event.gaid = checked(.gaid) { UUIDText.isDashed($0) && !UUIDText.isZero($0) }
    }

    private mutating func readEmail() {
        switch scanner.value(.email) {
        case .absent: return
        case .other: return event.dropped.insert(.email, .wrongType)
        case .text(let text):
            if let hash = givenHash(text.bytes) {
                event.emailHash = hash
                event.enhancedEmailHash = hash
                return
            }
            let address = EmailAddress(text.bytes, in: &scanner.arena)
            event.emailHash = hash(address.conversionsAPI)
            event.enhancedEmailHash = address.isOne ? event.emailHash : hash(address.enhanced)
            if address.conversionsAPI == nil, address.enhanced == nil {
                event.dropped.insert(.email, .emailNotNormalizable)
            }
        }
    }

    private mutating func readPhone() {
        switch scanner.value(.phone) {
        case .absent: return
        case .other: return event.dropped.insert(.phone, .wrongType)
        case .text(let text):
            if let hash = givenHash(text.bytes) {
                event.phoneHash = hash
                return
            }
            event.phoneHash = hash(PhoneNumber.normalized(text.bytes, in: &scanner.arena))
            if !event.phoneHash.isPresent { event.dropped.insert(.phone, .phoneNotE164) }
        }
    }

    private mutating func hash(_ text: Bytes?) -> EventText {
        guard let text else { return .absent }
        return EventText(plain: hasher.hexDigest(text, in: &scanner.arena))
    }

    /// 64 hexadecimal digits are a hash that the shop made; trusted as it is.
    private mutating func givenHash(_ text: Bytes) -> EventText? {
        let trimmed = text.trimmed()
        guard UUIDText.isHex(trimmed, count: 64) else { return nil }
        let lower = scanner.arena.allocate(64)
        for index in 0..<64 { lower[index] = lowercased(trimmed[index]) }
        return EventText(plain: Bytes(lower))
    }

    private mutating func readProperties() {
        event.value = decimal(.value)
        event.currency = currency()
        event.transactionID = plainText(.transactionID)
        event.searchTerm = plainText(.searchTerm)
        event.category = plainText(.category)
        event.label = plainText(.label)
        event.pageType = checked(.pageType, PageType.isKnown)
        event.eventValue = decimal(.eventValue)
        event.ecommTotalValue = decimal(.ecommTotalValue)
        event.ecommCategory = plainText(.ecommCategory)
        event.externalAttributionCredit = decimal(.externalAttributionCredit)
        event.externalAttributionModel = plainText(.externalAttributionModel)
        if scanner.hasAny(of: EventField.hotelBits) { readHotelStay() }
        if scanner.hasAny(of: EventField.originalTime.bit | EventField.originalValue.bit) { readOriginal() }
    }

    private mutating func readOriginal() {
        event.originalValue = decimal(.originalValue)
        guard case .text(let text) = scanner.value(.originalTime) else {
            return _ = dropIfGiven(.originalTime, .wrongType)
        }
        switch readTime(text.bytes) {
        case .seconds(let seconds): event.originalTime = seconds
        case .rejected: event.dropped.insert(.originalTime, .invalid)
        }
    }

    private mutating func currency() -> EventText {
        guard case .text(let text) = scanner.value(.currency) else { return dropIfGiven(.currency, .wrongType) }
        let code = text.bytes.trimmed()
        guard code.count == 3, code.allSatisfy(isLetter) else { return dropIfGiven(.currency, .invalid) }
        let upper = scanner.arena.allocate(3)
        for index in 0..<3 { upper[index] = code[index] & 0xDF }
        return EventText(plain: Bytes(upper))
    }

    // MARK: Lists

    private mutating func readItems() {
        guard let list = scanner.place(of: .items) else { return }
        guard scanner.kind(at: list) == .array else { return event.dropped.insert(.items, .wrongType) }
        var (place, end) = scanner.inside(list)
        while place < end {
            if scanner.kind(at: place) == .object {
                let item = isSegment ? readProduct(place) : readItem(place)
                if !item.isEmpty { event.items.append(item) }
            } else {
                event.dropped.insert(.items, .wrongType)
            }
            place = scanner.next(place)
        }
    }

    private mutating func readItem(_ object: Int) -> EventItem {
        var item = EventItem()
        var (name, end) = scanner.inside(object)
        while name < end {
            let place = name + 1
            switch ItemMember.storefront.find(scanner.name(at: name)) {
            case .id: item.id = plainText(.itemID, at: place)
            case .name: item.name = plainText(.itemName, at: place)
            case .price: item.price = decimal(.itemPrice, at: place)
            case .quantity: item.quantity = wholeNumber(.itemQuantity, at: place)
            case .productID, .sku, nil: break
            }
            name = scanner.next(place)
        }
        return item
    }

    /// A whole number that fits Microsoft's integer; `2.0` is one.
    mutating func wholeNumber(_ field: EventField, at place: Int) -> DecimalText? {
        guard let number = decimal(field, at: place) else { return nil }
        guard let whole = number.wholeNumber, !whole.isNegative else {
            event.dropped.insert(field, .invalid)
            return nil
        }
        guard let value = whole.truncatedInteger, value <= Int32.max else {
            event.dropped.insert(field, .outOfRange)
            return nil
        }
        return whole
    }

    private mutating func readItemIDs() {
        guard let list = scanner.place(of: .itemIDs) else { return }
        guard scanner.kind(at: list) == .array else {
            // One id that is not in a list.
            let id = plainText(.itemIDs, at: list)
            if id.isPresent { event.itemIDs.append(id) }
            return
        }
        var (place, end) = scanner.inside(list)
        while place < end {
            let id = plainText(.itemIDs, at: place)
            if id.isPresent { event.itemIDs.append(id) }
            place = scanner.next(place)
        }
    }

    // MARK: Kinds of fields

    /// A text that must not hold an e-mail address or a telephone number.
    @inline(__always)
    mutating func plainText(_ field: EventField) -> EventText {
        guard let place = scanner.place(of: field) else { return .absent }
        return plainText(field, at: place)
    }

    mutating func plainText(_ field: EventField, at place: Int) -> EventText {
        switch scanner.value(at: place) {
        case .absent: return .absent
        case .other:
            event.dropped.insert(field, .wrongType)
            return .absent
        case .text(let text):
            guard PersonalData.isHeld(in: text.bytes, &scanner.arena) else { return text }
            event.dropped.insert(field, .personalData)
            return .absent
        }
    }

    /// A text that passes a check once white space around it is gone.
    mutating func checked(_ field: EventField, _ isValid: (Bytes) -> Bool) -> EventText {
        guard case .text(let text) = scanner.value(field) else { return dropIfGiven(field, .wrongType) }
        let trimmed = text.bytes.trimmed()
        guard isValid(trimmed) else { return dropIfGiven(field, .invalid) }
        return EventText(bytes: trimmed, needsEscaping: text.needsEscaping)
    }

    private mutating func url(_ field: EventField) -> EventText {
        guard case .text(let text) = scanner.value(field) else { return dropIfGiven(field, .wrongType) }
        switch PageURL.examine(text.bytes, in: &scanner.arena) {
        case .clean(let url):
            return EventText(bytes: url, needsEscaping: text.needsEscaping)
        case .cut(let url):
            event.dropped.insert(field, .personalDataCut)
            return EventText(bytes: url, needsEscaping: text.needsEscaping)
        case .invalid:
            return dropIfGiven(field, .invalid)
        }
    }

    mutating func decimal(_ field: EventField) -> DecimalText? {
        guard let place = scanner.place(of: field) else { return nil }
        return decimal(field, at: place)
    }

    mutating func decimal(_ field: EventField, at place: Int) -> DecimalText? {
        switch scanner.value(at: place) {
        case .absent: return nil
        case .other:
            event.dropped.insert(field, .wrongType)
            return nil
        case .text(let text):
            if let number = DecimalText(text.bytes, in: &scanner.arena) { return number }
            event.dropped.insert(field, .invalid)
            return nil
        }
    }

    /// Counts the field as left out if the event has it at all.
    @discardableResult
    mutating func dropIfGiven(_ field: EventField, _ reason: DropReason) -> EventText {
        switch scanner.value(field) {
        case .absent: break
        case .text: event.dropped.insert(field, reason)
        case .other: event.dropped.insert(field, .wrongType)
        }
        return .absent
    }
}
