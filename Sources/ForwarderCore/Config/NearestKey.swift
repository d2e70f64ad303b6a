/// The candidate that `word` was most likely meant to be; nil if none is near.
func nearest(to word: String, among candidates: [String]) -> String? {
    let word = Array(word.utf8)
    // Nobody mistypes a key of this length, and the work grows with its square.
    guard word.count <= 64 else { return nil }
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
        let distance = editDistance(word, Array(candidate.utf8))
        // Up to a third of the longer word, or every short word would resemble every other.
        guard distance * 3 <= max(word.count, candidate.utf8.count) else { continue }
        if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.candidate
}

/// Whether `word` may be a slip of the pen for `other`.
func isAlmost(_ word: String, _ other: String) -> Bool {
    abs(word.utf8.count - other.utf8.count) <= 2 && editDistance(Array(word.utf8), Array(other.utf8)) <= 2
}

/// The fewest insertions, deletions, replacements and swaps of neighbours that make one word of the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for i in left.indices {
        var row = [i + 1]
        row.reserveCapacity(right.count + 1)
        for j in right.indices {
            var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                cost = min(cost, beforeLast[j - 1] + 1)
            }
            row.append(cost)
        }
        (beforeLast, last) = (last, row)
    }
    return last[right.count]
}
