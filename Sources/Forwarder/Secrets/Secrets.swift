import ForwarderCore
import Glibc

/// Reads secrets where the configuration says they are. What was read goes nowhere but into requests.
enum Secrets {
    /// Longer than any token; a larger file is not one.
    private static let sizeLimit = 64 << 10

    struct Unreadable: Error, Sendable {
        /// Says where and why; never what.
        var reason: String
    }

    static func read(_ reference: SecretReference) throws(Unreadable) -> String {
        let text: String
        switch reference {
        case .environment(let name):
            guard let value = getenv(name) else { throw Unreadable(reason: "environment variable \(name) is not set") }
            text = String(cString: value)
        case .file(let path):
            text = try readFile(path)
        }
        let secret = text.drop { $0.isWhitespace }.trimmingSuffix { $0.isWhitespace }
        guard !secret.isEmpty else { throw Unreadable(reason: "\(reference.redacted) is empty") }
        // It becomes part of a header or form: nothing that could end one.
        guard secret.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else {
            throw Unreadable(reason: "\(reference.redacted) holds a character that no token has")
        }
        return String(secret)
    }

    /// What saved grants are encrypted with; nil if nothing is configured.
    static func encryptionKey(_ reference: SecretReference?) throws(Unreadable) -> AES256GCM? {
        guard let reference else { return nil }
        guard let key = AES256GCM(hexadecimal: try read(reference)) else {
            throw Unreadable(
                reason: "\(reference.redacted) is no key: 64 hexadecimal digits, as `openssl rand -hex 32` makes them")
        }
        return key
    }

    /// Bytes that nobody can guess, from the kernel.
    static func random(_ count: Int) -> [UInt8] {
        var source = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &source) }
    }

    private static func readFile(_ path: String) throws(Unreadable) -> String {
        let bytes: [UInt8]
        do {
            bytes = try SmallFile.read(path, limit: sizeLimit, isRegular: true)
        } catch {
            throw Unreadable(reason: "\(path): \(error.reason)")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Substring {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> Substring {
        var rest = self
        while let last = rest.last, isTrimmed(last) { rest.removeLast() }
        return rest
    }
}
