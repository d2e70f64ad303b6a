import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// I-6, from outside: marked personal data goes in everywhere, and every byte that comes to rest is searched for it.
struct PrivacyTests {
    /// Marks that no form of writing changes: what is found of them came from the planted values.
    private static let mark = "zqxjkvmark"
    private static let phoneDigits = "4255550177"
    private static let clickID = "f00dfeed0badcafe1234567890abcdef"
    private static let address = "203.0.113.77"
    private static let address6 = "2001:db8:77::77"

    private static var email: String { "\(mark).person@mail.example" }
    /// SHA-256 of `zqxjkvmarkperson@mail.example`, without the dot as Microsoft wants it, and of `+14255550177`.
    private static let hashes = [
        "2c2aa184e060dc662b42244810ab59d06d366acc157b8e348d3568f5cf18c076",
        "b0560d38c82c3e972506b961ac97ecce5d8e9b597382ed2d041e1c25422b5ea0",
    ]

    private static func event(_ name: String, _ id: String, secondsAgo: Int64 = 1) -> String {
        """
        {"event":"\(name)","event_id":"\(id)","event_time":\(SystemClock.now.wall.seconds - secondsAgo),\
        "url":"https://shop.example/thanks?mail=\(mark)2%40mail.example&tel=%2B1\(phoneDigits)&a=1",\
        "referrer":"https://shop.example/?e=\(mark)3@mail.example","title":"Hello \(mark)a@mail.example",\
        "keywords":"\(mark)b@mail.example","source":"\(mark)c@mail.example","page_load_id":"\(mark)d@mail.example",\
        "user":{"anonymous_id":"\(mark)4@mail.example","external_id":"id \(mark)5@mail.example",\
        "email":" \(mark).person@Mail.Example ","phone":"+1 (425) 555-0177","msclkid":"\(clickID)",\
        "ip_address":"\(id.hashValue % 2 == 0 ? address : address6)","user_agent":"Agent"},\
        "properties":{"value":1.5,"currency":"EUR","transaction_id":"t \(mark)j@mail.example","search_term":"\(mark)6@mail.example",\
        "category":"+1 \(phoneDigits)","label":"\(mark)e@mail.example","page_type":"\(mark)f@mail.example",\
        "item_ids":["\(mark)g@mail.example"],"items":[{"id":"\(mark)h@mail.example","name":"\(mark)i@mail.example"}]},\
        "unknown":{"email":"\(mark)7@mail.example","deep":["\(mark)8@mail.example"]}}
        """
    }

    private static func bad(_ id: String) -> [String] {
        let now = SystemClock.now.wall.seconds
        return [
            // Not to be normalised; too old; without a time; not even JSON.
            #"{"event":"Lead","event_id":"\#(id)-1","event_time":\#(now),"user":{"email":"\#(mark)@@mail","phone":"\#(phoneDigits)"}}"#,
            event("Purchase", "\(id)-2", secondsAgo: 9 * 86_400),
            #"{"event":"Lead","event_id":"\#(id)-3","user":{"email":"\#(mark)9@mail.example"}}"#,
            #"{"event":"Lead","user":{"email":"\#(mark)10@mail.example","phone":"+1\#(phoneDigits)""#,
            #"{"event":"Lead","event_id":"\#(mark)11@mail.example","event_time":"\#(mark)12@mail.example","user":{}}"#,
            #"{"event":"\#(mark)13@mail.example","event_id":"\#(id)-6","event_time":\#(now),"user":{"external_id":"a"}}"#,
            // Good but for its id.
            event("Lead", "\(mark)14@mail.example"),
        ]
    }

    private static let raw = [mark, phoneDigits, "555-0177", "555 0177"]
    private static var secret: [String] {
        hashes + [
            clickID, address, address6, Microsoft.token, Microsoft.developerToken, Microsoft.refreshToken,
            "refresh-1-", "access-1-",
        ]
    }

