import ForwarderCore
import ForwarderHarness
import Glibc
import Testing

@testable import Forwarder

/// What may stand where a secret should.
struct HostileFileTests {
    @Test(.timeLimit(.minutes(1)))
    func `where a secret should be, a pipe, a directory, a giant or nothing is an error and no wait`() throws {
        let place = try DaemonDirectory()
        defer { place.remove() }
        let directory = place.path
        #expect(mkfifo("\(directory)/pipe", 0o600) == 0)
        #expect(symlink("\(directory)/none", "\(directory)/link") == 0)
        #expect(symlink("\(directory)/loop", "\(directory)/loop") == 0)
        try SmallFile.replace("\(directory)/giant", with: Array(repeating: 65, count: 64 << 10 + 1))
        for (path, reason) in [
            ("\(directory)/pipe", "is no regular file"), (directory, "is no regular file"),
            ("/dev/zero", "is no regular file"), ("\(directory)/link", "No such file"),
            ("\(directory)/loop", "symbolic links"), ("\(directory)/giant", "is larger than"),
            ("\(directory)/giant/under", "Not a directory"),
        ] {
            let error = #expect(throws: Secrets.Unreadable.self) { try Secrets.read(.file(path)) }
            #expect(error?.reason.contains(path) == true)
            #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
        }
    }
}
