import Glibc

enum Console {
    static func complain(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    static func end(_ code: Int32) -> Never {
        exit(code)
    }
}
