import ForwarderCore
import Glibc

extension Command {
    static let pixels = Command(
        name: "pixels", summary: "conversion pixels of Invest: look at them, create, change and delete them",
        help: """
            Usage: conversion-forwarder pixels list [ID ...] [--advertiser-id ID | --advertiser-code CODE | --all]
                                                    [--filter FIELD=VALUE ...] [--sort FIELD[.desc]] [--limit N]
                   conversion-forwarder pixels get ID [--advertiser-id ID]
                   conversion-forwarder pixels get --pixel-code CODE --advertiser-code CODE
                   conversion-forwarder pixels meta
                   conversion-forwarder pixels create [--advertiser-id ID | --advertiser-code CODE] [--dry-run] FIELDS
                   conversion-forwarder pixels update ID [--append] [--dry-run] FIELDS
                   conversion-forwarder pixels delete ID [--yes] [--dry-run]
                   conversion-forwarder pixels export ID [--host HOST]

            Speaks to the Conversion Pixel Service, as the user of the section pixel_service. export asks nobody.

            list: those of one advertiser (pixel_service.advertiser_id if none is named), or --all; 1000 unless --limit says
            otherwise. A filter is FIELD=VALUE, min_FIELD=VALUE or max_FIELD=VALUE; meta lists the fields.
            create: without FIELDS, on a terminal, it asks for them one by one. Without more than a name a pixel is as
            Monetize would make it: hybrid, 14 days after a click, 1 day after a view, no category, one conversion per user.
            update: says what changes. Lists are replaced, with --append added to.
            delete: asks on a terminal, elsewhere wants --yes. A pixel that a line item uses cannot be deleted.
            export: the address that a server calls, and lines for a destination of type invest_pixel.

            FIELDS, in the words of Monetize's page or in the service's own (not both for one):
              --name TEXT
              --attribution hybrid|view|click             --trigger-type
              --category WORD                             --pixel-conversion-event-id 2...8|null
                  landing-page, view-item, add-to-cart, initiate-checkout, add-payment-info, purchase, generate-lead, none
              --post-click 14d                            --post-click-expire-mins N|null
                  up to 90d, or max
              --post-view 1d                              --post-view-expire-mins N|null
                  up to 30d, or max
              --count one-per-user|all|every=2h           --min-minutes-per-conv N|null
              --piggyback img=URL|js=URL|none             may be repeated for js
              --code TEXT  --state active|inactive  --post-click-value N|null  --post-view-value N|null

            What the service cannot take is said before it is asked, all of it at once (exit code 2). Exit code 1: the
            service refuses, or does not answer; the message says whether something may have been done all the same.

              --advertiser-id ID       whose pixels
              --advertiser-code CODE   the same, by the advertiser's own code
              --pixel-code CODE        the pixel's own code
              --all                    of all advertisers
              --filter FIELD=VALUE     may be repeated
              --sort FIELD             in front of .asc or .desc
              --limit N                most pixels that are listed
              --append                 add to lists
              --dry-run                only say what would be done
              --yes                    do not ask
              --host HOST              of the address (default \(InvestPixelSettings.defaultHost))
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(
            words, options: [configurationOption] + PixelsCommand.singleOptions, lists: PixelsCommand.listOptions,
            flags: ["--json"] + PixelsCommand.flags)
        let deeds = PixelsCommand.allCases.map { "`\($0.rawValue)`" }
        guard let word = arguments.words.first, let deed = PixelsCommand(rawValue: word) else {
            throw Arguments.Wrong("takes \(deeds.dropLast().joined(separator: ", ")) or \(deeds.last ?? "")")
        }
        return try deed.run(arguments)
    }
}

/// What `pixels` does, by the word behind it.
enum PixelsCommand: String, CaseIterable {
    case list, get, meta, create, update, delete, export

    private static let fieldOptions = PixelOption.all.map(\.name)
    static let listOptions = ["--filter", "--piggyback"]
    static let singleOptions =
        fieldOptions.filter { !listOptions.contains($0) } + [
            "--advertiser-id", "--advertiser-code", "--pixel-code", "--sort", "--limit", "--host",
        ]
    static let flags = ["--all", "--append", "--dry-run", "--yes"]

    /// The options and flags that mean something here, besides those of every command.
    private var options: [String] {
        switch self {
        case .list: ["--advertiser-id", "--advertiser-code", "--all", "--filter", "--sort", "--limit"]
        case .get: ["--advertiser-id", "--advertiser-code", "--pixel-code"]
        case .meta: []
        case .create: ["--advertiser-id", "--advertiser-code", "--dry-run"] + PixelsCommand.fieldOptions
        case .update: ["--append", "--dry-run"] + PixelsCommand.fieldOptions
        case .delete: ["--yes", "--dry-run"]
        case .export: ["--host"]
        }
    }

    fileprivate func run(_ arguments: Arguments) throws(Arguments.Wrong) -> Int32 {
        let strange = arguments.given.subtracting(options + ["--json", Command.configurationOption]).sorted()
        if !strange.isEmpty {
            throw Arguments.Wrong(
                "\(rawValue) has no use for \(strange.joined(separator: ", "))"
                    + (options.isEmpty ? "" : "; it takes \(options.sorted().joined(separator: ", "))"))
        }
        do {
            switch self {
            case .list: return try list(arguments)
            case .get: return try get(arguments)
            case .meta: return try meta(arguments)
            case .create: return try create(arguments)
            case .update: return try update(arguments)
            case .delete: return try delete(arguments)
            case .export: return try export(arguments)
            }
        } catch let error as PixelDesk.Refused {
            StandardError.write(error.reason)
            return ExitCode.failure
        } catch let error as PixelProblems {
            throw Arguments.Wrong(error.lines.joined(separator: "\n"))
        } catch let error as Arguments.Wrong {
            throw error
        } catch {
            throw Arguments.Wrong("\(error)")
        }
    }

    // MARK: What several need

    /// The configuration, and its section for this.
    static func settings(_ arguments: Arguments) throws(Arguments.Wrong) -> (PixelServiceSettings, Configuration) {
        let configuration = try Command.configuration(arguments)
        guard let settings = configuration.pixelService else {
            throw Arguments.Wrong(
                """
                the configuration has no section pixel_service. Write, with your own user:

                pixel_service:
                  username: pixel-user
                  password: {env: INVEST_PASSWORD}    # or {file: /absolute/path}
                  advertiser_id: "2"                  # optional: whose pixels are meant
                """)
        }
        return (settings, configuration)
    }

    /// The id behind the command, and nothing else.
    static func id(_ arguments: Arguments) throws(PixelProblems) -> String {
        guard arguments.words.count == 2, ConversionPixel.isID(arguments.words[1]) else {
            throw PixelProblems("\(arguments.words[0]) takes the id of one pixel, which is a number")
        }
        return arguments.words[1]
    }

    /// nil if none is named.
    static func advertiser(_ arguments: Arguments) throws(PixelProblems) -> PixelAdvertiser? {
        switch (arguments.value("--advertiser-id"), arguments.value("--advertiser-code")) {
        case (nil, nil): return nil
        case (let id?, nil):
            guard ConversionPixel.isID(id) else { throw PixelProblems("--advertiser-id takes a number") }
            return .id(id)
        case (nil, let code?):
            guard !code.isEmpty else { throw PixelProblems("--advertiser-code is empty") }
            return .code(code)
        default: throw PixelProblems("--advertiser-id and --advertiser-code are two words for one thing")
        }
    }

    /// The options that say fields.
    static func fields(_ arguments: Arguments) -> [(name: String, values: [String])] {
        fieldOptions.map { name in (name, arguments.value(name).map { [$0] } ?? arguments.values(name)) }
            .filter { !$0.values.isEmpty }
    }

    /// Prints what was done: as JSON, or in words.
    static func show(_ arguments: Arguments, _ json: [UInt8], text: String) {
        if arguments.has("--json") { StandardOutput.write(line: json) } else { StandardOutput.write(text) }
    }

    static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Says something that a person is to answer, beside what is printed, and reads the answer.
    /// - Returns: nil when nothing more comes.
    static func answer(to prompt: String) -> String? {
        StandardOutput.write(Array(prompt.utf8), to: STDERR_FILENO)
        if let line = readLine(strippingNewline: true) { return line }
        // What follows is not to stand behind the question.
        StandardError.write("")
        return nil
    }
}

/// Runs several checks and keeps what each of them finds.
struct PixelChecks {
    private var lines: [String] = []

    mutating func run<Value>(_ check: () throws(PixelProblems) -> Value) -> Value? {
        do throws(PixelProblems) {
            return try check()
        } catch {
            lines += error.lines
            return nil
        }
    }

    mutating func add(_ line: String) { lines.append(line) }

    func finish() throws(PixelProblems) {
        guard lines.isEmpty else { throw PixelProblems(lines) }
    }
}
