extension RecordScanner {
    @inline(__always)
    func place(of part: SegmentPart) -> Int? {
        hasAny(of: part.bit) ? notedPlace(part.place) : nil
    }

    /// What kind of call the record is. A record without a type is an event if it has an event's name.
    mutating func segmentCall() -> SegmentCall {
        guard let place = place(of: .callType) else { return .track }
        guard case .text(let text) = value(at: place) else { return .other }
        let type = text.bytes.trimmed()
        if type.equalsIgnoringCase("track") { return .track }
        return type.equalsIgnoringCase("page") ? .page : .other
    }

    /// Gives fields that the call does not have in their own place the value of what stands in for it.
    mutating func standIn(for call: SegmentCall) {
        use(.originalTimestamp, as: .eventTime)
        use(.propertiesEmail, as: .email)
        use(.propertiesPhone, as: .phone)
        use(.abstractValue, as: .value)
        if call == .page {
            use(.pageURL, as: .url)
            use(.pageReferrer, as: .referrer)
            use(.pageTitle, as: .title)
        }
        if hasAny(of: SegmentPart.advertisingID.bit), let field = advertisingField() { use(.advertisingID, as: field) }
    }

    private mutating func use(_ part: SegmentPart, as field: EventField) {
        if !isElsewhere(field), place(of: field) == nil, let place = place(of: part) { note(place, as: field) }
    }

    /// What kind of advertising id the device has; nil if it is of neither kind, or its owner wants no tracking.
    private mutating func advertisingField() -> EventField? {
        if let place = place(of: .adTracking), kind(at: place) == .false { return nil }
        guard let place = place(of: .platform), case .text(let text) = value(at: place) else { return nil }
        let platform = text.bytes.trimmed()
        if platform.equalsIgnoringCase("android") { return .gaid }
        let isApple =
            platform.equalsIgnoringCase("ios") || platform.equalsIgnoringCase("iphone os")
            || platform.equalsIgnoringCase("ipados")
        return isApple ? .idfa : nil
    }

    /// What the call says of consent in a list, or in categories among which the one for advertising is not. Who has
    /// decided on other categories only is not taken for somebody who was not asked.
    mutating func segmentConsent() -> AdStorage {
        let lists = SegmentPart.consentCategories.bit | SegmentPart.allowedConsents.bit | SegmentPart.deniedConsents.bit
        guard hasAny(of: lists), !isElsewhere(.adStorage) else { return .missing }
        if isConsentListed(in: .deniedConsents) { return .denied }
        if isConsentListed(in: .allowedConsents) { return .granted }
        let isDecided = hasDecision(in: .consentCategories) || hasDecision(in: .allowedConsents)
        return isDecided || hasDecision(in: .deniedConsents) ? .unreadable : .missing
    }

    private mutating func hasDecision(in part: SegmentPart) -> Bool {
        guard let container = place(of: part) else { return false }
        let isObject = kind(at: container) == .object
        guard isObject || kind(at: container) == .array else { return true }
        var (place, end) = inside(container)
        while place < end {
            if isObject { place += 1 }
            if case .absent = value(at: place) { place = next(place) } else { return true }
        }
        return false
    }

    private mutating func isConsentListed(in part: SegmentPart) -> Bool {
        guard let list = place(of: part), kind(at: list) == .array else { return false }
        var (place, end) = inside(list)
        while place < end {
            if case .text(let text) = value(at: place), isConsentCategory(text.bytes.trimmed()) { return true }
            place = next(place)
        }
        return false
    }
}
