import ForwarderCore

/// Judges the content of one CAPI request.
struct CAPIJudge {
    static let eventLimit = 1000
    static let ageLimit = Duration.seconds(7 * 86_400)

    let view: JSONView
    let now: Timestamp
    var problems: [Problem<CAPICode>] = []
    /// The event being judged, and the worst that was found out about it.
    var item: Int32 = 0
    var worst = Severity.none
    /// The transaction that the event is about, and its worth.
    private var conversion: Conversion?

    static func judge(_ body: [UInt8], now: Timestamp) -> Judgement<CAPICode> {
        var tape = JSONTape()
        return body.withUnsafeBufferPointer { text in
            do throws(JSONFault) {
                try tape.parse(text)
            } catch {
                return .refused(.notJSON, "")
            }
            return tape.entries.withUnsafeBufferPointer { entries in
                var judge = CAPIJudge(view: JSONView(text: text, entries: entries), now: now)
                return judge.request()
            }
        }
    }

    private init(view: JSONView, now: Timestamp) {
        self.view = view
        self.now = now
    }

    private mutating func request() -> Judgement<CAPICode> {
        guard view.kind(0) == .object else { return .refused(.invalidType, "") }
        var oddity: Problem<CAPICode>?
        let places = FieldPlaces.find(CAPISchema.root.names, of: 0, in: view) { name, oddness in
            oddity = Problem(item: -1, severity: .error, code: oddness.code, text: view.range(name))
        }
        if let oddity { return Judgement(refusal: oddity) }

        let provider = places[CAPISchema.Root.provider]
        if provider != 0, let code = fault(of: provider, as: .text) { return .refused(code, "dataProvider") }
        let flag = places[CAPISchema.Root.continues]
        if flag != 0, view.kind(flag) != .true, view.kind(flag) != .false {
            return .refused(.invalidType, "continueOnValidationError")
        }
        let data = places[CAPISchema.Root.data]
        if data == 0 { return .refused(.empty, "data") }
        guard view.kind(data) == .array else { return .refused(.invalidType, "data") }
        let count = view.count(of: data)
        if count == 0 { return .refused(.noEvents, "data") }
        if count > CAPIJudge.eventLimit { return .refused(.tooManyEvents, "data") }

        var items: [JudgedItem] = []
        items.reserveCapacity(count)
        view.forEachElement(of: data) { index in
            item = Int32(items.count)
            worst = .none
            conversion = nil
            items.append(event(index))
        }
        return Judgement(
            refusal: nil, items: items, problems: problems, continuesOnError: flag != 0 && view.kind(flag) == .true)
    }

    // MARK: Events

    private mutating func event(_ index: Int) -> JudgedItem {
        let content = ContentHash.of(view.bytes(index))
        var judged = JudgedItem(
            key: content, id: 0, name: 0, content: UInt32(truncatingIfNeeded: content), shownID: 0..<0, worst: .none)
        guard view.kind(index) == .object else {
            note(.error, .invalidType, .item, name: nil, at: index)
            judged.worst = worst
            return judged
        }
        let places = fields(CAPISchema.event, of: index, .item)
        let type = places[CAPISchema.Event.type]
        let isPageLoad = type != 0 && view.bytes(type).matches("pageLoad")
        required(places, CAPISchema.Event.type)
        required(places, CAPISchema.Event.time)
        for field in (CAPISchema.Event.time + 1)..<CAPISchema.event.names.count {
            if field == CAPISchema.Event.url, isPageLoad {
                required(places, field)
            } else {
                _ = optional(CAPISchema.event, places, field, .item)
            }
        }
        let name = places[CAPISchema.Event.name]
        if name == 0, !isPageLoad { note(.remark, .missingEventName, .item, name: "eventName", at: nil) }
        userData(places[CAPISchema.Event.userData])
        let customData = places[CAPISchema.Event.customData]
        if customData != 0 { self.customData(customData, isPageLoad: isPageLoad) }

        let id = places[CAPISchema.Event.id]
        if id != 0 {
            // Without an id nothing but the bytes tells a repeat from another event.
            judged.id = ContentHash.of(view.bytes(id))
            judged.name = name == 0 ? CAPIJudge.noName : ContentHash.of(view.bytes(name))
            judged.key = CAPIJudge.key(id: judged.id, name: judged.name)
            judged.shownID = view.range(id)
        }
        judged.worst = worst
        if var conversion {
            conversion.time = time(places[CAPISchema.Event.time])
            judged.effect = .conversion(conversion)
        }
        return judged
    }

