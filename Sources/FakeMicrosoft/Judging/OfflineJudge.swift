import ForwarderCore

/// Judges the content of one ApplyOfflineConversions request.
struct OfflineJudge {
    static let conversionLimit = 1000
    static let ageLimit = Duration.seconds(90 * 86_400)
    static let creditModelLimit = 100

    private enum Field: Int {
        case name, time, clickID, email, phone, value, currency, credit, model
    }

    private static let fields: [StaticString] = [
        "ConversionName", "ConversionTime", "MicrosoftClickId", "HashedEmailAddress", "HashedPhoneNumber",
        "ConversionValue", "ConversionCurrencyCode", "ExternalAttributionCredit", "ExternalAttributionModel",
    ]

    private let view: JSONView
    private let goals: [String: OfflineGoal]
    private let now: Timestamp
    private var problems: [Problem<CampaignCode>] = []
    private var item: Int32 = 0
    private var worst = Severity.none
    /// A value of a type that the service's reader cannot take in: the whole request fails, and no index is named.
    private var unreadable: Problem<CampaignCode>?

    static func judge(_ body: [UInt8], goals: [String: OfflineGoal], now: Timestamp) -> Judgement<CampaignCode> {
        var tape = JSONTape()
        return body.withUnsafeBufferPointer { text in
            do throws(JSONFault) {
                try tape.parse(text)
            } catch {
                return .refused(.nullRequest, "")
            }
            return tape.entries.withUnsafeBufferPointer { entries in
                var judge = OfflineJudge(view: JSONView(text: text, entries: entries), goals: goals, now: now)
                return judge.request()
            }
        }
    }

    private init(view: JSONView, goals: [String: OfflineGoal], now: Timestamp) {
        self.view = view
        self.goals = goals
        self.now = now
    }

    private mutating func request() -> Judgement<CampaignCode> {
        guard view.kind(0) == .object else { return .refused(.nullRequest, "") }
        var oddity: Problem<CampaignCode>?
        let places = FieldPlaces.find(["OfflineConversions"], of: 0, in: view) { name, _ in
            oddity = Problem(item: -1, severity: .error, code: .unknownField, text: view.range(name))
        }
        if let oddity { return Judgement(refusal: oddity) }
        let list = places[0]
        if list == 0 || view.kind(list) == .null { return .refused(.noConversions, "OfflineConversions") }
        guard view.kind(list) == .array else { return .refused(.nullRequest, "OfflineConversions") }
        let count = view.count(of: list)
        if count == 0 { return .refused(.noConversions, "OfflineConversions") }
        if count > OfflineJudge.conversionLimit { return .refused(.tooManyConversions, "OfflineConversions") }

        var items: [JudgedItem] = []
        items.reserveCapacity(count)
        view.forEachElement(of: list) { index in
            item = Int32(items.count)
            worst = .none
            items.append(conversion(index))
        }
        if let unreadable { return Judgement(refusal: unreadable) }
        return Judgement(refusal: nil, items: items, problems: problems)
    }

    // MARK: Conversions

    private mutating func conversion(_ index: Int) -> JudgedItem {
        let content = ContentHash.of(view.bytes(index))
        var judged = JudgedItem(
            key: content, id: 0, name: 0, content: UInt32(truncatingIfNeeded: content), shownID: 0..<0, worst: .none)
        switch view.kind(index) {
        case .null: note(.conversionIsNull, nil, at: nil)
        case .object:
            let places = FieldPlaces.find(OfflineJudge.fields, of: index, in: view) { name, _ in
                note(.unknownField, nil, at: name)
            }
            let goal = self.goal(places)
            time(places)
            identifiers(places, goal: goal)
            money(places)
            attribution(places, goal: goal)
            judged.id = ContentHash.of(text(places, .clickID))
            judged.name = ContentHash.of(text(places, .name))
            judged.key = OfflineJudge.key(
                clickID: text(places, .clickID), name: text(places, .name), time: text(places, .time),
                email: text(places, .email), phone: text(places, .phone))
            // The time is what can be shown: the other parts of the key are about a person.
            let time = places[Field.time.rawValue]
            if time != 0 { judged.shownID = view.range(time) }
        default: refuseWhole(.nullRequest, "OfflineConversions")
        }
        judged.worst = worst
        return judged
    }

    /// What makes two conversions the same one.
    static func key(clickID: Bytes, name: Bytes, time: Bytes, email: Bytes, phone: Bytes) -> UInt64 {
        var hash = ContentHash()
        for part in [clickID, name, time, email, phone] { hash.add(part) }
        return hash.value
    }

    private mutating func goal(_ places: FieldPlaces) -> OfflineGoal? {
        let name = text(places, .name)
        guard !name.isEmpty else {
            note(.nameMissing, .name, at: nil)
            return nil
        }
        guard let goal = goals[name.text] else {
            note(.nameInvalid, .name, at: places[Field.name.rawValue])
            return nil
        }
        if let from = goal.acceptsFrom, now < from { note(.notAcceptedForGoal, .name, at: nil, .setback) }
        return goal
    }

