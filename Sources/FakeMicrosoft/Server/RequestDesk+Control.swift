import ForwarderCore
import HTTPServer

/// `/_fake/…`: looking into the books and pulling the strings. Parameters are in the query.
extension RequestDesk {
    func control(_ request: ServerRequest) -> ServerAnswer {
        let query = Form(request.query.utf8)
        switch (request.method, request.path) {
        case ("GET", "/_fake/report"): return .json(200, report())
        case ("GET", "/_fake/events"): return timesAccepted(query)
        case ("GET", "/_fake/value"): return countedValue(query)
        case ("POST", "/_fake/plan"): return follow(query)
        case ("POST", "/_fake/token"): return changeToken(query)
        case ("POST", "/_fake/pixels"): return changePixels(query)
        default:
            return .problem(
                404,
                "there are GET /_fake/report, GET /_fake/events?tag=&id= "
                    + "or ?account=&name=&time=&click_id=&email=&phone=, "
                    + "GET /_fake/value?tag=&transaction=&goal= or ?account=&name=&time=&click_id=&email=&phone=, "
                    + "POST /_fake/plan?name=&seed=&seconds= POST /_fake/token?tag=&token= or ?expire=access, "
                    + "POST /_fake/pixels?expire=tokens or ?throttle= or ?id=&line_items=")
        }
    }

    private func timesAccepted(_ query: Form) -> ServerAnswer {
        let times: Int
        if let tag = query["tag"], let id = query["id"] {
            times = withModel { $0.timesAccepted(tag: tag, eventID: id) }
        } else if let account = query["account"], let name = query["name"], let time = query["time"] {
            let key = ConversionKey(name: name, time: time, query)
            times = withModel { $0.timesAccepted(account: account, key) }
        } else {
            return .problem(400, "give tag and id, or account, name and time")
        }
        var writer = JSONWriter()
        writer.object { $0.member("accepted", times) }
        return .json(200, writer.bytes)
    }

    private func countedValue(_ query: Form) -> ServerAnswer {
        let value: CountedValue?
        if let tag = query["tag"], let transaction = query["transaction"], let goal = query["goal"] {
            value = withModel { $0.countedValue(tag: tag, transactionID: transaction, goal: goal) }
        } else if let account = query["account"], let name = query["name"], let time = query["time"] {
            let key = ConversionKey(name: name, time: time, query)
            value = withModel { $0.countedValue(account: account, key) }
        } else {
            return .problem(400, "give tag, transaction and goal, or account, name and time")
        }
        var writer = JSONWriter()
        writer.object {
            switch value {
            case nil: $0.member("counted", "nothing")
            case .goalValue: $0.member("counted", "goal_value")
            case .retracted: $0.member("counted", "retracted")
            case .amount(let amount, let currency):
                $0.member("counted", amount)
                $0.member("currency", currency)
            }
        }
        return .json(200, writer.bytes)
    }

    private func follow(_ query: Form) -> ServerAnswer {
        guard let seed = UInt64(query["seed"] ?? "1"), let seconds = Int64(query["seconds"] ?? "30"), seconds > 0 else {
            return .problem(400, "seed and seconds are whole numbers, seconds above 0")
        }
        let name = query["name"] ?? ""
        let plan: FaultPlan
        if name == "poison", let id = query["id"] {
            plan = FaultPlan([.init(.poison(id: id), targets: .events, window: .zero..<Duration.seconds(seconds))])
        } else if let named = FaultPlan.named(name, seed: seed, length: .seconds(seconds)) {
            plan = named
        } else {
            let names = FaultPlan.names.joined(separator: ", ")
            return .problem(400, "no plan of that name; there are \(names), and poison with an id")
        }
        withModel { $0.follow(plan, from: .wallClock) }
        return .json(200, Array("{}".utf8))
    }

    private func changeToken(_ query: Form) -> ServerAnswer {
        if let tag = query["tag"], let token = query["token"] {
            withModel { $0.setToken(token, ofTag: tag) }
        } else if query["expire"] == "access" {
            withModel { $0.expireAccessTokens(now: .wallClock) }
        } else {
            return .problem(400, "give tag and token, or expire=access")
        }
        return .json(200, Array("{}".utf8))
    }
}

extension ConversionKey {
    fileprivate init(name: String, time: String, _ query: Form) {
        self.init(
            name: name, time: time, clickID: query["click_id"] ?? "", emailHash: query["email"] ?? "",
            phoneHash: query["phone"] ?? "")
    }
}

extension ServerAnswer {
    static func json(_ status: Int, _ body: [UInt8]) -> ServerAnswer {
        ServerAnswer(status: status, headers: [("Content-Type", "application/json")], body: body + Array("\n".utf8))
    }

    static func problem(_ status: Int, _ message: String) -> ServerAnswer {
        var writer = JSONWriter()
        writer.object { $0.member("problem", message) }
        return json(status, writer.bytes)
    }
}
