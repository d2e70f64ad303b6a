/// Decides about deliveries that wait behind another one of their transaction: duplicates behind their first, refunds
/// behind their purchase and the refunds before them.
public struct TransactionReview: Sendable {
    private let window: Duration?
    private let adjustments: AdjustmentSettings?

    public init(_ settings: DestinationSettings) {
        window = settings.dedupe.window
        adjustments = if case .adjustments(let adjustments) = settings.kind { adjustments } else { nil }
    }

    public func decide(_ row: WaitingRow, now: Timestamp) -> WaitingDecision {
        if let adjustments { return adjust(row, adjustments, now) }
        guard let window else { return .send }
        if let entry = row.entry, entry.isDuplicate(row.origin, since: now - window) { return .duplicate }
        return row.isBehind ? .wait : .send
    }

    // MARK: Refunds

    private func adjust(_ row: WaitingRow, _ settings: AdjustmentSettings, _ now: Timestamp) -> WaitingDecision {
        if row.isBehind || row.isOriginalWaiting { return .wait }
        // What was taken in had all of it.
        guard let event = RefundEvent(neutral: row.event) else { return .giveUp(reason: "refund_unreadable") }
        if let entry = row.entry, let conversion = SentConversion(entry.conversion) {
            return adjust(conversion, Refunds(entry.refunds), row, event, settings)
        }
        guard now - row.queuedAt >= settings.wait else { return .wait }
        guard let told = SentConversion.told(by: event, settings) else {
            return .giveUp(reason: "purchase_unknown")
        }
        return adjust(told, Refunds(row.entry?.refunds ?? []), row, event, settings)
    }

    private func adjust(
        _ conversion: SentConversion, _ before: Refunds, _ row: WaitingRow, _ event: RefundEvent,
        _ settings: AdjustmentSettings
    ) -> WaitingDecision {
        var refunds = before
        if let known = refunds.entry(event.id) {
            // The same record once more, whose answer is not known; or published again by the shop, which is of no use
            // unless the first one was given up. What is sent says what is left, so nothing is subtracted twice.
            guard known.origin == row.origin.text || row.hasDeadLetter else { return .duplicate }
        } else {
            guard refunds.entries.count < Refunds.limit else { return .giveUp(reason: "too_many_refunds") }
            if let value = conversion.value, !refunds.entries.isEmpty, refunds.total >= value {
                return .giveUp(reason: "refund_exceeds_purchase")
            }
            refunds.add(event, from: row.origin, notBefore: conversion.time)
        }
        if let ours = event.currency, let theirs = conversion.currency, ours != theirs {
            return .giveUp(reason: "refund_currency_differs")
        }
        guard let value = conversion.value else { return .giveUp(reason: "purchase_value_unknown") }
        let rest = value > refunds.total ? value - refunds.total : nil
        let time = refunds.lastTime ?? event.time
        return .adjust(
            content: content(of: conversion, event, settings, rest: rest, at: time), conversion: conversion.bytes,
            refunds: refunds.json, notBefore: Timestamp(seconds: time))
    }

    /// The entry of the request: OfflineConversionAdjustment or OnlineConversionAdjustment of Campaign Management v13.
    private func content(
        of conversion: SentConversion, _ event: RefundEvent, _ settings: AdjustmentSettings, rest: Amount?,
        at time: Int64
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            switch settings.form {
            case .offline: conversion.writeIdentity(to: &writer)
            case .online(let goal):
                writer.member("TransactionId", event.transactionID)
                writer.member("ConversionName", goal)
            }
            writer.member("AdjustmentType", rest == nil ? "Retract" : "Restate")
            writer.member("AdjustmentTime", ISO8601.text(time))
            guard let rest else { return }
            writer.name("AdjustmentValue")
            writer.raw(Array(rest.text.utf8))
            if let currency = conversion.currency ?? event.currency {
                writer.member("AdjustmentCurrencyCode", currency)
            }
        }
        return writer.bytes
    }
}

extension LedgerEntry {
    /// Whether another record of the transaction was delivered at that time or later.
    public func isDuplicate(_ origin: RecordOrigin, since time: Timestamp) -> Bool {
        guard let first = self.origin else { return false }
        return first != origin && deliveredAt >= time
    }
}
