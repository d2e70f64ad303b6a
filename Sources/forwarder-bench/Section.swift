/// One thing that is measured.
struct Section {
    let name: String
    let summary: String
    /// What one round is.
    var unit = "event"
    /// How many rounds valgrind counts.
    var rounds = 1000
    /// Each run begins anew, with `rounds` of them.
    var isFresh = false
    /// Makes everything ready; what it returns does so many rounds.
    let prepare: () -> (_ rounds: Int) -> Void

    static var all: [Section] { intake + settlement + storage }

    static func named(_ name: String) -> Section? {
        all.first { $0.name == name }
    }
}
