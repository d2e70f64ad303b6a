extension Configuration {
    /// What came of a configuration file. Problems are in the order of the file.
    public enum Decoded: Sendable, Equatable {
        case valid(Configuration, warnings: [ConfigProblem])
        /// Every problem at once; at least one is an error.
        case invalid([ConfigProblem])
    }

    /// Checks the whole file and fills in the defaults.
    public static func decode(_ root: ConfigNode) -> Decoded {
        let findings = ConfigFindings()
        let configuration = MapReader.read(root, pattern: "", findings) { read($0) }
        let problems = findings.problems.enumerated().sorted { left, right in
            (left.element.line, left.element.column, left.offset)
                < (right.element.line, right.element.column, right.offset)
        }.map(\.element)
        if problems.contains(where: { $0.severity == .error }) { return .invalid(problems) }
        return .valid(configuration, warnings: problems)
    }

    /// The path of every key there is, with `[]` for an index and `*` for a key of the user's own:
    /// `destinations[].goals.*.name`. The two forms of a secret, `file` and `env`, are not keys of their own.
    public static var knownKeys: [String] {
        let findings = ConfigFindings()
        func map(_ entries: KeyValuePairs<String, ConfigNode>) -> ConfigNode {
            let entries = entries.map { ConfigNode.Entry(key: $0, line: 1, column: 1, value: $1) }
            return ConfigNode(.map(entries), line: 1, column: 1, path: "")
        }
        func node(_ content: ConfigNode.Content) -> ConfigNode { ConfigNode(content, line: 1, column: 1, path: "") }
        func text(_ text: String) -> ConfigNode { node(.scalar(text, isPlain: true)) }
        // One destination of each type, with one entry in each map that has keys of the user's own.
        let destinations = [
            map([
                "type": text(DestinationType.capi.rawValue), "events": map(["Purchase": map([:])]),
                "adjustments": map([:]),
            ]),
            map(["type": text(DestinationType.offlineConversions.rawValue), "goals": map(["Purchase": map([:])])]),
            map(["type": text(DestinationType.investPixel.rawValue), "events": map(["Purchase": map([:])])]),
        ]
        let root = map(["destinations": node(.list(destinations)), "pixel_service": map([:])])
        _ = MapReader.read(root, pattern: "", findings) { read($0) }
        return findings.keys
    }

    private static func read(_ map: MapReader) -> Configuration {
        Configuration(
            kafka: map.section("kafka") { .read($0) },
            input: map.section("input") { .read($0) },
            state: map.section("state") { .read($0) },
            http: map.section("http") { .read($0) },
            destinations: readDestinations(map),
            admin: map.section("admin") { .read($0) },
            log: map.section("log") { .read($0) },
            shutdown: map.section("shutdown") { .read($0) },
            pixelService: .read(map))
    }
}

extension InputSettings {
    fileprivate static func read(_ map: MapReader) -> InputSettings {
        var input = InputSettings()
        map.set(&input.preset, "preset", .choice)
        map.set(&input.consentCategory, "consent_category", .text(100))
        map.set(&input.timeFormat, "time_format", .choice)
        map.set(&input.maxEventBytes, "max_event_bytes", .size(1 << 10...1 << 20))
        var entries: [MapReader.OpenEntry] = []
        input.fields = map.entries("fields", count: 0...EventField.allCases.count) { entry in
            let field = EventField.read(entry)
            let path = entry.read(.dottedPath)
            guard let field, let path else { return nil }
            entries.append(entry)
            return FieldPath(field: field, path: path)
        }
        for (index, entry) in zip(input.fields.indices, entries) { input.checkPlace(of: index, entry) }
        return input
    }

    /// One value of an event is one field: what two fields want, one of them does not get.
    private func checkPlace(of index: Int, _ entry: MapReader.OpenEntry) {
        let path = fields[index].path
        func overlaps(_ other: [String]) -> Bool { path.starts(with: other) || other.starts(with: path) }
        if let earlier = fields[..<index].first(where: { overlaps($0.path) }) {
            entry.refuse("is the place of \(earlier.field.name), or inside of it; one value can be one field only")
        }
        let lost = FieldMap.places(of: self).filter { place, field in
            overlaps(place) && !fields.contains { $0.field == field }
        }
        if !lost.isEmpty {
            let names = lost.map { "\($0.1.name)" }.joined(separator: ", ")
            entry.doubt("takes the place of \(names), not read any more; give a path for that too")
        }
    }
}

