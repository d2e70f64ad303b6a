@testable import ForwarderCore

/// A shop with a ledger: its purchases are delivered as they come, its refunds decided about.
final class RefundDesk {
    let configuration: Configuration
    let shop: Shop
    private let review: TransactionReview
    private let refunds: DestinationSettings
    private(set) var ledger: [TransactionKey: LedgerEntry] = [:]
    var now = Timestamp(seconds: Shop.now)
    /// When refunds came in.
    var queuedAt = Timestamp(seconds: Shop.now)
    private var offset: Int64 = 0

    init(online: Bool = false) {
        let offline = DestinationSettings.offline { $0.enhancedConversions = true }
        let capi = DestinationSettings.capi { $0.adjustments = RefundSettings(account: "offline", goal: "Web Sale") }
        configuration = Configuration(
            kafka: KafkaSettings(brokers: ["localhost:9092"], topics: ["events"]),
            destinations: online ? [capi, offline] : [offline])
        let running = configuration.running
        refunds = running.first { $0.name == (online ? "capi-refunds" : "offline-refunds") } ?? offline
        shop = online ? Shop(capi, refunds) : Shop(offline, refunds)
        review = TransactionReview(refunds)
    }

    /// A purchase that Microsoft takes.
    @discardableResult
    func sell(_ id: String = "T-1", value: String? = "79.99", time: Int64 = 1_786_000_000) -> TransactionKey? {
        let worth = value.map { #""value":\#($0),"currency":"USD","# } ?? ""
        let outcome = shop.publish(
            event(
                id: #""sale-\#(id)""#, time: "\(time)",
                user: #""msclkid":"0123456789abcdef0123456789abcdef","email":"ada@example.com""#,
                properties: #"\#(worth)"transaction_id":"\#(id)""#))[0]
        guard let delivery = outcome.delivery, let content = outcome.content else { return nil }
        let bytes = Array(content.utf8)
        let conversion =
            if case .capi = configuration.destinations[0].kind { SentConversion.ofCAPI(bytes) } else { bytes }
        offset += 1
        ledger[delivery.transaction] = LedgerEntry(
            origin: origin(offset), deliveredAt: now, conversion: conversion)
        return delivery.transaction
    }

    /// What is decided about a refund that comes in.
    func refund(
        _ amount: String, of id: String = "T-1", event name: String = "refund-1", time: Int64 = 1_786_000_050,
        currency: String? = "USD", others: String = "", user: String? = nil, offset: Int64? = nil,
        isBehind: Bool = false, isOriginalWaiting: Bool = false
    ) -> WaitingDecision? {
        let money = currency.map { #","currency":"\#($0)""# } ?? ""
        let text = event(
            #""Refund""#, id: #""\#(name)""#, time: "\(time)", user: user,
            properties: #""value":\#(amount)\#(money),"transaction_id":"\#(id)"\#(others)"#)
        guard let delivery = shop.publish(text)[1].delivery, let neutral = shop.neutral(Array(text.utf8), for: 1) else {
            return nil
        }
        self.offset += 1
        let row = WaitingRow(
            origin: origin(offset ?? self.offset), queuedAt: queuedAt, event: neutral, isBehind: isBehind,
            entry: ledger[delivery.transaction], isOriginalWaiting: isOriginalWaiting)
        let decision = review.decide(row, now: now)
        if case .adjust(_, let conversion, let refunds, _) = decision {
            let known = ledger[delivery.transaction]
            ledger[delivery.transaction] = LedgerEntry(
                origin: known?.origin, deliveredAt: known?.deliveredAt ?? now, conversion: conversion, refunds: refunds)
        }
        return decision
    }

    /// The request in which a decision ends.
    func request(_ decision: WaitingDecision?) -> HTTPRequest? {
        guard case .adjust(let content, _, _, _)? = decision else { return nil }
        return MicrosoftInterface(refunds).request(
            content, isStrict: false, .init(token: "access-token", developerToken: "developer-token"))
    }

    func body(_ decision: WaitingDecision?) -> String? {
        request(decision).map { String(decoding: $0.body, as: UTF8.self) }
    }

    /// `69.99`, or `retract`.
    func outcome(_ decision: WaitingDecision?) -> String? {
        guard case .adjust(let content, _, _, _)? = decision else { return nil }
        let text = String(decoding: content, as: UTF8.self)
        return value("AdjustmentType", in: text) == "Retract" ? "retract" : value("AdjustmentValue", in: text)
    }

    private func origin(_ offset: Int64) -> RecordOrigin {
        RecordOrigin(topic: "events", partition: 0, offset: offset, payloadHash: offset)
    }
}
