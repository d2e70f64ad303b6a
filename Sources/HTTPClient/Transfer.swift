import CCurl
import ForwarderCore

/// libcurl refused an option of a request.
struct OptionRefusal: Error {
    var code: CURLcode
}

/// One easy handle and the request it carries out. libcurl gets an unowned pointer to it for its callbacks, so it has
/// to live until the handle is removed from the multi handle. Used for one request after the other.
final class Transfer {
    let handle: UnsafeMutableRawPointer
    /// Where libcurl writes what went wrong.
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private(set) var id = RequestID(0)
    private(set) var received = ReceivedAnswer(bodyLimit: HTTPAnswer.bodyLimit)
    /// How often the request was begun to be sent.
    private(set) var sendings = 0
    /// Nothing was sent, because the connection chosen was not fit to be used again.
    private(set) var isToStartAnew = false
    /// Of the client.
    private var used: UsedConnections?
    private(set) var isEncrypted = false
    private(set) var redirectCount = 0
    private var redirectLimit = 0
    private var deadline = ContinuousClock.now
    /// Of the places before the last one.
    private(set) var earlier = Earlier()

    /// What was sent and came back before the request was sent on elsewhere.
    struct Earlier {
        var resendings = 0
        var bytesSent = 0
        var bytesReceived = 0
        var elapsed = Duration.zero
    }

    // The body is read by a callback instead of being handed over as a pointer: libcurl copies it to its own buffer
    // either way, and so the array's memory is only touched while a call of `read` runs.
    private var body: [[UInt8]] = []
    private var bodySize = 0
    private var bodyOffset = 0

