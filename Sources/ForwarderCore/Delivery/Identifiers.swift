import Synchronization

/// A destination for as long as its queue lives. Issued by the store, so that a renamed or re-ordered configuration
/// cannot mix up queues.
public struct DestinationID: Hashable, Comparable, Sendable {
    public var rawValue: Int32

    public init(_ rawValue: Int32) {
        self.rawValue = rawValue
    }

    public static func < (left: DestinationID, right: DestinationID) -> Bool { left.rawValue < right.rawValue }
}

/// One assignment of one partition to this process. A partition that is taken away and given back gets a new one, so a
/// late settlement of the old assignment can be told apart and dropped.
public struct AssignmentID: Hashable, Comparable, Sendable {
    public var rawValue: UInt32

    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Of a delivery that came out of the store: no offset waits for it.
    public static let none = AssignmentID(0)

    public static func < (left: AssignmentID, right: AssignmentID) -> Bool { left.rawValue < right.rawValue }
}

/// The row of a delivery in the retry queue.
public struct RowID: Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// Of a delivery that is not on disk.
    public static let none = RowID(0)

    public static func < (left: RowID, right: RowID) -> Bool { left.rawValue < right.rawValue }
}

/// One request on its way.
public struct RequestID: Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static func < (left: RequestID, right: RequestID) -> Bool { left.rawValue < right.rawValue }
}

/// Hands out row ids. Lanes name their rows before they are written, so that a delivery can be settled by its row while
/// the row is still on its way to disk.
public final class RowIDs: Sendable {
    private let last: Atomic<Int64>

    /// `highest` is the highest id that is in use.
    public init(after highest: RowID) {
        last = Atomic(highest.rawValue)
    }

    /// The last one that was handed out.
    public var highest: RowID { RowID(last.load(ordering: .relaxed)) }

    public func next() -> RowID {
        RowID(last.add(1, ordering: .relaxed).newValue)
    }
}
