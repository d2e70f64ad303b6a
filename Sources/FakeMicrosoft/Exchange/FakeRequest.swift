import ForwarderCore

/// A request as the model sees it.
public struct FakeRequest: Sendable {
    public var method: String
    /// Without query, not percent-decoded.
    public var path: String
    /// Behind the path's question mark, not decoded.
    public var query = ""
    /// Names in lower case.
    public var headers: [String: String]
    public var body: [UInt8]

    public init(method: String, path: String, headers: [String: String] = [:], body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }

    /// The request that the forwarder's core wants sent, as it would arrive.
    public init(_ request: HTTPRequest) {
        method = request.method.rawValue
        let path = request.url.drop(after: "://").drop { $0 != "/" }.prefix { $0 != "?" }
        self.path = path.isEmpty ? "/" : String(path)
        query = String(request.url.drop { $0 != "?" }.dropFirst())
        headers = [:]
        for header in request.headers { headers[header.name.lowercased()] = header.value }
        body = request.body
    }
}

extension FakeRequest {
    /// The request that whoever follows redirects makes of the answer to another one; nil if there is nothing to follow.
    public init?(_ request: FakeRequest, sentOnBy reply: FakeReply) {
        guard reply.conduct == .whole, 300...399 ~= reply.status, let location = reply.headers["Location"] else {
            return nil
        }
        self.init(method: "GET", path: String(location.prefix { $0 != "?" }), headers: request.headers)
        query = String(location.drop { $0 != "?" }.dropFirst())
    }
}

extension String {
    /// What stands behind the first `mark`; everything if it does not occur.
    fileprivate func drop(after mark: String) -> Substring {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return rest.dropFirst(mark.count) }
            rest = rest.dropFirst()
        }
        return self[...]
    }
}
