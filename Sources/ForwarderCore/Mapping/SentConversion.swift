/// What the ledger keeps of a conversion so that it can be adjusted later: for an offline one the entry as it was sent,
/// for one of CAPI what an adjustment needs of it, in the same words.
struct SentConversion {
    private let root: JSONElement
    let bytes: [UInt8]

    init?(_ bytes: [UInt8]) {
        guard let root = (try? JSONDocument(bytes))?.root, root.kind == .object else { return nil }
        self.root = root
        self.bytes = bytes
    }

    /// The entry of a CAPI request, cut to what its adjustment needs: no person's data is left in it.
    static func ofCAPI(_ entry: [UInt8]) -> [UInt8] {
        guard let root = (try? JSONDocument(entry))?.root, let data = root["customData"] else { return [] }
        return write(
            time: root["eventTime"]?.integer, value: data["value"]?.rawText, currency: data["currency"]?.string)
    }

    /// A conversion that only the shop knows: by its refund's words.
    static func told(by event: RefundEvent, _ settings: AdjustmentSettings) -> SentConversion? {
        guard let value = event.originalValue else { return nil }
        guard case .offline = settings.form else {
            return SentConversion(write(time: event.originalTime, value: value.text, currency: event.currency))
        }
        let hashes = settings.account.enhancedConversions ? (event.emailHash, event.phoneHash) : (nil, nil)
        guard let time = event.originalTime, event.clickID != nil || hashes.0 != nil || hashes.1 != nil else {
            return nil
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("ConversionName", settings.originalGoal)
            writer.member("ConversionTime", ISO8601.text(time))
            if let id = event.clickID { writer.member("MicrosoftClickId", id.filter { $0 != "-" }) }
            if let hash = hashes.0 { writer.member("HashedEmailAddress", hash) }
            if let hash = hashes.1 { writer.member("HashedPhoneNumber", hash) }
            writer.name("ConversionValue")
            writer.raw(Array(value.text.utf8))
            if let currency = event.currency { writer.member("ConversionCurrencyCode", currency) }
        }
        return SentConversion(writer.bytes)
    }

    private static func write(time: Int64?, value: String?, currency: String?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            if let time { writer.member("ConversionTime", ISO8601.text(time)) }
            if let value {
                writer.name("ConversionValue")
                writer.raw(Array(value.utf8))
            }
            if let currency { writer.member("ConversionCurrencyCode", currency) }
        }
        return writer.bytes
    }

    /// nil if it was sent without one, and counts what the goal says.
    var value: Amount? { root["ConversionValue"].flatMap { Amount($0.rawText) } }
    var currency: String? { root["ConversionCurrencyCode"]?.string }

    /// Seconds since 1970; nil if it is not known.
    var time: Int64? {
        guard var text = root["ConversionTime"]?.string else { return nil }
        return text.withUTF8 { ISO8601.seconds($0) }
    }

    /// What an offline adjustment must repeat, byte for byte.
    func writeIdentity(to writer: inout JSONWriter) {
        for name in ["ConversionName", "ConversionTime", "MicrosoftClickId", "HashedEmailAddress", "HashedPhoneNumber"]
        {
            guard let element = root[name] else { continue }
            writer.name(name)
            writer.raw(element.json)
        }
    }
}

extension ISO8601 {
    static func text(_ seconds: Int64) -> String {
        var output = ByteBuffer(capacity: 32)
        append(seconds, to: &output)
        return output.withBytes { String(decoding: $0, as: UTF8.self) }
    }
}
