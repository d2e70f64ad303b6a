/// How a command ends.
public enum ExitCode {
    public static let done: Int32 = 0
    /// The thing itself went wrong, or is not well.
    public static let failure: Int32 = 1
    /// Wrong usage or configuration: starting again changes nothing.
    public static let usage: Int32 = 2
}
