import ForwarderCore
import HTTPServer

/// The admin port: the site behind a socket.
struct AdminPort {
    /// Why there is none.
    struct Unavailable: Error {
        var reason: String
    }

    /// An event that is pasted, each of its bytes escaped.
    private static let bodyLimit = 1 << 20
    private static let pemLimit = 256 << 10

    let server: HTTPServer

    init(
        _ endpoint: AdminSettings.Endpoint, _ settings: AdminSettings, _ sources: AdminSources
    ) throws(Unavailable) {
        let site = AdminSite(settings, sources)
        let identity = try AdminPort.identity(settings.tls)
        do throws(HTTPServerError) {
            // Whoever takes all connections of one address leaves as many for the probes.
            server = try HTTPServer(
                host: endpoint.host, port: endpoint.port, tls: identity, bodyLimit: AdminPort.bodyLimit,
                connectionLimit: 32, connectionLimitPerAddress: 16, idleTimeout: .seconds(30)
            ) { request in
                .answer(site.answer(request))
            }
        } catch {
            throw Unavailable(reason: error.description)
        }
    }

    /// Certificate and key; nil if none are configured.
    static func identity(_ files: AdminSettings.TLSFiles?) throws(Unavailable) -> TLSIdentity? {
        guard let files else { return nil }
        guard HTTPServer.hasTLS else { throw Unavailable(reason: "this libmicrohttpd was built without TLS") }
        return TLSIdentity(certificateChain: try read(files.certificate), privateKey: try read(files.key))
    }

    private static func read(_ path: String) throws(Unavailable) -> String {
        do throws(SmallFile.Failure) {
            return String(decoding: try SmallFile.read(path, limit: pemLimit, isRegular: true), as: UTF8.self)
        } catch {
            throw Unavailable(reason: "\(path) \(error.reason)")
        }
    }
}