extension ConfigForm<[String]> {
    fileprivate static var dottedPath: ConfigForm {
        ConfigForm("the member names from the root of the event, such as customer.contact.email") {
            node throws(Refusal) in
            let text = try ConfigForm<String>.text(500).read(node)
            let path = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            if path.contains("") { throw Refusal("\(quoted(text)) has an empty step") }
            if path.count > 16 { throw Refusal("has more than 16 steps") }
            return path
        }
    }
}

extension EventField {
    /// The field that the key of `entry` names; nil after an error was noted.
    static func read(_ entry: MapReader.OpenEntry) -> EventField? {
        // What stands inside of an item has a place in that item only.
        let names = allCases.map { "\($0.name)" }.filter { !$0.contains(".") }
        if names.contains(entry.key), let field = EventField(name: entry.key) { return field }
        let near = nearest(to: entry.key, among: names)
        entry.refuse("is no field of the event; \(near.map { "did you mean \($0)?" } ?? "write \(oneOf(names))")")
        return nil
    }
}

extension StateSettings {
    fileprivate static func read(_ map: MapReader) -> StateSettings {
        var state = StateSettings()
        map.set(&state.directory, "directory", .absolutePath)
        map.set(orOff: &state.key, "key", .secret)
        map.set(&state.ballastBytes, "ballast", .size(0...1 << 30))
        map.set(&state.keepFor, "keep_for", .duration(.hours(1) ... .days(365)))
        map.set(&state.keepRows, "keep_rows", .integer(1000...100_000_000))
        return state
    }
}

extension HTTPSettings {
    fileprivate static func read(_ map: MapReader) -> HTTPSettings {
        var http = HTTPSettings()
        map.set(orOff: &http.proxy, "proxy", .proxy)
        map.set(orOff: &http.caFile, "ca_file", .absolutePath)
        map.set(&http.connectTimeout, "connect_timeout", .duration(.milliseconds(100) ... .seconds(60)))
        return http
    }
}

extension AdminSettings {
    fileprivate static func read(_ map: MapReader) -> AdminSettings {
        var admin = AdminSettings()
        map.set(orOff: &admin.listen, "listen", .listen)
        map.set(orOff: &admin.token, "token", .secret)
        map.set(&admin.hosts, "hosts", listOf: .hostName, count: 0...20)
        admin.tls = map.section("tls", AdminSettings.TLSFiles.read)
        guard let listen = admin.listen, !listen.isLoopback else { return admin }
        if admin.token == nil {
            map.doubt("listen", because: "the admin port asks for no token and is open to other machines")
        } else if admin.tls == nil {
            map.doubt("listen", because: "the token crosses the network in the clear; set admin.tls")
        }
        return admin
    }
}

extension AdminSettings.TLSFiles {
    fileprivate static func read(_ map: MapReader) -> AdminSettings.TLSFiles? {
        var certificate: String?
        var key: String?
        map.set(orOff: &certificate, "certificate", .absolutePath)
        map.set(orOff: &key, "key", .absolutePath)
        if let certificate, let key { return AdminSettings.TLSFiles(certificate: certificate, key: key) }
        if certificate != nil || key != nil { map.refuse(because: "needs both, a certificate and its key") }
        return nil
    }
}

extension LogSettings {
    fileprivate static func read(_ map: MapReader) -> LogSettings {
        var log = LogSettings()
        map.set(&log.level, "level", .choice)
        map.set(&log.format, "format", .choice)
        map.set(&log.metricsInterval, "metrics_interval", .duration(.seconds(1) ... .hours(1)))
        return log
    }
}

extension ShutdownSettings {
    fileprivate static func read(_ map: MapReader) -> ShutdownSettings {
        var shutdown = ShutdownSettings()
        map.set(&shutdown.grace, "grace", .duration(.seconds(1) ... .minutes(10)))
        return shutdown
    }
}

extension Duration {
    static func minutes(_ count: Int64) -> Duration { .seconds(count * 60) }
    static func hours(_ count: Int64) -> Duration { .seconds(count * 3600) }
    static func days(_ count: Int64) -> Duration { .seconds(count * 86_400) }
}
