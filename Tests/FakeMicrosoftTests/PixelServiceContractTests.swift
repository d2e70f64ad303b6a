import FakeMicrosoft
import ForwarderCore
import Testing

/// The imitated Conversion Pixel Service.
@Suite struct PixelServiceContractTests {
    private func request(
        _ method: String, _ target: String, _ body: String = "", token: String? = nil
    ) -> FakeRequest {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        var request = FakeRequest(
            method: method, path: parts[0], headers: ["content-type": "application/json"], body: Array(body.utf8))
        if parts.count == 2 { request.query = parts[1] }
        request.headers["authorization"] = token
        return request
    }

    private func signIn(_ bench: inout Bench, password: String = "Pixel-Password-1") throws -> Answer {
        try bench.send(
            request("POST", "/auth", #"{"auth":{"username":"pixel-user","password":"\#(password)"}}"#))
    }

    private func bench() throws -> (Bench, String) {
        var bench = Bench { settings in
            for id in 1...3 { settings.invest.add(FakePixel(id: id, advertiserID: 2, name: "Pixel \(id)")) }
            settings.invest.add(FakePixel(id: 9, advertiserID: 3, name: "Other"))
            settings.invest.pixels[1]?.code = "one"
            settings.invest.advertiserCodes["acme"] = 2
        }
        let token = try #require(try signIn(&bench).json["response"]?["token"]?.string)
        return (bench, token)
    }

    private func errorID(_ answer: Answer) -> String? { answer.json["response"]?["error_id"]?.string }

    @Test func `without a good token nothing but a sign-in is answered`() throws {
        var (bench, token) = try bench()
        for given in [nil, "", "Bearer \(token)", "x"] {
            let answer = try bench.send(request("GET", "/pixel", token: given))
            #expect(answer.status == 200 && errorID(answer) == "NOAUTH")
        }
        #expect(errorID(try bench.send(request("GET", "/pixel", token: token))) == nil)
        bench.now = Bench.start + .seconds(7199)
        #expect(errorID(try bench.send(request("GET", "/pixel", token: token))) == nil)
        bench.now = Bench.start + .seconds(7200)
        #expect(errorID(try bench.send(request("GET", "/pixel", token: token))) == "NOAUTH")
        #expect(errorID(try signIn(&bench, password: "wrong")) == "UNAUTH")
    }

    @Test func `an eleventh sign-in in five minutes is refused, and remembered`() throws {
        var (bench, _) = try bench()
        for _ in 2...10 { #expect(errorID(try signIn(&bench)) == nil) }
        bench.now = Bench.start + .seconds(1)
        let answer = try signIn(&bench)
        #expect(answer.status == 429 && answer.reply.headers["Retry-After"] == "299")
        #expect(bench.model.pixelTokens.refusals == 1 && bench.model.pixelTokens.given == 10)
        bench.now = Bench.start + .seconds(300)
        #expect(errorID(try signIn(&bench)) == nil)
    }

    @Test func `pixels are found by ids, advertiser and codes, and some ids are texts`() throws {
        var (bench, token) = try bench()
        func ids(_ target: String) throws -> [String] {
            let response = try bench.send(request("GET", target, token: token)).json["response"]
            let list = response?["pixels"]?.elements ?? (response?["pixel"].map { [$0] } ?? [])
            return list.map { $0["id"]?.string ?? $0["id"]?.rawText ?? "" }
        }
        #expect(try ids("/pixel") == ["1", "2", "3", "9"])
        #expect(try ids("/pixel?id=1,3,77") == ["1", "3"])
        #expect(try ids("/pixel?advertiser_id=2&start_element=1&num_elements=1&sort=id.desc") == ["2"])
        #expect(try ids("/pixel?advertiser_code=acme") == ["1", "2", "3"])
        #expect(try ids("/pixel?advertiser_id=2&id=3") == ["3"])
        #expect(try ids("/pixel?advertiser_code=acme&code=one") == ["1"])
        #expect(try ids("/pixel?name=Pixel%202&state=active") == ["2"])
        let pixels = try bench.send(request("GET", "/pixel", token: token)).json["response"]?["pixels"]?.elements
        #expect(pixels?.map { $0["id"]?.kind } == [.number, .string, .number, .number])
        for target in ["/pixel?advertiser_id=3&id=1", "/pixel?num_elements=101", "/pixel?advertiser_id=x"] {
            #expect(errorID(try bench.send(request("GET", target, token: token))) == "SYNTAX", "\(target)")
        }
    }

    @Test func `a change leaves what it does not name, and takes the place of lists unless it appends`() throws {
        var (bench, token) = try bench()
        func change(_ pixel: String, more: String = "") throws -> JSONElement? {
            try bench.send(
                request("PUT", "/pixel?advertiser_id=2&id=1\(more)", #"{"pixel":{\#(pixel)}}"#, token: token)
            ).json["response"]?["pixel"]
        }
        let first = #""piggyback_pixels":[{"pixel_type":"js","url":"https://a.example/1"}]"#
        let second = first.replacing("/1", with: "/2")
        #expect(try change(first)?["name"]?.string == "Pixel 1")
        #expect(try change(second, more: "&append=true")?["piggyback_pixels"]?.elements?.count == 2)
        #expect(try change(second)?["piggyback_pixels"]?.elements?.count == 1)
        #expect(try change(#""name":"New""#)?["piggyback_pixels"]?.elements?.count == 1)
    }

    @Test(arguments: [
        #""name":"""#, #""name":7"#, #""state":"paused""#, #""trigger_type":"last""#, #""min_minutes_per_conv":32768"#,
        #""min_minutes_per_conv":-1"#, #""post_click_expire_mins":129601"#, #""post_view_expire_mins":43201"#,
        #""post_view_expire_mins":"1440""#, #""pixel_conversion_event_id":1"#, #""post_click_value":"10""#,
        #""piggyback_pixels":{}"#, #""piggyback_pixels":[{"pixel_type":"gif","url":"https://a.example"}]"#,
        #""id":5"#, #""line_items":[]"#, #""unknown":1"#,
    ])
    func `what is broken, over a limit or not to be written is refused`(member: String) throws {
        var (bench, token) = try bench()
        let before = bench.model.settings.invest.pixels
        for (method, target) in [("PUT", "/pixel?advertiser_id=2&id=1"), ("POST", "/pixel?advertiser_id=2")] {
            let answer = try bench.send(request(method, target, #"{"pixel":{\#(member)}}"#, token: token))
            #expect(errorID(answer) == "SYNTAX", "\(method)")
        }
        #expect(bench.model.settings.invest.pixels == before)
    }

    @Test func `a pixel in use is not deleted`() throws {
        var (bench, token) = try bench()
        bench.model.setLineItems([382], ofPixel: 1)
        let deletion = request("DELETE", "/pixel?advertiser_id=2&id=1", token: token)
        #expect(errorID(try bench.send(deletion)) == "INTEGRITY")
        bench.model.setLineItems([], ofPixel: 1)
        #expect(try bench.send(deletion).json["response"]?["status"]?.string == "OK")
        #expect(errorID(try bench.send(deletion)) == "SYNTAX")
    }

    @Test func `the next requests can be made too many, and the rest go on`() throws {
        var (bench, token) = try bench()
        bench.model.throttlePixels(2, retryAfter: 3, from: bench.now)
        for _ in 0..<2 {
            let answer = try bench.send(request("GET", "/pixel", token: token))
            #expect(answer.status == 429 && answer.reply.headers["Retry-After"] == "3")
            #expect(answer.json["response"]?["error_code"]?.string == "RATE_EXCEEDED")
        }
        #expect(try bench.send(request("GET", "/pixel", token: token)).status == 200)
    }

    /// What the forwarder's core writes is what the service's pages ask for.
    @Test func `every field that the command line can say is taken`() throws {
        var (bench, token) = try bench()
        let draft = try PixelDraft(
            [
                ("--name", ["New"]), ("--code", ["c"]), ("--state", ["inactive"]), ("--attribution", ["view"]),
                ("--category", ["generate-lead"]), ("--post-click", ["90d"]), ("--post-view", ["max"]),
                ("--count", ["every=32767m"]), ("--post-click-value", ["10"]), ("--post-view-value", ["0.5"]),
                ("--piggyback", ["img=https://a.example/1"]),
            ], isNew: true)
        let made = try bench.send(
            request("POST", "/pixel?advertiser_id=2", String(decoding: draft.json, as: UTF8.self), token: token))
        let id = try #require(made.json["response"]?.pixelID.flatMap { Int($0) })
        var expected = FakePixel(id: id, advertiserID: 2, name: "New")
        expected.code = "c"
        expected.isActive = false
        expected.trigger = .view
        expected.category = 8
        expected.postClickMinutes = 129_600
        expected.minMinutesPerConversion = 32_767
        expected.postClickValue = "10"
        expected.postViewValue = "0.5"
        expected.piggybacks = [.init(kind: "img", url: "https://a.example/1")]
        #expect(bench.model.settings.invest.pixels[id] == expected)
    }
}
