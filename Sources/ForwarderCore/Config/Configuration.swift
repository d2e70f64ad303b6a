/// The whole configuration after validation: every value is inside its bounds, every default filled in.
public struct Configuration: Sendable, Equatable {
    public var kafka: KafkaSettings
    public var input: InputSettings
    public var state: StateSettings
    public var http: HTTPSettings
    public var destinations: [DestinationSettings]
    public var admin: AdminSettings
    public var log: LogSettings
    public var shutdown: ShutdownSettings
    /// nil: there is nobody whom the `pixels` commands could be.
    public var pixelService: PixelServiceSettings?

    public init(
        kafka: KafkaSettings, input: InputSettings = InputSettings(), state: StateSettings = StateSettings(),
        http: HTTPSettings = HTTPSettings(), destinations: [DestinationSettings],
        admin: AdminSettings = AdminSettings(), log: LogSettings = LogSettings(),
        shutdown: ShutdownSettings = ShutdownSettings(), pixelService: PixelServiceSettings? = nil
    ) {
        self.kafka = kafka
        self.input = input
        self.state = state
        self.http = http
        self.destinations = destinations
        self.admin = admin
        self.log = log
        self.shutdown = shutdown
        self.pixelService = pixelService
    }
}

/// Where a secret is to be read, at start and whenever it is refused. The secret itself is never part of the
/// configuration.
public enum SecretReference: Sendable, Equatable {
    case file(String)
    case environment(String)
}

public struct KafkaSettings: Sendable, Equatable {
    /// Where to read when the group has no offset for a partition, or when the offset it has is gone.
    public enum OffsetReset: String, Sendable, CaseIterable {
        case earliest, latest
        /// Stop reading that partition and say so until an operator decides.
        case stop
    }

    public var brokers: [String]
    public var topics: [String]
    public var groupID = "conversion-forwarder"
    /// Where a group without an offset starts.
    public var startFrom = OffsetReset.earliest
    /// What to do when Kafka no longer holds the offset at which the group stands.
    public var outOfRange = OffsetReset.earliest
    /// How often settled offsets are committed.
    public var commitInterval = Duration.seconds(1)
    /// Properties handed to librdkafka as they are, in the order of the file; they win over the defaults.
    public var properties: [Property] = []

    public struct Property: Sendable, Equatable {
        public enum Value: Sendable, Equatable {
            case text(String)
            case secret(SecretReference)
        }

        public var name: String
        public var value: Value

        public init(name: String, value: Value) {
            self.name = name
            self.value = value
        }

        public init(name: String, value: String) {
            self.init(name: name, value: .text(value))
        }
    }

    public init(brokers: [String], topics: [String]) {
        self.brokers = brokers
        self.topics = topics
    }
}

public struct InputSettings: Sendable, Equatable {
    public enum Preset: String, Sendable, CaseIterable {
        case storefront
        /// Calls of Segment and RudderStack.
        case segment
    }

    public enum TimeFormat: String, Sendable, CaseIterable {
        /// UNIX seconds.
        case unix
        /// ISO 8601 text with a zone; UNIX seconds are still read.
        case iso8601
    }

    public var preset = Preset.storefront
    /// A field read from another place than the preset's.
    public var fields: [FieldPath] = []
    /// With `segment`: the id of the consent category that stands for advertising.
    public var consentCategory = "Advertising"
    public var timeFormat = TimeFormat.unix
    public var maxEventBytes = 256 << 10

    public struct FieldPath: Sendable, Equatable {
        public var field: EventField
        /// Member names from the root of the event; a number steps into an array.
        public var path: [String]

        public init(field: EventField, path: [String]) {
            self.field = field
            self.path = path
        }
    }

    public init() {}
}

public struct StateSettings: Sendable, Equatable {
    public var directory = "/var/lib/conversion-forwarder"
    /// What refresh tokens are encrypted with before they are written there; nil: they are written as they are.
    public var key: SecretReference?
    /// Disk space held in reserve, so that what is settled can still be written when the disk is full.
    public var ballastBytes = 16 << 20
    /// Dead letters and rejects older than this are purged.
    public var keepFor = Duration.seconds(30 * 86_400)
    /// Most dead letters, and most rejects, that are kept.
    public var keepRows = 1_000_000

    public init() {}
}

/// What all outgoing HTTP shares.
public struct HTTPSettings: Sendable, Equatable {
    /// `http://host:port` of a forward proxy.
    public var proxy: String?
    /// PEM file of the certificate authorities to trust instead of the system's.
    public var caFile: String?
    public var connectTimeout = Duration.seconds(10)

    public init() {}
}

public struct AdminSettings: Sendable, Equatable {
    /// Host and port of the admin port; nil turns it off. Port 0 picks a free one.
    public var listen: Endpoint? = Endpoint(host: "127.0.0.1", port: 9464)
    /// Whoever shows this may look and act; without one everybody who reaches the port may look, and nobody act.
    public var token: SecretReference?
    public var tls: TLSFiles?
    /// Names, besides its own, under which browsers may ask for it.
    public var hosts: [String] = []

    public struct TLSFiles: Sendable, Equatable {
        /// PEM file: the certificate first, then those that lead to the root.
        public var certificate: String
        /// PEM file, not encrypted.
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    public struct Endpoint: Sendable, Equatable {
        public var host: String
        public var port: UInt16

        public init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }
    }

    public init() {}
}

public struct LogSettings: Sendable, Equatable {
    public enum Level: String, Sendable, CaseIterable, Comparable {
        case debug, info, warning, error

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }

        public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
    }

    public enum Format: String, Sendable, CaseIterable {
        /// `emf`: JSON whose metrics lines CloudWatch takes metrics from.
        case json, logfmt, emf
    }

    public var level = Level.info
    public var format = Format.json
    public var metricsInterval = Duration.seconds(10)

    public init() {}
}

public struct ShutdownSettings: Sendable, Equatable {
    /// How long requests in flight may take to finish after SIGTERM.
    public var grace = Duration.seconds(25)

    public init() {}
}
