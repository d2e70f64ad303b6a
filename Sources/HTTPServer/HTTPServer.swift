import CMicroHTTPD
import Synchronization

/// An HTTP/1.1 server with a thread for every connection, so that a handler may block without holding up others.
///
/// A request that is not well-formed HTTP is answered 400 by the library and never reaches the handler. A body longer
/// than `bodyLimit` is answered 413 without asking the handler.
public final class HTTPServer: Sendable {
    /// The port listened on: a free one if 0 was asked for.
    public let port: UInt16
    private let shared: ServerContext
    /// Nil once stopped.
    private let daemon: Mutex<OpaquePointer?>

    /// Listens and serves from here on.
    /// - Parameters:
    ///   - host: a numeric IPv4 or IPv6 address, or a name this machine can resolve.
    ///   - port: 0 for any free one.
    ///   - tls: nil for plain HTTP.
    ///   - bodyLimit: bytes of a request's body.
    ///   - connectionLimit: a connection beyond it is closed at once.
    ///   - connectionLimitPerAddress: likewise, of those of one other end; 0 for no such limit.
    ///   - idleTimeout: how long a connection may be silent; rounded up to whole seconds.
    ///   - handler: called on the connection's thread, one call at a time for each connection.
    public init(
        host: String, port: UInt16, tls: TLSIdentity? = nil, bodyLimit: Int, connectionLimit: Int,
        connectionLimitPerAddress: Int = 0, idleTimeout: Duration,
        handler: @escaping @Sendable (ServerRequest) -> ServerReply
    ) throws(HTTPServerError) {
        precondition(bodyLimit >= 0 && connectionLimit > 0 && idleTimeout > .zero, "limits must be positive")
        let socket = try listeningSocket(host: host, port: port)
        let context = ServerContext(bodyLimit: bodyLimit, handler: handler)
        var settings = forwarder_mhd_settings()
        settings.listen_socket = socket.descriptor
        settings.connection_limit = UInt32(clamping: connectionLimit)
        settings.connection_limit_per_address = UInt32(clamping: connectionLimitPerAddress)
        settings.idle_timeout_seconds = UInt32(clamping: idleTimeout.wholeSecondsUp)
        settings.memory_per_connection = ServerContext.memoryPerConnection
        settings.context = Unmanaged.passUnretained(context).toOpaque()
        settings.begin = beginRequest
        settings.handle = handleRequest
        settings.end = endRequest
        settings.log = logOfLibrary

        let started =
            if let tls {
                tls.certificateChain.withCString { certificate in
                    tls.privateKey.withCString { key in
                        settings.tls_certificate = certificate
                        settings.tls_key = key
                        return forwarder_mhd_start(&settings)
                    }
                }
            } else {
                forwarder_mhd_start(&settings)
            }
        guard let started else {
            // The socket is closed already: libmicrohttpd owns it from the call on, whether it starts or not.
            throw .start(host: host, port: port, reason: context.complaint ?? "threads or memory exhausted")
        }
        shared = context
        daemon = Mutex(started)
        self.port = socket.port
    }

    deinit {
        stop()
    }

    /// Whether this build of libmicrohttpd can speak https.
    public static var hasTLS: Bool { MHD_is_feature_supported(.FEATURE_TLS) == .YES }

    /// Closes every connection and returns when no handler runs any more. Calling it again does nothing. Must not be
    /// called by a handler, which would wait for itself.
    public func stop() {
        daemon.withLock { daemon in
            guard let running = daemon else { return }
            MHD_stop_daemon(running)
            daemon = nil
        }
    }
}

extension Duration {
    fileprivate var wholeSecondsUp: Int64 {
        let (seconds, attoseconds) = components
        return attoseconds > 0 ? seconds + 1 : seconds
    }
}
