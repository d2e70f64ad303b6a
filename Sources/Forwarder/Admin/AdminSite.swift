import ForwarderCore
import HTTPServer

/// Answers the requests of the admin port: who may, then which page. Holds no socket, so a test can ask it anything.
struct AdminSite: Sendable {
    let sources: AdminSources
    let gatekeeper: Gatekeeper
    let budget = AskBudget()

    init(_ settings: AdminSettings, _ sources: AdminSources) {
        self.sources = sources
        gatekeeper = Gatekeeper(settings)
    }

    /// One request that may be answered.
    struct Visit {
        var request: ServerRequest
        /// The fields of the body, or of the query if there is none.
        var form: Form
        var viewer: Viewer
        var now: Moment
    }

    struct Route: Sendable {
        enum Access: Comparable {
            /// Probes: asked for by whatever name, by anybody.
            case probe
            /// Anybody who calls this site by a name of its own.
            case guest
            /// The token, if one is configured.
            case reader
            /// The token: one has to be configured.
            case holder
        }

        var method = "GET"
        var path: StaticString
        var access: Access
        /// Asks the store, or does as much work.
        var isCostly = false
        /// Answers people, who can be asked for the token.
        var isPage = true
        var answer: @Sendable (AdminSite, Visit) -> ServerAnswer
    }

    func answer(_ request: ServerRequest) -> ServerAnswer {
        var answer = bareAnswer(request)
        answer.headers += AdminSite.protection
        return answer
    }

    private func bareAnswer(_ request: ServerRequest) -> ServerAnswer {
        let method = request.method == "HEAD" ? "GET" : request.method
        let here = AdminSite.routes.filter { "\($0.path)" == request.path }
        if here.isEmpty, method == "GET" {
            return .text(404, "there is no \(request.path.prefix(80)) here\n")
        }
        guard let route = here.first(where: { $0.method == method }) else {
            let allowed = here.isEmpty ? ["GET"] : here.map(\.method)
            return .text(405, "only \(allowed.joined(separator: " and "))\n").with(
                "Allow", (allowed.contains("GET") ? ["HEAD"] + allowed : allowed).joined(separator: ", "))
        }
        let now = sources.now()
        if route.access > .probe, !gatekeeper.isCalledByName(request) {
            return .text(
                421, "this name of the admin port is not known to it; if it should be, add it to admin.hosts\n")
        }
        let form = Form(method == "POST" ? request.body : Array(request.query.utf8))
        var visit = Visit(request: request, form: form, viewer: .guest, now: now)
        if method == "POST" {
            guard gatekeeper.isOwnForm(request) else { return .text(403, "this form is from another site\n") }
            let type = request.headers["content-type"]?.prefix { $0 != ";" } ?? ""
            guard type == "application/x-www-form-urlencoded" else { return .text(415, "only forms\n") }
        }
        if route.access >= .reader {
            if let refusal = admit(&visit, to: route) { return refusal }
        }
        guard route.isCostly else { return route.answer(self, visit) }
        return budget.spend(now: now.uptime) { route.answer(self, visit) }
            ?? .text(429, "too many requests at a time; try again in a few seconds\n").with("Retry-After", "5")
    }

    /// Returns why the visitor gets no further; nil after having noted who it is.
    private func admit(_ visit: inout Visit, to route: Route) -> ServerAnswer? {
        let visitor = gatekeeper.visitor(visit.request, now: visit.now.uptime)
        switch visitor {
        case .anybody(let formKey): visit.viewer = Viewer(formKey: formKey, mayAct: false, hasSession: false)
        case .holder(let formKey, let hasSession):
            visit.viewer = Viewer(formKey: formKey, mayAct: true, hasSession: hasSession)
        case .unknown:
            guard route.isPage else {
                return .text(401, "show the token: Authorization: Bearer …\n").with("WWW-Authenticate", "Bearer")
            }
            return .page(401, LoginPage.page(next: route.method == "GET" ? "\(route.path)" : "/", isRefused: false))
        case .locked(let reason):
            return .text(503, "nobody is let in, because the token of admin.token cannot be read: \(reason)\n")
        }
        if route.access == .holder, !visit.viewer.mayAct {
            return .page(403, NoticePage.needsToken(visit.viewer))
        }
        if route.method == "POST", !gatekeeper.isGenuine(visit.form["form_key"], for: visitor) {
            return .page(403, NoticePage.staleForm(visit.viewer))
        }
        return nil
    }

    /// On every answer: it is kept nowhere, shown inside of no other page, and may run and load nothing but what is here.
    private static let protection: [(name: String, value: String)] = [
        ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
        // Not no-referrer: with that browsers send forms without their origin.
        ("Referrer-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        (
            "Content-Security-Policy",
            """
            default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
            form-action 'self'; frame-ancestors 'none'; base-uri 'none'
            """
        ),
    ]
}

extension ServerAnswer {
    static func text(_ status: Int, _ text: String, type: String = "text/plain; charset=utf-8") -> ServerAnswer {
        ServerAnswer(status: status, headers: [("Content-Type", type)], body: Array(text.utf8))
    }

    static func json(_ bytes: [UInt8]) -> ServerAnswer {
        ServerAnswer(status: 200, headers: [("Content-Type", "application/json")], body: bytes + [UInt8(ascii: "\n")])
    }

    static func page(_ html: HTML) -> ServerAnswer { page(200, html) }

    static func page(_ status: Int, _ html: HTML) -> ServerAnswer {
        ServerAnswer(status: status, headers: [("Content-Type", "text/html; charset=utf-8")], body: html.bytes)
    }

    /// Sends the browser to another page of this site.
    static func redirect(to path: String) -> ServerAnswer {
        ServerAnswer(status: 303, headers: [("Location", path)])
    }

    func with(_ name: String, _ value: String) -> ServerAnswer {
        var answer = self
        answer.headers.append((name, value))
        return answer
    }
}
