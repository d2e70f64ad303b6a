import ForwarderCore
import HTTPServer

/// Pages that ask the daemon, and what may be done from them. Whatever changes something is a POST with the form's key,
/// behind a page that says what it will do.
extension AdminSite {
    static let actionRoutes: [Route] = [
        Route(path: "/dead-letters", access: .reader, isCostly: true) { site, visit in
            let filter = RowFilter(visit.form)
            let answer = site.sources.answer(.store(.deadLettersList(filter.selection)))
            return .page(StorePages.deadLetters(answer, filter, destinations: site.destinations, visit.viewer))
        },
        Route(path: "/rejects", access: .reader, isCostly: true) { site, visit in
            let filter = RowFilter(visit.form)
            let answer = site.sources.answer(.store(.rejectsList(filter.selection)))
            return .page(StorePages.rejects(answer, filter, destinations: site.destinations, visit.viewer))
        },
        // Orders of people: not for everybody who reaches the port.
        Route(path: "/deliveries", access: .holder, isCostly: true) { site, visit in
            let filter = DeliveriesPage.Filter(visit.form)
            let answer = site.sources.answer(.deliveries(filter.query))
            return .page(DeliveriesPage.page(answer, filter, destinations: site.destinations, visit.viewer))
        },
        Route(path: "/dead-letters/act", access: .holder, isCostly: true) { site, visit in site.confirmLetters(visit) },
        Route(method: "POST", path: "/dead-letters/act", access: .holder, isCostly: true) { site, visit in
            site.actOnLetters(visit)
        },
        Route(path: "/destinations/pause", access: .holder) { site, visit in site.confirm(.pause, visit) },
        Route(path: "/destinations/resume", access: .holder) { site, visit in site.confirm(.resume, visit) },
        Route(method: "POST", path: "/destinations/pause", access: .holder, isCostly: true) { site, visit in
            site.carryOut(.pause, visit)
        },
        Route(method: "POST", path: "/destinations/resume", access: .holder, isCostly: true) { site, visit in
            site.carryOut(.resume, visit)
        },
        Route(path: "/debugger", access: .reader) { _, visit in .page(DebuggerPage.page(nil, [], visit.viewer)) },
        Route(method: "POST", path: "/debugger", access: .reader, isCostly: true) { site, visit in site.explain(visit)
        },
        Route(path: "/send-test", access: .reader) { site, visit in
            let names = site.sources.configuration().destinations.map(\.name)
            return .page(SendTestPage.page(destinations: names, visit.viewer))
        },
        Route(method: "POST", path: "/send-test", access: .holder, isCostly: true) { site, visit in site.sendTest(visit)
        },
    ]

    /// All that the store may have rows of.
    private var destinations: [String] {
        let detached = sources.metrics()?.detached.keys.sorted() ?? []
        return sources.configuration().running.map(\.name) + detached
    }

    // MARK: Dead letters

    /// What a form asks for; nil if it is none of this site's.
    private func lettersAsked(_ form: Form) -> (action: LetterAction, selection: StoreSelection)? {
        guard let action = form["action"].flatMap(LetterAction.init) else { return nil }
        var selection = StoreSelection(destination: form["destination"], reason: form["reason"])
        if let id = form["id"] {
            guard let number = Int64(id) else { return nil }
            selection.id = number
        }
        return (action, selection)
    }

    private func confirmLetters(_ visit: Visit) -> ServerAnswer {
        guard let (action, selection) = lettersAsked(visit.form) else { return misunderstood(visit) }
        var listed = selection
        listed.limit = ConfirmLetters.countLimit
        let answer = sources.answer(.store(.deadLettersList(listed)))
        guard let count = answer?["dead_letters"]?.elements?.count else { return failed(answer, visit) }
        guard count > 0 else {
            let back = ("Back to the dead letters", Link("/dead-letters"))
            return .page(
                404,
                NoticePage.page("Nothing to \(action)", "There are no such dead letters.", visit.viewer, back: back))
        }
        return .page(ConfirmLetters.page(action, selection, count: count).page(visit.viewer))
    }

