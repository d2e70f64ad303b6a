import Testing

@Suite struct ScenarioTests {
    @Test(arguments: ScenarioFile.all("lane-"))
    func `a lane acts as its transcript says`(file: ScenarioFile) throws {
        let lines = file.read()
        var scene: LaneScene?
        let found = transcript(of: lines) { line in
            guard scene == nil else { return scene?.run(line) ?? [] }
            scene = LaneScene(line)
            return []
        }
        if ScenarioFile.isUpdating { return file.write(found) }
        #expect(found == lines.map(String.init), "\(file.name)")
    }

    @Test func `there is a transcript for each rule`() {
        #expect(ScenarioFile.all("lane-").count >= 40)
        #expect(ScenarioFile.all("grant-").count >= 15)
    }
}
