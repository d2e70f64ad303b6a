import Glibc
import Testing

@testable import ForwarderHarness

@Suite struct DaemonDirectoryTests {
    @Test func `a directory below a relative TMPDIR has an absolute path, as the configuration demands`() throws {
        let directory = try DaemonDirectory(below: String(repeating: "../", count: 40) + "tmp")
        defer { directory.remove() }
        #expect(directory.path.hasPrefix("/tmp/conversion-forwarder-"))
        try directory.write("x", to: "f")
        #expect(access("\(directory.path)/f", R_OK) == 0)
    }

    @Test func `where none can be made it says where`() {
        #expect { try DaemonDirectory(below: "/no/such") } throws: { "\($0)".contains("/no/such (No such file") }
    }
}
