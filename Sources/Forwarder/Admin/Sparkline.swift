/// A line of numbers over time as a small picture, with the same said in words.
enum Sparkline {
    private static let width = 240
    private static let height = 40

    /// - Parameters:
    ///   - values: oldest first, none below zero.
    ///   - label: what it shows, for those who do not see it.
    static func write(_ values: [Double], label: String, _ html: inout HTML) {
        html.element(
            "svg",
            [
                "class": "spark", "viewBox": "0 0 \(width) \(height)", "role": "img", "aria-label": label,
                "preserveAspectRatio": "none",
            ]
        ) { html in
            html.element("title", label)
            let top = values.max() ?? 0
            let step = Double(width) / Double(max(1, ThroughputHistory.capacity - 1))
            // The newest is at the right edge, also while there are few.
            let start = Double(width) - step * Double(max(0, values.count - 1))
            let points = values.enumerated().map { index, value in
                let x = start + step * Double(index)
                let y = Double(height - 2) - (top > 0 ? value / top : 0) * Double(height - 4)
                return "\(tenths(x)),\(tenths(y))"
            }
            html.void(
                "line", ["class": "base", "x1": "0", "x2": "\(width)", "y1": "\(height - 1)", "y2": "\(height - 1)"])
            if points.count > 1 {
                let area = ["\(tenths(start)),\(height)"] + points + ["\(width),\(height)"]
                html.element("polygon", ["class": "area", "points": area.joined(separator: " ")]) { _ in }
                html.element("polyline", ["class": "line", "points": points.joined(separator: " ")]) { _ in }
            }
        }
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
