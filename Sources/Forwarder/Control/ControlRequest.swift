import ForwarderCore

/// One line from the command line to the daemon.
enum ControlRequest: Sendable, Equatable {
    case status
    case pause(String)
    case resume(String)
    case deliveries(DeliveryLogQuery)
    case erase(EraseRequest)
    case store(StoreCommand)
    case test(TestRequest)
    case verdicts(VerdictRequest)
    case redeem(AuthorizationCode, for: String)
    case accounts(of: String)
    /// Of all destinations that have one, or of this.
    case grants(of: String?)

    init?(json: [UInt8]) {
        guard let root = (try? JSONDocument(json))?.root, let command = root["command"]?.string else { return nil }
        let selection = StoreSelection(
            destination: root["destination"]?.string, reason: root["reason"]?.string,
            since: root["since"]?.integer.map { Timestamp(milliseconds: $0) }, id: root["id"]?.integer,
            limit: root["limit"]?.integer.flatMap { Int(exactly: $0) },
            isRemapped: root["remap"]?.bool ?? false)
        switch command {
        case "status": self = .status
        case "deliveries": self = .deliveries(DeliveryLogQuery(json: root))
        case "erase":
            let marks = PersonMarks(
                marks: root["marks"]?.elements?.compactMap(\.string) ?? [],
                transactionIDs: root["transactions"]?.elements?.compactMap(\.string) ?? [])
            self = .erase(EraseRequest(marks: marks, isDryRun: root["dry_run"]?.bool ?? true))
        case "queue_move":
            guard let from = root["from"]?.string, let to = root["to"]?.string else { return nil }
            self = .store(
                .queueMove(
                    QueueMove(
                        from: from, to: to, mayRepeat: root["may_repeat"]?.bool ?? false,
                        isToOtherAccount: root["to_other_account"]?.bool ?? false)))
        case "queue_stats": self = .store(.queueStats)
        case "queue_list": self = .store(.queueList(selection))
        case "queue_discard": self = .store(.queueDiscard(selection))
        case "dead_letters_list": self = .store(.deadLettersList(selection))
        case "dead_letters_replay": self = .store(.deadLettersReplay(selection))
        case "dead_letters_discard": self = .store(.deadLettersDiscard(selection))
        case "rejects_list": self = .store(.rejectsList(selection))
        case "dead_letters_show":
            guard let id = selection.id else { return nil }
            self = .store(.deadLettersShow(id))
        case "test":
            guard let name = selection.destination else { return nil }
            let event = root["event"]?.string.map { Array($0.utf8) }
            self = .test(TestRequest(destination: name, content: event.map { .event($0) } ?? .nothing))
        case "verdicts":
            guard let name = selection.destination, let since = selection.since else { return nil }
            self = .verdicts(VerdictRequest(destination: name, since: since))
        case "redeem":
            guard let name = selection.destination, let code = root["code"]?.string,
                let verifier = root["verifier"]?.string, let redirectURI = root["redirect_uri"]?.string
            else { return nil }
            self = .redeem(AuthorizationCode(code: code, verifier: verifier, redirectURI: redirectURI), for: name)
        case "accounts":
            guard let name = selection.destination else { return nil }
            self = .accounts(of: name)
        case "grants": self = .grants(of: selection.destination)
        case "pause", "resume":
            guard let name = selection.destination else { return nil }
            self = command == "pause" ? .pause(name) : .resume(name)
        default: return nil
        }
    }

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            switch self {
            case .status: writer.member("command", "status")
            case .pause(let name):
                writer.member("command", "pause")
                writer.member("destination", name)
            case .resume(let name):
                writer.member("command", "resume")
                writer.member("destination", name)
            case .deliveries(let query):
                writer.member("command", "deliveries")
                query.write(&writer)
            case .erase(let request):
                writer.member("command", "erase")
                writer.member("marks", array: request.marks.marks)
                writer.member("transactions", array: request.marks.transactionIDs)
                writer.member("dry_run", request.isDryRun)
            case .store(let command): command.write(&writer)
            case .test(let test):
                writer.member("command", "test")
                writer.member("destination", test.destination)
                if case .event(let event) = test.content {
                    writer.member("event", String(decoding: event, as: UTF8.self))
                }
            case .verdicts(let request):
                writer.member("command", "verdicts")
                writer.member("destination", request.destination)
                writer.member("since", request.since.milliseconds)
            case .redeem(let code, let name):
                writer.member("command", "redeem")
                writer.member("destination", name)
                writer.member("code", code.code)
                writer.member("verifier", code.verifier)
                writer.member("redirect_uri", code.redirectURI)
            case .accounts(let name):
                writer.member("command", "accounts")
                writer.member("destination", name)
            case .grants(let name):
                writer.member("command", "grants")
                if let name { writer.member("destination", name) }
            }
        }
        return writer.bytes
    }
}

extension StoreCommand {
    fileprivate func write(_ writer: inout JSONWriter) {
        switch self {
        case .queueStats: writer.member("command", "queue_stats")
        case .queueList(let selection): selection.write("queue_list", &writer)
        case .queueDiscard(let selection): selection.write("queue_discard", &writer)
        case .queueMove(let move):
            writer.member("command", "queue_move")
            writer.member("from", move.from)
            writer.member("to", move.to)
            writer.member("may_repeat", move.mayRepeat)
            writer.member("to_other_account", move.isToOtherAccount)
        case .deadLettersList(let selection): selection.write("dead_letters_list", &writer)
        case .deadLettersReplay(let selection): selection.write("dead_letters_replay", &writer)
        case .deadLettersDiscard(let selection): selection.write("dead_letters_discard", &writer)
        case .rejectsList(let selection): selection.write("rejects_list", &writer)
        case .deadLettersShow(let id):
            writer.member("command", "dead_letters_show")
            writer.member("id", id)
        }
    }
}

extension StoreSelection {
    fileprivate func write(_ command: String, _ writer: inout JSONWriter) {
        writer.member("command", command)
        if let destination { writer.member("destination", destination) }
        if let reason { writer.member("reason", reason) }
        if let since { writer.member("since", since.milliseconds) }
        if let id { writer.member("id", id) }
        if let limit { writer.member("limit", limit) }
        if isRemapped { writer.member("remap", true) }
    }
}
