import DeliveryStore
import ForwarderCore
import Glibc
import KafkaClient

extension Command {
    static let check = Command(
        name: "check", summary: "every problem of the configuration at once",
        help: """
            Usage: conversion-forwarder check [--online] [--config FILE] [--json]

            Reads the configuration and says everything that is wrong with it, with line and path; then whether the
            secrets can be read, librdkafka takes its properties, and the state directory fits. Neither Kafka nor
            Microsoft is asked, nothing is changed. Exit code 0: the daemon can start with it; 2: it cannot; 1: it can, but
            something is not well.

              --online        also ask Kafka for the topics, get a token, and send each destination an empty request:
                              what refuses it for its emptiness has let the credential pass. No event is sent.
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(words, options: [configurationOption], flags: ["--json", "--online"])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes only options") }
        let path = arguments.value(configurationOption) ?? defaultConfiguration
        var findings = Findings()
        do throws(ConfigurationLoading.Refused) {
            let loaded = try ConfigurationLoading.load(path)
            findings.warnings += loaded.warnings
            findings.examine(loaded.configuration)
            if arguments.has("--online"), findings.errors.isEmpty {
                var online = OnlineCheck()
                online.run(loaded.configuration)
                findings.troubles += online.troubles
                findings.notes = online.notes
            }
        } catch {
            findings.errors += error.problems
        }
        findings.print(path, asJSON: arguments.has("--json"))
        return findings.code
    }

    /// What `check` finds.
    private struct Findings {
        /// The daemon would not start.
        var errors: [String] = []
        /// It would start, and not work as meant.
        var troubles: [String] = []
        var warnings: [String] = []
        /// What was asked for and is well.
        var notes: [String] = []

        var code: Int32 {
            if !errors.isEmpty { return ExitCode.usage }
            return troubles.isEmpty ? ExitCode.done : ExitCode.failure
        }

        mutating func examine(_ configuration: Configuration) {
            for destination in configuration.destinations {
                for (name, reference) in destination.secrets {
                    do throws(Secrets.Unreadable) {
                        _ = try Secrets.read(reference)
                    } catch {
                        troubles.append("destination \(destination.name): \(name): \(error.reason)")
                    }
                }
                examineGrant(destination, configuration.state)
            }
            examinePixels(configuration.pixelService)
            examineAdmin(configuration.admin)
            examineKafka(configuration.kafka)
            examineState(configuration)
        }

        private mutating func examineGrant(_ destination: DestinationSettings, _ state: StateSettings) {
            guard case .offlineConversions(let offline) = destination.kind else { return }
            switch GrantStatus(destination, offline.oauth, state).problem {
            case nil: break
            case "no_consent":
                troubles.append(
                    """
                    destination \(destination.name): nobody has consented yet; run `conversion-forwarder auth login \
                    --destination \(destination.name)`, or set oauth.refresh_token
                    """)
            case let problem?: troubles.append("destination \(destination.name): saved grant: \(problem)")
            }
        }

        /// Doubtful, no more: the daemon works without it.
        private mutating func examinePixels(_ settings: PixelServiceSettings?) {
            guard let settings else { return }
            do throws(Secrets.Unreadable) {
                _ = try Secrets.read(settings.password)
            } catch {
                warnings.append("pixel_service.password: \(error.reason); `pixels` will not work")
            }
        }

        private mutating func examineAdmin(_ settings: AdminSettings) {
            if let problem = Gatekeeper(settings).problem { troubles.append("admin.token: \(problem)") }
            do throws(AdminPort.Unavailable) {
                _ = try AdminPort.identity(settings.tls)
            } catch {
                troubles.append("admin.tls: \(error.reason)")
            }
        }

        private mutating func examineKafka(_ settings: KafkaSettings) {
            let properties: [(name: String, value: String)]
            do throws(Secrets.Unreadable) {
                properties = try KafkaProperties.all(settings)
            } catch {
                return errors.append("kafka.properties: \(error.reason)")
            }
            do throws(KafkaError) {
                try KafkaConsumer.check(properties: properties)
            } catch {
                errors.append("kafka.properties: \(error.text)")
            }
        }

        private mutating func examineState(_ configuration: Configuration) {
            let directory = configuration.state.directory
            if let problem = ControlSocket.problem(directory: directory) {
                errors.append("state.directory: \(problem)")
            }
            if let kind = FileSystemKind.doubtful(directory) {
                warnings.append(
                    "state.directory: \(directory) is on \(kind), which does not keep what is written to it")
            }
            do throws(StoreError) {
                let store = try DeliveryStore(directory: directory, access: .readOnly)
                let known = try store.destinations()
                for settings in configuration.running {
                    guard let old = known.first(where: { $0.name == settings.name }),
                        old.depth.rows + old.deadLetters > 0, old.fingerprint != settings.fingerprint
                    else { continue }
                    errors.append(
                        """
                        destination \(settings.name): \(old.depth.rows + old.deadLetters) deliveries wait for \(old.fingerprint); give \
                        it a new name now that it is \(settings.fingerprint)
                        """)
                }
                for old in known where old.depth.rows > 0 {
                    guard !configuration.running.contains(where: { $0.name == old.name }) else { continue }
                    warnings.append("\(old.depth.rows) deliveries wait for \(old.name), which is not configured")
                }
            } catch {
                switch error.kind {
                case .missing: examineMissing(directory)
                case .locked: warnings.append("\(directory) is in use; the backlog was not looked at")
                // The daemon brings it up to date.
                case .olderSchema: break
                default: errors.append("state.directory: \(error.description)")
                }
            }
        }

        /// There is no store yet; the daemon must be able to make one.
        private mutating func examineMissing(_ directory: String) {
            let isThere = access(directory, F_OK) == 0
            let place = isThere ? directory : SmallFile.parent(of: directory)
            guard access(place, W_OK | X_OK) != 0 else { return }
            let reason = String(cString: strerror(errno))
            errors.append(
                isThere
                    ? "state.directory: \(place) cannot be written to by this user (\(reason))"
                    : "state.directory: \(directory) is not there and cannot be made by this user (\(place): \(reason))"
            )
        }

        func print(_ path: String, asJSON: Bool) {
            if asJSON {
                var writer = JSONWriter()
                writer.object {
                    $0.member("ok", code == ExitCode.done)
                    $0.member("errors", array: errors)
                    $0.member("troubles", array: troubles)
                    $0.member("warnings", array: warnings)
                    $0.member("notes", array: notes)
                }
                return StandardOutput.write(line: writer.bytes)
            }
            for text in notes { StandardOutput.write(text) }
            for text in errors { StandardOutput.write("error: \(text)") }
            for text in troubles { StandardOutput.write("trouble: \(text)") }
            for text in warnings { StandardOutput.write("warning: \(text)") }
            switch code {
            case ExitCode.done: StandardOutput.write("\(path): well")
            case ExitCode.failure: StandardOutput.write("\(path): the daemon starts, but not everything will work")
            default: StandardOutput.write("\(path): the daemon does not start with this")
            }
        }
    }
}

extension DestinationSettings {
    /// The secrets that this destination needs, by the key they are configured under.
    fileprivate var secrets: [(name: String, reference: SecretReference)] {
        switch kind {
        case .capi(let capi):
            guard case .secret(let reference) = capi.token else { return [] }
            return [("token", reference)]
        case .offlineConversions(let offline):
            var secrets = [("developer_token", offline.developerToken)]
            if let reference = offline.oauth.refreshToken { secrets.append(("oauth.refresh_token", reference)) }
            if let reference = offline.oauth.clientSecret { secrets.append(("oauth.client_secret", reference)) }
            return secrets
        case .investPixel, .adjustments: return []
        }
    }
}
