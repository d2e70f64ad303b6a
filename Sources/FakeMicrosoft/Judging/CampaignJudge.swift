import ForwarderCore

/// What a request to Campaign Management applies.
enum CampaignContent: Sendable, CaseIterable {
    case conversions
    /// Restated or retracted offline conversions.
    case offlineAdjustments
    /// Restated or retracted conversions that a UET tag has counted.
    case onlineAdjustments
}

/// Judges the content of one request that applies offline conversions, or adjustments of conversions.
struct CampaignJudge {
    static let itemLimit = 1000
    static let ageLimit = Duration.seconds(90 * 86_400)
    static let creditModelLimit = 100

    enum Field: Int, CaseIterable {
        case name, time, clickID, email, phone, value, currency, credit, model
        case adjustmentType, adjustmentTime, adjustmentValue, adjustmentCurrency, transactionID
    }

    private static let fields: [StaticString] = [
        "ConversionName", "ConversionTime", "MicrosoftClickId", "HashedEmailAddress", "HashedPhoneNumber",
        "ConversionValue", "ConversionCurrencyCode", "ExternalAttributionCredit", "ExternalAttributionModel",
        "AdjustmentType", "AdjustmentTime", "AdjustmentValue", "AdjustmentCurrencyCode", "TransactionId",
    ]

    let content: CampaignContent
    let view: JSONView
    let account: OfflineAccount
    let now: Timestamp
    private var problems: [Problem<CampaignCode>] = []
    private var item: Int32 = 0
    private var worst = Severity.none
    /// A value of a type that the service's reader cannot take in: the whole request fails, and no index is named.
    private var unreadable: Problem<CampaignCode>?

    static func judge(
        _ body: [UInt8], as content: CampaignContent, of account: OfflineAccount, now: Timestamp
    ) -> Judgement<CampaignCode> {
        var tape = JSONTape()
        return body.withUnsafeBufferPointer { text in
            do throws(JSONFault) {
                try tape.parse(text)
            } catch {
                return .refused(.nullRequest, "")
            }
            return tape.entries.withUnsafeBufferPointer { entries in
                var judge = CampaignJudge(content, JSONView(text: text, entries: entries), account, now: now)
                return judge.request()
            }
        }
    }

    private init(_ content: CampaignContent, _ view: JSONView, _ account: OfflineAccount, now: Timestamp) {
        self.content = content
        self.view = view
        self.account = account
        self.now = now
    }

    private mutating func request() -> Judgement<CampaignCode> {
        let listName = content.listName
        guard view.kind(0) == .object else { return .refused(.nullRequest, "") }
        var oddity: Problem<CampaignCode>?
        let places = FieldPlaces.find([listName], of: 0, in: view) { name, _ in
            oddity = Problem(item: -1, severity: .error, code: .unknownField, text: view.range(name))
        }
        if let oddity { return Judgement(refusal: oddity) }
        let list = places[0]
        if list == 0 || view.kind(list) == .null { return .refused(.noConversions, listName) }
        guard view.kind(list) == .array else { return .refused(.nullRequest, listName) }
        let count = view.count(of: list)
        if count == 0 { return .refused(.noConversions, listName) }
        if count > CampaignJudge.itemLimit { return .refused(.tooManyConversions, listName) }

        var items: [JudgedItem] = []
        items.reserveCapacity(count)
        view.forEachElement(of: list) { index in
            item = Int32(items.count)
            worst = .none
            items.append(judge(index))
        }
        if let unreadable { return Judgement(refusal: unreadable) }
        return Judgement(refusal: nil, items: items, problems: problems)
    }

    private mutating func judge(_ index: Int) -> JudgedItem {
        let hash = ContentHash.of(view.bytes(index))
        var judged = JudgedItem(
            key: hash, id: 0, name: 0, content: UInt32(truncatingIfNeeded: hash), shownID: 0..<0, worst: .none)
        switch view.kind(index) {
        case .null: note(.conversionIsNull, nil, at: nil)
        case .object:
            let places = FieldPlaces.find(CampaignJudge.fields, of: index, in: view) { name, _ in
                note(.unknownField, nil, at: name)
            }
            for field in content.foreignFields where places[field.rawValue] != 0 {
                note(.unknownField, nil, at: places[field.rawValue] - 1)
            }
            judged.name = ContentHash.of(text(places, .name))
            switch content {
            case .conversions: conversion(places, &judged)
            case .offlineAdjustments: offlineAdjustment(places, &judged)
            case .onlineAdjustments: onlineAdjustment(places, &judged)
            }
        default: refuseWhole(.nullRequest, content.listName)
        }
        judged.worst = worst
        return judged
    }

    // MARK: Notes

    /// The text of a field; empty where it is absent or null. Anything but a string cannot be read at all.
    mutating func text(_ places: FieldPlaces, _ field: Field) -> Bytes {
        let index = places[field.rawValue]
        guard index != 0 else { return Bytes(start: nil, count: 0) }
        switch view.kind(index) {
        case .string: return view.bytes(index)
        case .null: return Bytes(start: nil, count: 0)
        default:
            refuseWhole(.nullRequest, field)
            return Bytes(start: nil, count: 0)
        }
    }

    private mutating func refuseWhole(_ code: CampaignCode, _ name: StaticString) {
        if unreadable == nil { unreadable = Problem(item: -1, severity: .error, code: code, name: name) }
    }

    mutating func refuseWhole(_ code: CampaignCode, _ field: Field) {
        refuseWhole(code, CampaignJudge.fields[field.rawValue])
    }

    mutating func note(
        _ code: CampaignCode, _ field: Field?, at index: Int?, _ severity: Severity = .error
    ) {
        worst = max(worst, severity)
        problems.append(
            Problem(
                item: item, severity: severity, code: code, name: field.map { CampaignJudge.fields[$0.rawValue] },
                text: index.map { view.range($0) } ?? 0..<0))
    }
}

extension CampaignContent {
    /// The member of the request that holds the items.
    var listName: StaticString {
        switch self {
        case .conversions: "OfflineConversions"
        case .offlineAdjustments: "OfflineConversionAdjustments"
        case .onlineAdjustments: "OnlineConversionAdjustments"
        }
    }

    /// The fields that its items do not have.
    fileprivate var foreignFields: [CampaignJudge.Field] {
        switch self {
        case .conversions: CampaignContent.foreignToConversions
        case .offlineAdjustments: CampaignContent.foreignToOfflineAdjustments
        case .onlineAdjustments: CampaignContent.foreignToOnlineAdjustments
        }
    }

    private static let foreignToConversions: [CampaignJudge.Field] = [
        .adjustmentType, .adjustmentTime, .adjustmentValue, .adjustmentCurrency, .transactionID,
    ]
    private static let foreignToOfflineAdjustments: [CampaignJudge.Field] = [
        .value, .currency, .credit, .model, .transactionID,
    ]
    private static let foreignToOnlineAdjustments: [CampaignJudge.Field] = [
        .time, .clickID, .email, .phone, .value, .currency, .credit, .model,
    ]
}
