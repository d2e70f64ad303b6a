import CRdKafka

/// What librdkafka or a broker refused or could not do.
public struct KafkaError: Error, Hashable, Sendable {
    public var code: Code
    /// What was being done, and what librdkafka says about it. Never holds the value of a property.
    public var text: String
    /// The client will do nothing useful any more; only a new one helps.
    public var isFatal: Bool
    /// The same call, or waiting, may well succeed: the cause is a state of the cluster, not of the request.
    public var isRetriable: Bool

    public init(_ code: Code, _ text: String, isFatal: Bool = false) {
        self.code = code
        self.text = text
        self.isFatal = isFatal
        isRetriable = !isFatal && Code.transient.contains(code)
    }

    /// The name Kafka gives to the code, such as `UNKNOWN_TOPIC_OR_PART`; librdkafka's own codes begin with `_`.
    public var name: String { code.name }

    /// An error code of the Kafka protocol (0 and up, -1 for unknown) or of librdkafka (-200 to -100).
    public struct Code: RawRepresentable, Hashable, Sendable {
        public var rawValue: Int32

        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        package init(_ code: rd_kafka_resp_err_t) {
            rawValue = code.rawValue
        }

        package var raw: rd_kafka_resp_err_t { rd_kafka_resp_err_t(rawValue: rawValue) }

        public var name: String { String(cString: rd_kafka_err2name(raw)) }

        public static let noError = Code(RD_KAFKA_RESP_ERR_NO_ERROR)

        // librdkafka's own.
        public static let transport = Code(RD_KAFKA_RESP_ERR__TRANSPORT)
        public static let resolve = Code(RD_KAFKA_RESP_ERR__RESOLVE)
        public static let allBrokersDown = Code(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        public static let authentication = Code(RD_KAFKA_RESP_ERR__AUTHENTICATION)
        public static let tls = Code(RD_KAFKA_RESP_ERR__SSL)
        public static let systemResource = Code(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE)
        public static let timedOut = Code(RD_KAFKA_RESP_ERR__TIMED_OUT)
        public static let timedOutInQueue = Code(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE)
        public static let waitingForCoordinator = Code(RD_KAFKA_RESP_ERR__WAIT_COORD)
        public static let invalidArgument = Code(RD_KAFKA_RESP_ERR__INVALID_ARG)
        public static let unknownGroup = Code(RD_KAFKA_RESP_ERR__UNKNOWN_GROUP)
        public static let unknownPartition = Code(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
        public static let unknownTopic = Code(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        public static let state = Code(RD_KAFKA_RESP_ERR__STATE)
        public static let noOffset = Code(RD_KAFKA_RESP_ERR__NO_OFFSET)
        public static let autoOffsetReset = Code(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        public static let endOfPartition = Code(RD_KAFKA_RESP_ERR__PARTITION_EOF)
        public static let queueFull = Code(RD_KAFKA_RESP_ERR__QUEUE_FULL)
        public static let maxPollExceeded = Code(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
        public static let fatal = Code(RD_KAFKA_RESP_ERR__FATAL)

        // The broker's.
        public static let offsetOutOfRange = Code(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
        public static let unknownTopicOrPartition = Code(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        public static let leaderNotAvailable = Code(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        public static let notLeader = Code(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION)
        public static let requestTimedOut = Code(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
        public static let networkException = Code(RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION)
        public static let coordinatorLoading = Code(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS)
        public static let coordinatorNotAvailable = Code(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE)
        public static let notCoordinator = Code(RD_KAFKA_RESP_ERR_NOT_COORDINATOR)
        public static let illegalGeneration = Code(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
        public static let unknownMember = Code(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
        public static let rebalanceInProgress = Code(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
        public static let topicAuthorizationFailed = Code(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        public static let groupAuthorizationFailed = Code(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        public static let offsetMetadataTooLarge = Code(RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE)

        static let transient: Set<Code> = [
            .transport, .resolve, .allBrokersDown, .timedOut, .timedOutInQueue, .waitingForCoordinator, .queueFull,
            .leaderNotAvailable, .notLeader, .requestTimedOut, .networkException, .coordinatorLoading,
            .coordinatorNotAvailable, .notCoordinator, .rebalanceInProgress,
        ]
    }
}

extension KafkaError: CustomStringConvertible {
    public var description: String { "\(text) [\(name)]" }
}

extension KafkaError {
    /// The error that a call answered with, or nil if it succeeded.
    package init?(_ code: rd_kafka_resp_err_t, while action: String) {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        self.init(Code(code), "\(action): \(String(cString: rd_kafka_err2str(code)))")
    }

    /// What a client says of itself. `fatal` only announces that there is an error which ends the client: this is that one.
    init(toldBy client: OpaquePointer, _ code: rd_kafka_resp_err_t, _ text: UnsafePointer<CChar>?) {
        if code == RD_KAFKA_RESP_ERR__FATAL {
            var reason = [CChar](repeating: 0, count: 512)
            let cause = rd_kafka_fatal_error(client, &reason, reason.count)
            self.init(Code(cause), ClientConfiguration.text(reason), isFatal: true)
        } else {
            self.init(Code(code), String(cString: text ?? rd_kafka_err2str(code)))
        }
    }

    /// The error object that a call answered with, which is freed; nil if it succeeded.
    init?(taking error: OpaquePointer?, while action: String) {
        guard let error else { return nil }
        defer { rd_kafka_error_destroy(error) }
        self.init(
            Code(rd_kafka_error_code(error)), "\(action): \(String(cString: rd_kafka_error_string(error)))",
            isFatal: rd_kafka_error_is_fatal(error) != 0)
        isRetriable = isRetriable || rd_kafka_error_is_retriable(error) != 0
    }
}
