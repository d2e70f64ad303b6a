/// Microsoft's click id (`msclkid`). Real ones are 32 hexadecimal digits; Microsoft's guide shows them with dashes. The
/// case is kept: redirects that change it are known to break attribution.
enum ClickID {
    /// The id without what cookies and the browser tag put around it (`_uet` in front, `-0` or `-1` behind), or nil if
    /// what is left is not a click id.
    static func normalized(_ text: Bytes) -> Bytes? {
        var id = text.trimmed()
        if id.hasPrefix("_uet") { id = Bytes(rebasing: id[4...]) }
        if id.count == 34 || id.count == 38, let last = id.last, last == UInt8(ascii: "0") || last == UInt8(ascii: "1"),
            id[id.count - 2] == UInt8(ascii: "-")
        {
            id = Bytes(rebasing: id[..<(id.count - 2)])
        }
        return UUIDText.isHex(id, count: 32) || UUIDText.isDashed(id) ? id : nil
    }
}
