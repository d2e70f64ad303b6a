import ForwarderCore

/// A parsed text to look around in: the values' positions together with the bytes they point into.
struct JSONView {
    let text: Bytes
    let entries: UnsafeBufferPointer<JSONTape.Entry>

    @inline(__always)
    func kind(_ index: Int) -> JSONTape.Kind { entries[index].kind }

    @inline(__always)
    func bytes(_ index: Int) -> Bytes {
        let entry = entries[index]
        return Bytes(rebasing: text[Int(entry.start)..<Int(entry.end)])
    }

    @inline(__always)
    func range(_ index: Int) -> Range<UInt32> {
        entries[index].start..<entries[index].end
    }

    /// The entry behind the value and all that it contains.
    @inline(__always)
    func next(_ index: Int) -> Int { Int(entries[index].next) }

    /// Calls `body` with the index of each element of the array.
    @inline(__always)
    func forEachElement(of array: Int, _ body: (Int) -> Void) {
        var child = array + 1
        let end = next(array)
        while child < end {
            body(child)
            child = next(child)
        }
    }

    func count(of array: Int) -> Int {
        var count = 0
        forEachElement(of: array) { _ in count += 1 }
        return count
    }
}

/// Where the fields of one object stand: entry indices by the place of the field in its schema, 0 for absent ones.
struct FieldPlaces {
    private var indices = InlineArray<16, UInt32>(repeating: 0)

    @inline(__always)
    subscript(_ field: Int) -> Int {
        get { Int(indices[field]) }
        set { indices[field] = UInt32(truncatingIfNeeded: newValue) }
    }

    enum Oddity {
        case unknown, repeated
    }

    /// Looks for the schema's fields among the members of the object at `object`. Members that the schema does not know
    /// and repeated ones go to `odd`, with the index of their name.
    @inline(__always)
    static func find(
        _ schema: [StaticString], of object: Int, in view: JSONView, odd: (Int, Oddity) -> Void
    ) -> FieldPlaces {
        precondition(schema.count <= 16, "a schema has at most 16 fields")
        var places = FieldPlaces()
        var member = object + 1
        let end = view.next(object)
        // Writers keep an order: the next field is most likely the one behind the last.
        var guess = 0
        while member < end {
            let name = view.bytes(member)
            var found = -1
            for step in 0..<schema.count {
                var candidate = guess &+ step
                if candidate >= schema.count { candidate &-= schema.count }
                if name.matches(schema[candidate]) {
                    found = candidate
                    break
                }
            }
            if found < 0 {
                odd(member, .unknown)
            } else if places[found] != 0 {
                odd(member, .repeated)
            } else {
                places[found] = member + 1
                guess = found + 1 == schema.count ? 0 : found + 1
            }
            member = view.next(member + 1)
        }
        return places
    }
}
