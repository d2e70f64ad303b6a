extension JSONElement {
    /// An id of Microsoft's: up to 64 bits. Some services write it as a number, some as a text, some as either.
    var microsoftID: String? {
        let text = string ?? integer.map { "\($0)" } ?? ""
        return 1...19 ~= text.utf8.count && text.utf8.allSatisfy(isDigit) ? text : nil
    }
}
