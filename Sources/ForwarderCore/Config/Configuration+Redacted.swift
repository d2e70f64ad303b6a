extension Configuration {
    /// The whole configuration as one JSON object with the keys and units of the file, defaults filled in. Of a secret
    /// it shows where it is read: `<set> file /run/secrets/capi-token`.
    public var redacted: [UInt8] {
        var json = JSONWriter(capacity: 4096)
        json.object { json in
            json.section("kafka") { kafka.write(to: &$0) }
            json.section("input") { input.write(to: &$0) }
            json.section("state") {
                $0.member("directory", state.directory)
                $0.member("key", orOff: state.key?.redacted)
                $0.member("ballast", size: state.ballastBytes)
                $0.member("keep_for", state.keepFor)
                $0.member("keep_rows", state.keepRows)
            }
            json.section("http") {
                $0.member("proxy", orOff: http.proxy)
                $0.member("ca_file", orOff: http.caFile)
                $0.member("connect_timeout", http.connectTimeout)
            }
            json.name("destinations")
            json.array { json in
                for destination in destinations { json.object { destination.write(to: &$0) } }
            }
            json.section("admin") { admin.write(to: &$0) }
            json.section("log") {
                $0.member("level", log.level.rawValue)
                $0.member("format", log.format.rawValue)
                $0.member("metrics_interval", log.metricsInterval)
            }
            json.section("shutdown") { $0.member("grace", shutdown.grace) }
            if let pixelService { json.section("pixel_service") { pixelService.write(to: &$0) } }
        }
        return json.bytes
    }
}

extension SecretReference {
    /// Where the secret is read, without the secret.
    public var redacted: String {
        switch self {
        case .file(let path): "<set> file \(path)"
        case .environment(let name): "<set> env \(name)"
        }
    }
}

extension KafkaSettings {
    fileprivate func write(to json: inout JSONWriter) {
        json.member("brokers", array: brokers)
        json.member("topics", array: topics)
        json.member("group_id", groupID)
        json.member("start_from", startFrom.rawValue)
        json.member("offset_out_of_range", outOfRange.rawValue)
        json.member("commit_interval", commitInterval)
        json.section("properties") { json in
            for property in properties { json.member(property.name, property.redacted) }
        }
    }
}

extension KafkaSettings.Property {
    fileprivate var redacted: String {
        switch value {
        case .secret(let reference): reference.redacted
        case .text(let text): KafkaSettings.isSensitive(name) ? "<set>" : text
        }
    }
}

extension InputSettings {
    fileprivate func write(to json: inout JSONWriter) {
        json.member("preset", preset.rawValue)
        json.member("consent_category", consentCategory)
        json.member("time_format", timeFormat.rawValue)
        json.member("max_event_bytes", size: maxEventBytes)
        json.section("fields") { json in
            for field in fields { json.member("\(field.field.name)", field.path.joined(separator: ".")) }
        }
    }
}

extension AdminSettings {
    fileprivate func write(to json: inout JSONWriter) {
        json.member("listen", orOff: listen?.text)
        json.member("token", orOff: token?.redacted)
        json.section("tls") {
            $0.member("certificate", orOff: tls?.certificate)
            $0.member("key", orOff: tls?.key)
        }
        json.member("hosts", array: hosts.map { $0.contains(":") ? "[\($0)]" : $0 })
    }
}

extension DestinationSettings {
    fileprivate func write(to json: inout JSONWriter) {
        json.member("name", name)
        json.member("type", kind.type)
        switch kind {
        case .capi(let capi): capi.write(to: &json)
        case .offlineConversions(let offline): offline.write(to: &json)
        case .investPixel(let pixels): pixels.write(to: &json)
        case .adjustments: preconditionFailure("no file has a destination of this type")
        }
        json.member("endpoint", endpoint)
        json.member("mode", mode.rawValue)
        json.member("start_at", startAt.text)
        json.section("match") { json in
            for rule in match { rule.write(to: &json) }
        }
        json.member("unmapped", unmapped.rawValue)
        json.section("consent") {
            $0.member("missing", consent.missing.rawValue)
            $0.member("denied", consent.denied.rawValue)
        }
        json.member("max_event_age", maxEventAge)
        json.section("batch") {
            $0.member("max_events", batch.maxEvents)
            $0.member("max_bytes", size: batch.maxBytes)
            $0.member("linger", batch.linger)
        }
        json.member("concurrency", concurrency)
        json.member("request_timeout", requestTimeout)
        json.member("rate_limit", orOff: rateLimit)
        json.section("buffer") {
            $0.member("max_bytes", size: buffer.maxBytes)
            $0.member("max_age", buffer.maxAge)
        }
        json.section("retry") {
            $0.member("base", retry.base)
            $0.member("cap", retry.cap)
            $0.member("max_attempts", orOff: retry.maxAttempts)
            $0.member("parked_probe", retry.parkedProbe)
        }
        json.section("queue") { $0.member("max_bytes", size: queue.maxBytes) }
        json.section("delivery_log") {
            $0.member("events", array: deliveryLog.events)
            $0.member("max_age", deliveryLog.maxAge)
            $0.member("max_bytes", orOff: deliveryLog.maxBytes.map { ConfigUnits.text(size: $0) })
        }
        json.section("dedupe") { $0.member("window", orOff: dedupe.window.map { ConfigUnits.text($0) }) }
        json.member("refund_wait", orOff: refundWait.map { ConfigUnits.text($0) })
    }
}

