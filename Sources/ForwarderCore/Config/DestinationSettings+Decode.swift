/// The words that `type` takes.
enum DestinationType: String, CaseIterable {
    case capi
    case offlineConversions = "offline_conversions"
    case investPixel = "invest_pixel"

    /// What belongs to destinations of this type alone.
    var keys: [String] {
        switch self {
        case .capi: MapReader.keys { _ = CAPISettings.read($0) }
        case .offlineConversions: MapReader.keys { _ = OfflineSettings.read($0) }
        case .investPixel: MapReader.keys { _ = InvestPixelSettings.read($0) }
        }
    }
}

extension Configuration {
    static func readDestinations(_ map: MapReader) -> [DestinationSettings] {
        var readers: [MapReader] = []
        let destinations = map.requireMaps("destinations", count: 1...32) { reader in
            readers.append(reader)
            return DestinationSettings.read(reader)
        }
        for (index, (destination, reader)) in zip(destinations, readers).enumerated() {
            if case .capi(let capi) = destination.kind, case .destination(let name) = capi.token {
                let source = destinations.first { $0.name == name }
                if case .offlineConversions = source?.kind {
                } else {
                    let names = destinations.filter(\.isOffline).map { quoted($0.name) }
                    let advice = names.isEmpty ? "there is none" : "there are: \(names.joined(separator: ", "))"
                    let text = "names no destination of type offline_conversions; \(advice)"
                    reader.refuse("token", "from", because: text)
                }
            }
            for earlier in destinations[..<index] {
                if destination.name == earlier.name, !destination.name.isEmpty {
                    reader.refuse("name", because: "names another destination already; give each its own")
                }
                if let what = destination.isDouble(of: earlier) {
                    let text = "counts again what \(quoted(earlier.name)) counts, \(what); tell them apart with match"
                    reader.doubt("name", because: text)
                }
            }
        }
        for (destination, reader) in zip(destinations, readers) {
            destination.checkRefunds(among: destinations, reader)
        }
        return destinations
    }
}

extension DestinationSettings {
    static func read(_ map: MapReader) -> DestinationSettings {
        let name = map.require("name", .destinationName) ?? ""
        let kind = readKind(map)
        let standIn = Kind.capi(CAPISettings(uetTagID: "", token: .file("")))
        var settings = DestinationSettings(name: name, kind: kind ?? standIn)
        map.set(&settings.endpoint, "endpoint", .endpoint)
        map.set(&settings.mode, "mode", .choice)
        map.set(&settings.startAt, "start_at", .startAt)
        settings.match = map.entries("match", count: 0...EventField.allCases.count) { FieldMatch.read($0) }
        map.set(&settings.unmapped, "unmapped", .choice)
        settings.consent = map.section("consent") { .read($0) }
        let ageLimit = kind?.eventAgeLimit ?? .days(90)
        map.set(&settings.maxEventAge, "max_event_age", .duration(.minutes(2)...ageLimit))
        settings.batch = map.section("batch") { .read($0, settings.batch) }
        map.set(&settings.concurrency, "concurrency", .integer(1...64))
        map.set(&settings.requestTimeout, "request_timeout", .duration(.seconds(1) ... .minutes(5)))
        map.set(orOff: &settings.rateLimit, "rate_limit", .integer(1...1_000_000))
        settings.buffer = map.section("buffer") { .read($0) }
        settings.retry = map.section("retry") { .read($0) }
        settings.queue = map.section("queue") { .read($0) }
        settings.deliveryLog = map.section("delivery_log") { .read($0) }
        settings.dedupe = map.section("dedupe") { .read($0, settings.dedupe) }
        map.set(orOff: &settings.refundWait, "refund_wait", .duration(.minutes(1) ... .days(7)))
        settings.check(map)
        return settings
    }

    private static func readKind(_ map: MapReader) -> Kind? {
        guard let type = map.require("type", ConfigForm<DestinationType>.choice) else {
            map.ignoreUnknown()
            return nil
        }
        let own = type.keys
        var owners: [String: [String]] = [:]
        for other in DestinationType.allCases {
            for key in other.keys where !own.contains(key) { owners[key, default: []].append(other.rawValue) }
        }
        for (key, types) in owners {
            map.refuse(misplaced: [key], because: "belongs to destinations of type \(types.joined(separator: " or "))")
        }
        switch type {
        case .capi: return .capi(.read(map))
        case .offlineConversions: return .offlineConversions(.read(map))
        case .investPixel: return .investPixel(.read(map))
        }
    }

