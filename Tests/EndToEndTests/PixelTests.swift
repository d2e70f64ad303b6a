import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// The `pixels` commands against a Conversion Pixel Service.
@Suite(.serialized)
struct PixelTests {
    @Test(.timeLimit(.minutes(15)))
    func `a pixel is created, listed, read, changed and deleted`() async throws {
        try await onThread {
            let stage = try PixelStage()
            let created = try stage.printed(
                "create", "--name", "Thank you", "--category", "Purchase", "--count", "every=2h", "--post-click-value",
                "10")
            try require(created.hasPrefix("pixel 1 is created\n"), created)
            var expected = FakePixel(id: 1, advertiserID: 2, name: "Thank you")
            expected.trigger = .hybrid
            expected.category = 7
            expected.postClickMinutes = 20_160
            expected.postViewMinutes = 1440
            expected.minMinutesPerConversion = 120
            expected.postClickValue = "10"
            try requireEqual(stage.pixels[1], expected, "the pixel")

            let listed = try stage.printed("list")
            let lines = listed.split(separator: "\n")
            try require(lines.count == 2 && lines[0].hasPrefix("ID  ADVERTISER  NAME"), listed)
            for word in ["Thank you", "hybrid", "purchase", "14d", "1d", "one per user every 2h"] {
                try require(lines[1].contains(word), "\(word): \(listed)")
            }
            try require(try stage.printed("get", "1").contains("attribution: hybrid\ncategory: purchase\n"), "get")

            let dry = try stage.printed("update", "1", "--post-click", "max", "--count", "all", "--dry-run")
            let changes = "  post-click: 14d → max (90d)\n  count: one per user every 2h → all\n"
            try require(dry.contains(changes) && dry.hasSuffix("nothing was changed\n"), dry)
            try requireEqual(stage.pixels[1], expected, "the pixel after a dry run")
            let updated = try stage.printed("update", "1", "--post-click", "max", "--count", "all")
            try require(updated.contains(changes) && updated.hasSuffix("\nchanged\n"), updated)
            try requireEqual(stage.pixels[1]?.postClickMinutes, nil, "post-click")
            try requireEqual(stage.pixels[1]?.postClickValue, "10", "what was not named")
            try require(try stage.printed("update", "1", "--count", "all").hasSuffix("it is so already\n"), "no change")

            stage.microsoft.withModel { $0.setLineItems([382], ofPixel: 1) }
            let inUse = try stage.refused(1, "delete", "1", "--yes")
            try require(inUse.contains("line items use it (382 Line item 382); take it off them first"), inUse)
            stage.microsoft.withModel { $0.setLineItems([], ofPixel: 1) }
            try require(try stage.refused(2, "delete", "1").contains("say --yes"), "nobody can be asked")
            try require(try stage.printed("delete", "1", "--dry-run").contains("would be deleted"), "dry run")
            try requireEqual(stage.pixels.count, 1, "pixels after a dry run")
            try require(try stage.printed("delete", "1", "--yes").hasSuffix(": deleted\n"), "delete")
            try requireEqual(stage.pixels.count, 0, "pixels")
            try require(try stage.refused(1, "get", "1").contains("there is no pixel 1"), "get of what is gone")
            try requireEqual(stage.signIns, 1, "sign-ins of all these commands")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `lists are replaced unless they are added to`() async throws {
        try await onThread {
            let stage = try PixelStage()
            _ = try stage.printed("create", "--name", "a", "--piggyback", "js=https://a.example/1")
            _ = try stage.printed("update", "1", "--piggyback", "js=https://a.example/2", "--append")
            try requireEqual(stage.pixels[1]?.piggybacks.count, 2, "added")
            let mixed = try stage.refused(2, "update", "1", "--piggyback", "img=https://a.example/3", "--append")
            try require(mixed.contains("do not go together"), mixed)
            _ = try stage.printed("update", "1", "--piggyback", "img=https://a.example/3")
            try requireEqual(stage.pixels[1]?.piggybacks, [.init(kind: "img", url: "https://a.example/3")], "replaced")
            _ = try stage.printed("update", "1", "--piggyback", "none")
            try requireEqual(stage.pixels[1]?.piggybacks, [], "none")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `lists are long, narrowed and sorted`() async throws {
        try await onThread {
            let stage = try PixelStage { invest in
                for id in 1...250 {
                    invest.add(FakePixel(id: id, advertiserID: id % 2 == 0 ? 2 : 3, name: "Pixel \(id)"))
                }
                invest.advertiserCodes["acme"] = 3
                invest.pixels[9]?.code = "nine"
            }
            func ids(_ words: String...) throws -> [String] {
                let run = try stage.run(["list", "--json"] + words)
                let root = try JSONDocument(run.output).root
                return (root["pixels"]?.elements ?? []).compactMap { $0["id"]?.string }
            }
            try requireEqual(try ids().count, 125, "of the configured advertiser")
            try requireEqual(try ids("--all"), (1...250).map { "\($0)" }, "all")
            try requireEqual(try ids("--advertiser-id", "3").count, 125, "of another one")
            try requireEqual(try ids("--advertiser-code", "acme", "--limit", "2"), ["1", "3"], "by code")
            try requireEqual(try ids("5", "6"), ["5", "6"], "by ids, of whomever")
            try requireEqual(
                try ids("--all", "--sort", "id.desc", "--limit", "120").last, "131", "sorted, two pages")
            try requireEqual(
                try ids("--all", "--filter", "name=Pixel 77", "--filter", "state=active"), ["77"], "filter")
            let cut = try stage.printed("list", "--limit", "3")
            try require(cut.hasSuffix("these are 3 of 125; --limit shows more\n"), cut)
            let missing = try stage.run(["list", "1", "999"])
            try require(
                missing.code == 1 && missing.output.hasSuffix("not there, or not to be seen: 999\n"), missing.output)
            let byCode = try stage.printed("get", "--pixel-code", "nine", "--advertiser-code", "acme")
            try require(byCode.hasPrefix("id: 9\n"), byCode)
            let meta = try stage.printed("meta")
            try require(meta.hasPrefix("FIELD "), meta)
            let sort = try stage.refused(1, "list", "--sort", "colour")
            try require(sort.contains("(SYNTAX, cannot sort by colour.asc)"), sort)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `the JSON of each is as documented`() async throws {
        try await onThread {
            let stage = try PixelStage()
            func shape(_ words: String...) throws -> String { try Shape.of(try stage.run(words + ["--json"]).output) }
            let pixel = """
                {advertiser_id:s,campaigns:[],code:null,created_on:s,id:s,last_modified:s,line_items:[],\
                min_minutes_per_conv:null,name:s,piggyback_pixels:[],pixel_conversion_event_id:null,\
                post_click_expire_mins:n,post_click_value:null,post_view_expire_mins:n,post_view_value:null,state:s,\
                trigger_type:s}
                """
            let fields = "{name:s,post_click_expire_mins:n,post_view_expire_mins:n,trigger_type:s}"
            try requireEqual(
                try shape("create", "--name", "a", "--dry-run"), "{created:false,dry_run:true,pixel:\(fields)}")
            try requireEqual(
                try shape("create", "--name", "a"), "{created:true,dry_run:false,id:s,pixel:\(fields)}")
            try requireEqual(try shape("get", "1"), pixel)
            try requireEqual(try shape("list"), "{complete:true,not_found:[],pixels:[\(pixel)]}")
            try requireEqual(try shape("list", "7"), "{complete:true,not_found:[s],pixels:[]}")
            try require(
                try shape("meta").hasPrefix("{fields:[{filter:true,name:s,sort:true,type:s},"), "meta")
            try requireEqual(
                try shape("update", "1", "--name", "b"),
                "{changes:[{field:s,from:s,to:s}],dry_run:false,id:s,otherwise:[],updated:true}")
            try requireEqual(try shape("delete", "1", "--yes"), "{deleted:true,dry_run:false,id:s,pixel:\(pixel)}")
            try requireEqual(try shape("export", "1"), "{configuration:s,id:s,url:s}")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `the token is kept for its owner alone, used again, and renewed when it is refused`() async throws {
        try await onThread {
            let stage = try PixelStage()
            for _ in 0..<3 { _ = try stage.printed("list") }
            try requireEqual(stage.signIns, 1, "sign-ins")
            try requireEqual(stage.tokenFiles.count, 1, "files")
            let file = stage.tokenFiles[0]
            var status = stat()
            try require(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o600, "rights: \(status.st_mode)")
            func content() throws -> String {
                String(decoding: try SmallFile.read(file, limit: 1 << 16), as: UTF8.self)
            }
            let kept = try content()
            try require(kept.contains(#""token":"authn:1:"#) && !kept.contains(PixelStage.password), kept)

            stage.microsoft.withModel { $0.expirePixelTokens() }
            _ = try stage.printed("create", "--name", "a")
            try requireEqual(stage.signIns, 2, "sign-ins after its end")
            try requireEqual(stage.pixels.count, 1, "created once")

            // A key that appears encrypts what is there; without it the file is left alone.
            stage.settings.state = ["key: {file: \(stage.directory.path)/key}"]
            try stage.directory.write(String(repeating: "0123456789abcdef", count: 4), to: "key")
            try stage.settings.write(to: stage.directory)
            _ = try stage.printed("list")
            let sealed = try content()
            try require(sealed.contains("aes-256-gcm") && !sealed.contains("authn"), sealed)
            try requireEqual(stage.signIns, 2, "sign-ins with a key")
            try stage.directory.write(String(repeating: "f", count: 64), to: "key")
            let locked = try stage.refused(1, "list")
            try require(locked.contains("state.key is not the key") && locked.contains("delete the file"), locked)
            try requireEqual(stage.signIns, 2, "sign-ins with a wrong key")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `no more than ten sign-ins in five minutes, however many commands`() async throws {
        try await onThread {
            let stage = try PixelStage { $0.tokenLifetime = .zero }
            // No token lives: each command signs in until it is told off, twice at most.
            var last = CommandRun(code: 0, output: "", errors: "")
            for _ in 0..<14 where !last.errors.contains("sign-ins in five minutes") { last = try stage.run(["list"]) }
            try require(
                last.errors.contains("10 sign-ins in five minutes are all there may be; try again in "), last.errors)
            try requireEqual(stage.signIns, 10, "sign-ins")
            try requireEqual(stage.microsoft.withModel { $0.pixelTokens.refusals }, 0, "sign-ins too many")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `throttling is obeyed, and what got no answer is repeated only if it changes nothing`() async throws {
        try await onThread {
            let stage = try PixelStage()
            _ = try stage.printed("list")
            for words in [["list"], ["create", "--name", "a"]] {
                stage.follow(.status(429, retryAfter: .seconds(2)), most: 2)
                let begun = ContinuousClock.now
                let run = try stage.run(words)
                try requireEqual(run.code, 0, run.errors)
                try require(ContinuousClock.now - begun >= .seconds(4), "it did not wait")
                try requireEqual(
                    run.errors, String(repeating: "the service is asked too much; going on in 2 s\n", count: 2))
            }
            stage.follow(.status(429, retryAfter: .seconds(1000)), most: 1)
            try require(try stage.refused(1, "list").contains("try again in 1000 s"), "an endless wait")

            stage.follow(.drop, most: 2)
            try requireEqual(try stage.run(["list"]).code, 0, "a list after two losses")
            stage.follow(.answerLost, most: 1)
            let lost = try stage.refused(1, "create", "--name", "b")
            try require(lost.contains("The pixel may have been created; look with"), lost)
            try requireEqual(stage.pixels.values.filter { $0.name == "b" }.count, 1, "pixels of that name")
            stage.follow(.status(200), most: 1)
            let busy = try stage.run(["get", "1"])
            try requireEqual(busy.code, 0, busy.errors)
            try require(busy.errors.contains("too many concurrent requests); going on in 1 s"), busy.errors)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `who is not let in, and what is not configured, is told what to do`() async throws {
        try await onThread {
            let stage = try PixelStage()
            try stage.directory.write("wrong-made-up", to: "pixel-password")
            let wrong = try stage.refused(1, "list")
            try require(wrong.contains("pixel-user is not let in; look at pixel_service.username"), wrong)
            try require(!wrong.contains("wrong-made-up"), "the password is shown")
            try require(Glibc.remove("\(stage.directory.path)/pixel-password") == 0, "no file")
            try require(try stage.refused(1, "list").contains("pixel_service.password: /"), "a missing secret")
            let check = try CommandRun(daemonBinary, ["check", "--config", stage.directory.configuration])
            try require(
                check.code == 0 && check.output.contains("warning: pixel_service.password: "), check.output)

            try stage.configure("advertiser_id: off")
            let whose = try stage.refused(2, "create", "--name", "a")
            try require(
                whose.contains("--advertiser-id or --advertiser-code, or set pixel_service.advertiser_id"), whose)
            try stage.configure("advertiser_id: off", endpoint: "http://127.0.0.1:1")
            try require(try stage.refused(1, "list").contains("no answer (connect: "), "nobody there")

            stage.settings.other = []
            try stage.settings.write(to: stage.directory)
            let missing = try stage.refused(2, "list")
            try require(missing.contains("pixel_service:\n  username: pixel-user\n  password: {env: "), missing)
            // What asks nobody needs no section.
            try require(
                try stage.printed("export", "17").hasPrefix("https://sspx-router.adnxs.com/sspx?id=17&"), "export")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `everything that is wrong is said at once, before anybody is asked`() async throws {
        try await onThread {
            let stage = try PixelStage()
            let said = try stage.refused(
                2, "create", "--post-click", "91d", "--count", "all", "--min-minutes-per-conv", "0", "--state", "paused"
            )
            for words in ["--name is missing", "--post-click: `91d`", "--count and --min-minutes", "--state: `paused`"]
            {
                try require(said.contains(words), "\(words): \(said)")
            }
            for (words, expected) in [
                ([], "takes `list`, `get`"), (["get", "x"], "the id of one pixel"),
                (["update", "1"], "wants to be told"),
                (["meta", "--limit", "1"], "meta has no use for --limit"),
                (["update", "1", "--name", "a", "--append"], "--append adds to a list"),
                (["list", "--all", "5"], "--all goes with neither"), (["create", "a"], "a name is --name"),
                (["get", "1", "--advertiser-code", "a"], "goes with --pixel-code"),
                (["export", "1", "--host", "a/b"], "is no host"),
            ] as [([String], String)] {
                let run = try stage.run(words)
                try require(run.code == 2 && run.errors.contains(expected), "\(words): \(run.errors)")
            }
            try requireEqual(stage.signIns, 0, "sign-ins")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `one command at a time speaks to the service, and a daemon is not in the way`() async throws {
        try await onThread {
            let stage = try PixelStage()
            _ = try stage.printed("list")
            stage.follow(.slow(.seconds(8)), most: 1)
            let slow = try TerminalRun(stage, "list")
            try eventually("it to hold the lock") {
                let lock = open("\(stage.directory.state)/grants/pixels.lock", O_RDWR | O_CLOEXEC)
                defer { close(lock) }
                return flock(lock, LOCK_EX | LOCK_NB) != 0
            }
            let second = try stage.run(["list"])
            try requireEqual(second.code, 0, second.errors)
            try requireEqual(second.errors, "another `pixels` command is at work; waiting for its end\n", "said")
            try requireEqual(try slow.end().code, 0, "the first")
            let daemon = try DaemonProcess(daemonBinary, stage.directory)
            try eventually("the daemon to be there") { stage.directory.status() != nil }
            _ = try stage.printed("list")
            try daemon.stop()
        }
    }

    // MARK: At a terminal

    @Test(.timeLimit(.minutes(15)))
    func `without fields it asks for a pixel, and creates what was confirmed`() async throws {
        try await onThread {
            let stage = try PixelStage()
            try stage.configure("advertiser_id: off")
            let run = try TerminalRun(stage, "create")
            try run.answer("Advertiser (its id): ", "shop")
            try run.answer("is no id; write its digits\nAdvertiser (its id): ", "2")
            try run.answer("Name: ", "Thank you")
            try run.answer("[hybrid]: ", "view")
            try run.answer("or none [none]: ", "Generate lead")
            try run.answer("[1d]: ", "31d")
            try run.answer("[1d]: ", "30d")
            try run.answer("[14d]: ", "")
            try run.answer("[one-per-user]: ", "all")
            try run.answer("js=URL [none]: ", "img=https://a.example/1")
            try run.answer("Create this pixel? yes or no [no]: ", "yes")
            let end = try run.end()
            try requireEqual(end.code, 0, end.errors)
            try require(end.output.hasPrefix("pixel 1 is created\n"), end.output)
            try require(end.errors.contains("`31d` is out of bounds"), end.errors)
            var expected = FakePixel(id: 1, advertiserID: 2, name: "Thank you")
            expected.trigger = .view
            expected.category = 8
            expected.postViewMinutes = 43_200
            expected.postClickMinutes = 20_160
            expected.minMinutesPerConversion = 0
            expected.piggybacks = [.init(kind: "img", url: "https://a.example/1")]
            try requireEqual(stage.pixels[1], expected, "the pixel")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `the end of the input creates nothing, and no is no`() async throws {
        try await onThread {
            let stage = try PixelStage()
            let ended = try TerminalRun(stage, "create")
            try ended.answer("Name: ", "Thank you")
            try ended.endInput(after: "[hybrid]: ")
            let end = try ended.end()
            try requireEqual(end.code, 1, end.errors)
            try require(end.errors.hasSuffix("[hybrid]: \nthe input has ended; nothing was created\n"), end.errors)

            _ = try stage.printed("create", "--name", "Kept")
            let deletion = try TerminalRun(stage, "delete", "1")
            try deletion.answer("for good? yes or no [no]: ", "")
            let kept = try deletion.end()
            try require(kept.code == 1 && kept.errors.contains("nothing was deleted"), kept.errors)
            try requireEqual(stage.pixels.count, 1, "pixels")
            let again = try TerminalRun(stage, "delete", "1")
            try again.answer("Delete pixel 1 of advertiser 2, Kept, for good? yes or no [no]: ", "yes")
            try requireEqual(try again.end().code, 0, "confirmed")
            try requireEqual(stage.pixels.count, 0, "pixels")
        }
    }
}
