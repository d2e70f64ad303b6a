import ForwarderCore
import HTTPServer

/// `POST /_fake/pixels`: the strings of the Conversion Pixel Service.
extension RequestDesk {
    func changePixels(_ query: Form) -> ServerAnswer {
        if query["expire"] == "tokens" {
            withModel { $0.expirePixelTokens() }
        } else if let count = query["throttle"].flatMap({ Int($0) }), let wait = Int(query["seconds"] ?? "1"), wait > 0
        {
            withModel { $0.throttlePixels(count, retryAfter: wait, from: .wallClock) }
        } else if let id = query["id"].flatMap({ Int($0) }), let items = query["line_items"] {
            let items = items.split(separator: ",").compactMap { Int($0) }
            withModel { $0.setLineItems(items, ofPixel: id) }
        } else {
            return .problem(400, "give expire=tokens, throttle=N and seconds=N, or id=PIXEL and line_items=ID,ID")
        }
        return .json(200, Array("{}".utf8))
    }
}
