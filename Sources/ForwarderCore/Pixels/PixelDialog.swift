/// Asks for a new pixel, question by question in the order of Monetize's page, with that page's defaults. A value: lines in,
/// what to say next out.
public struct PixelDialog: Sendable {
    public enum Step: Sendable, Equatable {
        /// Say this and read a line.
        case ask(String)
        case create(PixelDraft, for: PixelAdvertiser)
        /// Nothing is to be created. Why.
        case abandoned(String)
    }

    private enum Question: Int {
        case advertiser, name, attribution, category, postView, postClick, count, piggyback, confirmation
    }

    private var advertiser: PixelAdvertiser?
    private var draft = PixelDraft()
    private var question: Question

    /// - Parameter advertiser: nil if it has to be asked for.
    public init(advertiser: PixelAdvertiser?) {
        self.advertiser = advertiser
        question = advertiser == nil ? .advertiser : .name
    }

    public var first: Step { .ask(prompt) }

    /// - Parameter line: what was typed; nil when nothing more can be.
    public mutating func answered(_ line: String?) -> Step {
        guard let line else { return .abandoned("the input has ended") }
        let text = line.trimmed
        do throws(Refusal) {
            if question == .confirmation { return try confirmed(text) }
            try take(text)
            return .ask(prompt)
        } catch {
            return .ask("\(error.text)\n\(prompt)")
        }
    }

    private mutating func take(_ text: String) throws(Refusal) {
        switch question {
        case .advertiser:
            guard ConversionPixel.isID(text) else { throw Refusal("\(quoted(text)) is no id; write its digits") }
            advertiser = .id(text)
        case .name: try set(PixelOption.name, text, default: "")
        case .attribution: try set(PixelOption.attribution, text, default: "hybrid")
        case .category: try set(PixelOption.category, text, default: "none")
        case .postView: try set(PixelOption.postView, text, default: "1d")
        case .postClick: try set(PixelOption.postClick, text, default: "14d")
        case .count: try set(PixelOption.count, text, default: "one-per-user")
        case .piggyback:
            guard !text.isEmpty, text != "none" else { break }
            var more = draft
            more.add(try PixelOption.piggyback.read(text), to: .piggybacks)
            if let problem = PixelDraft.problem(of: more.piggybacks ?? []) { throw Refusal(problem) }
            draft = more
            // On an image rides one; of scripts there may be another, until nothing is typed.
            if more.piggybacks?.last?.kind == .script { return }
        case .confirmation: break
        }
        question = Question(rawValue: question.rawValue + 1) ?? .confirmation
    }

    private mutating func set(_ option: PixelOption, _ text: String, default fallback: String) throws(Refusal) {
        draft.add(try option.read(text.isEmpty ? fallback : text), to: option.field)
    }

    private func confirmed(_ text: String) throws(Refusal) -> Step {
        switch text.lowercased() {
        case "y", "yes":
            guard let advertiser else { return .abandoned("no advertiser is given") }
            return .create(draft.withDefaults, for: advertiser)
        case "", "n", "no": return .abandoned("it was not confirmed")
        default: throw Refusal("\(quoted(text)) is neither yes nor no")
        }
    }

    private var prompt: String {
        switch question {
        case .advertiser: "Advertiser (its id): "
        case .name: "Name: "
        case .attribution: "Attribution: hybrid (last click, else last view), view or click [hybrid]: "
        case .category: "Event category: \(PixelOption.category.allowed) [none]: "
        case .postView: "Post-view interval, \(PixelOption.postView.allowed) [1d]: "
        case .postClick: "Post-click interval, \(PixelOption.postClick.allowed) [14d]: "
        case .count: "Count conversions: \(PixelOption.count.allowed) [one-per-user]: "
        case .piggyback:
            draft.piggybacks == nil
                ? "Piggyback pixel: img=URL or js=URL [none]: " : "Another piggyback pixel: js=URL [no more]: "
        case .confirmation: "\(summary)\nCreate this pixel? yes or no [no]: "
        }
    }

    private var summary: String {
        var lines: [String] = []
        switch advertiser {
        case .id(let id): lines.append("  advertiser: \(id)")
        case .code(let code): lines.append("  advertiser: \(code.printable()) (its code)")
        case nil: break
        }
        return (lines + draft.lines.map { "  \($0)" }).joined(separator: "\n")
    }
}

extension PixelDraft {
    /// A line for each field that is given: `attribution: hybrid`.
    public var lines: [String] {
        PixelField.allCases.compactMap { field in
            values[field].map { "\(field.title): \(field.words($0).printable(limit: 300))" }
        }
    }
}

extension String {
    /// Without spaces at both ends.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
