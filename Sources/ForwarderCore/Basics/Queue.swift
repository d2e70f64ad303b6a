/// First in, first out, in constant time at both ends. (The standard library has none.)
public struct Queue<Element> {
    private var storage: [Element?] = []
    private var head = 0

    public init() {}

    public var count: Int { storage.count - head }
    public var isEmpty: Bool { count == 0 }
    public var first: Element? { isEmpty ? nil : storage[head] }

    public mutating func append(_ element: Element) {
        storage.append(element)
    }

    /// Puts an element before all others.
    public mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            storage[head] = element
        } else {
            storage.insert(element, at: 0)
        }
    }

    public mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = storage[head]
        storage[head] = nil
        head += 1
        // Moving what is left costs no more than what was taken out before.
        if head > 32, head * 2 > storage.count {
            storage.removeFirst(head)
            head = 0
        }
        return element
    }

    /// All elements in order; the queue is empty afterwards.
    public mutating func removeAll() -> [Element] {
        let elements = self.elements
        storage.removeAll(keepingCapacity: true)
        head = 0
        return elements
    }

    public var elements: [Element] { storage[head...].compactMap { $0 } }
}

extension Queue: Sendable where Element: Sendable {}
