import ForwarderCore

/// A call of the Conversion Pixel Service, by its path.
enum PixelServiceRequest: String {
    case auth = "/auth"
    case pixel = "/pixel"
    case meta = "/pixel/meta"
}

/// The Conversion Pixel Service, with pixels in `settings.invest`.
extension MicrosoftModel {
    mutating func answerPixelService(
        _ request: FakeRequest, _ kind: PixelServiceRequest, _ exchange: Exchange,
        using rng: inout some RandomNumberGenerator
    ) -> FakeReply {
        if let gateway = PixelServiceAnswers.gateway(exchange) { return gateway }
        var reply: FakeReply
        do throws(PixelServiceAnswers.Refusal) {
            switch kind {
            case .auth: reply = try signIn(request, exchange, using: &rng)
            case .pixel, .meta:
                guard pixelTokens.isValid(request.headers["authorization"], now: exchange.now) else {
                    throw .init(id: "NOAUTH", text: "Authentication failed - not logged in")
                }
                reply = kind == .meta ? try meta(request) : try answerPixels(request)
            }
        } catch {
            reply = PixelServiceAnswers.refusal(error)
        }
        reply.spoil(by: exchange.fault)
        return reply
    }

    // MARK: The operator's hand

    /// Lets every token of the Conversion Pixel Service expire.
    public mutating func expirePixelTokens() { pixelTokens.expire() }

    /// The next requests to the Conversion Pixel Service are too many.
    public mutating func throttlePixels(_ count: Int, retryAfter seconds: Int = 1, from now: Timestamp) {
        add(.init(.status(429, retryAfter: .seconds(seconds)), targets: .pixelService, most: count), from: now)
    }

    /// Sets which line items use a pixel.
    public mutating func setLineItems(_ ids: [Int], ofPixel id: Int) {
        change { $0.invest.pixels[id]?.lineItems = ids }
    }

    // MARK: Requests

    private mutating func signIn(
        _ request: FakeRequest, _ exchange: Exchange, using rng: inout some RandomNumberGenerator
    ) throws(PixelServiceAnswers.Refusal) -> FakeReply {
        guard request.method == "POST", request.hasJSON,
            let auth = (try? JSONDocument(request.body))?.root["auth"]
        else { throw .init(id: "SYNTAX", text: "the body is not {\"auth\":{...}}") }
        if let wait = pixelTokens.wait(exchange.now) {
            pixelTokens.refusals += 1
            var reply = PixelServiceAnswers.rateExceeded
            reply.headers["Retry-After"] = "\((wait.milliseconds + 999) / 1000)"
            return reply
        }
        guard auth["username"]?.string == settings.invest.username,
            auth["password"]?.string == settings.invest.password
        else { throw .init(id: "UNAUTH", text: "No match found for user/pass") }
        let token = pixelTokens.give(for: settings.invest.tokenLifetime, now: exchange.now, using: &rng)
        return PixelServiceAnswers.success { $0.member("token", token) }
    }

    private func meta(_ request: FakeRequest) throws(PixelServiceAnswers.Refusal) -> FakeReply {
        guard request.method == "GET" else { throw .init(id: "SYNTAX", text: "only GET") }
        return PixelServiceAnswers.success { response in
            response.name("fields")
            response.array { list in
                for field in FakePixel.filters {
                    list.object {
                        $0.member("name", field.name)
                        $0.member("type", field.type)
                        $0.member("sort_by", field.sorts)
                        $0.member("filter_by", true)
                    }
                }
            }
        }
    }