    /// What two values together make wrong.
    private func check(_ map: MapReader) {
        // What is closer to its expiry than a request may take is not sent any more.
        let leastAge = requestTimeout + .seconds(60)
        if maxEventAge <= leastAge {
            let text = "leaves no time to send; write more than \(ConfigUnits.text(leastAge)), request_timeout and 60s"
            map.refuse("max_event_age", because: text)
        }
        if buffer.maxAge <= batch.linger {
            let linger = ConfigUnits.text(batch.linger)
            let text = "leaves nothing to send from memory; write more than \(linger), which is batch.linger"
            map.refuse("buffer", "max_age", because: text)
        }
        if buffer.maxBytes < batch.maxBytes {
            let least = ConfigUnits.text(size: Int64(batch.maxBytes))
            map.refuse(
                "buffer", "max_bytes", because: "holds no batch; write at least \(least), which is batch.max_bytes")
        }
        if case .capi(let capi) = kind, capi.pageValue, batch.maxEvents < 2 {
            let text = "holds no page with a value, which is two events; write at least 2, or page_value: false"
            map.refuse("batch", "max_events", because: text)
        }
        let isElsewhere = "belongs to destinations of type capi"
        if case .capi = kind {
        } else {
            if unmapped == .forward {
                map.refuse("unmapped", because: "forward \(isElsewhere): what has no goal or pixel cannot be sent")
            }
            if consent.denied == .send {
                map.refuse("consent", "denied", because: "send \(isElsewhere): nothing else can carry the signal")
            }
        }
        guard case .offlineConversions(let offline) = kind else { return }
        // What is queued for it could never be sent.
        for (key, id) in [("customer_id", offline.customerID), ("account_id", offline.accountID)]
        where mode == .live && !id.isEmpty && id.allSatisfy({ $0 == "0" }) {
            map.refuse(key, because: "is none; until `accounts` has told it, write mode: shadow")
        }
    }

    /// Refunds have a destination of their own, which must have a name, and for CAPI an account.
    fileprivate func checkRefunds(among destinations: [DestinationSettings], _ map: MapReader) {
        let name = Configuration.refundsName(of: self.name)
        if remembering == .conversion, destinations.contains(where: { $0.name == name }) {
            map.refuse(
                "name", because: "has refunds, which are named \(quoted(name)), as another destination is already")
        }
        if let refundWait, refundWait < buffer.maxAge + buffer.maxAge {
            let least = ConfigUnits.text(buffer.maxAge + buffer.maxAge)
            map.refuse("refund_wait", because: "is less than a purchase may be on its way; write at least \(least)")
        }
        guard case .capi(let capi) = kind, let adjustments = capi.adjustments else { return }
        let account = destinations.first { $0.name == adjustments.account }
        if account?.isOffline != true, !adjustments.account.isEmpty {
            let names = destinations.filter(\.isOffline).map { quoted($0.name) }
            let known = names.isEmpty ? "there is none yet" : "write \(names.joined(separator: " or "))"
            map.refuse("adjustments", "account", because: "names no destination of type offline_conversions; \(known)")
        }
        if purchaseGoal == nil {
            map.refuse(
                "adjustments", "goals", because: "has nothing to adjust: events maps Purchase to no custom event")
        }
    }

    fileprivate var isOffline: Bool {
        if case .offlineConversions = kind { true } else { false }
    }

    // MARK: Double counting

    /// What both destinations would count; nil if no event can reach both.
    fileprivate func isDouble(of other: DestinationSettings) -> String? {
        guard mode == .live, other.mode == .live, canMatchTogether(other) else { return nil }
        switch (kind, other.kind) {
        case (.capi(let mine), .capi(let theirs)):
            return mine.uetTagID == theirs.uetTagID && !mine.uetTagID.isEmpty ? "the same uet_tag_id" : nil
        case (.offlineConversions(let mine), .offlineConversions(let theirs)):
            guard mine.accountID == theirs.accountID, !mine.accountID.isEmpty else { return nil }
            let shared = mine.goals.first { goal in
                theirs.goals.contains { $0.event == goal.event && $0.name == goal.name }
            }
            return shared.map { "\(quoted($0.event)) as goal \(quoted($0.name)) of the same account" }
        case (.investPixel(let mine), .investPixel(let theirs)):
            let shared = mine.events.first { pixel in
                theirs.events.contains { $0.event == pixel.event && $0.pixelID == pixel.pixelID }
            }
            return shared.map { "\(quoted($0.event)) as pixel \($0.pixelID)" }
        case (.capi, _), (.offlineConversions, _), (.investPixel, _), (.adjustments, _):
            return nil
        }
    }

