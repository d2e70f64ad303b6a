import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// The command line as a person or a script meets it.
struct CommandTests {
    private static func run(_ words: String..., input: String = "") throws -> CommandRun {
        try CommandRun(daemonBinary, words, input: Array(input.utf8))
    }

    /// A directory with a good configuration.
    private static func directory(_ change: (inout DaemonSettings) -> Void = { _ in }) throws -> DaemonDirectory {
        let directory = try DaemonDirectory()
        var settings = DaemonSettings(
            brokers: "127.0.0.1:1", topic: "events", endpoint: "http://127.0.0.1:1",
            authority: "http://127.0.0.1:1/common")
        change(&settings)
        try settings.write(to: directory)
        return directory
    }

    @Test(.timeLimit(.minutes(15)))
    func `every command explains itself`() async throws {
        try await onThread {
            let overview = try CommandTests.run("--help")
            try requireEqual(overview.code, 0, "exit code")
            for command in Command.all.map(\.name) + ["demo"] {
                try require(overview.output.contains("\n  \(command) "), "\(command) is not listed")
                for flag in ["--help", "-h"] {
                    let help = try CommandTests.run(command, flag)
                    try requireEqual(help.code, 0, "\(command) \(flag)")
                    try require(
                        help.output.hasPrefix("Usage: conversion-forwarder \(command)"), "\(command): \(help.output)")
                    try require(
                        help.output.split(separator: "\n").allSatisfy { $0.count <= 120 }, "\(command): too wide")
                }
                let wrong = try CommandTests.run(command, "--no-such-option")
                try requireEqual(wrong.code, 2, "\(command) --no-such-option")
                try require(wrong.errors.contains("unknown option --no-such-option; there are: "), wrong.errors)
                try require(wrong.errors.contains("`conversion-forwarder \(command) --help` says more"), wrong.errors)
                try requireEqual(wrong.output, "", "\(command) on standard output")
            }
            try requireEqual(try CommandTests.run().code, 2, "no command")
            let unknown = try CommandTests.run("destroy")
            try requireEqual(unknown.code, 2, "unknown command")
            try require(unknown.errors.contains("unknown command destroy"), unknown.errors)
            try requireEqual(
                try CommandTests.run("version").output.hasPrefix("conversion-forwarder \(Version.text) (librdkafka "),
                true)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `wrong usage is told apart from things that are not well`() async throws {
        try await onThread {
            let directory = try CommandTests.directory()
            defer { directory.remove() }
            let config = ["--config", directory.configuration]
            func expect(_ code: Int32, _ words: [String], _ text: String, line: Int = #line) throws {
                let run = try CommandRun(daemonBinary, words)
                try requireEqual(run.code, code, "\(words): \(run.errors)", line: line)
                try require(run.errors.contains(text), "\(words): \(run.errors)", line: line)
            }
            try expect(2, ["status", "now"] + config, "takes only options")
            try expect(2, ["run", "now"] + config, "takes no words")
            try expect(2, ["queue", "drop"] + config, "takes `stats`, `list`, `move` or `discard`")
            try expect(2, ["queue", "discard"] + config, "--destination NAME")
            try expect(2, ["queue", "discard", "--destination", "capi"] + config, "say --all, or with --limit N")
            try expect(2, ["queue", "move", "--from", "capi"] + config, "--from NAME --to NAME")
            try expect(2, ["deliveries", "--status", "sent"] + config, "--status takes delivered, ")
            try expect(2, ["erase"] + config, "wants to be told whose: --email, ")
            try expect(2, ["erase", "--email", "ada"] + config, "--email: that is no e-mail address")
            try expect(2, ["erase", "--phone", "4255550100"] + config, "no number with country code")
            try expect(2, ["erase", "--email", "-", "--phone", "-"] + config, "only one value")
            try expect(1, ["erase", "--external-id", "1"] + config, "not there")
            try expect(2, ["dead-letters"] + config, "takes `list`, `show ID`, `replay` or `discard`")
            try expect(2, ["dead-letters", "show"] + config, "the id of one dead letter")
            try expect(2, ["dead-letters", "replay"] + config, "--destination NAME, or --id ID")
            // A slip must not mean everything of the destination.
            let all = ["--destination", "capi"] + config
            try expect(2, ["dead-letters", "discard", "12x"] + all, "the id of one dead letter, or options")
            try expect(2, ["dead-letters", "replay", "1", "2"] + all, "the id of one dead letter, or options")
            try expect(2, ["dead-letters", "replay", "1", "--id", "2"] + config, "the id of one dead letter")
            try expect(2, ["dead-letters", "list", "--limit", "0"] + config, "--limit takes a whole number from 1 to")
            try expect(2, ["dead-letters", "list", "--since", "yesterday"] + config, "2h, 7d or")
            try expect(2, ["dead-letters", "list", "--limit"], "--limit needs a value")
            try expect(2, ["dead-letters", "list", "--destination", "--json"] + config, "--destination needs a value")
            try expect(2, ["status", "--json=yes"] + config, "--json takes no value")
            try expect(2, ["status"] + config + config, "--config is given twice")
            try expect(2, ["destinations", "stop", "capi"] + config, "`pause NAME` or `resume NAME`")
            try expect(2, ["explain", "/no/such/file"] + config, "/no/such/file: cannot be opened (No such file")
            try expect(2, ["explain", "--now", "soon"] + config, "--now takes a whole number")
            try expect(2, ["status", "--config", "/no/such/file"], "/no/such/file")
            try expect(2, ["run", "--config", "/no/such/file"], "/no/such/file")
            try expect(2, ["demo", "--faults", "many"], "--faults is none or mixed")
            try expect(
                2, ["dead-letters", "discard", "12x", "--destination", "capi"] + config,
                "takes the id of one dead letter")
            try expect(2, ["queue", "list", "--id", "5"] + config, "unknown option --id")
            // Nothing runs there.
            try expect(1, ["status"] + config, "no daemon answers at \(directory.state)/control.sock")
            try expect(1, ["destinations", "pause", "capi"] + config, "no daemon answers at")
            try expect(1, ["queue", "stats"] + config, "not there")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `check finds problems of every kind at once, and its exit code says how bad they are`() async throws {
        try await onThread {
            let good = try CommandTests.directory()
            defer { good.remove() }
            let well = try CommandTests.run("check", "--config", good.configuration)
            try requireEqual(well.code, 0, well.output)
            try require(well.output.contains("\(good.configuration): well"), well.output)
            let json = try CommandTests.run("check", "--json", "--config", good.configuration)
            try requireEqual(try Shape.of(json.output), "{errors:[],notes:[],ok:true,troubles:[],warnings:[]}")

            // It would start, and not work.
            let missing = try CommandTests.directory()
            defer { missing.remove() }
            unlink("\(missing.path)/capi-token")
            unlink("\(missing.path)/developer-token")
            let troubled = try CommandTests.run("check", "--config", missing.configuration)
            try requireEqual(troubled.code, 1, troubled.output)
            for word in ["trouble: destination capi: token: ", "destination offline: developer_token: "] {
                try require(troubled.output.contains(word), troubled.output)
            }

            let bad = try CommandTests.directory {
                $0.kafka = ["group_idd: x", "properties: {no.such.property: 1}"]
                $0.capi = ["concurrency: 0", "retry: {base: 5}", "token: {file: /again}"]
                $0.other = ["log: {level: loud}"]
            }
            defer { bad.remove() }
            let broken = try CommandTests.run("check", "--config", bad.configuration)
            try requireEqual(broken.code, 2, broken.output)
            // A key that is there twice is a fault of the text, found before anything is read.
            try require(broken.output.contains("error: ") && broken.output.contains("token"), broken.output)

            let noYAML = try CommandTests.directory { $0.other = ["log: ["] }
            defer { noYAML.remove() }
            let unread = try CommandTests.run("check", "--config", noYAML.configuration)
            try require(unread.output.contains("error: \(noYAML.configuration): line "), unread.output)

            let worse = try CommandTests.directory {
                $0.kafka = ["group_idd: x"]
                $0.capi = ["concurrency: 0", "retry: {base: 5}"]
                $0.other = ["log: {level: loud}"]
            }
            defer { worse.remove() }
            let several = try CommandTests.run("check", "--config", worse.configuration)
            try requireEqual(several.code, 2, several.output)
            for word in ["group_idd", "group_id", "concurrency", "retry.base", "log.level"] {
                try require(several.output.contains(word), "\(word): \(several.output)")
            }
            let started = try CommandTests.run("run", "--config", worse.configuration)
            try requireEqual(started.code, 2, "exit code of run")
            try require(started.errors.contains("log.level"), started.errors)
            try requireEqual(started.output, "", "the log of a daemon that never was")

            let property = try CommandTests.directory { $0.kafka = ["properties: {no.such.property: 1}"] }
            defer { property.remove() }
            for command in ["check", "run"] {
                let run = try CommandTests.run(command, "--config", property.configuration)
                try requireEqual(run.code, 2, "\(command): \(run.output)\(run.errors)")
                try require((run.output + run.errors).contains("no.such.property"), run.output + run.errors)
            }
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `explain says of each event what would become of it, wherever it comes from`() async throws {
        try await onThread {
            let directory = try CommandTests.directory()
            defer { directory.remove() }
            let now = "1786000000"
            func explain(_ input: String, _ words: String...) throws -> CommandRun {
                try CommandRun(
                    daemonBinary, ["explain", "--config", directory.configuration, "--now", now] + words,
                    input: Array(input.utf8))
            }
            let events = [
                #"{"event":"Purchase","event_id":"e1","event_time":1785999990,"user":{"email":"Ada.L@Example.com","msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab"},"properties":{"value":19.99,"currency":"EUR","transaction_id":"t1"}}"#,
                #"{"event":"PageView","event_id":"e2","event_time":1785999990,"url":"https://shop.example/","user":{"anonymous_id":"a","phone":"4255550100"}}"#,
                #"{"event":"WishlistAdd","event_id":"e3","event_time":1785999990,"user":{"anonymous_id":"a"}}"#,
                #"{"event":"Lead","event_id":"e4","event_time":1785000000,"user":{}}"#,
                "{\"event\":", "[1,2]", "",
            ]
            let lines = try explain(events.joined(separator: "\n"), "--json")
            try requireEqual(lines.code, 0, lines.errors)
            try Golden.compare(lines.output, with: "explain.ndjson")
            // What an event does not have is absent.
            let nameless = try explain(#"{"event_id":"e5"}"#, "--json")
            try require(nameless.output.hasPrefix(#"{"event_id":"e5","destinations":["#), nameless.output)
            let text = try explain(events.joined(separator: "\n"), "-")
            try Golden.compare(text.output, with: "explain.txt")

            // An array, one object over several lines, a file.
            let array = "[\n \(events[0]),\n \(events[1])\n]"
            let fromArray = try explain(array, "--json")
            try requireEqual(
                fromArray.output, lines.output.split(separator: "\n").prefix(2).joined(separator: "\n") + "\n")
            let pretty =
                "{\n\"event\": \"WishlistAdd\",\n\"event_id\": \"e3\", \"event_time\": 1785999990,\n\"user\": {\"anonymous_id\": \"a\"}}\n"
            try directory.write(pretty, to: "event.json")
            let fromFile = try explain("", "\(directory.path)/event.json", "--json")
            try requireEqual(fromFile.output, String(lines.output.split(separator: "\n")[2]) + "\n")
            let garbage = try explain("\u{0}\u{1}\n\u{FFFD}\n{}\n", "--json")
            try requireEqual(garbage.code, 0, garbage.errors)
            try requireEqual(
                garbage.output.split(separator: "\n").prefix(2).map(String.init),
                Array(repeating: #"{"event_id":null,"outcome":"reject","reasons":["malformed_json"]}"#, count: 2))
            try requireEqual(try explain("", "--json").output, "", "of nothing")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `explain reads the calls of Segment and RudderStack where the configuration says so`() async throws {
        try await onThread {
            let directory = try CommandTests.directory { $0.other = ["input: {preset: segment}"] }
            defer { directory.remove() }
            let common = #""messageId":"m","timestamp":"2026-08-06T07:06:30.5Z","userId":"u""#
            let calls = [
                #"{\#(common),"type":"track","event":"Order Completed","properties":{"order_id":"7","revenue":19.99}}"#,
                #"{\#(common),"type":"page","properties":{"url":"https://shop.example/"}}"#,
                #"{\#(common),"type":"identify","traits":{"email":"ada@example.com"}}"#,
            ]
            let run = try CommandRun(
                daemonBinary, ["explain", "--config", directory.configuration, "--now", "1786000000", "--json"],
                input: Array(calls.joined(separator: "\n").utf8))
            try requireEqual(run.code, 0, run.errors)
            try Golden.compare(run.output, with: "explain-segment.ndjson")
        }
    }

    /// The names in machine-readable answers are an interface: whoever changes them breaks somebody's script.
    @Test(.timeLimit(.minutes(15)))
    func `the shapes of machine-readable answers are stable`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.status(503), targets: .capi)]))
            let daemon = try stage.start()
            try stage.publish([Shop.purchase("shape-1"), "nonsense"])
            try eventually("one to wait") {
                stage.number("capi", "pending") == 1 && stage.destination("capi")?["oldest_pending_seconds"] != nil
                    && stage.number("offline", "delivered") == 1
                    && (stage.directory.status()?["assignments"]?.elements ?? []).contains { $0["committed"] != nil }
                    && stage.directory.status()?["not_ready_because"] == nil
            }
            func json(_ words: String...) throws -> String {
                try Shape.of(
                    CommandRun(daemonBinary, words + ["--json", "--config", stage.directory.configuration]).output)
            }
            let common = """
                attempts:n,consumed:n,credential:s,dead_lettered:n,delivered:n,delivered_unconfirmed:n,discarded:n,gate:s,\
                in_flight:n,name:s
                """
            let rest = "pending:n,rejected:n,released:n,replayed:n,restored:n,skipped:n,type:s"
            let status = try json("status")
            try require(
                status.hasPrefix("{assignments:[{")
                    && status.contains("{committed:n,lag:n,partition:n,position:n,topic:s}"),
                status)
            try require(status.contains("{\(common),oldest_pending_seconds:n,\(rest)}"), status)
            try require(status.contains("{\(common),\(rest)}"), status)
            try require(status.hasSuffix("ready:true,unaccounted:n,uptime_seconds:n}"), status)
            try requireEqual(
                try json("queue", "stats"),
                """
                {destinations:[{bytes:n,dead_letters:n,failures:{http_503:n},name:s,next_due:s,oldest_pending_seconds:n,\
                pending:n,quarantined:n,state:s},{bytes:n,dead_letters:n,name:s,pending:n,quarantined:n,state:s},\
                {bytes:n,dead_letters:n,name:s,pending:n,quarantined:n,state:s}]}
                """)
            let list = try json("queue", "list")
            try requireEqual(
                list,
                """
                {deliveries:[{attempts:n,claimed:\(list.contains("claimed:true") ? "true" : "false"),\
                destination:s,due_at:s,event_time:n,first_failure:s,goal:s,last_failure:s,offset:n,partition:n,queued_at:s,\
                row:n,send_by:s,topic:s}]}
                """)
            try requireEqual(
                try json("rejects"), "{rejects:[{at:s,offset:n,partition:n,reasons:[s],topic:s}]}")
            try requireEqual(try json("destinations", "pause", "offline"), "{destination:s,state:s}")
            try requireEqual(try json("queue", "discard", "--destination", "capi", "--all"), "{discarded:n}")
            stage.follow(.refuse(share: 1), .capi)
            try eventually("the gate to open") {
                _ = try stage.command("destinations", "resume", "capi")
                try stage.publish([Shop.purchase("shape-\(SystemClock.now.uptime.milliseconds)")])
                return stage.number("capi", "dead_lettered") > 0
            }
            let letter = """
                attempts:n,class:s,dead_at:s,destination:s,event_time:n,goal:s,id:n,offset:n,partition:n,reason:s,send_by:s,\
                topic:s
                """
            try require(try json("dead-letters", "list", "--limit", "1").hasPrefix("{dead_letters:[{"), "list")
            let shown = try json("dead-letters", "show", "1")
            try require(shown.contains("content:[{") && shown.contains("neutral_event:{"), shown)
            for part in letter.split(separator: ",") { try require(shown.contains(part), "\(part): \(shown)") }
            try requireEqual(
                try json("dead-letters", "replay", "--id", "1"), "{already_queued:n,moved:n,refused_expired:n}")
            try requireEqual(try json("dead-letters", "discard", "--destination", "capi"), "{discarded:n}")
            try requireEqual(
                try json("deliveries", "--destination", "offline", "--limit", "1"),
                """
                {deliveries:[{at:s,attempts:n,currency:s,destination:s,event:s,event_id:s,event_time:n,goal:s,status:s,\
                transaction_id:s,value:n}]}
                """)
            try requireEqual(
                try json("erase", "--external-id", "nobody", "--dry-run"),
                """
                {dead_letters:n,delivery_log:n,dry_run:true,in_flight:n,ledger:n,quarantined:n,queue:n,rejects:n,\
                residue_bytes:n}
                """)
            try requireEqual(try json("version"), "{libraries:s,version:s}")
            try daemon.stop()
            try stage.finish()
        }
    }
}