    /// Nil if out of memory.
    init?() {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    /// What libcurl says about the fault; empty if it said nothing.
    var faultText: String { String(cString: errorText) }

    /// Makes the handle ready to be added to the multi handle.
    func prepare(
        _ request: HTTPRequest, id: RequestID, options: HTTPClient.Options, used: UsedConnections
    ) throws(OptionRefusal) {
        self.id = id
        self.used = used
        body = request.bodyPieces
        bodySize = body.reduce(0) { $0 + $1.count }
        received = ReceivedAnswer(bodyLimit: request.answerLimit)
        isEncrypted = request.url.utf8.starts(with: "https:".utf8)
        redirectLimit = request.redirectLimit
        deadline = ContinuousClock.now + request.timeout
        try set(
            code: forwarder_curl_set_callbacks(
                handle, Unmanaged.passUnretained(self).toOpaque(), willSend, readBody, seekBody, takeHeader, takeBody))
        try set(code: forwarder_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText))
        try setSecurity(options)
        try setLimits(options, request.timeout)

        try set(CURLOPT_URL, request.url)
        switch request.method {
        case .get: try set(CURLOPT_HTTPGET, 1)
        case .delete:
            try set(CURLOPT_HTTPGET, 1)
            try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        case .post, .put:
            try set(CURLOPT_POST, 1)
            try set(code: forwarder_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, bodySize))
            // As a PUT of libcurl's own it would be an upload, which asks for the file's size in another option.
            if request.method == .put { try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue) }
        }
        try setHeaders(request, userAgent: options.userAgent)
        if !request.mayReuseConnection {
            try set(CURLOPT_FRESH_CONNECT, 1)
            try set(CURLOPT_FORBID_REUSE, 1)
        }
    }

    /// Makes the handle ready to be added once more, this time for a connection of its own.
    func startAnew() -> Bool {
        isToStartAnew = false
        errorText[0] = 0
        received = ReceivedAnswer(bodyLimit: received.bodyLimit)
        bodyOffset = 0
        return forwarder_curl_set_long(handle, CURLOPT_FRESH_CONNECT, 1) == CURLE_OK
    }

    /// Makes the handle ready to be added once more if what has ended was a redirect that is to be followed. Not left to
    /// libcurl: it would use a connection again for it, whatever was asked for.
    func follow(_ code: CURLcode) -> Bool {
        guard code == CURLE_OK, redirectCount < redirectLimit, 300...399 ~= info(CURLINFO_RESPONSE_CODE),
            let next = forwarder_curl_get_text(handle, CURLINFO_REDIRECT_URL)
        else { return false }
        let url = String(cString: next)
        let goesToTLS = url.utf8.starts(with: "https:".utf8)
        guard goesToTLS || !isEncrypted && url.utf8.starts(with: "http:".utf8), HTTPRequest.isUsable(url) else {
            return false
        }
        let left = deadline - ContinuousClock.now
        earlier.resendings += sendings - 1
        earlier.bytesSent += info(CURLINFO_REQUEST_SIZE)
        earlier.bytesReceived += received.headerByteCount + size(CURLINFO_SIZE_DOWNLOAD_T)
        earlier.elapsed += .microseconds(size(CURLINFO_TOTAL_TIME_T))
        guard forwarder_curl_set_text(handle, CURLOPT_URL, url) == CURLE_OK,
            forwarder_curl_set_long(handle, CURLOPT_TIMEOUT_MS, left.optionMilliseconds) == CURLE_OK
        else { return false }
        isEncrypted = goesToTLS
        redirectCount += 1
        sendings = 0
        errorText[0] = 0
        received = ReceivedAnswer(bodyLimit: received.bodyLimit)
        return true
    }

    /// Forgets the request. The handle must have been removed from the multi handle; it keeps its TLS sessions.
    func reset() {
        curl_easy_reset(handle)
        curl_slist_free_all(headerList)
        headerList = nil
        errorText[0] = 0
        received = ReceivedAnswer(bodyLimit: HTTPAnswer.bodyLimit)
        sendings = 0
        isToStartAnew = false
        redirectCount = 0
        earlier = Earlier()
        body = []
        bodySize = 0
        bodyOffset = 0
    }

    private func setSecurity(_ options: HTTPClient.Options) throws(OptionRefusal) {
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        // A header is sent to the host it was meant for and to nobody else: not to where a redirect points (those that
        // follow one have no token in their headers), not to the proxy while it opens a tunnel. Cookies and .netrc are off unless asked for.
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        if let caFile = options.caFile {
            try set(CURLOPT_CAINFO, caFile)
            try set(CURLOPT_CAPATH, nil)
        }
        // Empty, not unset: unset means that http_proxy and no_proxy of the environment decide.
        try set(CURLOPT_PROXY, options.proxy ?? "")
        try set(CURLOPT_NOPROXY, "")
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    }

    private func setLimits(_ options: HTTPClient.Options, _ timeout: Duration) throws(OptionRefusal) {
        // 7.88.1 spins or fails with HTTP/2 when a server answers before it has read the body.
        try set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        try set(CURLOPT_HTTP09_ALLOWED, 0)
        try set(CURLOPT_NOSIGNAL, 1)
        // Without it libcurl joins the thread of a name look-up that has timed out, which stops every other transfer
        // for as long as the system's resolver pleases. With it that thread ends by itself.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_TIMEOUT_MS, timeout.optionMilliseconds)
        try set(CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeout.optionMilliseconds)
        try set(CURLOPT_LOW_SPEED_LIMIT, 1)
        try set(CURLOPT_LOW_SPEED_TIME, options.stallTimeout.optionSeconds)
        try set(CURLOPT_MAXAGE_CONN, options.idleConnectionAgeLimit.optionSeconds)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_TCP_KEEPIDLE, 30)
        try set(CURLOPT_TCP_KEEPINTVL, 15)
        try set(CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
    }

    private func setHeaders(_ request: HTTPRequest, userAgent: String) throws(OptionRefusal) {
        try set(CURLOPT_USERAGENT, userAgent)
        // A name without a value takes the header out that libcurl would add: no round trip to ask whether a body is
        // welcome, no guess at the content type.
        var lines = ["Expect:"]
        if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        lines += request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        for line in lines {
            guard let longer = curl_slist_append(headerList, line) else {
                throw OptionRefusal(code: CURLE_OUT_OF_MEMORY)
            }
            headerList = longer
        }
        try set(code: forwarder_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headerList))
    }

    private func set(_ option: CURLoption, _ value: Int) throws(OptionRefusal) {
        try set(code: forwarder_curl_set_long(handle, option, value))
    }

    private func set(_ option: CURLoption, _ value: String?) throws(OptionRefusal) {
        try set(code: forwarder_curl_set_text(handle, option, value))
    }

    private func set(code: CURLcode) throws(OptionRefusal) {
        guard code == CURLE_OK else { throw OptionRefusal(code: code) }
    }

    func info(_ question: CURLINFO) -> Int {
        var answer = 0
        return forwarder_curl_get_long(handle, question, &answer) == CURLE_OK ? answer : 0
    }

    /// The host that the last sending was for.
    var host: String {
        let url = forwarder_curl_get_text(handle, CURLINFO_EFFECTIVE_URL).map { String(cString: $0) } ?? ""
        // As it is logged: nothing but what a name or an address is made of.
        let isHostByte = { (byte: UInt8) in byte > 0x20 && byte < 0x7F && !"/?#@".utf8.contains(byte) }
        guard let scheme = url.utf8.firstIndex(of: UInt8(ascii: ":")) else { return "" }
        let authority = url.utf8[scheme...].dropFirst(3)
        return String(decoding: authority.prefix(while: isHostByte).prefix(260), as: UTF8.self)
    }

    func size(_ question: CURLINFO) -> Int {
        var answer: curl_off_t = 0
        return forwarder_curl_get_size(handle, question, &answer) == CURLE_OK ? Int(answer) : 0
    }

    /// The socket of a request that has ended; nil if it is not kept open.
    var activeSocket: Int32? {
        var socket: curl_socket_t = -1
        let code = forwarder_curl_get_socket(handle, CURLINFO_ACTIVESOCKET, &socket)
        return code == CURLE_OK && socket >= 0 ? socket : nil
    }

    // MARK: What libcurl calls

    /// - Returns: whether to send.
    fileprivate func begin(localPort: Int32) -> Bool {
        isToStartAnew = info(CURLINFO_NUM_CONNECTS) == 0 && used?.hasServerSpoken(localPort: localPort) == true
        if !isToStartAnew { sendings += 1 }
        return !isToStartAnew
    }

    fileprivate func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var room = buffer[...]
        var start = 0
        for piece in body {
            let skipped = min(max(bodyOffset - start, 0), piece.count)
            let count = min(piece.count - skipped, room.count)
            piece.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: room).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[skipped..<skipped + count]))
            }
            room = room.dropFirst(count)
            bodyOffset += count
            start += piece.count
        }
        return buffer.count - room.count
    }

    fileprivate func seek(to offset: Int) -> Bool {
        guard (0...bodySize).contains(offset) else { return false }
        bodyOffset = offset
        return true
    }

    fileprivate func take(headerLine: UnsafeRawBufferPointer) -> Bool {
        received.take(headerLine: headerLine)
    }

    fileprivate func take(body piece: UnsafeRawBufferPointer) -> Bool {
        received.take(body: piece)
    }

    fileprivate static func of(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension Duration {
    /// At least 1, because 0 would mean "for ever".
    fileprivate var optionMilliseconds: Int { Int(min(max(milliseconds, 1), Int64(Int32.max))) }
    fileprivate var optionSeconds: Int { max(optionMilliseconds / 1000, 1) }
}

// Of libcurl's callbacks, `willSend` is the one that runs once for each sending, on a new connection or an old one.

private func willSend(
    context: UnsafeMutableRawPointer?, peer: UnsafeMutablePointer<CChar>?, local: UnsafeMutablePointer<CChar>?,
    peerPort: Int32, localPort: Int32
) -> Int32 {
    Transfer.of(context)?.begin(localPort: localPort) == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private func readBody(
    buffer: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    Transfer.of(context)?.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count)) ?? 0
}

private func seekBody(context: UnsafeMutableRawPointer?, offset: curl_off_t, origin: Int32) -> Int32 {
    // libcurl only ever seeks from the start.
    guard origin == SEEK_SET, Transfer.of(context)?.seek(to: Int(offset)) == true else { return CURL_SEEKFUNC_FAIL }
    return CURL_SEEKFUNC_OK
}

private func takeHeader(
    line: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    let bytes = UnsafeRawBufferPointer(start: line, count: size * count)
    return Transfer.of(context)?.take(headerLine: bytes) == true ? bytes.count : -1
}

private func takeBody(
    piece: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    let bytes = UnsafeRawBufferPointer(start: piece, count: size * count)
    return Transfer.of(context)?.take(body: bytes) == true ? bytes.count : -1
}
