/// What is to happen, in the order of time; what happens at the same time, in the order in which it was noted.
struct Agenda<Item> {
    private struct Entry {
        var at: Int64
        var order: Int
        var item: Item
    }

    /// The next one last.
    private var entries: [Entry] = []
    private var nextOrder = 0

    var nextTime: Int64? { entries.last?.at }

    mutating func add(_ item: Item, at time: Int64) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            // Later than, or noted after, everything at the same time.
            if entries[middle].at > time { low = middle + 1 } else { high = middle }
        }
        entries.insert(Entry(at: time, order: nextOrder, item: item), at: low)
        nextOrder += 1
    }

    mutating func next() -> Item? { entries.popLast()?.item }

    mutating func removeAll(where isGone: (Item) -> Bool) {
        entries.removeAll { isGone($0.item) }
    }
}
