/// What a server calls to report a conversion of a pixel, in the form in which Monetize exports it.
public struct PixelExport: Sendable {
    public let id: String
    /// With the macros that whoever calls it replaces. `sspdata` is last, as the service demands.
    public let url: String
    /// Lines for the configuration of the daemon.
    public let yaml: String

    public struct Unusable: Error {
        public var reason: String
    }

    public init(id: String, host: String = InvestPixelSettings.defaultHost) throws(Unusable) {
        guard ConversionPixel.isID(id) else { throw Unusable(reason: "\(quoted(id)) is no id of a pixel") }
        guard let address = HostAndPort(host[...]), address.port != 0 else {
            throw Unusable(
                reason: "--host: \(quoted(host)) is no host; it takes a name such as \(InvestPixelSettings.defaultHost)"
            )
        }
        self.id = id
        let endpoint = host == InvestPixelSettings.defaultHost ? "" : "\n    endpoint: https://\(address.text)"
        yaml = """
            destinations:
              - name: invest
                type: invest_pixel\(endpoint)
                events:
                  Purchase: {pixel_id: \(id)}
            """
        url =
            "https://\(address.text)/sspx?id=\(id)&order_id=[ORDER_ID]&value=[VALUE]&other=[OTHER]&sspdata=[SSPDATA]"
    }

    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("id", id)
            $0.member("url", url)
            $0.member("configuration", yaml)
        }
        return writer.bytes
    }
}
