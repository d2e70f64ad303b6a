import CYAML
import ForwarderCore

/// One step of libyaml through a file.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case scalar(String, isPlain: Bool)
        case listStart, listEnd, mapStart, mapEnd
    }

    var kind: Kind
    /// Counted from 1.
    var line: Int
    var column: Int
}

/// Libyaml's parser. It reads from `text`, which must outlive it.
struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeBufferPointer<UInt8>

    init(_ text: UnsafeBufferPointer<UInt8>) throws(ConfigFileError) {
        self.text = text
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw .invalid(line: 1, column: 1, "no memory to read the file")
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    mutating func next() throws(ConfigFileError) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw problem }
        defer { yaml_event_delete(&event) }
        let line = event.start_mark.line + 1
        let column = event.start_mark.column + 1
        guard let kind = YAMLEvents.kind(of: event) else {
            let text =
                "anchors, aliases and tags (&, *, !) are not read here; write the value out, in quotes if need be"
            throw .invalid(line: line, column: column, text)
        }
        return YAMLEvent(kind: kind, line: line, column: column)
    }

    /// Nil for what is not read here.
    private static func kind(of event: yaml_event_t) -> YAMLEvent.Kind? {
        switch event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            guard scalar.anchor == nil, scalar.tag == nil else { return nil }
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return .scalar(String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
        case YAML_SEQUENCE_START_EVENT:
            let list = event.data.sequence_start
            return list.anchor == nil && list.tag == nil ? .listStart : nil
        case YAML_SEQUENCE_END_EVENT: return .listEnd
        case YAML_MAPPING_START_EVENT:
            let map = event.data.mapping_start
            return map.anchor == nil && map.tag == nil ? .mapStart : nil
        case YAML_MAPPING_END_EVENT: return .mapEnd
        default: return nil
        }
    }

    /// What libyaml complains of. Its texts are constants; they repeat nothing of the file.
    private var problem: ConfigFileError {
        let state = parser.pointee
        let what = state.problem.map { String(cString: $0) } ?? "no memory to read the file"
        if state.error == YAML_READER_ERROR {
            let before = text.prefix(state.problem_offset)
            let column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            return .invalid(line: line, column: column, "this is not text in UTF-8: \(what)")
        }
        let mark = state.problem_mark
        let context = state.context.map { " \(String(cString: $0)) from line \(state.context_mark.line + 1) on" } ?? ""
        return .invalid(line: mark.line + 1, column: mark.column + 1, "this is not YAML: \(what)\(context)")
    }
}
