import CCurl
import ForwarderCore
import Glibc

/// Sends HTTP requests, many at a time, from one thread: `start` some, then call `run` again and again.
///
/// HTTP/1.1 over TCP or TLS 1.2 and later, certificate and host name always verified. Redirects are answers, unless a
/// request wants them followed; there are no cookies, no compression and no retries of its own, except for one that
/// libcurl makes: a request on a connection used before that turns out to be dead before any byte of an answer (see
/// `HTTPRequest.mayReuseConnection` and `Completion.wasResent`).
///
/// The process has to ignore SIGPIPE: libcurl is told to leave signals alone, and then leaves that to its caller.
public final class HTTPClient {
    private let options: Options
    private let multi: UnsafeMutableRawPointer
    private var transfers: [RequestID: Transfer] = [:]
    /// Handles that wait for the next request, so that their buffers and TLS sessions need not be made again.
    private var idle: [Transfer] = []
    private let used: UsedConnections
    /// What ended without libcurl and is to be returned by the next `run`.
    private var refused: [Completion] = []
    /// Ends a wait of `run` from any thread.
    public let waker: HTTPWaker

    public init(options: Options) throws(HTTPClientError) {
        guard CurlLibrary.initialised == CURLE_OK else {
            throw .library(reason: String(cString: curl_easy_strerror(CurlLibrary.initialised)))
        }
        guard let multi = curl_multi_init() else { throw .library(reason: "out of memory") }
        self.options = options
        self.multi = multi
        used = UsedConnections(limit: options.connectionLimit)
        waker = HTTPWaker(multi: multi)
        if let path = options.caFile, access(path, R_OK) != 0 {
            throw .caFile(path: path, reason: String(cString: strerror(errno)))
        }
        if let proxy = options.proxy, proxy.isEmpty || !proxy.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) {
            throw .proxy(reason: "it is empty or holds a space or control character")
        }
        try set(CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        try set(CURLMOPT_MAXCONNECTS, options.connectionLimit)
    }

    deinit {
        cancelAll()
        idle = []
        waker.retire()
        curl_multi_cleanup(multi)
    }

    private func set(_ option: CURLMoption, _ value: Int) throws(HTTPClientError) {
        let code = forwarder_curl_multi_set_long(multi, option, value)
        guard code == CURLM_OK else { throw .library(reason: String(cString: curl_multi_strerror(code))) }
    }

    /// Requests begun and not yet returned by `run`.
    public var inFlight: Int { transfers.count + refused.count }

    /// Begins a request; nothing is sent before the next `run`. A request with a line break in its URL or a header is
    /// not sent: it completes as `.noAnswer(.local)`.
    /// - Parameter id: of no other request in flight.
    public func start(_ request: HTTPRequest, id: RequestID) {
        precondition(transfers[id] == nil, "request \(id.rawValue) is in flight already")
        precondition(request.redirectLimit == 0 || request.method == .get, "only a GET can be sent on elsewhere")
        if let reason = request.refusal { return refuse(id, reason) }
        guard let transfer = idle.popLast() ?? Transfer() else { return refuse(id, "out of memory") }
        do throws(OptionRefusal) {
            try transfer.prepare(request, id: id, options: options, used: used)
        } catch {
            recycle(transfer)
            return refuse(id, String(cString: curl_easy_strerror(error.code)))
        }
        let code = curl_multi_add_handle(multi, transfer.handle)
        guard code == CURLM_OK else {
            recycle(transfer)
            return refuse(id, String(cString: curl_multi_strerror(code)))
        }
        transfers[id] = transfer
    }

    /// Moves bytes until a request is finished, the waker is called or the time is up.
    /// - Parameter timeout: `.zero` to move what can be moved without waiting.
    /// - Returns: the finished requests, perhaps none.
    public func run(timeout: Duration) -> [Completion] {
        let deadline = ContinuousClock.now + timeout
        while true {
            var running: Int32 = 0
            check(curl_multi_perform(multi, &running))
            let finished = takeFinished()
            // Taken even when there is something to return: whoever called it gets the control it asked for.
            let isWoken = waker.takeWake()
            let rest = deadline - ContinuousClock.now
            if !finished.isEmpty || isWoken || rest <= .zero { return finished }
            // Rounded up, lest the last millisecond be spent spinning.
            check(curl_multi_poll(multi, nil, 0, Int32(min(rest.milliseconds + 1, Int64(Int32.max))), nil))
        }
    }

    /// Gives the request up and closes its connection. It will not be returned by `run`. Unknown ids are ignored.
    public func cancel(_ id: RequestID) {
        refused.removeAll { $0.id == id }
        guard let transfer = transfers.removeValue(forKey: id) else { return }
        curl_multi_remove_handle(multi, transfer.handle)
        recycle(transfer)
    }

    /// Gives up every request in flight.
    public func cancelAll() {
        for id in transfers.keys { cancel(id) }
        refused = []
    }

    private func takeFinished() -> [Completion] {
        var finished = refused
        refused = []
        var left: Int32 = 0
        while let entry = curl_multi_info_read(multi, &left) {
            // The entry is gone when its handle is removed.
            let (message, handle, code) = (entry.pointee.msg, entry.pointee.easy_handle, entry.pointee.data.result)
            guard message == CURLMSG_DONE, let handle,
                let transfer = transfers.values.first(where: { $0.handle == handle })
            else { continue }
            if transfer.isToStartAnew, transfer.startAnew() {
                // Removing takes the handle out of where it ended; nothing of the request has been sent.
                curl_multi_remove_handle(multi, handle)
                if curl_multi_add_handle(multi, handle) == CURLM_OK { continue }
            }
            used.note(transfer)
            if transfer.follow(code) {
                curl_multi_remove_handle(multi, handle)
                if curl_multi_add_handle(multi, handle) == CURLM_OK { continue }
            }
            finished.append(transfer.completion(code, usesProxy: options.proxy != nil))
            curl_multi_remove_handle(multi, handle)
            transfers[transfer.id] = nil
            recycle(transfer)
        }
        return finished
    }

    private func refuse(_ id: RequestID, _ reason: String) {
        refused.append(
            Completion(
                id: id, outcome: .noAnswer(.local), faultDetail: reason, elapsed: .zero, connectTime: nil,
                wasResent: false, bytesSent: 0, bytesReceived: 0))
    }

    private func recycle(_ transfer: Transfer) {
        transfer.reset()
        if idle.count < options.connectionLimit { idle.append(transfer) }
    }

    /// Out of memory or a fault in libcurl: no transfer can be relied on any more, and going on would spin.
    private func check(_ code: CURLMcode) {
        guard code != CURLM_OK else { return }
        let ids = transfers.keys.sorted()
        for id in ids {
            cancel(id)
            refuse(id, String(cString: curl_multi_strerror(code)))
        }
    }
}

private enum CurlLibrary {
    /// Once for the process. Since 7.84 it does not matter whether other threads (librdkafka's) do the same meanwhile.
    static let initialised = curl_global_init(Int(CURL_GLOBAL_SSL | CURL_GLOBAL_WIN32))
}
