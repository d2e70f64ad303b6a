import ForwarderCore

/// Single fields: is it there, and does its value have the form that the contract asks for.
extension CAPIJudge {
    mutating func fields(_ schema: CAPISchema, of object: Int, _ place: Place) -> FieldPlaces {
        FieldPlaces.find(schema.names, of: object, in: view) { name, oddity in
            note(.error, oddity.code, place, name: nil, at: name)
        }
    }

    mutating func required(_ places: FieldPlaces, _ field: Int) {
        let name = CAPISchema.event.names[field]
        let index = places[field]
        guard index != 0, view.kind(index) != .null else {
            return note(.error, .empty, .item, name: name, at: nil)
        }
        if let code = fault(of: index, as: CAPISchema.event.forms[field]) {
            note(.error, code, .item, name: name, at: index)
        } else if field == CAPISchema.Event.url, holdsPersonalData(index, .url) {
            note(.remark, .personalData, .item, name: name, at: index)
        }
    }

    /// Whether the field is there and of use.
    mutating func optional(
        _ schema: CAPISchema, _ places: FieldPlaces, _ field: Int, _ place: Place
    ) -> Bool {
        let index = places[field]
        let form = schema.forms[field]
        guard index != 0, form != .nested else { return false }
        if let code = fault(of: index, as: form) {
            note(.warning, code, place, name: schema.names[field], at: index)
            return false
        }
        if holdsPersonalData(index, form) { note(.remark, .personalData, place, name: schema.names[field], at: index) }
        return true
    }

    private func holdsPersonalData(_ index: Int, _ form: CAPIForm) -> Bool {
        switch form {
        case .anonymousText: view.bytes(index).holdsEmail
        case .url:
            Bytes(rebasing: view.bytes(index).drop { $0 != UInt8(ascii: "?") }).holdsEmail
        default: false
        }
    }

    func fault(of index: Int, as form: CAPIForm) -> CAPICode? {
        switch form {
        case .decimal: return view.kind(index) == .number ? nil : .invalidNumber
        case .integer: return isInteger(index) ? nil : .invalidNumber
        case .eventTime: return isRecent(index) ? nil : .invalidEventTime
        case .texts: return textsFault(index)
        case .nested: return nil
        case .text, .anonymousText, .url, .sha256, .clickID, .version4GUID, .date, .address, .currency, .eventType,
            .consent, .pageType:
            guard view.kind(index) == .string else { return .invalidType }
            return textFault(view.bytes(index), as: form)
        }
    }

    private func textFault(_ text: Bytes, as form: CAPIForm) -> CAPICode? {
        if text.isEmpty { return .empty }
        switch form {
        case .url: return text.isURL ? nil : .invalidURL
        case .sha256: return text.isSHA256 ? nil : .invalidSHA256
        case .clickID: return text.isBareGUID || text.isDashedGUID ? nil : .invalidGUID
        case .version4GUID: return text.isVersion4GUID ? nil : .invalidGUID
        case .date: return text.isDate ? nil : .invalidDate
        case .address: return text.isIPAddress ? nil : .invalidIPAddress
        case .currency: return text.isCurrencyCode ? nil : .invalidCurrency
        case .eventType: return text.matches("pageLoad") || text.matches("custom") ? nil : .invalidEnumValue
        case .consent: return text.matches("G") || text.matches("D") ? nil : .invalidEnumValue
        case .pageType:
            return CAPIJudge.pageTypes.contains { text.matches($0) } ? nil : .invalidEnumValue
        case .text, .anonymousText, .eventTime, .decimal, .integer, .texts, .nested: return nil
        }
    }

    private func isInteger(_ index: Int) -> Bool {
        view.kind(index) == .number && view.bytes(index).integer != nil
    }

    private func isRecent(_ index: Int) -> Bool {
        guard view.kind(index) == .number, let seconds = view.bytes(index).integer else { return false }
        let time = Timestamp(seconds: seconds)
        return time <= now && time >= now - CAPIJudge.ageLimit
    }

    private func textsFault(_ index: Int) -> CAPICode? {
        guard view.kind(index) == .array else { return .invalidType }
        var code: CAPICode?
        view.forEachElement(of: index) { element in
            if view.kind(element) != .string {
                code = .invalidType
            } else if view.bytes(element).isEmpty {
                code = .empty
            }
        }
        return code
    }

    mutating func note(
        _ severity: Severity, _ code: CAPICode, _ place: Place, name: StaticString?, at index: Int?
    ) {
        worst = max(worst, severity)
        problems.append(
            Problem(
                item: item, severity: severity, code: code, place: place, name: name,
                text: index.map { view.range($0) } ?? 0..<0))
    }

    private static let pageTypes: [StaticString] = [
        "cart", "category", "home", "other", "product", "purchase", "searchresults",
    ]
}
