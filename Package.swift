// swift-tools-version: 6.2
import PackageDescription

// Every target is Swift 6 mode with warnings as errors. A target that does not name a C module cannot import it:
// the Makefile builds with --explicit-target-dependency-import-check error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func cLibrary(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let package = Package(
    name: "conversion-forwarder",
    products: [
        .executable(name: "conversion-forwarder", targets: ["conversion-forwarder"]),
        .executable(name: "fake-microsoft", targets: ["fake-microsoft"]),
        .executable(name: "forwarder-bench", targets: ["forwarder-bench"]),
    ],
    targets: [
        // C libraries, as Debian ships them.
        cLibrary("CRdKafka", pkgConfig: "rdkafka", apt: "librdkafka-dev"),
        cLibrary("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        cLibrary("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        cLibrary("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        cLibrary("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        cLibrary("CMicroHTTPD", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
        // What the C library shows only to programs in C.
        .systemLibrary(name: "CSpawn"),

        // Core: decisions. No IO, clock, thread or randomness of its own.
        library("ForwarderCore", ["CCrypto"]),

        // Wrappers: one C library each, deciding nothing. None imports another.
        library("KafkaClient", ["CRdKafka"]),
        library("DeliveryStore", ["ForwarderCore", "CSQLite"]),
        library("HTTPClient", ["ForwarderCore", "CCurl"]),
        library("HTTPServer", ["CMicroHTTPD"]),
        library("ConfigFile", ["ForwarderCore", "CYAML"]),

        // Shell: connects core and wrappers.
        library(
            "Forwarder", ["ForwarderCore", "KafkaClient", "DeliveryStore", "HTTPClient", "HTTPServer", "ConfigFile"]),

        // What stands in for the outside: a Kafka and a Microsoft on loopback, for demo, bench and tests.
        library("MockKafka", ["KafkaClient", "CRdKafka"]),
        library("FakeMicrosoft", ["ForwarderCore", "HTTPServer"]),
        library("ForwarderTestKit", ["ForwarderCore", "FakeMicrosoft"]),
        library("StorefrontEvents", ["ForwarderCore", "FakeMicrosoft"]),
        library("FaultProxy"),

        // The daemon as a process between the two, watched from outside.
        library(
            "ForwarderHarness",
            [
                "Forwarder", "ForwarderCore", "KafkaClient", "MockKafka", "FakeMicrosoft", "HTTPServer",
                "StorefrontEvents", "CSpawn",
            ]),

        program(
            "conversion-forwarder",
            [
                "Forwarder", "ForwarderCore", "ForwarderHarness", "KafkaClient", "MockKafka", "FakeMicrosoft",
                "StorefrontEvents",
            ]),
        program("fake-microsoft", ["FakeMicrosoft", "ForwarderCore", "HTTPServer"]),
        program(
            "forwarder-trial",
            ["Forwarder", "ForwarderCore", "ForwarderHarness", "FakeMicrosoft", "KafkaClient", "MockKafka"]),
        program("forwarder-simulation", ["ForwarderTestKit"]),
        .executableTarget(
            name: "forwarder-bench",
            dependencies: [
                "Forwarder", "ForwarderCore", "ForwarderHarness", "KafkaClient", "MockKafka", "FakeMicrosoft",
                "HTTPServer", "DeliveryStore", "StorefrontEvents",
            ],
            exclude: ["RESULTS.md", "instructions.txt"], swiftSettings: strict),

        tests("ForwarderCoreTests", ["ForwarderCore", "FakeMicrosoft", "ForwarderTestKit"]),
        tests("KafkaClientTests", ["KafkaClient", "MockKafka"]),
        tests("DeliveryStoreTests", ["DeliveryStore", "Forwarder", "ForwarderCore", "ForwarderTestKit", "CSQLite"]),
        tests("HTTPClientTests", ["HTTPClient", "HTTPServer", "ForwarderCore", "ForwarderHarness"]),
        tests("ConfigFileTests", ["ConfigFile", "ForwarderCore"]),
        tests("FakeMicrosoftTests", ["FakeMicrosoft", "ForwarderCore"]),
        tests("ForwarderTests", ["FakeMicrosoft", "Forwarder", "ForwarderCore", "ForwarderHarness", "KafkaClient"]),
        tests("RepositoryTests", ["Forwarder", "ForwarderCore"]),
        // What scenarios with a real daemon need besides the harness.
        .target(
            name: "ScenarioKit", dependencies: ["Forwarder", "ForwarderCore", "ForwarderHarness"],
            path: "Tests/ScenarioKit", swiftSettings: strict),
        tests(
            "EndToEndTests",
            [
                "ScenarioKit", "ForwarderHarness", "Forwarder", "ForwarderCore", "KafkaClient", "MockKafka",
                "FakeMicrosoft", "StorefrontEvents", "FaultProxy", "HTTPServer",
            ]),
        tests(
            "RealBrokerTests",
            [
                "ScenarioKit", "ForwarderHarness", "Forwarder", "ForwarderCore", "KafkaClient", "CRdKafka", "MockKafka",
                "FakeMicrosoft", "StorefrontEvents",
            ]),
    ]
)
