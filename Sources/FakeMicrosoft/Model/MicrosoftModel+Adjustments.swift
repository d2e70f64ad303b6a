import ForwarderCore

/// What adjustments do to the value of conversions.
extension MicrosoftModel {
    /// Applies an adjustment that was accepted for the first time. Microsoft answers the same whether or not it finds the
    /// conversion; what it would only say in its reports is held against the client here.
    mutating func adjust(
        _ item: JudgedItem, at index: Int, _ content: CampaignContent, of account: OfflineAccount,
        _ pending: PendingRequest
    ) {
        guard case .adjustment(let adjustment) = item.effect else { return }
        let holder =
            content == .onlineAdjustments
            ? tags(of: account).lazy.map { FakeDestination.capi(tag: $0) }
                .first { self.books[$0]?.conversions.contains(adjustment.original) == true }
            : .offline(account: account.accountID)
        guard let objection = holder.map({ withBooks($0) { $0.conversions.adjust(adjustment) } }) ?? .noOriginal else {
            return
        }
        withBooks(pending.destination) {
            let shown = DestinationBooks.shown(item, in: pending.body)
            $0.blame(Finding(reason: objection.rawValue, index: index, eventID: shown))
        }
    }

    private func tags(of account: OfflineAccount) -> [String] {
        settings.tags.keys.filter { account.tags?.contains($0) ?? true }.sorted()
    }

    /// What counts for a transaction of a tag, for one goal; nil if no event with it was accepted.
    public func countedValue(tag: String, transactionID: String, goal: String) -> CountedValue? {
        books[.capi(tag: tag)]?.conversions.value(of: ContentHash.of(transactionID), goal: ContentHash.of(goal))
    }

    /// What counts for an offline conversion; nil if it was not accepted.
    public func countedValue(account: String, _ conversion: ConversionKey) -> CountedValue? {
        books[.offline(account: account)]?.conversions
            .value(of: conversion.original, goal: ContentHash.of(conversion.name))
    }
}
