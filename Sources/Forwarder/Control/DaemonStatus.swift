import ForwarderCore

/// What a running daemon says of itself, for programs that watch one.
public enum DaemonStatus {
    /// The answer of `status --json`; nil if no daemon answers for that state directory.
    public static func ask(stateDirectory: String) -> JSONElement? {
        guard case .line(let answer) = ControlSocket.ask(directory: stateDirectory, ControlRequest.status.json),
            let root = (try? JSONDocument(answer))?.root, root["error"] == nil
        else { return nil }
        return root
    }
}
