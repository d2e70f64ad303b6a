// Compiled into one module with the core and the reader of YAML, so that nothing has to be public for it.

/// Takes any bytes as a configuration file: it is read, or its problems are told with their places, and what was read can
/// be shown again.
private func check(_ bytes: [UInt8]) {
    let root: ConfigNode
    do {
        root = try ConfigFile.parse(bytes)
    } catch {
        precondition(!"\(error)".isEmpty, "an error says something")
        return
    }
    switch Configuration.decode(root) {
    case .valid(let configuration, _):
        precondition((try? JSONDocument(configuration.redacted)) != nil, "what is shown is JSON")
        for destination in configuration.destinations {
            _ = Intake(configuration.input, [IntakeDestination(DestinationID(1), destination, firstSeen: .distantPast)])
        }
    case .invalid(let problems):
        precondition(!problems.isEmpty, "what is not taken has a reason")
        for problem in problems { precondition(!problem.description.isEmpty, "a problem says something") }
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
