/// A borrowed run of bytes. Valid only as long as whoever lent it says so; never stored beyond that.
public typealias Bytes = UnsafeBufferPointer<UInt8>

/// A growing run of bytes that owns its memory and is emptied without giving it back, so that a body of a thousand
/// events is written without an allocation. Not copyable: there is always one owner.
public struct ByteBuffer: ~Copyable, @unchecked Sendable {
    // @unchecked: the memory behind `base` belongs to this value alone (the type cannot be copied and never hands the
    // pointer out beyond a call), so moving the value to another thread moves the memory with it.
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    public private(set) var count: Int

    public init(capacity: Int = 0) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
        count = 0
    }

    deinit {
        base.deallocate()
    }

    public var isEmpty: Bool { count == 0 }

    /// Forgets the bytes, keeps the memory.
    public mutating func removeAll() {
        count = 0
    }

    /// Takes back what was written after the buffer had `count` bytes.
    public mutating func truncate(to count: Int) {
        precondition(count <= self.count, "a buffer can only be cut, not stretched")
        self.count = count
    }

    @inline(__always)
    public mutating func append(_ byte: UInt8) {
        if count == capacity { grow(by: 1) }
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    public mutating func append(_ bytes: Bytes) {
        append(bytes.baseAddress, bytes.count)
    }

    @inline(__always)
    public mutating func append(_ literal: StaticString) {
        append(literal.utf8Start, literal.utf8CodeUnitCount)
    }

    public mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { append($0) }
    }

    public mutating func append(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBufferPointer { append($0) }
    }

    /// Not named like the others: a literal would become a `String` first.
    public mutating func append(text: some StringProtocol) {
        let written: Void? = text.utf8.withContiguousStorageIfAvailable { append($0) }
        if written == nil { for byte in text.utf8 { append(byte) } }
    }

    /// The number in decimal digits.
    public mutating func append(decimal number: some BinaryInteger) {
        var magnitude = UInt64(number.magnitude)
        if number < 0 { append(UInt8(ascii: "-")) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
                magnitude /= 10
            } while magnitude != 0
            append(Bytes(rebasing: digits[start..<20]))
        }
    }

    /// The bytes as lowercase hexadecimal digits.
    public mutating func append(hex bytes: Bytes) {
        reserve(bytes.count * 2)
        for byte in bytes {
            append(ByteBuffer.hexDigit(byte >> 4))
            append(ByteBuffer.hexDigit(byte & 15))
        }
    }

    /// Lends the bytes written so far for the time of the call.
    @inline(__always)
    public borrowing func withBytes<Result, Failure: Error>(
        _ body: (Bytes) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(Bytes(start: base, count: count))
    }

    /// A copy of the bytes written so far.
    public borrowing func array() -> [UInt8] {
        Array(Bytes(start: base, count: count))
    }

    /// A copy of the bytes in `range`.
    public borrowing func array(_ range: Range<Int>) -> [UInt8] {
        precondition(range.upperBound <= count, "a range outside of what was written")
        return Array(Bytes(start: base + range.lowerBound, count: range.count))
    }

    /// Makes room for `extra` more bytes.
    @inline(__always)
    public mutating func reserve(_ extra: Int) {
        if capacity &- count < extra { grow(by: extra) }
    }

    @inline(__always)
    static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") &+ nibble : UInt8(ascii: "a") &+ (nibble &- 10)
    }

    @inline(__always)
    private mutating func append(_ start: UnsafePointer<UInt8>?, _ length: Int) {
        guard let start else { return }
        if capacity &- count < length { grow(by: length) }
        (base + count).update(from: start, count: length)
        count &+= length
    }

    @inline(never)
    private mutating func grow(by extra: Int) {
        let larger = max(capacity * 2, count + extra)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: base, count: count)
        base.deallocate()
        base = moved
        capacity = larger
    }
}
