import ForwarderCore

extension PixelsCommand {
    // MARK: Create

    func create(_ arguments: Arguments) throws -> Int32 {
        guard arguments.words.count == 1 else { throw Arguments.Wrong("create takes only options; a name is --name") }
        let (settings, configuration) = try PixelsCommand.settings(arguments)
        var checks = PixelChecks()
        let named = checks.run { () throws(PixelProblems) in try PixelsCommand.advertiser(arguments) } ?? nil
        var advertiser = named ?? settings.advertiserID.map { .id($0) }
        let given = PixelsCommand.fields(arguments)
        var draft: PixelDraft?
        if given.isEmpty, PixelsCommand.isTerminal {
            try checks.finish()
            (draft, advertiser) = try ask(PixelDialog(advertiser: advertiser))
        } else {
            if advertiser == nil {
                checks.add("whose? give --advertiser-id or --advertiser-code, or set pixel_service.advertiser_id")
            }
            draft = checks.run { () throws(PixelProblems) in try PixelDraft(given, isNew: true) }
            try checks.finish()
        }
        guard let draft, let advertiser else { return ExitCode.usage }
        let isDryRun = arguments.has("--dry-run")
        var id: String?
        if !isDryRun {
            let response = try PixelDesk(settings, configuration).carryOut(.create(draft, for: advertiser))
            guard let new = response.pixelID else {
                throw PixelDesk.Refused(reason: "the service says it is created, and not by which id; look with `list`")
            }
            id = new
        }
        var json = JSONWriter()
        json.object { json in
            json.member("created", id != nil)
            json.member("dry_run", isDryRun)
            if let id { json.member("id", id) }
            json.name("pixel")
            draft.write(to: &json)
        }
        let lines = draft.lines.map { "  \($0)" }.joined(separator: "\n")
        let text =
            id.map { id in
                """
                pixel \(id) is created
                \(lines)
                It counts nothing until a line item uses it. `conversion-forwarder pixels export \(id)` says how a server calls it.
                """
            } ?? "would be created:\n\(lines)"
        PixelsCommand.show(arguments, json.bytes, text: text)
        return ExitCode.done
    }

    private func ask(_ dialog: PixelDialog) throws(PixelDesk.Refused) -> (PixelDraft, PixelAdvertiser) {
        var dialog = dialog
        var step = dialog.first
        while true {
            switch step {
            case .ask(let prompt): step = dialog.answered(PixelsCommand.answer(to: prompt))
            case .create(let draft, let advertiser): return (draft, advertiser)
            case .abandoned(let reason): throw .init(reason: "\(reason); nothing was created")
            }
        }
    }

    // MARK: Update

    func update(_ arguments: Arguments) throws -> Int32 {
        let (settings, configuration) = try PixelsCommand.settings(arguments)
        var checks = PixelChecks()
        let given = PixelsCommand.fields(arguments)
        let isAppending = arguments.has("--append")
        let id = checks.run { () throws(PixelProblems) in try PixelsCommand.id(arguments) }
        let draft = checks.run { () throws(PixelProblems) in try PixelDraft(given, isNew: false) }
        if given.isEmpty { checks.add("update wants to be told what; `--name`, for one") }
        if isAppending, arguments.values("--piggyback").isEmpty {
            checks.add("--append adds to a list, and the one list that can be written is --piggyback")
        }
        try checks.finish()
        guard let id, let draft else { return ExitCode.usage }

        let desk = try PixelDesk(settings, configuration)
        let pixel = try desk.pixel(.id(id, advertiserID: nil))
        let changes = PixelChange.all(of: pixel, by: draft, appends: isAppending)
        if let added = draft.piggybacks, isAppending, let problem = PixelDraft.problem(of: pixel.piggybacks + added) {
            throw PixelProblems(problem)
        }
        let isDryRun = arguments.has("--dry-run")
        var other: [PixelChange] = []
        if !isDryRun, !changes.isEmpty {
            let response = try desk.carryOut(
                .change(draft, of: id, advertiserID: pixel.advertiserID, appends: isAppending))
            if let result = response.pixels.first(where: { $0.id == id }) {
                other = PixelChange.otherwise(changes, in: result)
            }
        }
        let isUpdated = !isDryRun && !changes.isEmpty
        var json = JSONWriter()
        json.object { json in
            json.member("updated", isUpdated)
            json.member("dry_run", isDryRun)
            json.member("id", id)
            json.name("changes")
            json.array { for change in changes { change.write(to: &$0) } }
            json.name("otherwise")
            json.array { for change in other { change.write(to: &$0) } }
        }
        var lines = [PixelText.name(pixel)] + changes.map { "  \($0.words)" }
        lines += other.map { "  not taken as it was said: \($0.words)" }
        lines.append(isUpdated ? "changed" : changes.isEmpty ? "it is so already" : "nothing was changed")
        PixelsCommand.show(arguments, json.bytes, text: lines.joined(separator: "\n"))
        return other.isEmpty ? ExitCode.done : ExitCode.failure
    }

    // MARK: Delete

    func delete(_ arguments: Arguments) throws -> Int32 {
        let (settings, configuration) = try PixelsCommand.settings(arguments)
        let id = try PixelsCommand.id(arguments)
        let isDryRun = arguments.has("--dry-run")
        guard isDryRun || arguments.has("--yes") || PixelsCommand.isTerminal else {
            throw Arguments.Wrong("delete removes a pixel for good: say --yes, for nobody can be asked here")
        }
        // Nobody else has to wait while somebody thinks.
        let pixel = try PixelDesk(settings, configuration).pixel(.id(id, advertiserID: nil))
        guard pixel.lineItems.isEmpty else {
            let items = pixel.lineItems.map { "\($0.id) \($0.name)" }.joined(separator: ", ")
            throw PixelDesk.Refused(
                reason: "\(PixelText.name(pixel)): line items use it (\(items)); take it off them first")
        }
        if !isDryRun {
            if !arguments.has("--yes") {
                let answer = PixelsCommand.answer(to: "Delete \(PixelText.name(pixel)), for good? yes or no [no]: ")
                guard ["y", "yes"].contains(answer?.lowercased()) else {
                    throw PixelDesk.Refused(reason: "it was not confirmed; nothing was deleted")
                }
            }
            _ = try PixelDesk(settings, configuration).carryOut(.delete(id, advertiserID: pixel.advertiserID))
        }
        var json = JSONWriter()
        json.object { json in
            json.member("deleted", !isDryRun)
            json.member("dry_run", isDryRun)
            json.member("id", id)
            json.name("pixel")
            pixel.write(to: &json)
        }
        PixelsCommand.show(
            arguments, json.bytes,
            text: "\(PixelText.name(pixel)): \(isDryRun ? "would be deleted" : "deleted")")
        return ExitCode.done
    }
}
