import Forwarder
import ForwarderCore
import Glibc

/// The directory of one demo: configuration, made-up secrets, state, log.
final class DemoDirectory {
    static let tag = "12345678"
    static let token = "demo-capi-token"
    static let developerToken = "demo-developer-token"
    static let refreshToken = "demo-refresh-token"
    static let clientID = "demo-client"

    let path: String

    init() throws(Demo.Failure) {
        var template = Array("/tmp/conversion-forwarder-demo-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Demo.Failure(reason: "/tmp cannot be written to") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    var log: String { "\(path)/log.ndjson" }
    private var state: String { "\(path)/state" }

    /// Writes secrets and configuration; returns the path of the latter.
    func write(brokers: String, topic: String, endpoint: String, authority: String) throws(Demo.Failure) -> String {
        let secrets = [
            ("capi-token", DemoDirectory.token), ("developer-token", DemoDirectory.developerToken),
            ("refresh-token", DemoDirectory.refreshToken),
        ]
        for (name, secret) in secrets { try write(secret, to: name) }
        try write(
            """
            kafka:
              brokers: ["\(brokers)"]
              topics: [\(topic)]
            state: {directory: \(state)}
            destinations:
              - name: capi
                type: capi
                endpoint: \(endpoint)
                uet_tag_id: "\(DemoDirectory.tag)"
                token: {file: \(path)/capi-token}
                retry: {cap: 5s}
              - name: offline
                type: offline_conversions
                endpoint: \(endpoint)
                goals: {Purchase: Purchase, Lead: Lead Form Submit}
                customer_id: "1"
                account_id: "2"
                developer_token: {file: \(path)/developer-token}
                oauth:
                  authority: \(authority)
                  client_id: \(DemoDirectory.clientID)
                  refresh_token: {file: \(path)/refresh-token}
                enhanced_conversions: true
                retry: {cap: 5s}
            admin: {listen: 127.0.0.1:0}
            log: {metrics_interval: 1s}

            """, to: "config.yaml")
        return "\(path)/config.yaml"
    }

    private func write(_ text: String, to name: String) throws(Demo.Failure) {
        do throws(SmallFile.Failure) {
            try SmallFile.replace("\(path)/\(name)", with: Array(text.utf8))
        } catch {
            throw Demo.Failure(reason: "\(path)/\(name) \(error.reason)")
        }
    }

    /// What the daemon says of itself; nil while it does not answer.
    func status() -> JSONElement? {
        DaemonStatus.ask(stateDirectory: state)
    }

    /// The last numbers in the log.
    func lastMetrics() -> JSONElement? {
        guard let bytes = try? SmallFile.read(log, limit: 1 << 30) else { return nil }
        let line = bytes.split(separator: UInt8(ascii: "\n")).last { line in
            String(decoding: line.prefix(120), as: UTF8.self).contains("\"event\":\"metrics\"")
        }
        return line.flatMap { (try? JSONDocument(Array($0)))?.root }
    }

    func remove() {
        DemoDirectory.remove(path)
    }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove("\(path)/\(name)") }
            }
            closedir(directory)
        }
        Glibc.remove(path)
    }
}
