import ForwarderCore
import HTTPServer
import Testing

@testable import Forwarder

/// What the pages show.
struct AdminPageTests {
    private static let hostile = AdminScene.hostile
    private let bearer = ["authorization": "Bearer \(AdminScene.token)"]

    /// Whether a page says of a hostile text only what is safe.
    private func isHarmless(_ page: String) -> Bool {
        !page.contains("<script>") && !page.contains("\" onload")
            && !page.contains("\u{202E}") && !page.contains("\u{0}")
    }

    private func json(_ text: String) -> String {
        var writer = JSONWriter()
        writer.value(text)
        return writer.text
    }

    @Test func `whatever a value holds is text`() {
        var html = HTML()
        html.element("p", ["title": Self.hostile, "hidden": nil], Self.hostile)
        let text = String(decoding: html.bytes, as: UTF8.self)
        #expect(
            text == """
                <p title="&lt;/textarea&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=x &amp;\u{FFFD}\u{FFFD}">\
                &lt;/textarea&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=x &amp;\u{FFFD}\u{FFFD}</p>
                """)
        #expect(
            Link("/rejects", ["reason": "a b&c=\"é", "destination": nil]).text
                == "/rejects?reason=a%20b%26c%3D%22%C3%A9")
    }

    @Test func `no page lets a hostile value out of its place`() {
        let hostile = Self.hostile
        let rows = """
            [{"id":1,"destination":\(json(hostile)),"goal":\(json(hostile)),"reason":\(json(hostile)),\
            "class":\(json(hostile)),"topic":\(json(hostile)),"partition":1,"offset":2,"dead_at":\(json(hostile)),\
            "event":\(json(hostile)),"status":\(json(hostile)),"code":\(json(hostile)),"value":\(json(hostile)),\
            "transaction_id":\(json(hostile)),"at":\(json(hostile)),"reasons":[\(json(hostile))],"attempts":1,"event_time":17}]
            """
        let scene = AdminScene(
            token: AdminScene.token, metrics: AdminScene.metrics(name: hostile, topic: hostile), reasons: [hostile]
        ) { request in
            switch request {
            case .store, .deliveries: "{\"dead_letters\":\(rows),\"rejects\":\(rows),\"deliveries\":\(rows)}"
            default: "{\"error\":\(self.json(hostile))}"
            }
        }
        let site = scene.site
        let key = site.get("/debugger", bearer).formKey
        let value = Form.escaped(hostile)
        var seen = 0
        for route in AdminSite.routes where route.isPage {
            let fields =
                "name=\(value)&destination=\(value)&reason=\(value)&event=\(value)&msclkid=\(value)&sure=yes&next=\(value)"
            let action = "&action=replay&token=\(value)&form_key=\(key)"
            let answer =
                route.method == "POST"
                ? site.post("\(route.path)", fields + action, bearer)
                : site.get("\(route.path)?\(fields)\(action)", bearer)
            guard answer["content-type"]?.hasPrefix("text/html") == true else { continue }
            if answer.text.contains("&lt;/textarea&gt;&lt;script&gt;") { seen += 1 }
            #expect(isHarmless(answer.text), "\(route.method) \(route.path): \(answer.text)")
        }
        #expect(seen >= 9, "the hostile value was shown by \(seen) pages only")
    }

    @Test func `the overview shows state and reason of everything`() {
        let scene = AdminScene(
            token: AdminScene.token, metrics: AdminScene.metrics(gate: .paused), reasons: ["lag_without_progress"])
        let text = scene.site.get("/", bearer).text
        for part in [
            "not ready", "lag_without_progress", "nothing was read for a minute", "1,234 records",
            "paused by an operator",
            "Not ready, capi paused.", "1 h 1 min", "/destinations/resume?name=capi", "Credential", "missing",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(!text.contains("/destinations/pause?"))
        #expect(AdminScene(metrics: nil).site.get("/").status == 503)
    }

    @Test func `the pages are in order for whoever hears them`() {
        let scene = AdminScene(token: AdminScene.token) { _ in "{\"dead_letters\":[],\"rejects\":[]}" }
        for path in ["/", "/dead-letters", "/rejects", "/debugger", "/send-test", "/destinations/pause?name=capi"] {
            let text = scene.site.get(path, bearer).text
            #expect(text.split(separator: "<h1>").count == 2, "\(path)")
            for part in [
                "<html lang=\"en\">", "<main id=\"content\"", "<nav aria-label=", "width=device-width", "<title>",
            ] {
                #expect(text.contains(part), "\(path): \(part)")
            }
        }
    }

    @Test func `twenty minutes of throughput are kept, and no more`() {
        let history = ThroughputHistory()
        var metrics = AdminScene.metrics()
        for second in 0..<2000 {
            metrics.destinations[0].lane.books.delivered = second * 5
            metrics.destinations[0].lane.pending = second
            history.take(metrics, now: Uptime(milliseconds: Int64(second) * 1000))
        }
        let series = history.series(of: "capi")
        #expect(series.deliveredPerSecond == Array(repeating: 5, count: 120))
        #expect(series.pending.count == 120 && series.pending.last == 1990)
        #expect(history.series(of: "else") == ThroughputHistory.Series())
        metrics.destinations = []
        history.take(metrics, now: Uptime(milliseconds: 3_000_000))
        #expect(history.series(of: "capi") == ThroughputHistory.Series())
        var html = HTML()
        Sparkline.write([0, 5, 10], label: "three", &html)
        let text = String(decoding: html.bytes, as: UTF8.self)
        #expect(text.contains("points=\"236.0,38.0 238.0,20.0 240.0,2.0\""), "\(text)")
    }

    @Test func `dead letters are acted on after a confirmation, and only those that are meant`() {
        let scene = AdminScene(token: AdminScene.token) { request in
            switch request {
            case .store(.deadLettersReplay): "{\"moved\":1200,\"refused_expired\":3,\"already_queued\":0}"
            case .store(.deadLettersDiscard): "{\"discarded\":1}"
            default: "{\"dead_letters\":[{\"id\":7,\"reason\":\"InvalidX\",\"class\":\"refused\"}]}"
            }
        }
        let site = scene.site
        let list = site.get("/dead-letters?destination=capi&reason=refused", bearer).text
        #expect(list.contains("/dead-letters/act?action=discard&amp;id=7"))
        #expect(list.contains("/dead-letters/act?action=replay&amp;destination=capi&amp;reason=refused"))
        let confirm = site.get("/dead-letters/act?action=replay&destination=capi&reason=refused", bearer)
        for part in ["How many", "Replay 1 dead letter?", "capi", "refused", "Cancel"] {
            #expect(confirm.text.contains(part), "\(part)")
        }
        func act(_ fields: String) -> ServerAnswer {
            site.post("/dead-letters/act", "form_key=\(confirm.formKey)&\(fields)", bearer)
        }
        #expect(act("action=replay&destination=capi&reason=refused").text.contains("1,200 put back into the queue."))
        #expect(act("action=discard&id=7").text.contains("1 discarded."))
        let selection = StoreSelection(destination: "capi", reason: "refused")
        let commands = scene.asked.withLock { $0 }.suffix(2)
        #expect(
            commands == [
                .store(.deadLettersReplay(selection)), .store(.deadLettersDiscard(StoreSelection(id: 7))),
            ])
        // An id that is none must not become "all".
        let before = scene.asked.withLock { $0 }.count
        for fields in ["action=discard&id=x", "action=discard&id=7%3B", "action=", "action=drop&id=7"] {
            #expect(act(fields).status == 400, "\(fields)")
        }
        #expect(scene.asked.withLock { $0 }.count == before)
    }

    @Test func `what Microsoft made of conversions stands in the delivery log, in words`() {
        let scene = AdminScene(token: AdminScene.token) { _ in
            #"{"deliveries":[{"at":"2026-08-06T07:06:40.000Z","destination":"offline","status":"verdict","#
                + #""goal":"<b>Sale</b>","day":"2026-08-05","attributed":12,"unattributed":3,"#
                + #""reasons":{"no_matching_click_found":2,"<i>":1}}]}"#
        }
        let text = scene.site.get("/deliveries?status=verdict", bearer).text
        #expect(text.contains("2026-08-05: 12 attributed, 3 not (NoMatchingClickFound 2, Other 1)"))
        #expect(text.contains("&lt;b&gt;Sale") && !text.contains("<i>") && text.contains(#"value="verdict" selected"#))
    }

    @Test func `the delivery log is asked for what the form says`() {
        let scene = AdminScene(token: AdminScene.token) { _ in
            """
            {"deliveries":[{"at":"2026-09-21T13:46:40.000Z","destination":"capi","status":"dead_lettered","code":"InvalidX",\
            "event":"Purchase","goal":"purchase","value":19.99,"currency":"EUR","transaction_id":"t-1","attempts":1}]}
            """
        }
        let query = "destination=capi&status=dead_lettered&event=Purchase&goal=purchase&transaction_id=t-1"
        let times = "&since=2026-09-21T13%3A46&until=2026-09-21T13%3A47%3A30"
        let text = scene.site.get("/deliveries?\(query)\(times)", bearer).text
        for part in ["InvalidX", "19.99 EUR", "t-1", "2026-09-21 13:46:40", "value=\"2026-09-21T13:46\"", "1 shown."] {
            #expect(text.contains(part), "\(part)")
        }
        var expected = DeliveryLogQuery()
        expected.destination = "capi"
        expected.status = "dead_lettered"
        expected.event = "Purchase"
        expected.goal = "purchase"
        expected.transactionID = "t-1"
        expected.since = Timestamp(iso8601: "2026-09-21T13:46:00Z")
        expected.until = Timestamp(iso8601: "2026-09-21T13:47:30Z")
        expected.limit = 200
        #expect(scene.asked.withLock { $0.last } == .deliveries(expected))
        // Orders of people are for those who have shown that they may see them.
        #expect(AdminScene().site.get("/deliveries").status == 403)
    }

    @Test func `an action that fails says why`() {
        let scene = AdminScene(token: AdminScene.token) { _ in "{\"error\":\"there is no destination nosuch\"}" }
        let key = scene.site.get("/debugger", bearer).formKey
        let site = scene.site
        let form = "form_key=\(site.get("/debugger", bearer).formKey)&name=nosuch"
        #expect(key != "")
        let answer = site.post("/destinations/resume", form, bearer)
        #expect(answer.status == 502)
        #expect(answer.text.contains("there is no destination nosuch"))
    }

    @Test func `the debugger says what each destination would get, or why not`() {
        let site = AdminScene().site
        func debug(_ event: String) -> String {
            site.post("/debugger", "form_key=\(site.get("/debugger").formKey)&event=\(Form.escaped(event))").text
        }
        let purchase = """
            {"event":"Purchase","event_id":"e-1","event_time":1790000000,"url":"https://shop.example/",\
            "user":{"email":"a@b.example","phone":"12"},"properties":{"value":1.5,"currency":"EUR"}}
            """
        let sent = debug(purchase)
        for part in [
            "would be sent", "Purchase e-1", "POST https://", "&quot;eventId&quot;: &quot;e-1&quot;",
            "lacks its country",
        ] {
            #expect(sent.contains(part), "\(part)")
        }
        // As it was pasted, and nothing of the address but its hash in the request.
        #expect(sent.split(separator: "a@b.example").count == 2)
        #expect(debug("{").contains("it is not JSON"))
        #expect(debug("{\"event\":\"Purchase\"}").contains("it has no event_time"))
        #expect(debug(" ").contains("There is no event in it."))
        #expect(
            debug(Array(repeating: purchase, count: 30).joined(separator: "\n")).split(separator: "would be sent").count
                == 11)
    }

    @Test func `a test is sent only when it was agreed to`() {
        let scene = AdminScene(token: AdminScene.token) { _ in
            "{\"destination\":\"capi\",\"outcome\":\"accepted\",\"well\":true,\"status\":200,\"milliseconds\":5}"
        }
        let site = scene.site
        let form = "form_key=\(site.get("/send-test", bearer).formKey)&destination=capi&name=Lead&msclkid=abc"
        #expect(site.post("/send-test", form, bearer).status == 400)
        #expect(scene.asked.withLock { $0 }.isEmpty)
        #expect(site.post("/send-test", form + "&sure=yes", bearer).text.contains("capi: accepted"))
        guard case .test(let request)? = scene.asked.withLock({ $0.last }), case .event(let event) = request.content
        else {
            Issue.record("nothing was sent")
            return
        }
        let root = (try? JSONDocument(event))?.root
        #expect(root?["event"]?.string == "Lead")
        #expect(root?["user"]?["msclkid"]?.string == "abc")
    }

    @Test func `a form is read as browsers write it`() {
        let form = Form("a=1+2%20%26%3D&b=&c&d=%&e=%zz&f=%E2%82%AC&a=last&%67=h=i".utf8)
        #expect(form["a"] == "last")
        #expect(form["b"] == nil && form["c"] == nil && form["nothing"] == nil)
        #expect(form["d"] == "%" && form["e"] == "%zz" && form["f"] == "€" && form["g"] == "h=i")
        #expect(Form("x=1+2%20%26%3D".utf8)["x"] == "1 2 &=")
        #expect(Form("&&=&==".utf8)["x"] == nil)
        let many = (0..<100).map { "f\($0)=1" }.joined(separator: "&")
        #expect(Form(many.utf8)["f31"] == "1" && Form(many.utf8)["f32"] == nil)
        for text in ["", "a b", "é&=+%", "\u{1F600}"] where !text.isEmpty {
            #expect(Form("x=\(Form.escaped(text))".utf8)["x"] == text)
        }
    }

    @Test func `numbers and times are written for people`() {
        #expect(
            [0, 7, 999, 1000, 1_234_567, -5000].map { Numbers.text($0) } == [
                "0", "7", "999", "1,000", "1,234,567", "−5,000",
            ])
        #expect(
            [0, 0.04, 0.25, 9.96, 10, 12345.6, .infinity].map { Numbers.text(rate: $0) }
                == ["0", "< 0.1", "0.3", "10.0", "10", "12,346", "–"])
        #expect(
            [0, 59.9, 60, 3661, 90_061, -4].map { Numbers.text(seconds: $0) }
                == ["0 s", "59 s", "1 min", "1 h 1 min", "1 d 1 h", "0 s"])
    }
}
