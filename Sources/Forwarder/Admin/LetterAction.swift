import ForwarderCore

/// What an operator does to dead letters.
enum LetterAction: String, CaseIterable, Sendable {
    case replay, discard

    var title: String {
        switch self {
        case .replay: "Replay"
        case .discard: "Discard"
        }
    }

    var meaning: String {
        switch self {
        case .replay:
            "Goes back into the queue with the content it had, and is sent again. What is past its time stays here."
        case .discard: "Is deleted, which cannot be undone."
        }
    }

    func command(_ selection: StoreSelection) -> StoreCommand {
        switch self {
        case .replay: .deadLettersReplay(selection)
        case .discard: .deadLettersDiscard(selection)
        }
    }

    /// What the answer says was done.
    func outcome(_ answer: JSONElement) -> [String] {
        func number(_ name: String) -> String { answer[name]?.integer.map { Numbers.text($0) } ?? "0" }
        switch self {
        case .discard: return ["\(number("discarded")) discarded."]
        case .replay:
            var lines = ["\(number("moved")) put back into the queue."]
            if answer["refused_expired"]?.integer ?? 0 > 0 {
                lines.append("\(number("refused_expired")) stay: their time has passed.")
            }
            if answer["already_queued"]?.integer ?? 0 > 0 {
                lines.append("\(number("already_queued")) were in the queue already.")
            }
            return lines
        }
    }
}
