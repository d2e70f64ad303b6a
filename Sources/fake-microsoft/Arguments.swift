import FakeMicrosoft
import ForwarderCore
import Glibc
import HTTPServer

struct UsageError: Error {
    var message: String
}

/// What the command line asks for.
struct Arguments {
    var host = "127.0.0.1"
    var port: UInt16 = 0
    var seed: UInt64 = 1
    var mode = FakeMicrosoftServer.Mode.judging
    var tls: TLSIdentity?
    var plan = FaultPlan.none
    var settings = MicrosoftSettings()
    var wantsHelp = false

    static let help = """
        usage: fake-microsoft [OPTION]...

        Stands in for Microsoft Advertising on this machine: the Conversions API, Offline Conversions, the OAuth token
        endpoint, Invest's pixels and the service that keeps them, on one port. Judges every request by the documented contract and keeps books.

          --host ADDRESS            listen there                                      (127.0.0.1)
          --port PORT               0 takes a free one; it is printed at the start    (0)
          --tls CERT KEY            PEM files; plain HTTP without
          --faults PLAN             none, mixed, outage, throttled, unauthorized, forbidden, slow, lost-answers,
                                    refusals, miscount, dead-grant                    (none)
          --fault-seconds N         faults stop so long after the first request       (30)
          --seed S                  of everything that is left to chance              (1)
          --capi-tag ID=TOKEN       a UET tag and its API token; may be repeated      (12345678=capi-token)
          --account CUSTOMER/ACCOUNT                                                  (1/2)
          --goal NAME[=OPTION,...]  a conversion goal of the account; may be repeated; options: enhanced, external,
                                    young=SECONDS                 (Purchase=enhanced, Lead Form Submit=enhanced)
                                    id=ID, unattributed=REASON    for reports
          --pixel ID[=COUNTS]       a pixel of Invest, of advertiser 2; may be repeated; COUNTS: all, one (per user), or the
                                    minutes between two of a user   (37=all, 38=one)
          --developer-token TOKEN                                                     (developer-token)
          --client-id ID                                                              (client-id)
          --client-secret SECRET    none: a public client
          --refresh-token TOKEN     the first one                                     (refresh-token)
          --token-seconds N         life of an access token                           (3600)
          --sink                    judge nothing, only count events: for measuring the sender
          --sink-delay MILLISECONDS each answer of the sink takes at least so long    (0)
          --help

        While it runs:
          GET  /_fake/report                         the books as JSON
          GET  /_fake/events?tag=ID&id=EVENT         how often an event was accepted
          GET  /_fake/value?tag=ID&transaction=T&goal=G
                                                     what counts for a transaction after its adjustments
          POST /_fake/plan?name=PLAN&seconds=N       put a fault plan into force; also name=poison&id=EVENT
          POST /_fake/token?tag=ID&token=TOKEN       give a tag another token
          POST /_fake/token?expire=access            let all access tokens expire
          POST /_fake/pixels?expire=tokens           likewise those of the Conversion Pixel Service, which knows
                                                     pixel-user with Pixel-Password-1; ?throttle=N: its next N
                                                     requests are too many; ?id=PIXEL&line_items=ID,ID: who uses it
        SIGINT or SIGTERM ends it and prints the books.
        """

