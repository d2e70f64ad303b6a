import CCurl
import ForwarderCore
import Glibc

extension Transfer {
    /// What the request came to, once libcurl is done with it.
    func completion(_ code: CURLcode, usesProxy: Bool) -> HTTPClient.Completion {
        let outcome = outcome(code, usesProxy: usesProxy)
        var detail: String?
        if case .noAnswer = outcome {
            detail = received.headersAreTooLong ? "headers of more than \(ReceivedAnswer.headerLimit) bytes" : faultText
            if detail?.isEmpty != false {
                detail = code == CURLE_OK ? "the headers broke off" : String(cString: curl_easy_strerror(code))
            }
        }
        let connected = max(size(CURLINFO_CONNECT_TIME_T), size(CURLINFO_APPCONNECT_TIME_T))
        return HTTPClient.Completion(
            id: id, outcome: outcome, faultDetail: detail,
            elapsed: earlier.elapsed + .microseconds(size(CURLINFO_TOTAL_TIME_T)),
            connectTime: info(CURLINFO_NUM_CONNECTS) > 0 && sendings > 0 ? .microseconds(connected) : nil,
            wasResent: sendings > 1 || earlier.resendings > 0,
            bytesSent: earlier.bytesSent + info(CURLINFO_REQUEST_SIZE) + size(CURLINFO_SIZE_UPLOAD_T),
            bytesReceived: earlier.bytesReceived + received.headerByteCount + size(CURLINFO_SIZE_DOWNLOAD_T))
    }

    private func outcome(_ code: CURLcode, usesProxy: Bool) -> HTTPOutcome {
        // Refusing the rest of a body makes libcurl end with an error of its own; all the same it is an answer.
        guard code == CURLE_OK || received.isTruncated else { return .noAnswer(fault(code, usesProxy: usesProxy)) }
        // 7.88.1 is content when the connection ends behind the status line.
        let status = info(CURLINFO_RESPONSE_CODE)
        guard received.headersAreWhole, status >= 200 else { return .noAnswer(.reset) }
        var answer = HTTPAnswer(
            status: status, headers: received.headers, body: received.body, isTruncated: received.isTruncated)
        if redirectCount > 0 { answer.redirect = HTTPAnswer.Redirect(count: redirectCount, host: host) }
        return .answer(answer)
    }

    private func fault(_ code: CURLcode, usesProxy: Bool) -> TransportFault {
        if received.headersAreTooLong { return .protocolViolation }
        // 200...299 opened the tunnel; 0 means that none was asked for or no answer came.
        let tunnelStatus = info(CURLINFO_HTTP_CONNECTCODE)
        let isTunnelRefused = tunnelStatus != 0 && !(200...299).contains(tunnelStatus)

        switch code {
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY:
            return .proxy
        case CURLE_COULDNT_RESOLVE_HOST:
            return lacksDescriptors() ? .local : .nameResolution
        case CURLE_COULDNT_CONNECT:
            // With a proxy it is the only one a connection is made to.
            return lacksDescriptors() ? .local : usesProxy ? .proxy : .connect
        case CURLE_OPERATION_TIMEDOUT:
            return faultOfTimeout(usesProxy: usesProxy)

        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CLIENTCERT, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_SHUTDOWN_FAILED, CURLE_USE_SSL_FAILED:
            return .tls

        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND,
            CURLE_AGAIN:
            // Before the first sending only a proxy can have been talked to (TLS has codes of its own).
            return isTunnelRefused || usesProxy && sendings == 0 ? .proxy : .reset

        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_FILESIZE_EXCEEDED, CURLE_RANGE_ERROR,
            CURLE_HTTP_RETURNED_ERROR, CURLE_TOO_MANY_REDIRECTS, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_HTTP3,
            CURLE_QUIC_CONNECT_ERROR:
            return .protocolViolation
        case CURLE_UNSUPPORTED_PROTOCOL:
            // One code for "no such scheme" and for an answer that is not HTTP.
            return sendings > 0 ? .protocolViolation : .local
        case CURLE_OUT_OF_MEMORY:
            // Also the code for a header line of more than 100 KB.
            return size(CURLINFO_STARTTRANSFER_TIME_T) > 0 ? .protocolViolation : .local

        default:
            // CURLE_URL_MALFORMAT, CURLE_FAILED_INIT, CURLE_NOT_BUILT_IN, CURLE_BAD_FUNCTION_ARGUMENT,
            // CURLE_UNKNOWN_OPTION, CURLE_SETOPT_OPTION_SYNTAX, CURLE_INTERFACE_FAILED, CURLE_NO_CONNECTION_AVAILABLE,
            // CURLE_RECURSIVE_API_CALL, CURLE_UNRECOVERABLE_POLL, CURLE_READ_ERROR, CURLE_WRITE_ERROR and
            // CURLE_ABORTED_BY_CALLBACK are about this side; the rest belongs to other protocols than HTTP.
            return sendings > 0 ? .reset : .local
        }
    }

    /// A timeout says only that time was up; where it was spent says whose trouble it is.
    private func faultOfTimeout(usesProxy: Bool) -> TransportFault {
        if sendings > 0 { return .timeout }
        // Known from the moment the TCP connection stands. (CURLINFO_CONNECT_TIME is not set before TLS is up as well.)
        guard info(CURLINFO_LOCAL_PORT) != 0 else {
            if usesProxy { return .proxy }
            return size(CURLINFO_NAMELOOKUP_TIME_T) == 0 ? .nameResolution : .connect
        }
        if usesProxy && info(CURLINFO_HTTP_CONNECTCODE) == 0 { return .proxy }
        return isEncrypted ? .tls : .timeout
    }
}

/// libcurl does not tell a lack of descriptors from a host that is not there, but the cure is another one.
private func lacksDescriptors() -> Bool {
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard probe >= 0 else { return [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) }
    close(probe)
    return false
}
