import ForwarderCore

/// The words in which the Conversion Pixel Service answers. An error comes as a 200, for nothing is promised of the status.
enum PixelServiceAnswers {
    struct Refusal: Error {
        var id: String
        var text: String
        var code: String?
    }

    /// What a fault answers in place of the service; nil if the service gets to see the request.
    static func gateway(_ exchange: Exchange) -> FakeReply? {
        switch exchange.fault {
        case .status(429, let retryAfter):
            var reply = rateExceeded
            reply.add(retryAfter, now: exchange.now)
            return reply
        // More than fifteen at once.
        case .status(200, _): return refusal(Refusal(id: "SYSTEM", text: "too many concurrent requests"))
        case .status(let status, let retryAfter):
            var reply = FakeReply.page(status, "\(status)")
            if status == 503 { reply.headers["X-RateLimit-Code"] = "0" }
            reply.add(retryAfter, now: exchange.now)
            return reply
        case .bodyLimit: return .page(413, "Payload Too Large")
        case .drop: return .dropped
        default: return nil
        }
    }

    static var rateExceeded: FakeReply {
        var reply = refusal(
            Refusal(id: "SYSTEM", text: "You have exceeded your request limit", code: "RATE_EXCEEDED"))
        reply.status = 429
        return reply
    }

    static func refusal(_ refusal: Refusal) -> FakeReply {
        response { response in
            response.member("error_id", refusal.id)
            response.member("error", refusal.text)
            if let code = refusal.code { response.member("error_code", code) }
        }
    }

    static func success(_ body: (inout JSONWriter) -> Void) -> FakeReply {
        response { response in
            response.member("status", "OK")
            body(&response)
        }
    }

    private static func response(_ body: (inout JSONWriter) -> Void) -> FakeReply {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("response")
            writer.object { response in
                body(&response)
                response.name("dbg_info")
                response.object { $0.member("output_term", "pixel") }
            }
        }
        return .json(200, writer.bytes)
    }
}

extension FakePixel {
    /// As the service writes it: some ids are texts.
    func write(to json: inout JSONWriter) {
        func member<Number: BinaryInteger>(_ name: String, _ number: Number?, _ json: inout JSONWriter) {
            json.name(name)
            if let number { json.value(number) } else { json.null() }
        }
        func raw(_ name: String, _ decimal: String?, _ json: inout JSONWriter) {
            json.name(name)
            if let decimal { json.raw(Array(decimal.utf8)) } else { json.null() }
        }
        json.object { json in
            if id % 2 == 0 { json.member("id", "\(id)") } else { json.member("id", id) }
            json.member("advertiser_id", advertiserID)
            json.member("name", name)
            json.name("code")
            if let code { json.value(code) } else { json.null() }
            json.member("state", isActive ? "active" : "inactive")
            json.member("trigger_type", trigger.rawValue)
            member("min_minutes_per_conv", minMinutesPerConversion, &json)
            member("post_click_expire_mins", postClickMinutes, &json)
            member("post_view_expire_mins", postViewMinutes, &json)
            raw("post_click_value", postClickValue, &json)
            raw("post_view_value", postViewValue, &json)
            member("pixel_conversion_event_id", category, &json)
            json.name("piggyback_pixels")
            if piggybacks.isEmpty {
                json.null()
            } else {
                json.array { list in
                    for piggyback in piggybacks {
                        list.object {
                            $0.member("pixel_type", piggyback.kind)
                            $0.member("url", piggyback.url)
                        }
                    }
                }
            }
            json.name("line_items")
            if lineItems.isEmpty {
                json.null()
            } else {
                json.array { list in
                    for item in lineItems {
                        list.object {
                            $0.member("id", item)
                            $0.member("name", "Line item \(item)")
                            $0.member("state", "active")
                        }
                    }
                }
            }
            json.name("campaigns")
            json.null()
            json.member("created_on", createdOn)
            json.member("last_modified", lastModified)
        }
    }
}
