import ForwarderCore
import ScenarioKit

/// The shape of a JSON text: its members by name in alphabetical order, `s` and `n` for text and numbers.
enum Shape {
    static func of(_ text: String) throws -> String {
        do {
            return shape(try JSONDocument(text).root)
        } catch {
            throw Disappointment("not JSON: \(text)")
        }
    }

    private static func shape(_ element: JSONElement) -> String {
        switch element.kind {
        case .string: "s"
        case .number: "n"
        case .array: "[\((element.elements ?? []).map(shape).joined(separator: ","))]"
        case .object:
            "{"
                + (element.members ?? []).sorted { $0.name < $1.name }
                .map { "\($0.name):\(shape($0.value))" }.joined(separator: ",") + "}"
        default: element.rawText
        }
    }
}
