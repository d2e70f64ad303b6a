import ForwarderCore

extension PixelsCommand {
    func list(_ arguments: Arguments) throws -> Int32 {
        let (settings, configuration) = try PixelsCommand.settings(arguments)
        var checks = PixelChecks()
        let named = checks.run { () throws(PixelProblems) in try PixelsCommand.advertiser(arguments) } ?? nil
        let ids = Array(arguments.words.dropFirst())
        if arguments.has("--all"), named != nil || !ids.isEmpty {
            checks.add("--all goes with neither ids nor advertiser")
        }
        let isWhole = arguments.has("--all") || !ids.isEmpty
        let advertiser = named ?? (isWhole ? nil : settings.advertiserID.map { .id($0) })
        let query = checks.run { () throws(PixelProblems) in
            try PixelQuery(
                ids: ids, advertiser: advertiser, filters: arguments.values("--filter"),
                sort: arguments.value("--sort"))
        }
        try checks.finish()
        let limit = try arguments.number("--limit", in: 1...10_000, default: 1000)
        guard let query else { return ExitCode.usage }

        let desk = try PixelDesk(settings, configuration)
        var listing = PixelListing(query, limit: limit)
        var call: PixelCall? = listing.firstCall
        while let next = call { call = listing.answered(try desk.carryOut(next)) }

        var json = JSONWriter()
        json.object { json in
            json.name("pixels")
            json.array { for pixel in listing.pixels { pixel.write(to: &$0) } }
            json.member("complete", !listing.isCut)
            json.member("not_found", array: listing.missing)
        }
        var lines = [PixelText.table(listing.pixels)]
        if listing.isCut {
            let all = listing.count.map { " of \($0)" } ?? ""
            lines.append("these are \(listing.pixels.count)\(all); --limit shows more")
        }
        if !listing.missing.isEmpty {
            lines.append("not there, or not to be seen: \(listing.missing.joined(separator: ", "))")
        }
        PixelsCommand.show(arguments, json.bytes, text: lines.joined(separator: "\n"))
        return listing.missing.isEmpty ? ExitCode.done : ExitCode.failure
    }

    func get(_ arguments: Arguments) throws -> Int32 {
        let (settings, configuration) = try PixelsCommand.settings(arguments)
        let pixel = try PixelDesk(settings, configuration).pixel(try reference(arguments))
        PixelsCommand.show(arguments, PixelText.json(pixel), text: PixelText.page(pixel))
        return ExitCode.done
    }

    private func reference(_ arguments: Arguments) throws(PixelProblems) -> PixelReference {
        let advertiser = try PixelsCommand.advertiser(arguments)
        if let code = arguments.value("--pixel-code") {
            guard case .code(let advertiserCode) = advertiser, arguments.words.count == 1, !code.isEmpty else {
                throw PixelProblems("--pixel-code CODE goes with --advertiser-code CODE, and with no id")
            }
            return .code(code, advertiserCode: advertiserCode)
        }
        switch advertiser {
        case nil: return .id(try PixelsCommand.id(arguments), advertiserID: nil)
        case .id(let id): return .id(try PixelsCommand.id(arguments), advertiserID: id)
        case .code: throw PixelProblems("--advertiser-code goes with --pixel-code")
        }
    }

    func meta(_ arguments: Arguments) throws -> Int32 {
        guard arguments.words.count == 1 else { throw Arguments.Wrong("meta takes only options") }
        let (settings, configuration) = try PixelsCommand.settings(arguments)
        let response = try PixelDesk(settings, configuration).carryOut(.meta)
        let fields = (response["fields"]?.elements ?? []).compactMap(PixelMetaField.init)
        guard !fields.isEmpty else { throw PixelDesk.Refused(reason: "the answer lists no fields") }
        var json = JSONWriter()
        json.object { json in
            json.name("fields")
            json.array { list in
                for field in fields {
                    list.object {
                        $0.member("name", field.name)
                        $0.member("type", field.type)
                        $0.member("filter", field.isFilter)
                        $0.member("sort", field.isSorting)
                    }
                }
            }
        }
        var table = TextTable(["FIELD", "TYPE", "FILTER", "SORT"])
        for field in fields {
            table.add([field.name, field.type, field.isFilter ? "yes" : "no", field.isSorting ? "yes" : "no"])
        }
        PixelsCommand.show(arguments, json.bytes, text: table.text)
        return ExitCode.done
    }

    func export(_ arguments: Arguments) throws -> Int32 {
        let id = try PixelsCommand.id(arguments)
        let export: PixelExport
        do throws(PixelExport.Unusable) {
            export = try PixelExport(id: id, host: arguments.value("--host") ?? InvestPixelSettings.defaultHost)
        } catch {
            throw Arguments.Wrong(error.reason)
        }
        let text = """
            \(export.url)

            What stands in brackets is replaced by whoever calls it. sspdata stays the last parameter, and keeps the period that
            it ends with.

            For the daemon to call it; with min_minutes_per_conv in the braces, as `pixels get \(id)` tells it, the daemon also knows
            whether a repeat would count again:

            \(export.yaml)
            """
        PixelsCommand.show(arguments, export.json, text: text)
        return ExitCode.done
    }
}
