/// What is to be written to a pixel: the fields that somebody has given, and nothing else.
public struct PixelDraft: Sendable, Equatable {
    public private(set) var values: [PixelField: PixelValue] = [:]

    init() {}

    /// - Parameters:
    ///   - given: options by their name, each with what was said.
    ///   - isNew: there is no pixel yet, so that it needs a name, and gets the page's defaults.
    /// - Throws: everything that is wrong with them, one line each.
    public init(_ given: [(name: String, values: [String])], isNew: Bool) throws(PixelProblems) {
        var problems: [String] = []
        if isNew, !given.contains(where: { $0.name == PixelOption.name.name }) {
            problems.append("--name is missing; every pixel has one")
        }
        var saidBy: [PixelField: String] = [:]
        for (name, texts) in given {
            guard let option = PixelOption.all.first(where: { $0.name == name }), !texts.isEmpty else { continue }
            if let other = saidBy.updateValue(name, forKey: option.field) {
                problems.append("\(other) and \(name) are two words for one thing; give one of them")
                continue
            }
            for text in texts {
                do throws(Refusal) {
                    add(try option.read(text), to: option.field)
                } catch {
                    problems.append("\(name): \(error.text)")
                }
            }
            if texts.count > 1, texts.contains("none") {
                problems.append("\(name): none goes with no other")
            }
        }
        if let problem = PixelDraft.problem(of: piggybacks ?? []) { problems.append(problem) }
        guard problems.isEmpty else { throw PixelProblems(problems) }
        if isNew { self = withDefaults }
    }

    /// Sets a field; of piggyback pixels there may be several.
    mutating func add(_ value: PixelValue, to field: PixelField) {
        if case .piggybacks(let more) = value, let known = piggybacks {
            values[field] = .piggybacks(known + more)
        } else {
            values[field] = value
        }
    }

    /// nil if they are not to be touched.
    public var piggybacks: [PiggybackPixel]? {
        guard case .piggybacks(let pixels) = values[.piggybacks] else { return nil }
        return pixels
    }

    /// What Monetize's page has filled in before anybody types: attribution hybrid, 14 days after a click and 1 day after a
    /// view. No category and one conversion per user are what the service assumes by itself.
    static let pageDefaults: [PixelField: PixelValue] = [
        .trigger: .text("hybrid"), .postClickMinutes: .integer(14 * 1440), .postViewMinutes: .integer(1440),
    ]

    /// With the page's defaults for what was not said. Null is left out where it is what the service assumes.
    var withDefaults: PixelDraft {
        var draft = self
        draft.values = PixelDraft.pageDefaults.merging(values) { $1 }.filter { field, value in
            value != .null || PixelDraft.pageDefaults[field] != nil
        }
        return draft
    }

    /// `{"pixel":{…}}`
    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("pixel")
            write(to: &writer)
        }
        return writer.bytes
    }

    public func write(to json: inout JSONWriter) {
        json.object { json in
            for field in PixelField.allCases {
                guard let value = values[field] else { continue }
                json.name(field.rawValue)
                value.write(to: &json)
            }
        }
    }

    /// What keeps piggyback pixels from standing together. The kind of the pixel itself is none of its fields, it is chosen
    /// where it is exported; but pixels of one kind only ride on one of theirs, and on an image rides one.
    public static func problem(of piggybacks: [PiggybackPixel]) -> String? {
        if Set(piggybacks.map(\.kind)).count > 1 {
            return "--piggyback: image and script pixels do not go together; each rides on a pixel of its own kind"
        }
        if piggybacks.count > 1, piggybacks[0].kind == .image {
            return
                "--piggyback: an image pixel takes one piggyback pixel; for \(piggybacks.count) use script pixels (js=URL)"
        }
        return nil
    }
}

/// What is wrong with what somebody has given.
public struct PixelProblems: Error, Equatable {
    /// Each says what is wrong, where, and what is right.
    public var lines: [String]

    public init(_ lines: [String]) {
        self.lines = lines
    }

    public init(_ line: String) {
        self.init([line])
    }
}