    private func time(_ index: Int) -> Timestamp? {
        guard index != 0, view.kind(index) == .number else { return nil }
        return view.bytes(index).integer.map { Timestamp(seconds: $0) }
    }

    /// Hash that stands for an absent event name.
    static let noName = ContentHash.of("")

    static func key(id: UInt64, name: UInt64) -> UInt64 {
        var hash = ContentHash()
        hash.add(id)
        hash.add(name)
        return hash.value
    }

    private mutating func userData(_ index: Int) {
        guard index != 0 else { return note(.error, .empty, .item, name: "userData", at: nil) }
        guard view.kind(index) == .object else {
            return note(.error, .invalidType, .item, name: "userData", at: index)
        }
        let places = fields(CAPISchema.userData, of: index, .userData)
        var identifiers = 0
        for field in CAPISchema.userData.names.indices {
            let isUsable = optional(CAPISchema.userData, places, field, .userData)
            if isUsable, field < CAPISchema.identifierCount { identifiers += 1 }
        }
        if identifiers == 0 { note(.error, .noIdentifier, .item, name: "userData", at: nil) }
    }

    private mutating func customData(_ index: Int, isPageLoad: Bool) {
        guard view.kind(index) == .object else {
            return note(.warning, .invalidType, .item, name: "customData", at: index)
        }
        let places = fields(CAPISchema.customData, of: index, .customData)
        for field in CAPISchema.customData.names.indices {
            _ = optional(CAPISchema.customData, places, field, .customData)
        }
        let value = places[CAPISchema.Custom.value]
        if value != 0, isPageLoad { note(.error, .valueOnPageLoad, .customData, name: "value", at: value) }
        let transaction = places[CAPISchema.Custom.transactionID]
        if transaction != 0, view.kind(transaction) == .string {
            conversion = Conversion(key: ContentHash.of(view.bytes(transaction)), amount: amount(places))
        }
        let items = places[CAPISchema.Custom.items]
        if items != 0 { products(items) }
        let hotelData = places[CAPISchema.Custom.hotelData]
        if hotelData != 0 { self.hotelData(hotelData) }
    }

    private func amount(_ places: FieldPlaces) -> Amount? {
        let value = places[CAPISchema.Custom.value]
        let currency = places[CAPISchema.Custom.currency]
        guard value != 0, view.kind(value) == .number, let thousandths = view.bytes(value).thousandths else {
            return nil
        }
        let isNamed = currency != 0 && view.bytes(currency).isCurrencyCode
        return Amount(thousandths: thousandths, currency: isNamed ? view.bytes(currency).text : "")
    }

    /// A stay needs its end or its length.
    private mutating func hotelData(_ index: Int) {
        object(index, CAPISchema.hotelData, .hotelData, name: "hotelData", in: .customData)
        guard view.kind(index) == .object else { return }
        let places = FieldPlaces.find(CAPISchema.hotelData.names, of: index, in: view) { _, _ in }
        guard places[CAPISchema.Hotel.checkout] == 0, places[CAPISchema.Hotel.length] == 0 else { return }
        note(.warning, .empty, .hotelData, name: "lengthOfStay", at: nil)
    }

    private mutating func products(_ index: Int) {
        guard view.kind(index) == .array else {
            return note(.warning, .invalidType, .customData, name: "items", at: index)
        }
        var number = 0
        view.forEachElement(of: index) { product in
            object(product, CAPISchema.product, .product(number), name: "items", in: .customData)
            number += 1
        }
    }

    /// An object of which every field is optional.
    private mutating func object(
        _ index: Int, _ schema: CAPISchema, _ place: Place, name: StaticString, in parent: Place
    ) {
        guard view.kind(index) == .object else { return note(.warning, .invalidType, parent, name: name, at: index) }
        let places = fields(schema, of: index, place)
        for field in schema.names.indices { _ = optional(schema, places, field, place) }
    }
}

extension FieldPlaces.Oddity {
    var code: CAPICode {
        switch self {
        case .unknown: .unknownProperty
        case .repeated: .repeatedProperty
        }
    }
}