extension DestinationSettings.StartAt {
    fileprivate var text: String {
        switch self {
        case .committed: "committed"
        case .latest: "latest"
        case .time(let time): ConfigUnits.text(time)
        }
    }
}

extension DestinationSettings.FieldMatch {
    /// Values of a field that tells who somebody is are personal data, even in a configuration.
    fileprivate func write(to json: inout JSONWriter) {
        json.member("\(field.name)", array: field.isPersonal ? ["<set>"] : values)
    }
}

extension EventField {
    fileprivate var isPersonal: Bool {
        switch self {
        case .email, .phone, .externalID, .anonymousID, .clickID, .sspData, .ipAddress, .userAgent, .idfa, .gaid: true
        default: false
        }
    }
}

extension CAPISettings {
    fileprivate func write(to json: inout JSONWriter) {
        json.member("uet_tag_id", uetTagID)
        switch token {
        case .secret(let reference): json.member("token", reference.redacted)
        case .destination(let name): json.section("token") { $0.member("from", name) }
        }
        json.member("data_provider", dataProvider)
        json.member("page_value", pageValue)
        if let adjustments {
            json.section("adjustments") { json in
                json.member("account", adjustments.account)
                json.section("goals") { $0.member(DestinationSettings.purchaseEvent, adjustments.goal) }
            }
        }
        json.section("events") { json in
            for mapping in events {
                json.section(mapping.event) { json in
                    switch mapping.target {
                    case .custom(let name):
                        json.member("type", "custom")
                        json.member("name", name)
                    case .pageLoad: json.member("type", "page_load")
                    case .skip: json.member("type", "skip")
                    }
                }
            }
        }
    }
}

extension OfflineSettings {
    fileprivate func write(to json: inout JSONWriter) {
        json.section("goals") { json in
            for goal in goals {
                json.section(goal.event) {
                    $0.member("name", goal.name)
                    $0.member("id", orOff: goal.id)
                    $0.member("externally_attributed", goal.isExternallyAttributed)
                }
            }
        }
        json.member("customer_id", customerID)
        json.member("account_id", accountID)
        json.member("developer_token", developerToken.redacted)
        json.section("oauth") {
            $0.member("client_id", oauth.clientID)
            $0.member("client_secret", orOff: oauth.clientSecret?.redacted)
            $0.member("refresh_token", orOff: oauth.refreshToken?.redacted)
            $0.member("grant", oauth.grant)
            $0.member("authority", oauth.authority)
            $0.member("scope", oauth.scope)
        }
        json.member("enhanced_conversions", enhancedConversions)
        json.section("verdicts") { $0.member("every", orOff: verdictInterval.map { ConfigUnits.text($0) }) }
        json.member("customer_endpoint", customerEndpoint)
    }
}

extension InvestPixelSettings {
    fileprivate func write(to json: inout JSONWriter) {
        json.section("events") { json in
            for mapping in events {
                json.section(mapping.event) {
                    $0.member("pixel_id", mapping.pixelID)
                    $0.member("order_id", orOff: mapping.orderID.map { "\($0.name)" })
                    $0.member("value", orOff: mapping.value.map { "\($0.name)" })
                    $0.member("other", orOff: mapping.other.map { "\($0.name)" })
                    switch mapping.repetition {
                    case nil: $0.member("min_minutes_per_conv", "unknown")
                    case .onePerUser?:
                        $0.name("min_minutes_per_conv")
                        $0.null()
                    case .minutes(let minutes)?: $0.member("min_minutes_per_conv", minutes)
                    }
                }
            }
        }
        json.member("token_parameter", orOff: tokenParameter)
        json.member("retry_ambiguous", repeatsUnclear)
    }
}

extension JSONWriter {
    fileprivate mutating func section(_ name: String, _ body: (inout JSONWriter) -> Void) {
        self.name(name)
        object(body)
    }

    fileprivate mutating func member(_ name: String, _ duration: Duration) {
        member(name, ConfigUnits.text(duration))
    }

    fileprivate mutating func member(_ name: String, size: some BinaryInteger) {
        member(name, ConfigUnits.text(size: Int64(size)))
    }

    fileprivate mutating func member(_ name: String, orOff text: String?) {
        member(name, text ?? "off")
    }

    fileprivate mutating func member(_ name: String, orOff number: Int?) {
        if let number { member(name, number) } else { member(name, "off") }
    }
}
