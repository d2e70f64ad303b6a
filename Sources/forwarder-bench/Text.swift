/// Columns of text.
extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }

    func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}

func fixed(_ number: Double, _ decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let whole = Int((number * scale).rounded())
    guard decimals > 0 else { return "\(whole)" }
    let fraction = "\(abs(whole) % Int(scale))"
    return "\(whole / Int(scale))." + String(repeating: "0", count: decimals - fraction.count) + fraction
}