    init(_ arguments: some Sequence<String>) throws(UsageError) {
        var rest = Array(arguments)[...]
        var faults = "none"
        var faultSeconds: Int64 = 30
        var account = OfflineAccount(customerID: "1", accountID: "2", goals: [:])
        while let option = rest.popFirst() {
            func value() throws(UsageError) -> String {
                guard let value = rest.popFirst() else { throw UsageError(message: "\(option) needs a value") }
                return value
            }
            func number<Number: FixedWidthInteger>(_: Number.Type) throws(UsageError) -> Number {
                let text = try value()
                guard let number = Number(text) else {
                    throw UsageError(message: "\(option) needs a whole number within its bounds, not '\(text)'")
                }
                return number
            }
            switch option {
            case "--host": host = try value()
            case "--port": port = try number(UInt16.self)
            case "--seed": seed = try number(UInt64.self)
            case "--faults": faults = try value()
            case "--fault-seconds": faultSeconds = Int64(try number(UInt32.self))
            case "--tls":
                tls = TLSIdentity(
                    certificateChain: try Arguments.read(try value()), privateKey: try Arguments.read(try value()))
            case "--capi-tag":
                let (tag, token) = try Arguments.pair(try value(), separator: "=", of: option)
                settings.tags[tag] = token
            case "--account":
                (account.customerID, account.accountID) = try Arguments.pair(try value(), separator: "/", of: option)
            case "--goal":
                let (name, goal) = try Arguments.goal(try value())
                account.goals[name] = goal
            case "--pixel": settings.invest.add(try Arguments.pixel(try value()))
            case "--developer-token": settings.developerToken = try value()
            case "--client-id": settings.grant.clientID = try value()
            case "--client-secret": settings.grant.clientSecret = try value()
            case "--refresh-token": settings.grant.refreshToken = try value()
            case "--token-seconds": settings.grant.accessTokenLifetime = .seconds(try number(UInt32.self))
            case "--sink": if case .judging = mode { mode = .sink() }
            case "--sink-delay": mode = .sink(SinkSettings(delay: .milliseconds(try number(UInt16.self))))
            case "--help", "-h": wantsHelp = true
            default: throw UsageError(message: "unknown option '\(option)'")
            }
        }
        guard let plan = FaultPlan.named(faults, seed: seed, length: .seconds(faultSeconds)) else {
            let names = FaultPlan.names.joined(separator: ", ")
            throw UsageError(message: "no fault plan '\(faults)'; there are \(names)")
        }
        self.plan = plan
        if settings.tags.isEmpty { settings.tags = ["12345678": "capi-token"] }
        if settings.invest.pixels.isEmpty {
            for pixel in ["37=all", "38=one"] { settings.invest.add(try Arguments.pixel(pixel)) }
        }
        if account.goals.isEmpty {
            let goal = OfflineGoal(takesEnhancedConversions: true)
            account.goals = ["Purchase": goal, "Lead Form Submit": goal]
        }
        settings.accounts = [account]
    }

    /// Hybrid, active, with the longest windows.
    private static func pixel(_ text: String) throws(UsageError) -> FakePixel {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard let id = parts.first.flatMap({ Int($0) }), id > 0 else {
            throw UsageError(message: "--pixel needs a number, not '\(text)'")
        }
        var pixel = FakePixel(id: id, advertiserID: 2, name: "Pixel \(id)")
        pixel.trigger = .hybrid
        switch parts.count == 2 ? parts[1] : "one" {
        case "one": break
        case "all": pixel.minMinutesPerConversion = 0
        case let minutes:
            guard let minutes = Int(minutes), 1...32_767 ~= minutes else {
                throw UsageError(message: "--pixel \(id) counts all, one, or one in 1 to 32767 minutes")
            }
            pixel.minMinutesPerConversion = minutes
        }
        return pixel
    }

    private static func pair(
        _ text: String, separator: Character, of option: String
    ) throws(UsageError) -> (String, String) {
        let parts = text.split(separator: separator, maxSplits: 1)
        guard parts.count == 2 else {
            throw UsageError(message: "\(option) needs two parts with '\(separator)' between them")
        }
        return (String(parts[0]), String(parts[1]))
    }

    private static func goal(_ text: String) throws(UsageError) -> (String, OfflineGoal) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard let name = parts.first else { throw UsageError(message: "--goal needs a name") }
        var goal = OfflineGoal()
        for option in parts.count == 2 ? parts[1].split(separator: ",") : [] {
            if option == "enhanced" {
                goal.takesEnhancedConversions = true
            } else if option == "external" {
                goal.isExternallyAttributed = true
            } else if option.hasPrefix("young="), let seconds = UInt32(option.dropFirst(6)) {
                goal.acceptsFrom = Timestamp(seconds: Int64(time(nil)) + Int64(seconds))
            } else if option.hasPrefix("id=") {
                goal.id = String(option.dropFirst(3))
            } else if option.hasPrefix("unattributed=") {
                goal.unattributedReason = String(option.dropFirst(13))
            } else {
                throw UsageError(
                    message:
                        "--goal knows enhanced, external, young=SECONDS, id=ID and unattributed=REASON, not '\(option)'"
                )
            }
        }
        return (String(name), goal)
    }

    /// The text of a file of at most 1 MiB.
    private static func read(_ path: String) throws(UsageError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw UsageError(message: "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + count, $0.count - count) }
            if got < 0 { throw UsageError(message: "cannot read \(path): \(String(cString: strerror(errno)))") }
            if got == 0 { break }
            count += got
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
