import Glibc
import HTTPServer

/// A certificate authority and what it signed, made by the openssl program for one test: no private key lies in the
/// repository, and nothing expires. The files go with the object.
final class TestCertificates: Sendable {
    struct Failure: Error {
        var command: [String]
    }

    private let directory: String
    /// For `Options.caFile`.
    var authority: String { directory + "/ca.pem" }

    init() throws {
        var template = Array("/tmp/http-certificates-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SocketFault(call: "mkdtemp") }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        try openssl(
            ["req", "-x509", "-out", "ca.pem", "-keyout", "ca.key", "-days", "2", "-subj", "/CN=Authority of a test"]
                + Self.newKey)
    }

    deinit {
        for name in ["ca.pem", "ca.key", "ca.srl", "leaf.key", "leaf.csr", "leaf.ext", "leaf.pem"] {
            unlink("\(directory)/\(name)")
        }
        rmdir(directory)
    }

    /// - Parameters:
    ///   - name: as in `IP:127.0.0.1`, `DNS:localhost`.
    ///   - days: -1 for a certificate that has expired.
    func identity(name: String = "IP:127.0.0.1", days: Int = 2) throws -> TLSIdentity {
        try write("subjectAltName=\(name)\n", to: "leaf.ext")
        try openssl(["req", "-out", "leaf.csr", "-keyout", "leaf.key", "-subj", "/CN=Server of a test"] + Self.newKey)
        try openssl([
            "x509", "-req", "-in", "leaf.csr", "-out", "leaf.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "\(days)", "-extfile", "leaf.ext",
        ])
        return TLSIdentity(certificateChain: try read("leaf.pem"), privateKey: try read("leaf.key"))
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    private func openssl(_ arguments: [String]) throws {
        // Only this child goes into the directory: the tests' own working directory is shared by all threads.
        let command = ["sh", "-c", "cd \(directory) && exec openssl \"$@\" >/dev/null 2>&1", "sh"] + arguments
        var words = command.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var child = pid_t()
        var status: Int32 = -1
        guard posix_spawn(&child, "/bin/sh", nil, nil, &words, environ) == 0, waitpid(child, &status, 0) == child,
            status == 0
        else { throw Failure(command: command) }
    }

    private func write(_ text: String, to name: String) throws {
        guard let file = fopen("\(directory)/\(name)", "w") else { throw SocketFault(call: "fopen") }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw SocketFault(call: "fputs") }
    }

    private func read(_ name: String) throws -> String {
        guard let file = fopen("\(directory)/\(name)", "r") else { throw SocketFault(call: "fopen") }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[0..<count], as: UTF8.self)
    }
}
