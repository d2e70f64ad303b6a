import ForwarderCore
import Glibc
import HTTPServer
import Synchronization

/// Takes requests from the server's threads to the model and back. The model is behind one lock, held while a request
/// is admitted and while it is entered into the books; its content, which is nearly all of the work, is parsed and
/// judged between the two, without it.
final class RequestDesk: Sendable {
    private struct State {
        var model: MicrosoftModel
        var rng: SeededGenerator
    }

    /// Nil where every request is judged.
    let sink: Sink?
    private let state: Mutex<State>
    private let isStopping = Atomic(false)

    init(model: MicrosoftModel, seed: UInt64, mode: FakeMicrosoftServer.Mode) {
        state = Mutex(State(model: model, rng: SeededGenerator(seed: seed)))
        sink = if case .sink(let settings) = mode { Sink(settings) } else { nil }
    }

    func answer(_ request: ServerRequest) -> ServerReply {
        if request.path.hasPrefix("/_fake/") { return .answer(control(request)) }
        if let sink, let reply = sink.answer(request) {
            pause(sink.settings.delay)
            return .answer(reply)
        }
        var asked = FakeRequest(
            method: request.method, path: request.path, headers: request.headers, body: request.body)
        asked.query = request.query
        let reply = judge(asked)
        pause(reply.delay)
        switch reply.conduct {
        case .whole: return .answer(ServerAnswer(reply))
        case .dropped: return .dropConnection
        case .cut(let count): return .truncated(ServerAnswer(reply), afterBytes: count)
        }
    }

    func withModel<Result: Sendable>(_ body: (inout MicrosoftModel) -> Result) -> Result {
        state.withLock { body(&$0.model) }
    }

    func report() -> [UInt8] {
        sink?.report() ?? withModel { $0.report() }
    }

    /// Lets answers that wait go out, or fail, at once.
    func hurry() {
        isStopping.store(true, ordering: .relaxed)
    }

    private func judge(_ request: FakeRequest) -> FakeReply {
        let admission = state.withLock { state in
            state.model.admit(request, now: .wallClock, using: &state.rng)
        }
        switch admission {
        case .reply(let reply): return reply
        case .pending(let pending):
            let judged = pending.judge()
            return state.withLock { $0.model.settle(pending, judged) }
        }
    }

    /// Waits in slices, so that a server can be stopped while an answer is slow.
    private func pause(_ delay: Duration) {
        var left = delay.milliseconds
        while left > 0, !isStopping.load(ordering: .relaxed) {
            let slice = min(left, 50)
            usleep(UInt32(slice) * 1000)
            left -= slice
        }
    }
}

extension Timestamp {
    static var wallClock: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

extension ServerAnswer {
    init(_ reply: FakeReply) {
        self.init(
            status: reply.status, headers: reply.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
            body: reply.body)
    }
}
