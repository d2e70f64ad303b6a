import Testing

@testable import ForwarderHarness

@Suite struct ChildProcessTests {
    @Test func `what a process took is known once it has ended`() throws {
        let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exit 3"
        let process = try ChildProcess("/bin/sh", ["-c", script], environment: [])
        #expect(process.usage == nil)
        #expect(process.exitCode(timeout: .seconds(60)) == 3)
        let usage = try #require(process.usage)
        #expect(usage.userSeconds + usage.systemSeconds > 0.01)
        #expect(usage.peakKilobytes > 100)
    }
}
