import Testing

@testable import ForwarderCore

@Suite struct BasicsTests {
    @Test func `a buffer holds what was appended, however it grew`() {
        for seed in UInt64(0)..<50 {
            var random = SeededRandom(seed: seed)
            var buffer = ByteBuffer()
            var expected: [UInt8] = []
            for _ in 0..<200 {
                switch Int.random(in: 0..<7, using: &random) {
                case 0:
                    buffer.append(7)
                    expected.append(7)
                case 1:
                    buffer.append("literal")
                    expected += "literal".utf8
                case 2:
                    let bytes = (0..<Int.random(in: 0..<300, using: &random)).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    }
                    buffer.append(bytes)
                    buffer.append(bytes[(bytes.count / 2)...])
                    expected += bytes + bytes[(bytes.count / 2)...]
                case 3:
                    let text = JSONValue.randomText(using: &random)
                    buffer.append(text: text)
                    expected += text.utf8
                case 4:
                    buffer.reserve(Int.random(in: 0..<1000, using: &random))
                case 5:
                    let cut = Int.random(in: 0...buffer.count, using: &random)
                    buffer.truncate(to: cut)
                    expected.removeLast(expected.count - cut)
                default:
                    let number = Int64(bitPattern: random.next())
                    buffer.append(decimal: number)
                    expected += "\(number)".utf8
                }
            }
            #expect(buffer.array() == expected, "seed \(seed)")
            #expect(buffer.count == expected.count && buffer.isEmpty == expected.isEmpty)
            #expect(buffer.array(expected.count / 3..<expected.count) == Array(expected[(expected.count / 3)...]))
            buffer.removeAll()
            #expect(buffer.isEmpty && buffer.array().isEmpty)
        }
    }

    @Test func `digits are counted eight bytes at a time as one by one`() {
        var random = SeededRandom(seed: 7)
        for length in 0..<200 {
            // Mostly digits and their neighbours, with and without the high bit.
            let bytes = (0..<length).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 0x2E...0x3B, using: &random) | (Bool.random(using: &random) ? 0x80 : 0)
                    : UInt8.random(in: 0...255, using: &random)
            }
            let expected = bytes.count { isDigit($0) }
            #expect(bytes.withUnsafeBufferPointer { $0.digitCount } == expected, "\(bytes)")
        }
    }

    @Test func `what an arena lent stays where it is until the arena is reset`() {
        var arena = Arena(capacity: 64)
        for _ in 0..<3 {
            var lent: [(Bytes, [UInt8])] = []
            for size in [0, 1, 63, 64, 65, 1000, 3, 20_000, 7] {
                let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: lent.count), count: size)
                lent.append((arena.copy(bytes), bytes))
            }
            #expect(lent.allSatisfy { Array($0.0) == $0.1 })
            arena.reset()
        }
    }

    @Test func `a table finds the names it was given, each in its scope, and no other`() {
        let names = ["", "a", "aa", "event", "event_id", "eventId", "é", "user", String(repeating: "x", count: 300)]
        let entries = names.enumerated().flatMap { index, name in
            [
                NameTable<Int>.Entry(scope: 0, name: name, value: index),
                NameTable<Int>.Entry(scope: 5, name: name, value: 100 + index),
                NameTable<Int>.Entry(scope: 0, name: name, value: -1),
            ]
        }
        let table = NameTable(entries)
        func find(_ name: String, _ scope: Int) -> Int? { withBytes(name) { bytes, _ in table.find(bytes, in: scope) } }
        for (index, name) in names.enumerated() {
            #expect(find(name, 0) == index)
            #expect(find(name, 5) == 100 + index)
            #expect(find(name, 1) == nil)
        }
        for name in ["b", "event_ie", "Event", "eventid", "aaa", " "] { #expect(find(name, 0) == nil) }
        let none = NameTable<Int>([])
        #expect(withBytes("a") { bytes, _ in none.find(bytes) } == nil)
    }

    @Test func `a test on eight bytes finds the first byte that passes`() {
        for seed in UInt64(0)..<5000 {
            var random = SeededRandom(seed: seed)
            let interesting: [UInt8] = [
                0x00, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x40, 0x5C, 0x5D, 0x7F, 0x80, 0xA2, 0xDC, 0xFF, 0x61,
            ]
            let bytes = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                interesting.randomElement(using: &random) ?? 0
            }
            bytes.withUnsafeBufferPointer { text in
                #expect(text.hasByte { $0.equal(to: "@") } == bytes.contains(0x40), "seed \(seed)")
                #expect(text.hasByte { $0.below(0x21) } == bytes.contains { $0 < 0x21 }, "seed \(seed)")
                #expect(text.isASCII == bytes.allSatisfy { $0 < 0x80 }, "seed \(seed)")
                guard bytes.count >= 8, let base = text.baseAddress else { return }
                let special = ByteWord(base, at: 0).specials
                let first = bytes.prefix(8).firstIndex { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }
                #expect((special == 0 ? nil : special.trailingZeroBitCount / 8) == first, "seed \(seed)")
            }
        }
    }

    @Test func `UTF-8 is judged as the standard library does`() {
        for seed in UInt64(0)..<20_000 {
            var random = SeededRandom(seed: seed)
            var bytes = Array(JSONValue.randomText(using: &random).utf8)
            let leads: [UInt8] = [
                0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5,
            ]
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                bytes.insert(
                    leads.randomElement(using: &random) ?? 0, at: Int.random(in: 0...bytes.count, using: &random))
            }
            let isValid = bytes.withUnsafeBufferPointer { isValidUTF8($0) }
            #expect(isValid == (String(validating: bytes, as: UTF8.self) != nil), "seed \(seed)")
        }
    }

    @Test func `a hash is that of the standard`() {
        #expect(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(withBytes("abc") { bytes, _ in SHA256().prefix64(bytes) } == Int64(bitPattern: 0xba78_16bf_8f01_cfea))
        // One hasher, many hashes.
        let hasher = SHA256()
        for length in 0..<200 {
            let text = String(repeating: "a", count: length)
            let again = withBytes(text) { bytes, arena in
                String(decoding: hasher.hexDigest(bytes, in: &arena), as: UTF8.self)
            }
            #expect(again == sha256(text))
        }
    }

    @Test func `times are clamped where they would not fit, and seconds are rounded down`() {
        #expect(Timestamp(seconds: .max) == .distantFuture)
        #expect(Timestamp(seconds: .min) == .distantPast)
        #expect(Timestamp(milliseconds: -1).seconds == -1)
        #expect(Timestamp(milliseconds: -1000).seconds == -1)
        #expect(Timestamp(milliseconds: 1999).seconds == 1)
        #expect(Timestamp.distantFuture + .seconds(1) == .distantFuture)
        #expect(Timestamp.distantPast - .seconds(1) == .distantPast)
        #expect(Timestamp.distantFuture - Timestamp.distantPast == .milliseconds(Int64.max))
        #expect(Uptime(milliseconds: 5) + .milliseconds(7) == Uptime(milliseconds: 12))
        #expect(Uptime.distantFuture - Uptime.distantPast == .milliseconds(Int64.max))
        #expect(Duration.seconds(Int64.max).milliseconds == .max)
        #expect(Duration.microseconds(-1500).milliseconds == -1)
        let moment = Moment(wall: Timestamp(seconds: 1), uptime: Uptime(milliseconds: 2)) + .seconds(1)
        #expect(moment == Moment(wall: Timestamp(seconds: 2), uptime: Uptime(milliseconds: 1002)))
    }

    @Test func `a queue is first in, first out`() {
        var queue = Queue<Int>()
        var model: [Int] = []
        var random = SeededRandom(seed: 1)
        for number in 0..<5000 {
            if Int.random(in: 0..<5, using: &random) < 3 {
                queue.append(number)
                model.append(number)
            } else {
                #expect(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
            }
            #expect(queue.count == model.count && queue.first == model.first)
            if number % 1000 == 999 {
                #expect(queue.elements == model)
                #expect(queue.removeAll() == model)
                model = []
            }
        }
    }

    @Test func `a seed is a whole future`() {
        var (first, second) = (SeededRandom(seed: 7), SeededRandom(seed: 7))
        #expect((0..<100).allSatisfy { _ in first.next() == second.next() })
        var other = SeededRandom(seed: 8)
        #expect(other.next() != SeededRandom(seed: 7).copyNext())
    }
}

extension SeededRandom {
    fileprivate func copyNext() -> UInt64 {
        var copy = self
        return copy.next()
    }
}
