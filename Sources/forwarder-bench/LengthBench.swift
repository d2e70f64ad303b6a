import Forwarder
import ForwarderCore
import ForwarderHarness

/// Whether a delivery costs more to put into the queue and to take out of it the more of them wait.
struct LengthBench {
    /// How many wait, rising.
    var lengths: [Int]
    var say: (String) -> Void

    private static let thousands = 30

    func run() {
        let scene = StoreScene()
        say("deliveries      in and out, us each: CPU     wall     opened in ms")
        var length = 0
        for wanted in lengths {
            while length < wanted {
                scene.enqueue()
                length += 1000
            }
            let opened = SystemClock.now.uptime
            scene.reopen()
            let open = SystemClock.now.uptime - opened
            // What is read for the first time is read from the disk, once.
            scene.enqueue()
            scene.drain()
            let began = SystemClock.now.uptime
            let cpu = Measurement.time {
                for _ in 0..<LengthBench.thousands {
                    scene.enqueue()
                    scene.drain()
                }
            }
            let wall = SystemClock.now.uptime - began
            let events = Double(LengthBench.thousands * 1000)
            say(
                "\(length)".leftPadded(to: 10) + fixed(cpu / events / 1000, 1).leftPadded(to: 31)
                    + fixed(Double(wall.milliseconds) * 1000 / events, 1).leftPadded(to: 9)
                    + "\(open.milliseconds)".leftPadded(to: 17))
        }
    }
}
