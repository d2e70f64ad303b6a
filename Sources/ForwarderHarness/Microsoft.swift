import FakeMicrosoft
import HTTPServer

/// The Microsoft that `DaemonSettings` configures a daemon for.
public enum Microsoft {
    public static let tag = "12345678"
    public static let customer = "1"
    public static let account = "2"
    public static let token = "made-up-capi-token"
    public static let developerToken = "made-up-developer-token"
    public static let refreshToken = "made-up-refresh-token"
    public static let clientID = "made-up-client"

    public static var capi: FakeDestination { .capi(tag: tag) }
    public static var offline: FakeDestination { .offline(account: account) }
    public static var capiRefunds: FakeDestination { .onlineAdjustments(account: account) }
    public static var offlineRefunds: FakeDestination { .offlineAdjustments(account: account) }
    /// The goal that a Purchase of CAPI counts for, as its refunds name it.
    public static let refundedGoal = "Purchase"

    /// The pixels of Purchase and Lead.
    public static let purchasePixel = 37
    public static let leadPixel = 38

    public static func start(
        plan: FaultPlan = .none, seed: UInt64 = 1, mode: FakeMicrosoftServer.Mode = .judging, port: UInt16 = 0,
        tls: TLSIdentity? = nil, configure: (inout MicrosoftSettings) -> Void = { _ in }
    ) throws(HarnessFailure) -> FakeMicrosoftServer {
        var settings = MicrosoftSettings()
        settings.tags = [tag: token]
        let goal = OfflineGoal(takesEnhancedConversions: true)
        settings.accounts = [
            OfflineAccount(
                customerID: customer, accountID: account, goals: ["Purchase": goal, "Lead Form Submit": goal])
        ]
        settings.developerToken = developerToken
        settings.grant.refreshToken = refreshToken
        settings.grant.clientID = clientID
        var purchases = FakePixel(id: purchasePixel, advertiserID: 2, name: "Purchases")
        purchases.minMinutesPerConversion = 0
        settings.invest.add(purchases)
        settings.invest.add(FakePixel(id: leadPixel, advertiserID: 2, name: "Leads"))
        configure(&settings)
        do throws(HTTPServerError) {
            return try FakeMicrosoftServer(settings, plan: plan, seed: seed, mode: mode, port: port, tls: tls)
        } catch {
            throw HarnessFailure("the fake Microsoft does not start: \(error)")
        }
    }
}
