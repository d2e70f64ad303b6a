import FakeMicrosoft
import Forwarder
import ForwarderHarness
import Glibc

/// The same topic emptied into the same sink by the daemon and by what a team would pick instead.
struct PeersBench {
    /// One of the others, as `peers.txt` describes it.
    struct Peer {
        var contestant: Contestant
        var work: String
        var lacks: String
    }

    var ground: Ground
    var peers: [Peer]
    /// The program that compares what two of them have sent.
    var comparer: String
    var records: Int
    var rounds: Int
    var say: (String) -> Void

    /// Reads the list: name, script, `capi`, `raw` or `objects`, what it does, what it does not do; with tabs between them.
    static func peers(_ path: String) throws(HarnessFailure) -> [Peer] {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        var peers: [Peer] = []
        for line in String(decoding: (try? SmallFile.read(path, limit: 1 << 16)) ?? [], as: UTF8.self).split(
            separator: "\n")
        where !line.hasPrefix("#") {
            let columns = line.split(separator: "\t").map(String.init)
            guard columns.count == 5, let work = Contestant.Work(rawValue: columns[2]) else {
                throw HarnessFailure("\(path): five columns are needed, the third capi, raw or objects, not '\(line)'")
            }
            let contestant = Contestant(
                name: columns[0], program: .command(directory + columns[1]), work: work)
            peers.append(Peer(contestant: contestant, work: columns[3], lacks: columns[4]))
        }
        guard !peers.isEmpty else { throw HarnessFailure("\(path) names no peers") }
        return peers
    }

    /// Returns whether every run has a result.
    func run() throws(HarnessFailure) -> Bool {
        let peers = try checkedPeers()
        say("publishing \(records) records")
        let expectation = try ground.publish(records, to: "bench")
        let contestants = [PeersBench.own] + peers.map(\.contestant)
        let isGood = Rounds(count: rounds, say: say).run(
            contestants.map { $0.entry(ground, topic: "bench", expectation) })
        say("")
        say("this daemon: everything, durable retry queue, order ledger, books, log, delivery log, at least once")
        for peer in peers { say("\(peer.contestant.name): \(peer.work). Without: \(peer.lacks)") }
        return isGood
    }

    private static let own = Contestant(name: "this daemon", program: .forwarder())

    /// Everybody has to deliver a few thousand records; who claims the full work has to send what the daemon sends, entry by
    /// entry. Who cannot is left out, and said.
    private func checkedPeers() throws(HarnessFailure) -> [Peer] {
        let expectation = try ground.publish(5000, to: "check")
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        let own = "\(directory.path)/own"
        try keep(PeersBench.own, expectation, in: own)
        var checked: [Peer] = []
        for (index, peer) in peers.enumerated() {
            let name = peer.contestant.name
            do throws(HarnessFailure) {
                let theirs = "\(directory.path)/peer\(index)"
                try keep(peer.contestant, expectation, in: theirs)
                if peer.contestant.work == .mapped {
                    let run = try CommandRun(comparer, [own, theirs])
                    let result = run.output.split(separator: "\n").joined(separator: "; ")
                    guard run.code == 0 else { throw HarnessFailure("\(name) sends something else: \(result)") }
                    say("\(name) sends what the daemon sends: \(result)")
                }
                checked.append(peer)
            } catch {
                say("LEFT OUT: \(error)")
            }
        }
        return checked
    }

    /// Writes every body that the sink is sent into a file, one a line.
    private func keep(
        _ contestant: Contestant, _ expectation: Expectation, in path: String
    ) throws(HarnessFailure) {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw HarnessFailure("\(path) cannot be written") }
        defer { close(file) }
        _ = try contestant.run(ground, topic: "check", expectation) { body in
            // One call, so that no other connection's body comes between.
            let line = body + [UInt8(ascii: "\n")]
            _ = write(file, line, line.count)
        }
    }
}