    private func canMatchTogether(_ other: DestinationSettings) -> Bool {
        !match.contains { mine in
            other.match.contains { $0.field == mine.field && Set($0.values).isDisjoint(with: mine.values) }
        }
    }
}

extension DestinationSettings.Kind {
    /// How old an event may be at the most that Microsoft takes.
    fileprivate var eventAgeLimit: Duration {
        switch self {
        case .capi: .days(7)
        // Nothing is sent of the time; a click counts for 90 days at the most.
        case .offlineConversions, .investPixel, .adjustments: .days(90)
        }
    }
}

extension DestinationSettings.FieldMatch {
    fileprivate static func read(_ entry: MapReader.OpenEntry) -> DestinationSettings.FieldMatch? {
        let field = EventField.read(entry)
        if field == .items || field == .itemIDs { entry.refuse("is a list in the event and cannot be matched") }
        var values: [String] = []
        if case .list = entry.value.content {
            values = entry.list(of: .text(500), count: 1...100)
        } else if let value = entry.read(.text(500)) {
            values = [value]
        }
        return field.map { DestinationSettings.FieldMatch(field: $0, values: values) }
    }
}

extension ConsentRule {
    fileprivate static func read(_ map: MapReader) -> ConsentRule {
        var consent = ConsentRule()
        map.set(&consent.missing, "missing", .choice)
        map.set(&consent.denied, "denied", .choice)
        return consent
    }
}

extension BatchSettings {
    fileprivate static func read(_ map: MapReader, _ defaults: BatchSettings) -> BatchSettings {
        var batch = defaults
        map.set(&batch.maxEvents, "max_events", .integer(1...1000))
        map.set(&batch.maxBytes, "max_bytes", .size(1 << 10...64 << 20))
        map.set(&batch.linger, "linger", .duration(.zero ... .seconds(60)))
        return batch
    }
}

extension BufferSettings {
    fileprivate static func read(_ map: MapReader) -> BufferSettings {
        var buffer = BufferSettings()
        map.set(&buffer.maxBytes, "max_bytes", .size(64 << 10...1 << 30))
        map.set(&buffer.maxAge, "max_age", .duration(.milliseconds(100) ... .minutes(10)))
        return buffer
    }
}

extension RetrySettings {
    fileprivate static func read(_ map: MapReader) -> RetrySettings {
        var retry = RetrySettings()
        map.set(&retry.base, "base", .duration(.milliseconds(10) ... .hours(1)))
        map.set(&retry.cap, "cap", .duration(.milliseconds(10) ... .hours(1)))
        map.set(orOff: &retry.maxAttempts, "max_attempts", .integer(1...1_000_000))
        map.set(&retry.parkedProbe, "parked_probe", .duration(.seconds(1) ... .hours(1)))
        if retry.cap < retry.base {
            map.refuse(
                "cap", because: "is too short; write at least \(ConfigUnits.text(retry.base)), which is retry.base")
        }
        return retry
    }
}

extension QueueSettings {
    fileprivate static func read(_ map: MapReader) -> QueueSettings {
        var queue = QueueSettings()
        map.set(&queue.maxBytes, "max_bytes", .size(1 << 20...16 << 40))
        return queue
    }
}

extension DeliveryLogSettings {
    fileprivate static func read(_ map: MapReader) -> DeliveryLogSettings {
        var log = DeliveryLogSettings()
        map.set(&log.events, "events", listOf: .text(100), count: 0...100)
        map.set(&log.maxAge, "max_age", .duration(.hours(1) ... .days(365)))
        map.set(orOff: &log.maxBytes, "max_bytes", .size(1 << 20...1 << 40))
        return log
    }
}

extension DedupeSettings {
    fileprivate static func read(_ map: MapReader, _ defaults: DedupeSettings) -> DedupeSettings {
        var dedupe = defaults
        map.set(orOff: &dedupe.window, "window", .duration(.minutes(1) ... .days(90)))
        return dedupe
    }
}
