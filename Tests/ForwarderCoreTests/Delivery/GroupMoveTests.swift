import ForwarderCore
import Testing

struct GroupMoveTests {
    @Test(
        arguments: [
            // From 50 of 10 ..< 100.
            (GroupMove.Target.earliest, 50, nil, 10, 40, 0),
            (.latest, 50, nil, 100, 0, 50),
            (.offset(30), 50, nil, 30, 20, 0),
            (.offset(50), 50, nil, 50, 0, 0),
            (.offset(3), 50, nil, 10, 40, 0),
            (.offset(1000), 50, nil, 100, 0, 50),
            (.time(Timestamp(seconds: 1)), 50, 60, 60, 0, 10),
            // Nothing was published since.
            (.time(Timestamp(seconds: 1)), 50, nil, 100, 0, 50),
            // Nothing was committed: it begins with the oldest.
            (.latest, nil, nil, 100, 0, 90),
            (.earliest, nil, nil, 10, 0, 0),
            // What was committed is trimmed by now, or was never there.
            (.offset(20), 5, nil, 20, 0, 10),
            (.earliest, 500, nil, 10, 90, 0),
        ] as [(GroupMove.Target, Int64?, Int64?, Int64, Int64, Int64)])
    func `a move says where it leads, what it repeats and what it leaves out`(
        _ target: GroupMove.Target, _ committed: Int64?, _ found: Int64?, _ offset: Int64, _ repeated: Int64,
        _ leftOut: Int64
    ) {
        let move = GroupMove(to: target, low: 10, high: 100, committed: committed, found: found)
        #expect(move.offset == offset)
        #expect(move.repeated == repeated)
        #expect(move.leftOut == leftOut)
    }

    @Test func `a target is a word, an offset, or a time`() {
        let now = Timestamp(seconds: 1_786_000_000)
        #expect(GroupMove.Target("earliest", now: now) == .earliest)
        #expect(GroupMove.Target("latest", now: now) == .latest)
        #expect(GroupMove.Target("42", now: now) == .offset(42))
        #expect(GroupMove.Target("2h", now: now) == .time(now - .seconds(7200)))
        #expect(GroupMove.Target("2026-08-06T07:00:00Z", now: now) == .time(Timestamp(seconds: 1_785_999_600)))
        for wrong in ["-1", "", "yesterday", "2026-13-01T00:00:00Z"] {
            #expect(GroupMove.Target(wrong, now: now) == nil, "\(wrong)")
        }
    }
}
