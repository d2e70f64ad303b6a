// What each type of destination has keys of its own for.

extension CAPISettings {
    static func read(_ map: MapReader) -> CAPISettings {
        var capi = CAPISettings(
            uetTagID: map.require("uet_tag_id", .digits) ?? "",
            token: .file(""))
        if let token = map.require("token", ConfigForm<TokenSource>.token) { capi.token = token }
        map.set(&capi.dataProvider, "data_provider", .text(100))
        map.set(&capi.pageValue, "page_value", .flag)
        capi.events = map.entries("events", count: 0...100) { EventMapping.read($0) }
        if map.holds("adjustments") { capi.adjustments = map.section("adjustments") { .read($0) } }
        return capi
    }
}

extension RefundSettings {
    fileprivate static func read(_ map: MapReader) -> RefundSettings {
        RefundSettings(
            account: map.require("account", .destinationName) ?? "",
            goal: map.section("goals") { $0.require(DestinationSettings.purchaseEvent, .text(100)) } ?? "")
    }
}

extension ConfigForm<CAPISettings.TokenSource> {
    fileprivate static var token: ConfigForm {
        let secret = ConfigForm<SecretReference>.secret
        return ConfigForm("\(secret.allowed), or {from: NAME_OF_AN_OFFLINE_DESTINATION}") { node throws(Refusal) in
            if case .map(let entries) = node.content, entries.count == 1, entries[0].key == "from" {
                // Not named: who mistakes it for the place of the token has written a secret.
                guard let name = try? ConfigForm<String>.destinationName.read(entries[0].value) else {
                    throw Refusal("from does not hold the name of a destination")
                }
                return .destination(name)
            }
            return .secret(try secret.read(node))
        }
    }
}

extension CAPISettings.EventMapping {
    fileprivate static func read(_ entry: MapReader.OpenEntry) -> CAPISettings.EventMapping? {
        entry.readEventName().map { CAPISettings.EventMapping(event: $0, target: readTarget(entry)) }
    }

    private static func readTarget(_ entry: MapReader.OpenEntry) -> Target {
        switch entry.value.content {
        case .map:
            return entry.section { readTarget($0) }
        case .scalar where entry.value.isNull:
            return .skip
        case .scalar(let text, _):
            if text == "skip" { return .skip }
            if ["page_load", "pageload"].contains(text.lowercased()) {
                entry.doubt("becomes a custom event of this name; for a page load write {type: page_load}")
            }
            return entry.read(.text(100)).map { .custom(name: $0) } ?? .skip
        case .list:
            entry.refuse("is a list; write the name of a custom event, {type: page_load} or skip")
            return .skip
        }
    }

    private enum TargetType: String, CaseIterable {
        case custom, skip
        case pageLoad = "page_load"
    }

    private static func readTarget(_ map: MapReader) -> Target {
        let type = map.holds("type") ? map.require("type", .choice) : TargetType.custom
        if type == .custom { return map.require("name", .text(100)).map { .custom(name: $0) } ?? .skip }
        if map.holds("name"), type != nil { map.refuse("name", because: "belongs to type custom") }
        return type == .pageLoad ? .pageLoad : .skip
    }
}

extension OfflineSettings {
    static func read(_ map: MapReader) -> OfflineSettings {
        var offline = OfflineSettings(
            goals: map.entries("goals", count: 1...100) { Goal.read($0) },
            customerID: map.require("customer_id", .digits) ?? "",
            accountID: map.require("account_id", .digits) ?? "",
            developerToken: map.require("developer_token", .secret) ?? .file(""),
            oauth: map.section("oauth") { .read($0) })
        map.set(&offline.enhancedConversions, "enhanced_conversions", .flag)
        map.section("verdicts") {
            $0.set(orOff: &offline.verdictInterval, "every", .duration(.minutes(5) ... .days(7)))
        }
        offline.checkGoalIDs(map)
        map.set(&offline.customerEndpoint, "customer_endpoint", .endpoint)
        return offline
    }

    /// What is sent goes by the name, and what became of it by the id.
    private func checkGoalIDs(_ map: MapReader) {
        for (index, goal) in goals.enumerated() where goal.id != nil {
            let earlier = goals[..<index].first {
                $0.id != nil && ($0.id == goal.id) != ($0.name == goal.name)
            }
            guard let other = earlier else { continue }
            let text =
                other.id == goal.id
                ? "is the id of \(quoted(other.name)) too; two goals have two ids"
                : "differs from the id that this goal has for \(quoted(other.event)); a goal has one"
            map.refuse("goals", goal.event, "id", because: text)
        }
    }
}