    private static func search(_ bytes: [UInt8], for words: [String], in place: String) throws {
        // Case and separators of words do not matter.
        let text = bytes.map { 0x41...0x5A ~= $0 ? $0 + 0x20 : $0 }
        for word in words {
            let pattern = Array(word.lowercased().utf8)
            var isFound = false
            text.withUnsafeBufferPointer { text in
                for start in 0..<max(0, text.count - pattern.count + 1) where text[start] == pattern[0] {
                    if pattern.indices.allSatisfy({ text[start + $0] == pattern[$0] }) { isFound = true }
                }
            }
            try require(!isFound, "\(word) is in \(place)")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-6: personal data comes to rest nowhere, and no secret or hash is logged`() async throws {
        try await onThread {
            let stage = try Stage()
            stage.settings.other = ["log: {metrics_interval: 1s, level: debug}"]
            stage.settings.kafka = ["properties: {debug: \"consumer,cgrp,msg\", session.timeout.ms: 3000}"]
            var daemon = try stage.start()
            let names = ["PageView", "ViewContent", "Purchase", "Lead", "Search", "SignUp"]
            // Delivered.
            try stage.publish(names.map { PrivacyTests.event($0, "ok-\($0)") } + PrivacyTests.bad("bad"))
            try eventually("what is good to arrive") { stage.missing(names.map { "ok-\($0)" }).isEmpty }
            let sent = names.count + PrivacyTests.bad("").count
            try eventually("Kafka to be committed on") { try stage.committedTotal() == sent }
            // Refused, with Microsoft's free text about it.
            stage.follow(
                FaultPlan([
                    .init(.refuse(share: 1), targets: .capi),
                    .init(.partialErrors(.clickIDInvalid, share: 1), targets: .offline),
                ]))
            try stage.publish(names.map { PrivacyTests.event($0, "no-\($0)") })
            try eventually("refusals") {
                stage.number("capi", "dead_lettered") >= names.count && stage.number("offline", "dead_lettered") >= 2
            }
            // Waiting on disk.
            stage.follow(.status(500))
            try stage.publish(names.map { PrivacyTests.event($0, "later-\($0)") })
            try eventually("them to wait") {
                stage.number("capi", "pending") == names.count && stage.number("offline", "pending") == 2
            }
            let address = stage.directory.logLines("admin.opened").last?["address"]?.string ?? ""
            let page = try WebPage(address, "/metrics").body
            var answers: [String] = []
            for words in [["status"], ["queue", "stats"], ["queue", "list"], ["dead-letters", "list"], ["rejects"]] {
                let text = try CommandRun(daemonBinary, words + ["--config", stage.directory.configuration])
                let json = try CommandRun(daemonBinary, words + ["--json", "--config", stage.directory.configuration])
                answers += [text.output + text.errors, json.output + json.errors]
            }
            let letters = try stage.answer("dead-letters", "list")["dead_letters"]?.elements ?? []
            try require(letters.count >= names.count, "no dead letters to look at")
            var shown = ""
            for letter in letters {
                shown += try stage.command("dead-letters", "show", letter["id"]?.rawText ?? "").output
            }
            try require(
                PrivacyTests.hashes.allSatisfy { shown.contains($0) },
                "the hashes that are searched for are not those that are sent")
            // What a crash leaves behind, and what an orderly end does.
            daemon.kill()
            try PrivacyTests.searchFiles(stage)
            daemon = try stage.start()
            try daemon.stop()
            try PrivacyTests.searchFiles(stage)

            try PrivacyTests.search(
                Array(page.utf8), for: PrivacyTests.raw + PrivacyTests.secret, in: "the metrics page")
            for answer in answers {
                try PrivacyTests.search(
                    Array(answer.utf8), for: PrivacyTests.raw + PrivacyTests.secret,
                    in: "an answer: \(answer.prefix(80))")
            }
            try PrivacyTests.search(Array(shown.utf8), for: PrivacyTests.raw, in: "a dead letter that is shown")
            for path in [stage.directory.log, stage.directory.errors] {
                try PrivacyTests.search(
                    try SmallFile.read(path, limit: 1 << 28), for: PrivacyTests.raw + PrivacyTests.secret, in: path)
            }
            try stage.finish(kills: 1)
        }
    }

    private static func searchFiles(_ stage: Stage) throws {
        let files = stage.directory.files().filter { $0.hasPrefix(stage.directory.state) && !$0.hasSuffix(".sock") }
        var hasContent = false
        for path in files {
            let bytes = try SmallFile.read(path, limit: 1 << 28)
            try search(bytes, for: raw, in: path)
            if path.hasSuffix("store.sqlite-wal") || path.hasSuffix("store.sqlite") {
                hasContent = hasContent || (try? search(bytes, for: ["shop.example"], in: path)) == nil
            }
        }
        try require(hasContent, "nothing of the events is in the store: the search is in vain")
    }
}
