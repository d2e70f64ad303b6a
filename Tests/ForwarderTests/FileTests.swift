import ForwarderCore
import ForwarderHarness
import Glibc
import Testing

@testable import Forwarder

final class FileTests {
    private let place: DaemonDirectory
    private var directory: String { place.path }

    init() throws {
        place = try DaemonDirectory()
    }

    deinit {
        place.remove()
    }

    private func size(_ name: String) -> Int? {
        var status = stat()
        return stat("\(directory)/\(name)", &status) == 0 ? Int(status.st_size) : nil
    }

    @Test func `a file is replaced as a whole and belongs to its owner alone`() throws {
        try SmallFile.replace("\(directory)/f", with: Array("one".utf8))
        try SmallFile.replace("\(directory)/f", with: Array("two".utf8))
        #expect(try SmallFile.read("\(directory)/f", limit: 3) == Array("two".utf8))
        #expect(size("f.new") == nil)
        var status = stat()
        #expect(stat("\(directory)/f", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(throws: SmallFile.Failure.self) { try SmallFile.read("\(directory)/f", limit: 2) }
        do {
            _ = try SmallFile.read("\(directory)/none", limit: 2)
            Issue.record("read what is not there")
        } catch {
            #expect(error.isMissing)
        }
    }

    @Test func `the reserve takes the space that is configured, whatever it was before`() {
        func ballast(_ bytes: Int) -> Ballast {
            var settings = StateSettings()
            settings.directory = directory
            settings.ballastBytes = bytes
            return Ballast(settings)
        }
        #expect(ballast(100_000).take() == .taken && size("ballast") == 100_000)
        #expect(ballast(50_000).take() == .taken && size("ballast") == 50_000)
        #expect(ballast(50_000).release() && size("ballast") == nil)
        #expect(!ballast(50_000).release())
        #expect(ballast(50_000).take() == .taken && ballast(0).take() == .taken && size("ballast") == nil)
        mkdir("\(directory)/ballast", 0o700)
        let reason = "\(directory)/ballast: Is a directory"
        #expect(ballast(50_000).take() == .impossible(reason: reason))
    }

    @Test func `a store's file is missed when it is deleted or replaced`() throws {
        let path = "\(directory)/store.sqlite"
        try SmallFile.replace(path, with: [1])
        let file = StoreFile(path)
        #expect(file.isUnchanged)
        #expect(rename(path, "\(directory)/old") == 0)
        #expect(!file.isUnchanged)
        try SmallFile.replace(path, with: [1])
        #expect(!file.isUnchanged)
        #expect(rename("\(directory)/old", path) == 0)
        #expect(file.isUnchanged)
    }

    @Test func `a secret is read without what surrounds it, and refused where it could break a header`() throws {
        let reference = SecretReference.file("\(directory)/s")
        func secret(_ text: String) throws -> String {
            try SmallFile.replace("\(directory)/s", with: Array(text.utf8))
            return try Secrets.read(reference)
        }
        #expect(try secret("  token-1\r\n\n") == "token-1")
        for bad in ["", " \n", "to\nken", "tok\u{e9}n", "a\u{0}b"] {
            #expect(throws: Secrets.Unreadable.self) { try secret(bad) }
        }
        do {
            _ = try secret("very-secret\u{7}")
        } catch let error as Secrets.Unreadable {
            #expect(!error.reason.contains("very-secret"))
        }
        #expect(throws: Secrets.Unreadable.self) { try Secrets.read(.environment("NO_SUCH_VARIABLE_HERE")) }
    }
}