extension OfflineSettings.Goal {
    fileprivate static func read(_ entry: MapReader.OpenEntry) -> OfflineSettings.Goal? {
        let event = entry.readEventName()
        var goal = OfflineSettings.Goal(event: event ?? "", name: "")
        if case .map = entry.value.content {
            entry.section { map in
                goal.name = map.require("name", .text(100)) ?? ""
                map.set(orOff: &goal.id, "id", .digits)
                map.set(&goal.isExternallyAttributed, "externally_attributed", .flag)
            }
        } else {
            goal.name = entry.read(.text(100)) ?? ""
        }
        return goal
    }
}

extension OAuthSettings {
    fileprivate static func read(_ map: MapReader) -> OAuthSettings {
        var oauth = OAuthSettings(
            clientID: map.require("client_id", .text(200)) ?? "", refreshToken: nil)
        map.set(orOff: &oauth.refreshToken, "refresh_token", .secret)
        map.set(&oauth.grant, "grant", .destinationName)
        map.set(orOff: &oauth.clientSecret, "client_secret", .secret)
        map.set(&oauth.authority, "authority", .endpoint)
        map.set(&oauth.scope, "scope", .text(500))
        if !oauth.scope.split(separator: " ").contains("offline_access") {
            map.doubt("scope", because: "without offline_access Microsoft issues no refresh token")
        }
        return oauth
    }
}

extension InvestPixelSettings {
    static func read(_ map: MapReader) -> InvestPixelSettings {
        var pixels = InvestPixelSettings(events: map.entries("events", count: 1...100) { Mapping.read($0) })
        map.set(orOff: &pixels.tokenParameter, "token_parameter", .text(100))
        if map.holds("retry_ambiguous") {
            pixels.retryAmbiguous = map.require("retry_ambiguous", .flag)
        } else if pixels.repeatsUnclear, let pixel = pixels.events.first(where: { $0.repetition == nil }) {
            let text =
                "does not say how often pixel \(pixel.pixelID) counts (min_minutes_per_conv), so that what may have been counted "
                + "is sent again; write it, or retry_ambiguous"
            map.doubt("events", pixel.event, because: text)
        }
        return pixels
    }
}

extension InvestPixelSettings.Mapping {
    fileprivate static func read(_ entry: MapReader.OpenEntry) -> InvestPixelSettings.Mapping? {
        let event = entry.readEventName()
        let id = ConfigForm<Int64>.integer(1...Int64.max)
        var mapping = InvestPixelSettings.Mapping(event: event ?? "", pixelID: 0)
        if case .map = entry.value.content {
            entry.section { map in
                mapping.pixelID = map.require("pixel_id", id) ?? 0
                map.set(orOff: &mapping.orderID, "order_id", .field(of: InvestPixelSettings.textFields))
                map.set(orOff: &mapping.value, "value", .field(of: InvestPixelSettings.numberFields))
                map.set(orOff: &mapping.other, "other", .field(of: InvestPixelSettings.textFields))
                map.set(&mapping.repetition, "min_minutes_per_conv", .repetition)
            }
        } else {
            mapping.pixelID = entry.read(id) ?? 0
        }
        return mapping
    }
}

extension ConfigForm<EventField> {
    fileprivate static func field(of fields: [EventField]) -> ConfigForm {
        ConfigForm("the name of a field: \(oneOf(fields.map { "\($0.name)" }))") { node throws(Refusal) in
            let text = try node.scalar()
            guard let field = fields.first(where: { "\($0.name)" == text }) else {
                throw Refusal("\(quoted(text)) cannot be sent there")
            }
            return field
        }
    }
}

extension ConfigForm<InvestPixelSettings.Repetition?> {
    /// Invest's own words: null, or minutes.
    fileprivate static var repetition: ConfigForm {
        let minutes = ConfigForm<Int64>.integer(0...PixelLimits.repeatMinutes)
        return ConfigForm("null for one conversion per user, or \(minutes.allowed)") { node throws(Refusal) in
            if node.isNull { return .onePerUser }
            return .minutes(try minutes.read(node))
        }
    }
}

extension MapReader.OpenEntry {
    /// The key as the name of a storefront event; nil after an error was noted.
    fileprivate func readEventName() -> String? {
        if 1...100 ~= key.unicodeScalars.count, key.printable(limit: 100) == key { return key }
        refuse("cannot name an event; write 1 to 100 characters")
        return nil
    }
}
