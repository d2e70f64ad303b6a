import CMicroHTTPD
import Glibc

/// Hands the answer to libmicrohttpd, which sends it once the handler has returned.
/// - Parameter cutAfter: close the connection after so many bytes of the body.
/// - Returns: NO if the connection has to be closed instead (out of memory, status outside of 200...999, a header with
///   control characters or one that the server sets).
func queue(_ answer: ServerAnswer, _ connection: OpaquePointer, cutAfter: Int? = nil) -> MHD_Result {
    let response: OpaquePointer?
    if let cutAfter, cutAfter < answer.body.count {
        let body = Unmanaged.passRetained(CutBody(answer.body, end: max(cutAfter, 0)))
        response = MHD_create_response_from_callback(
            UInt64(answer.body.count), 64 << 10, readCutBody, body.toOpaque(), freeCutBody)
        if response == nil { body.release() }
    } else {
        response = answer.body.withUnsafeBytes {
            MHD_create_response_from_buffer(
                $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
        }
    }
    guard let response else { return .NO }
    defer { MHD_destroy_response(response) }
    for header in answer.headers {
        guard MHD_add_response_header(response, header.name, header.value) == .YES else { return .NO }
    }
    return MHD_queue_response(connection, UInt32(clamping: answer.status), response)
}

private final class CutBody: Sendable {
    let bytes: [UInt8]
    let end: Int

    init(_ bytes: [UInt8], end: Int) {
        self.bytes = bytes
        self.end = end
    }
}

private func readCutBody(
    body: UnsafeMutableRawPointer?, position: UInt64, buffer: UnsafeMutablePointer<CChar>?, size: Int
) -> Int {
    /// MHD_CONTENT_READER_END_WITH_ERROR: a macro with a cast, which is not imported.
    let endWithError = -2
    guard let body, let buffer else { return endWithError }
    let cut = Unmanaged<CutBody>.fromOpaque(body).takeUnretainedValue()
    let piece = cut.bytes[Int(position)..<cut.end].prefix(size)
    guard !piece.isEmpty else { return endWithError }
    piece.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: buffer, count: size).copyMemory(from: $0) }
    return piece.count
}

private func freeCutBody(body: UnsafeMutableRawPointer?) {
    guard let body else { return }
    Unmanaged<CutBody>.fromOpaque(body).release()
}
