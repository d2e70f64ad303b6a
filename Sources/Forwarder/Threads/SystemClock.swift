import ForwarderCore
import Glibc

/// The clocks of the machine.
public enum SystemClock {
    public static var now: Moment {
        Moment(
            wall: Timestamp(milliseconds: milliseconds(CLOCK_REALTIME)),
            uptime: Uptime(milliseconds: milliseconds(CLOCK_BOOTTIME)))
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
