/// One call of an Invest pixel. Microsoft looks into a discrepancy only with these.
public struct PixelFire: Sendable {
    var destination: String
    private let request: RequestID
    /// Where the record stands: the token is in it, and nowhere in the log.
    private let topic: String
    private let partition: Int32
    private let offset: Int64
    private let contents: [UInt8]
    private let attempt: Int32
    private let outcome: HTTPOutcome
    private let elapsed: Duration

    /// Nil if it was no pixel's request.
    init?(
        _ destination: String, _ request: RequestID, _ batch: DeliveryBatch, _ outcome: HTTPOutcome, _ elapsed: Duration
    ) {
        guard let delivery = batch.deliveries.first else { return nil }
        self.destination = destination
        self.request = request
        topic = batch.topics[Int(delivery.topic)]
        partition = delivery.partition
        offset = delivery.offset
        contents = batch.contents
        attempt = delivery.attempts
        self.outcome = outcome
        self.elapsed = elapsed
    }

    var fields: [LogField] {
        var fields: [LogField] = [
            .text("destination", destination), .number("request", request.rawValue), .text("topic", topic),
            .number("partition", partition), .number("offset", offset), .number("attempt", attempt),
        ]
        for (name, value) in FormEncoding.decode(InvestPixels.query(of: contents)) {
            switch name {
            case "id": fields.append(.text("pixel_id", value))
            case "sspdata": fields.append(.number("sspdata_length", value.utf8.count))
            default: fields.append(.text(name, value))
            }
        }
        switch outcome {
        case .noAnswer(let fault): fields.append(.text("fault", fault.rawValue))
        case .answer(let answer):
            fields.append(.number("status", answer.status))
            guard let redirect = answer.redirect else { break }
            fields += [.number("redirects", redirect.count), .text("host", redirect.host)]
        }
        return fields + [.milliseconds("elapsed_ms", elapsed)]
    }
}
