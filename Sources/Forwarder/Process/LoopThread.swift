import Synchronization

/// A thread that can be asked whether it has ended.
final class LoopThread: Sendable {
    private let finished = Atomic(false)

    init(name: String, _ body: @escaping @Sendable () -> Void) {
        Thread.start(name: name) {
            body()
            self.finished.store(true, ordering: .releasing)
        }
    }

    var isFinished: Bool { finished.load(ordering: .acquiring) }
}
