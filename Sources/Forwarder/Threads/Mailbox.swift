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

/// An answer that a thread waits for.
public final class Reply<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let doorbell = Doorbell()

    public init() {}

    public func send(_ value: Value) {
        self.value.withLock { $0 = value }
        doorbell.ring()
    }

    /// The answer, or nil if there is none within `timeout`.
    public func wait(timeout: Duration) -> Value? {
        doorbell.wait(timeout: timeout)
        return value.withLock { $0 }
    }
}
