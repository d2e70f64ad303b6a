/// Who the `pixels` commands are at the Conversion Pixel Service. The daemon has no use for it.
public struct PixelServiceSettings: Sendable, Equatable {
    public static let defaultEndpoint = "https://api.appnexus.com"

    public var endpoint = defaultEndpoint
    public var username: String
    public var password: SecretReference
    /// Whose pixels are meant unless a command says otherwise.
    public var advertiserID: String?

    public init(username: String, password: SecretReference) {
        self.username = username
        self.password = password
    }
}

extension PixelServiceSettings {
    /// nil if the section is absent or was refused.
    static func read(_ root: MapReader) -> PixelServiceSettings? {
        guard root.holds("pixel_service") else { return nil }
        return root.section("pixel_service") { map in
            var endpoint = defaultEndpoint
            map.set(&endpoint, "endpoint", .endpoint)
            let username = map.require("username", .text(100))
            let password = map.require("password", .secret)
            var advertiserID: String?
            map.set(orOff: &advertiserID, "advertiser_id", .digits)
            guard let username, let password else { return nil }
            var settings = PixelServiceSettings(username: username, password: password)
            settings.endpoint = endpoint
            settings.advertiserID = advertiserID
            return settings
        }
    }

    func write(to json: inout JSONWriter) {
        json.member("endpoint", endpoint)
        json.member("username", username)
        json.member("password", password.redacted)
        json.member("advertiser_id", advertiserID ?? "off")
    }
}
