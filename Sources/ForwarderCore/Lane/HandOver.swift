/// What goes to the store in one piece, and what follows from its being on disk.
struct HandOver: Sendable {
    var works: [StoreWork] = []
    /// Offsets that wait for it.
    var settlements: [Settlement] = []
    /// What it holds in memory.
    var bytes = 0
    /// When the first of its rows that flow is due; a claim cannot see them before they are on disk.
    var nextDue = Timestamp.distantFuture
    /// Goals that its rows are held back for.
    var goals: Set<String> = []
    /// Transactions of its deliveries: up to here the lane has answered for them.
    var transactions: [TransactionKey] = []
    /// Rows are among it that wait behind another delivery of their transaction.
    var hasWaiting = false
    /// Its rows that belong to requests on their way.
    var covers: [RowID] = []
}
