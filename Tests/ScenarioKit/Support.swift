import Forwarder
import ForwarderHarness
import Glibc

/// The daemon that was built with these tests: it stands beside the program that runs them.
package let daemonBinary = builtBinary("conversion-forwarder")

/// A program that was built with them.
package func builtBinary(_ name: String) -> String {
    var directory = OwnProgram.path
    while let slash = directory.lastIndex(of: "/") {
        directory = String(directory[..<slash])
        let candidate = "\(directory)/\(name)"
        if access(candidate, X_OK) == 0 { return candidate }
    }
    preconditionFailure("\(name) is not beside the tests; `swift build --build-tests` makes both")
}

/// Runs what blocks on a thread of its own: Swift Testing's tests share a pool with as many threads as cores. Only so many
/// at a time: each scenario has a Kafka, a Microsoft and a daemon.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.start(name: "scenario") {
            scenarioSlots.take()
            let result = Result { try body() }
            scenarioSlots.give()
            continuation.resume(with: result)
        }
    }
}

private let scenarioSlots = Slots(count: 6)

/// A semaphore: a byte in a pipe for each slot that is free.
private final class Slots: Sendable {
    private let reader: Int32
    private let writer: Int32

    init(count: Int) {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "no file descriptor is left")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reader, writer) = (ends[0], ends[1])
        for _ in 0..<count { give() }
    }

    func take() {
        var byte: UInt8 = 0
        while read(reader, &byte, 1) != 1 {}
    }

    func give() {
        var byte: UInt8 = 0
        while write(writer, &byte, 1) != 1 {}
    }
}

/// What was expected and did not come. Ends the scenario.
package struct Disappointment: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Ends the scenario unless the condition holds: on a thread of its own there is no test to attribute an `#expect` to.
package func require(
    _ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line, file: String = #fileID
) throws {
    if !condition { throw Disappointment("\(file):\(line): \(what())") }
}

package func requireEqual<Value: Equatable>(
    _ value: Value, _ expected: Value, _ what: @autoclosure () -> String = "", line: Int = #line,
    file: String = #fileID
) throws {
    try require(value == expected, "\(what()) is \(value), not \(expected)", line: line, file: file)
}

/// Waits until something holds.
package func eventually(
    _ what: String, within timeout: Duration = .seconds(60), line: Int = #line, file: String = #fileID,
    _ condition: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + timeout
    while try !condition() {
        try require(ContinuousClock.now < deadline, "not within \(timeout): \(what)", line: line, file: file)
        usleep(20_000)
    }
}