    private mutating func answerPixels(_ request: FakeRequest) throws(PixelServiceAnswers.Refusal) -> FakeReply {
        let query = Form(request.query.utf8)
        let advertiser = try advertiser(query)
        switch request.method {
        case "GET" where advertiser != nil && (query["id"] ?? query["code"]) != nil:
            let pixel = try one(query, of: advertiser)
            return PixelServiceAnswers.success { response in
                response.member("count", 1)
                response.name("pixel")
                pixel.write(to: &response)
            }
        case "GET": return try list(query, of: advertiser)
        case "POST":
            guard let advertiser else { throw .init(id: "SYNTAX", text: "advertiser_id is required on POST") }
            let id = (settings.invest.pixels.keys.max() ?? 0) + 1
            var pixel = FakePixel(id: id, advertiserID: advertiser, name: "")
            try pixel.take(request.body, appends: false)
            guard !pixel.name.isEmpty else { throw .init(id: "SYNTAX", text: "name is required on POST") }
            change { $0.invest.add(pixel) }
            open(.pixel(id: id))
            return PixelServiceAnswers.success { response in
                if id % 2 == 0 { response.member("id", id) } else { response.member("id", "\(id)") }
            }
        case "PUT":
            var pixel = try one(query, of: advertiser)
            try pixel.take(request.body, appends: query["append"] == "true")
            pixel.lastModified = "2026-02-03 04:05:06"
            change { $0.invest.add(pixel) }
            return PixelServiceAnswers.success { response in
                response.member("count", 1)
                response.member("id", "\(pixel.id)")
                response.name("pixel")
                pixel.write(to: &response)
            }
        case "DELETE":
            let pixel = try one(query, of: advertiser)
            guard pixel.lineItems.isEmpty else {
                throw .init(id: "INTEGRITY", text: "Cannot delete pixel \(pixel.id), it is used by line items")
            }
            change { $0.invest.pixels[pixel.id] = nil }
            return PixelServiceAnswers.success { $0.member("id", pixel.id) }
        default: throw .init(id: "SYNTAX", text: "method \(request.method) is not supported")
        }
    }

    /// nil if the query names none.
    private func advertiser(_ query: Form) throws(PixelServiceAnswers.Refusal) -> Int? {
        if let code = query["advertiser_code"] {
            guard let id = settings.invest.advertiserCodes[code] else {
                throw .init(id: "SYNTAX", text: "no advertiser with code \(code)")
            }
            return id
        }
        guard let text = query["advertiser_id"] else { return nil }
        guard let id = Int(text) else { throw .init(id: "SYNTAX", text: "advertiser_id must be an integer") }
        return id
    }

    /// The one pixel that advertiser and id, or their codes, name.
    private func one(_ query: Form, of advertiser: Int?) throws(PixelServiceAnswers.Refusal) -> FakePixel {
        guard let advertiser else { throw .init(id: "SYNTAX", text: "advertiser_id is required") }
        let found = settings.invest.pixels.values.first { pixel in
            guard pixel.advertiserID == advertiser else { return false }
            if let id = query["id"] { return "\(pixel.id)" == id }
            return pixel.code != nil && pixel.code == query["code"]
        }
        guard let found else { throw .init(id: "SYNTAX", text: "Pixel not found") }
        return found
    }

    private func list(_ query: Form, of advertiser: Int?) throws(PixelServiceAnswers.Refusal) -> FakeReply {
        let start = Int(query["start_element"] ?? "0") ?? 0
        let size = Int(query["num_elements"] ?? "100") ?? 0
        guard start >= 0, 1...100 ~= size else {
            throw .init(id: "SYNTAX", text: "num_elements must be from 1 to 100")
        }
        let ids = query["id"].map { $0.split(separator: ",").compactMap { Int($0) } }
        var found = settings.invest.pixels.values.filter { pixel in
            (ids?.contains(pixel.id) ?? true) && (advertiser ?? pixel.advertiserID) == pixel.advertiserID
                && (query["name"] ?? pixel.name) == pixel.name
                && (query["state"] ?? (pixel.isActive ? "active" : "inactive"))
                    == (pixel.isActive ? "active" : "inactive")
                && (query["min_last_modified"].map { $0 <= pixel.lastModified } ?? true)
        }
        switch query["sort"] {
        case nil, "id.asc": found.sort { $0.id < $1.id }
        case "id.desc": found.sort { $0.id > $1.id }
        case "name.asc": found.sort { ($0.name, $0.id) < ($1.name, $1.id) }
        case "name.desc": found.sort { ($0.name, $0.id) > ($1.name, $1.id) }
        case let other?: throw .init(id: "SYNTAX", text: "cannot sort by \(other)")
        }
        let page = found.dropFirst(start).prefix(size)
        return PixelServiceAnswers.success { response in
            response.member("count", found.count)
            response.member("start_element", start)
            response.member("num_elements", size)
            response.name("pixels")
            response.array { for pixel in page { pixel.write(to: &$0) } }
        }
    }
}
