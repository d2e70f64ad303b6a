// Compiled into one module with the core, so that nothing has to be public for it.

/// Takes any bytes as a record and checks what must hold whatever they are. Broken is what ends the process.
final class IntakeFuzzer {
    private let intakes = [
        IntakeFuzzer.intake(InputSettings()),
        IntakeFuzzer.intake(
            {
                var input = InputSettings()
                input.timeFormat = .iso8601
                input.fields = [
                    .init(field: .eventID, path: ["properties", "transaction_id"]),
                    .init(field: .category, path: ["properties", "items", "0", "id"]),
                    .init(field: .email, path: ["context", "traits", "email"]),
                    .init(field: .label, path: ["12"]),
                ]
                return input
            }()),
        IntakeFuzzer.intake(
            {
                var input = InputSettings()
                input.preset = .segment
                return input
            }()),
    ]
    /// Reads what is kept on disk, as a repair does.
    private let repair = IntakeFuzzer.intake(InputSettings())
    private let now = Moment(wall: Timestamp(seconds: 1_786_000_100), uptime: Uptime(milliseconds: 0))

    func check(_ record: Bytes) {
        let text = Array(record)
        precondition(JSONValue(parsing: text) == SlowJSON.parse(text), "the parser disagrees with the slow one")
        for intake in intakes { check(record, intake) }
    }

    private func check(_ record: Bytes, _ intake: Intake) {
        let before = intake.destinations.map(\.books)
        let contents = contents(of: record, intake)
        for (index, destination) in intake.destinations.enumerated() {
            checkBooks(destination.books, before[index])
            guard let content = contents[index] else { continue }
            var neutral = ByteBuffer()
            precondition(intake.neutralEvent(of: record, for: destination, to: &neutral), "what was read is read again")
            let kept = neutral.array()
            checkPrivacy(entries(content))
            checkPrivacy(entries(kept))
            let again = kept.withUnsafeBufferPointer { self.contents(of: $0, repair)[index] }
            precondition(again == content, "what is kept gives the same request")
        }
    }

    /// What each destination is sent; nil where nothing is.
    private func contents(of record: Bytes, _ intake: Intake) -> [[UInt8]?] {
        let origin = Intake.Origin(topic: 0, partition: 0, offset: 0, assignment: AssignmentID(1), sequence: 0)
        intake.accept(record, origin, now: now)
        _ = (intake.lastEventID, intake.lastEventName)
        return zip(intake.destinations, intake.dispositions).map { destination, disposition in
            let batches = destination.takeBatches(now: now.uptime, all: true)
            guard disposition == .owed else {
                precondition(batches.isEmpty, "nothing is sent of what is not owed")
                return nil
            }
            guard let batch = batches.first, let delivery = batch.deliveries.first, batches.count == 1, batch.count == 1
            else { preconditionFailure("what is owed is in a batch") }
            precondition(Array(batch.records[delivery.record]) == Array(record), "the record is kept whole")
            guard case .array(let entries)? = JSONValue(parsing: Array("[".utf8) + batch.contents + Array("]".utf8))
            else {
                preconditionFailure("what is sent is JSON")
            }
            precondition(entries.count == Int(delivery.itemCount), "entries are counted")
            return Array(batch.contents[delivery.content])
        }
    }

    private func checkBooks(_ books: IntakeBooks, _ before: IntakeBooks) {
        precondition(books.consumed == before.consumed + 1, "a record is counted once")
        precondition(books.consumed == books.owed + books.skippedTotal + books.rejected, "the books add up")
        precondition(
            books.rejected == before.rejected
                || books.rejectedByReason.reduce(0, +) > before.rejectedByReason.reduce(0, +), "a reject has a reason")
    }

    private func entries(_ contents: [UInt8]) -> [JSONValue] {
        guard case .array(let entries)? = JSONValue(parsing: Array("[".utf8) + contents + Array("]".utf8)) else {
            preconditionFailure("what is sent or kept is JSON")
        }
        return entries
    }

    private func checkPrivacy(_ values: [JSONValue]) {
        for value in values {
            switch value {
            case .null, .bool, .number: continue
            case .string(let text): checkPrivacy(Array(text.utf8))
            case .array(let values): checkPrivacy(values)
            case .object(let members): checkPrivacy(members.map(\.value))
            }
        }
    }

    /// Neither an e-mail address nor an international telephone number, percent-encoded or not.
    private func checkPrivacy(_ text: [UInt8]) {
        var current = text
        for _ in 0..<4 {
            precondition(!holdsEmail(current), "an e-mail address got through")
            precondition(!holdsPhone(current), "a telephone number got through")
            current = percentDecoded(current)
        }
    }

    /// Letter or digit, `@`, a host of letters and digits with a dot in it, a letter.
    private func holdsEmail(_ text: [UInt8]) -> Bool {
        text.indices.contains { at in
            guard text[at] == UInt8(ascii: "@"), at > 0, isLetter(text[at - 1]) || isDigit(text[at - 1]) else {
                return false
            }
            let host = text[(at + 1)...].prefix { isLetter($0) || isDigit($0) }
            guard !host.isEmpty, host.endIndex + 1 < text.count, text[host.endIndex] == UInt8(ascii: ".") else {
                return false
            }
            return isLetter(text[host.endIndex + 1])
        }
    }

    private func holdsPhone(_ text: [UInt8]) -> Bool {
        text.indices.contains { text[$0] == UInt8(ascii: "+") && text[($0 + 1)...].prefix(while: isDigit).count >= 7 }
    }

    private func percentDecoded(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count, let high = hexValue(text[index + 1]),
                let low = hexValue(text[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    private static func intake(_ input: InputSettings) -> Intake {
        var capi = CAPISettings(uetTagID: "1", token: .environment("TOKEN"))
        capi.pageValue = true
        var first = DestinationSettings(name: "capi", kind: .capi(capi))
        first.unmapped = .forward
        first.consent.denied = .send
        var goal = OfflineSettings.Goal(event: "Purchase", name: "Sale")
        goal.isExternallyAttributed = true
        var offline = OfflineSettings(
            goals: [goal, .init(event: "Lead", name: "Lead")], customerID: "1", accountID: "2",
            developerToken: .environment("TOKEN"),
            oauth: OAuthSettings(clientID: "id", refreshToken: .environment("TOKEN")))
        offline.enhancedConversions = true
        var second = DestinationSettings(name: "offline", kind: .offlineConversions(offline))
        second.maxEventAge = .seconds(90 * 86_400)
        let destinations = [first, second].enumerated().map { index, settings in
            IntakeDestination(DestinationID(Int32(index + 1)), settings, firstSeen: .distantPast)
        }
        let intake = Intake(input, destinations)
        _ = intake.index(ofTopic: "events")
        return intake
    }
}

// libFuzzer calls from one thread only.
nonisolated(unsafe) private let fuzzer = IntakeFuzzer()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzzer.check(Bytes(start: start, count: count))
    return 0
}