    private mutating func time(_ places: FieldPlaces) {
        let text = text(places, .time)
        let index = places[Field.time.rawValue]
        guard !text.isEmpty else { return note(.timeMissing, .time, at: nil) }
        switch TimeReading(text) {
        case .unreadable: refuseWhole(.invalidDateObject, "ConversionTime")
        case .notUTC: note(.timeInvalid, .time, at: index)
        case .utc(let time):
            if time > now { note(.timeInFuture, .time, at: index) }
            if time < now - OfflineJudge.ageLimit { note(.timeOutOfWindow, .time, at: index) }
        }
    }

    private mutating func identifiers(_ places: FieldPlaces, goal: OfflineGoal?) {
        let clickID = text(places, .clickID)
        let email = text(places, .email)
        let phone = text(places, .phone)
        if places[Field.email.rawValue] != 0, !email.isSHA256 {
            note(.emailNotHashed, .email, at: places[Field.email.rawValue])
        }
        if places[Field.phone.rawValue] != 0, !phone.isSHA256 {
            note(.phoneNotHashed, .phone, at: places[Field.phone.rawValue])
        }
        if !clickID.isEmpty {
            if !clickID.isBareGUID { note(.clickIDInvalid, .clickID, at: places[Field.clickID.rawValue]) }
        } else if email.isEmpty, phone.isEmpty {
            note(.clickIDMissing, .clickID, at: nil)
        } else if let goal, !goal.takesEnhancedConversions {
            note(.notEligibleForEnhancedConversions, .name, at: nil)
        }
    }

    private mutating func money(_ places: FieldPlaces) {
        let value = places[Field.value.rawValue]
        if value != 0 {
            if view.kind(value) != .number {
                refuseWhole(.nullRequest, "ConversionValue")
            } else if !OfflineJudge.isValue(view.bytes(value)) {
                note(.valueInvalid, .value, at: value)
            }
        }
        let currency = places[Field.currency.rawValue]
        if currency != 0, !GoalCurrencies.contain(text(places, .currency)) {
            note(.currencyInvalid, .currency, at: currency)
        }
    }

    private mutating func attribution(_ places: FieldPlaces, goal: OfflineGoal?) {
        let credit = places[Field.credit.rawValue]
        let model = text(places, .model)
        if credit != 0 {
            if view.kind(credit) != .number {
                refuseWhole(.nullRequest, "ExternalAttributionCredit")
            } else if let share = Double(view.bytes(credit).text), share > 0, share <= 1 {
                // In order.
            } else {
                note(.creditInvalid, .credit, at: credit)
            }
        }
        guard let goal else { return }
        let isAttributed = credit != 0 || places[Field.model.rawValue] != 0
        if goal.isExternallyAttributed {
            let isComplete = credit != 0 && !model.isEmpty && model.count <= OfflineJudge.creditModelLimit
            if !isComplete { note(.attributionFieldMissing, .credit, at: nil) }
        } else if isAttributed {
            note(.goalNotExternallyAttributed, .name, at: nil)
        }
    }

    /// 0 … 999,999,999,999 with at most three decimals, written without an exponent.
    private static func isValue(_ number: Bytes) -> Bool {
        let parts = number.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, parts[0].count <= 12, Bytes(rebasing: parts[0]).digits(0..<parts[0].count) != nil else {
            return false
        }
        guard parts.count == 2 else { return true }
        guard parts[1].count <= 3, let fraction = Bytes(rebasing: parts[1]).digits(0..<parts[1].count) else {
            return false
        }
        return fraction == 0 || !Bytes(rebasing: parts[0]).matches("999999999999")
    }

    // MARK: Notes

    /// The text of a field; empty where it is absent or null. Anything but a string cannot be read at all.
    private mutating func text(_ places: FieldPlaces, _ field: Field) -> Bytes {
        let index = places[field.rawValue]
        guard index != 0 else { return Bytes(start: nil, count: 0) }
        switch view.kind(index) {
        case .string: return view.bytes(index)
        case .null: return Bytes(start: nil, count: 0)
        default:
            refuseWhole(.nullRequest, OfflineJudge.fields[field.rawValue])
            return Bytes(start: nil, count: 0)
        }
    }

    private mutating func refuseWhole(_ code: CampaignCode, _ name: StaticString) {
        if unreadable == nil { unreadable = Problem(item: -1, severity: .error, code: code, name: name) }
    }

    private mutating func note(
        _ code: CampaignCode, _ field: Field?, at index: Int?, _ severity: Severity = .error
    ) {
        worst = max(worst, severity)
        problems.append(
            Problem(
                item: item, severity: severity, code: code, name: field.map { OfflineJudge.fields[$0.rawValue] },
                text: index.map { view.range($0) } ?? 0..<0))
    }
}
