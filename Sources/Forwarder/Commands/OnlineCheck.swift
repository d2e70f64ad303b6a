import ForwarderCore
import KafkaClient

/// What `check --online` asks Kafka and Microsoft.
struct OnlineCheck {
    private static let kafkaTimeoutMilliseconds: Int32 = 10_000

    /// What is not well.
    private(set) var troubles: [String] = []
    /// What was asked and is well.
    private(set) var notes: [String] = []

    mutating func run(_ configuration: Configuration) {
        askKafka(configuration.kafka)
        let send: (TestRequest) -> Answer = sender(configuration)
        for destination in configuration.destinations { probe(destination, send) }
    }

    private mutating func askKafka(_ settings: KafkaSettings) {
        do {
            let consumer = try KafkaConsumer(properties: try KafkaProperties.all(settings))
            defer { _ = consumer.close(timeoutMilliseconds: 1000) { _ in } }
            let metadata = try consumer.metadata(
                topics: settings.topics, timeoutMilliseconds: OnlineCheck.kafkaTimeoutMilliseconds)
            for topic in metadata.topics {
                if let error = topic.error {
                    troubles.append("kafka: topic \(topic.name): \(error.name)")
                } else {
                    notes.append("kafka: topic \(topic.name) has \(topic.partitionCount) partitions")
                }
            }
        } catch let error as KafkaError {
            troubles.append("kafka: \(settings.brokers.joined(separator: ",")): \(error.name): \(error.text)")
        } catch {
            // Said without asking anybody.
        }
    }

    private enum Answer {
        case result(JSONElement)
        case refused(String)
    }

    /// Through the daemon that runs by this state directory, or without one.
    private func sender(_ configuration: Configuration) -> (TestRequest) -> Answer {
        let directory = configuration.state.directory
        var own: Result<TestSender, DirectSession.Refused>?
        return { request in
            let answer: [UInt8]
            switch ControlSocket.ask(directory: directory, ControlRequest.test(request).json) {
            case .line(let line): answer = line
            case .silent: return .refused("the daemon does not answer; look at its log")
            case .notRunning:
                let sender = own ?? Result { () throws(DirectSession.Refused) in try TestSender(configuration) }
                own = sender
                switch sender {
                case .success(let sender): answer = sender.send(request).json
                case .failure(let refused): return .refused(refused.reason)
                }
            }
            guard let root = (try? JSONDocument(answer))?.root else {
                return .refused("the daemon's answer is no JSON")
            }
            return .result(root)
        }
    }

    private mutating func probe(_ destination: DestinationSettings, _ send: (TestRequest) -> Answer) {
        switch send(TestRequest(destination: destination.name, content: .nothing)) {
        case .refused(let reason): troubles.append("destination \(destination.name): \(reason)")
        case .result(let root):
            if let problem = root["error"]?.string {
                return troubles.append("destination \(destination.name): \(problem)")
            }
            guard root["well"]?.bool != true else {
                var note = "destination \(destination.name): reached, and nothing is said against the credential"
                if let source = destination.tokenSource { note += ", the tag's token that \(source) was given" }
                return notes.append(note)
            }
            troubles.append("destination \(TestResult.text(root).split(separator: "\n").joined(separator: ";"))")
        }
    }
}

extension DestinationSettings {
    /// Which destination's account is asked for this one's token; nil if none is.
    fileprivate var tokenSource: String? {
        guard case .capi(let capi) = kind, case .destination(let name) = capi.token else { return nil }
        return name
    }
}