    private func actOnLetters(_ visit: Visit) -> ServerAnswer {
        guard let (action, selection) = lettersAsked(visit.form) else { return misunderstood(visit) }
        let answer = sources.answer(.store(action.command(selection)))
        guard let answer, answer["error"] == nil else { return failed(answer, visit) }
        return .page(
            ResultPage.page(
                "\(action.title) dead letters", .good, action.outcome(answer),
                back: ("Back to the dead letters", Link("/dead-letters")), visit.viewer))
    }

    // MARK: Destinations

    private func confirm(_ action: DestinationAction, _ visit: Visit) -> ServerAnswer {
        guard let name = visit.form["name"] else { return misunderstood(visit) }
        let page = ConfirmPage(
            heading: "\(action.title) \(name)?", meaning: action.meaning,
            action: action.path, fields: [("name", name)], button: "\(action.title) \(name)", back: Link("/"))
        return .page(page.page(visit.viewer))
    }

    private func carryOut(_ action: DestinationAction, _ visit: Visit) -> ServerAnswer {
        guard let name = visit.form["name"] else { return misunderstood(visit) }
        let answer = sources.answer(action.request(name))
        guard let state = answer?["state"]?.string else { return failed(answer, visit) }
        return .page(
            ResultPage.page(
                "\(action.title) \(name)", .good, ["\(name) is \(state) now. The overview follows within a second."],
                back: ("Back to the overview", Link("/")), visit.viewer))
    }

    // MARK: Events

    private func explain(_ visit: Visit) -> ServerAnswer {
        let pasted = visit.form["event"] ?? ""
        let explainer = Explainer(sources.configuration(), now: visit.now.wall)
        let events = Explainer.events(in: Array(pasted.utf8)).prefix(DebuggerPage.limit)
        return .page(DebuggerPage.page(pasted, events.map(explainer.explain), visit.viewer))
    }

    private func sendTest(_ visit: Visit) -> ServerAnswer {
        guard let destination = visit.form["destination"], visit.form["sure"] == "yes" else {
            return misunderstood(visit)
        }
        let event = TestEvent.json(
            visit.form["name"] ?? "Purchase", clickID: visit.form["msclkid"], now: visit.now.wall,
            random: .random(in: .min ... .max))
        let answer = sources.answer(.test(TestRequest(destination: destination, content: .event(event))))
        return .page(SendTestPage.result(answer, visit.viewer))
    }

    // MARK: Trouble

    private func misunderstood(_ visit: Visit) -> ServerAnswer {
        .page(
            400,
            NoticePage.page("Nothing was done", "The form lacks what it needs. Go back and try again.", visit.viewer))
    }

    private func failed(_ answer: JSONElement?, _ visit: Visit) -> ServerAnswer {
        let reason = answer?["error"]?.string ?? "the daemon gave no answer"
        return .page(502, NoticePage.page("That did not work", reason, visit.viewer, tone: .bad))
    }
}

/// How many dead letters are meant, before anything is done to them.
private enum ConfirmLetters {
    static let countLimit = 1000

    static func page(_ action: LetterAction, _ selection: StoreSelection, count: Int) -> ConfirmPage {
        let number = count < countLimit ? Numbers.text(count) : "\(Numbers.text(count)) or more"
        var facts: [(name: String, value: String)] = []
        var fields: [(name: String, value: String)] = [("action", action.rawValue)]
        if let id = selection.id {
            facts.append(("Dead letter", "\(id)"))
            fields.append(("id", "\(id)"))
        } else {
            facts.append(("How many", number))
        }
        if let destination = selection.destination {
            facts.append(("Destination", destination))
            fields.append(("destination", destination))
        } else if selection.id == nil {
            facts.append(("Destination", "all"))
        }
        if let reason = selection.reason {
            facts.append(("Class or reason", reason))
            fields.append(("reason", reason))
        }
        let what = selection.id.map { "dead letter \($0)" } ?? (count == 1 ? "1 dead letter" : "\(number) dead letters")
        return ConfirmPage(
            heading: "\(action.title) \(what)?", meaning: action.meaning, facts: facts, action: "/dead-letters/act",
            fields: fields, button: "\(action.title) \(what)", isDangerous: action == .discard,
            back: Link("/dead-letters"))
    }
}
