/// Why a scenario could not be played to its end.
public struct HarnessFailure: Error, CustomStringConvertible {
    public var reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    public var description: String { reason }
}
