import ForwarderCore
import ForwarderHarness
import Glibc
import Testing

@testable import Forwarder

struct ControlTests {
    @Test func `every request survives its way through the socket`() {
        let selection = StoreSelection(
            destination: "capi", reason: "refused", since: Timestamp(milliseconds: 17), id: 5, limit: 9)
        let requests: [ControlRequest] = [
            .status, .pause("a\"b"), .resume("c"), .store(.queueStats), .store(.queueList(selection)),
            .store(.queueDiscard(selection)), .store(.deadLettersList(selection)), .store(.deadLettersShow(7)),
            .store(.deadLettersReplay(StoreSelection())), .store(.deadLettersDiscard(selection)),
            .store(.rejectsList(selection)),
            .store(.queueMove(QueueMove(from: "a", to: "b", mayRepeat: true, isToOtherAccount: true))),
            .store(.deadLettersReplay(StoreSelection(isRemapped: true))),
            .redeem(AuthorizationCode(code: "c\"", verifier: "v", redirectURI: "http://localhost:1"), for: "d"),
            .accounts(of: "d"), .grants(of: nil), .grants(of: "d"),
            .erase(EraseRequest(marks: PersonMarks(marks: ["\"x\""], transactionIDs: ["t"]), isDryRun: true)),
        ]
        for request in requests { #expect(ControlRequest(json: request.json) == request) }
        for garbage in ["", "{}", "[]", "{\"command\":\"reboot\"}", "{\"command\":\"pause\"}", "\u{0}"] {
            #expect(ControlRequest(json: Array(garbage.utf8)) == nil)
        }
    }

    @Test func `one request that takes long holds up no other, and a silent client none`() throws {
        let place = try DaemonDirectory()
        defer { place.remove() }
        let directory = place.path
        let control = try ControlSocket(directory: directory)
        control.start { request in
            if request == Array("slow".utf8) { usleep(3_000_000) }
            return request + Array("!".utf8)
        }
        // Connects and says nothing.
        let silent = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(silent) }
        #expect(UnixSocket.withAddress(ControlSocket.path(in: directory)) { connect(silent, $0, $1) } == 0)
        let slow = Reply<String>()
        Thread.start(name: "slow") { slow.send(ControlTests.ask(directory, "slow")) }
        usleep(50_000)
        let took = ContinuousClock().measure { #expect(ControlTests.ask(directory, "quick") == "quick!") }
        #expect(took < .milliseconds(2500))
        #expect(slow.wait(timeout: .seconds(15)) == "slow!")
        control.stop()
        #expect(ControlTests.ask(directory, "late") == "not running")
    }

    @Test func `answered requests leave nothing behind, however many`() async {
        // A process of its own: nobody else's threads are counted.
        await #expect(processExitsWith: .success) {
            let place = try DaemonDirectory()
            defer { place.remove() }
            let directory = place.path
            let control = try ControlSocket(directory: directory)
            control.start { $0 }
            let before = ControlTests.virtualMemory
            for _ in 0..<300 { #expect(ControlTests.ask(directory, "x") == "x") }
            control.stop()
            // A thread that nobody joins nor detaches keeps its stack, usually 8 MiB of address space, for ever.
            #expect(ControlTests.virtualMemory - before < 1 << 30)
        }
    }

    @Test func `requests without an end, half of one, and more clients than are answered at a time`() throws {
        let place = try DaemonDirectory()
        defer { place.remove() }
        let directory = place.path
        let control = try ControlSocket(directory: directory)
        control.start { $0.count > 100 ? [] : $0 }
        defer { control.stop() }
        // The daemon reads so much and hangs up.
        #expect(ControlTests.ask(directory, String(repeating: "x", count: 4 << 20)) == "silent")
        var clients: [Int32] = []
        for index in 0..<20 {
            let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            _ = UnixSocket.withAddress(ControlSocket.path(in: directory)) { connect(client, $0, $1) }
            if index < 4 { clients.append(client) } else { close(client) }
        }
        // Four that say nothing more after half a word, and many that have gone.
        for client in clients { #expect(UnixSocket.writeAll(client, [1])) }
        let took = ContinuousClock().measure { #expect(ControlTests.ask(directory, "x") == "x") }
        #expect(took < .seconds(5))
        // Who ends its half of the connection has said all.
        shutdown(clients[0], Int32(SHUT_WR))
        #expect(UnixSocket.readLine(clients[0], limit: 10) == [1])
        for client in clients { close(client) }
    }

    /// Bytes of address space of this process.
    private static var virtualMemory: Int {
        let pages = (try? SmallFile.read("/proc/self/statm", limit: 1000)).flatMap { bytes in
            String(decoding: bytes, as: UTF8.self).split(separator: " ").first.flatMap { Int($0) }
        }
        return (pages ?? 0) * 4096
    }

    private static func ask(_ directory: String, _ text: String) -> String {
        switch ControlSocket.ask(directory: directory, Array(text.utf8)) {
        case .line(let line): String(decoding: line, as: UTF8.self)
        case .silent: "silent"
        case .notRunning: "not running"
        }
    }

    @Test func `a signal that comes at a bad time is not forgotten, and a stop comes before a reload`() {
        var early = ProcessSignals.Early()
        #expect(early.take() == nil)
        early.put(SIGHUP)
        early.put(SIGHUP)
        #expect(!early.isToldToStop && early.take() == SIGHUP && early.take() == nil)
        early.put(SIGHUP)
        early.put(SIGTERM)
        early.put(SIGHUP)
        #expect(early.isToldToStop && early.take() == SIGTERM && early.take() == nil && !early.isToldToStop)
    }

    @Test func `an answer is waited for, no longer than was said, and stays`() {
        let reply = Reply<Int>()
        let took = ContinuousClock().measure { #expect(reply.wait(timeout: .milliseconds(1050)) == nil) }
        #expect(took >= .milliseconds(1050) && took < .seconds(5))
        Thread.start(name: "answer") {
            usleep(20_000)
            reply.send(7)
        }
        #expect(reply.wait(timeout: .seconds(10)) == 7 && reply.wait(timeout: .zero) == 7)
    }

    @Test func `words, options and flags are told apart`() throws {
        let arguments = try Arguments(
            ["list", "--limit", "5", "--name=a=b", "-", "--json"], options: ["--limit", "--name"], flags: ["--json"])
        #expect(arguments.words == ["list", "-"])
        #expect(arguments.value("--limit") == "5" && arguments.value("--name") == "a=b" && arguments.has("--json"))
        #expect(try arguments.number("--limit", in: 1...9, default: 3) == 5)
        #expect(try arguments.number("--other", in: 1...9, default: 3) == 3)
        #expect(throws: Arguments.Wrong.self) { try arguments.number("--limit", in: 6...9, default: 7) }
    }

    @Test(arguments: [
        ("90s", 90), ("5m", 300), ("2h", 7200), ("7d", 604_800), ("0s", 0),
    ])
    func `a time that lies so far back`(_ text: String, seconds: Int64) {
        let now = Timestamp(seconds: 1_786_000_000)
        #expect(PastTime.parse(text, now: now) == now - .seconds(seconds))
    }

    @Test func `a time by the calendar, and what is none`() {
        let now = Timestamp(seconds: 1_786_000_000)
        #expect(PastTime.parse("2026-08-06T07:06:40Z", now: now) == now)
        for text in ["", "yesterday", "-2h", "2 h", "h", "9999999h", "2026-08-06"] {
            #expect(PastTime.parse(text, now: now) == nil, "\(text)")
        }
    }
}
