import Glibc
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

    @Test func `its memory is its own, not that of who started it`() throws {
        // Beyond what a shell has.
        let ballast = [UInt8](repeating: 1, count: 64 << 20)
        let process = try ChildProcess("/bin/sleep", ["60"], environment: [])
        // Started is not yet another program.
        #expect(process.exitCode(timeout: .milliseconds(200)) == nil)
        process.send(SIGTERM)
        #expect(process.exitCode(timeout: .seconds(60)) == 128 + SIGTERM)
        let usage = try #require(process.usage)
        #expect(1..<(32 << 10) ~= usage.peakKilobytes, "\(usage.peakKilobytes)")
        #expect(ballast.last == 1)
    }
}
