/// The search for the refused among deliveries that were refused as a whole: halves, and halves of halves, within a
/// budget of requests.
struct RefusalSearch: Sendable {
    /// A service that refuses everything must not be asked a thousand times; what is left goes back to the queue.
    static let requestBudget = 64
    /// Then it waits as after so many failures.
    static let spentFailures = 5

    var requestsLeft = RefusalSearch.requestBudget
    /// Batches of this search that are not settled.
    var open = 0
    var refusals = 0
    /// It began with a count that did not add up.
    var isAboutCount: Bool
    var isAbandoned = false
}
