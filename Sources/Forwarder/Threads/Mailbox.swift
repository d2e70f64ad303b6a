import Synchronization

/// What one thread is told by others, in order. Threads share nothing else.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let wake: @Sendable () -> Void

    /// `wake` gets the owner out of whatever it waits in.
    public init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    public func put(_ message: Message) {
        let wasEmpty = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if wasEmpty { wake() }
    }

    /// All that has come in since the last call.
    public func takeAll() -> [Message] {
        messages.withLock { messages in
            let taken = messages
            messages = []
            return taken
        }
    }
}
