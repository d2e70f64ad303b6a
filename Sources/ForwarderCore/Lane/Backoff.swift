/// How long to wait after the n-th failure in a row: uniform between nothing and a bound that doubles, so that those who
/// were thrown out together do not come back together.
public enum Backoff {
    /// A longer `Retry-After` is not believed.
    public static let retryAfterLimit = Duration.seconds(3600)

    /// `failures` counts from 1. `atLeast` is what the other side asked for.
    public static func delay(
        _ settings: RetrySettings, failures: Int, atLeast: Duration? = nil,
        using random: inout some RandomNumberGenerator
    ) -> Duration {
        precondition(failures > 0, "nothing to back off from")
        let base = max(settings.base.milliseconds, 1)
        let cap = max(settings.cap.milliseconds, 1)
        let doublings = min(failures - 1, 40)
        let bound = base > cap >> doublings ? cap : min(cap, base << doublings)
        let jitter = Duration.milliseconds(Int64.random(in: 0...bound, using: &random))
        return max(jitter, min(atLeast ?? .zero, retryAfterLimit))
    }
}
