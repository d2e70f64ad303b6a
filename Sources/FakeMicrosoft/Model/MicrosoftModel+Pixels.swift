import ForwarderCore

/// Invest's server-side conversion pixels: a call is sent on elsewhere once, and what arrives there is counted.
extension MicrosoftModel {
    /// Where a call is sent on to.
    static let pixelHop = "/sspx/count"

    /// - Parameter isSentOn: whether it comes from the redirect.
    mutating func answerPixel(_ request: FakeRequest, isSentOn: Bool, _ exchange: Exchange) -> FakeReply {
        let call = PixelCall(query: request.query, pixels: settings.invest.pixels)
        let destination = call.pixelID.map { FakeDestination.pixel(id: $0) }
        var reply = reply(request, call, destination, isSentOn: isSentOn, exchange)
        reply.headers["X-Request-Id"] = exchange.trackingID
        withBooks(destination) { $0.traffic.count(reply, fault: exchange.fault?.name) }
        return reply
    }

    private mutating func reply(
        _ request: FakeRequest, _ call: PixelCall, _ destination: FakeDestination?, isSentOn: Bool,
        _ exchange: Exchange
    ) -> FakeReply {
        if case .status(let status, let retryAfter) = exchange.fault {
            var reply = FakeReply.page(status, "\(status)")
            reply.add(retryAfter, now: exchange.now)
            return reply
        }
        if exchange.fault == .drop { return .dropped }
        guard request.method == "GET" else {
            withBooks(destination) { $0.blame(Finding(reason: "method_not_get")) }
            return .page(405, "Method Not Allowed")
        }
        var reply: FakeReply
        if isSentOn {
            let isSound = call.judgement.items[0].worst < .error
            _ = withBooks(destination) { $0.book(call.judgement, body: [], isProcessed: true) }
            if isSound, let id = call.pixelID, let pixel = settings.invest.pixels[id] {
                pixelCounts[id, default: PixelCounts()].count(AuctionToken(call.token), of: pixel, now: exchange.now)
            }
            reply = FakeReply(status: 200, headers: ["Content-Type": "image/gif"], body: Array("GIF89a".utf8))
        } else {
            reply = FakeReply(status: 302, headers: ["Location": "\(MicrosoftModel.pixelHop)?\(request.query)"])
        }
        reply.spoil(by: exchange.fault)
        return reply
    }
}
