import ForwarderCore
import Testing

struct GroupMoveTests {
    @Test func `a move says where it leads, what it repeats and what it leaves out`() {
        // Of 10 ..< 100.
        func check(
            _ target: GroupMove.Target, from committed: Int64?, found: Int64? = nil, to offset: Int64, repeats: Int64,
            leavesOut: Int64, _ location: SourceLocation = #_sourceLocation
        ) {
            let move = GroupMove(to: target, low: 10, high: 100, committed: committed, found: found)
            #expect(move.offset == offset, sourceLocation: location)
            #expect(move.repeated == repeats, sourceLocation: location)
            #expect(move.leftOut == leavesOut, sourceLocation: location)
        }
        check(.earliest, from: 50, to: 10, repeats: 40, leavesOut: 0)
        check(.latest, from: 50, to: 100, repeats: 0, leavesOut: 50)
        check(.offset(30), from: 50, to: 30, repeats: 20, leavesOut: 0)
        check(.offset(50), from: 50, to: 50, repeats: 0, leavesOut: 0)
        check(.offset(3), from: 50, to: 10, repeats: 40, leavesOut: 0)
        check(.offset(1000), from: 50, to: 100, repeats: 0, leavesOut: 50)
        let time = GroupMove.Target.time(Timestamp(seconds: 1))
        check(time, from: 50, found: 60, to: 60, repeats: 0, leavesOut: 10)
        // Nothing was published since.
        check(time, from: 50, to: 100, repeats: 0, leavesOut: 50)
        // Nothing was committed: it begins with the oldest.
        check(.latest, from: nil, to: 100, repeats: 0, leavesOut: 90)
        check(.earliest, from: nil, to: 10, repeats: 0, leavesOut: 0)
        // What was committed is trimmed by now, or was never there.
        check(.offset(20), from: 5, to: 20, repeats: 0, leavesOut: 10)
        check(.earliest, from: 500, to: 10, repeats: 90, leavesOut: 0)
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
