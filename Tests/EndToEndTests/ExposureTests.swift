import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// Who can see what the daemon leaves behind.
struct ExposureTests {
    @Test(.timeLimit(.minutes(15)))
    func `whatever the umask, the state is the daemon's user's alone, and no core is dumped`() async throws {
        try await onThread {
            let stage = try Stage()
            try stage.settings.write(to: stage.directory)
            // As open-handed as a start can be.
            let script = stage.directory.path + "/open-handed"
            try stage.directory.write(
                "#!/bin/sh\numask 0\nulimit -c unlimited 2>/dev/null\nexec \(daemonBinary) \"$@\"\n", to: "open-handed")
            chmod(script, 0o700)
            let daemon = try DaemonProcess(script, stage.directory)
            try daemon.waitUntilReading()
            try stage.publish(Shop.ids("seen", 0..<20).map { Shop.purchase($0) } + ["nonsense"])
            for name in ["capi", "offline"] { try stage.expect(name, "delivered", 20) }
            try daemon.waitUntilSettled(.seconds(30))
            try eventually("the grant to be saved") {
                DaemonDirectory.everything(below: stage.directory.state).contains { $0.hasSuffix(".json") }
            }
            let files = DaemonDirectory.everything(below: stage.directory.state)
            try require(files.count >= 6, "too little was found: \(files)")
            for file in files {
                var status = stat()
                try require(lstat(file, &status) == 0, "\(file) is gone")
                try require(
                    status.st_mode & 0o077 == 0, "\(file) has mode \(String(status.st_mode & 0o7777, radix: 8))")
            }
            let limits = String(
                decoding: try SmallFile.read("/proc/\(daemon.id)/limits", limit: 1 << 16), as: UTF8.self)
            let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") } ?? ""
            try requireEqual(core.split(separator: " ").dropFirst(4).prefix(2), ["0", "0"], "core limits")
            try daemon.stop()
            try stage.finish()
        }
    }
}
