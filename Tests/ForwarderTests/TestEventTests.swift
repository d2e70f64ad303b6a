import ForwarderCore
import Testing

@testable import Forwarder

@Suite struct TestEventTests {
    private func requests(_ preset: InputSettings.Preset, _ event: [UInt8], now: Timestamp) -> [[UInt8]?] {
        let capi = CAPISettings(uetTagID: "1", token: .environment("TOKEN"))
        let offline = OfflineSettings(
            goals: [.init(event: "Purchase", name: "Purchase")], customerID: "1", accountID: "2",
            developerToken: .environment("TOKEN"),
            oauth: OAuthSettings(clientID: "id", refreshToken: .environment("TOKEN")))
        var configuration = Configuration(
            kafka: KafkaSettings(brokers: ["localhost"], topics: ["events"]),
            destinations: [
                DestinationSettings(name: "capi", kind: .capi(capi)),
                DestinationSettings(name: "offline", kind: .offlineConversions(offline)),
            ])
        configuration.input.preset = preset
        return Explainer(configuration, now: now).explain(event).destinations.map { $0.request?.body }
    }

    @Test(arguments: ["Purchase", "PageView", "Search"])
    func `the test event is the same whatever shape the shop's own have`(_ name: String) {
        let now = Timestamp(seconds: 1_786_000_000)
        let event = TestEvent.json(name, clickID: "dd4afcccb1c94a4cad9544dd7e5006ab", now: now, random: 7)
        let first = requests(.storefront, event, now: now)
        #expect(first[0] != nil && (first[1] != nil) == (name == "Purchase"))
        for preset in InputSettings.Preset.allCases { #expect(requests(preset, event, now: now) == first) }
    }
}
