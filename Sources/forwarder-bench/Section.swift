/// One thing that is measured.
struct Section {
    let name: String
    let summary: String
    /// What one round is.
    var unit = "event"
    /// Makes everything ready; what it returns does so many rounds.
    let prepare: () -> (_ rounds: Int) -> Void

    static var all: [Section] { intake + settlement + storage }

    static func named(_ name: String) -> Section? {
        all.first { $0.name == name }
    }
}
