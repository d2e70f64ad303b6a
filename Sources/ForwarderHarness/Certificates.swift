import Forwarder
import HTTPServer

/// A certificate authority and what it signed, made by the openssl program for one scenario.
public final class Certificates: Sendable {
    private let directory: DaemonDirectory
    /// PEM file of the authority.
    public var authority: String { "\(directory.path)/ca.pem" }

    public init() throws(HarnessFailure) {
        directory = try DaemonDirectory()
        try openssl(["req", "-x509", "-out", authority, "-days", "2", "-subj", "/CN=Authority of a test"] + key("ca"))
    }

    deinit {
        directory.remove()
    }

    /// - Parameters:
    ///   - name: as in `IP:127.0.0.1`.
    ///   - days: -1 for a certificate that has expired.
    public func identity(name: String = "IP:127.0.0.1", days: Int = 2) throws(HarnessFailure) -> TLSIdentity {
        let path = directory.path
        try directory.write("subjectAltName=\(name)\n", to: "leaf.ext")
        try openssl(["req", "-out", "\(path)/leaf.csr", "-subj", "/CN=Server of a test"] + key("leaf"))
        try openssl([
            "x509", "-req", "-in", "\(path)/leaf.csr", "-out", "\(path)/leaf.pem", "-CA", authority, "-CAkey",
            "\(path)/ca.key", "-CAcreateserial", "-days", "\(days)", "-extfile", "\(path)/leaf.ext",
        ])
        return TLSIdentity(certificateChain: try read("leaf.pem"), privateKey: try read("leaf.key"))
    }

    private func key(_ name: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(directory.path)/\(name).key"]
    }

    private func read(_ name: String) throws(HarnessFailure) -> String {
        do throws(SmallFile.Failure) {
            return String(decoding: try SmallFile.read("\(directory.path)/\(name)", limit: 1 << 16), as: UTF8.self)
        } catch {
            throw HarnessFailure("\(directory.path)/\(name) \(error.reason)")
        }
    }

    private func openssl(_ arguments: [String]) throws(HarnessFailure) {
        let run = try CommandRun("/usr/bin/openssl", arguments)
        guard run.code == 0 else { throw HarnessFailure("openssl \(arguments) ended with \(run.code): \(run.errors)") }
    }
}
