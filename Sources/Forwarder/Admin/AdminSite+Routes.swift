import ForwarderCore
import HTTPServer

extension AdminSite {
    /// Everything there is.
    static let routes: [Route] =
        [
            Route(path: "/livez", access: .probe, isPage: false) { site, _ in site.liveness },
            Route(path: "/readyz", access: .probe, isPage: false) { site, _ in site.readiness },
            Route(path: "/metrics", access: .reader, isPage: false) { site, _ in site.exposition },
            Route(path: "/status", access: .reader, isPage: false) { site, _ in site.status },

            Route(path: "/style.css", access: .guest) { _, _ in
                .text(200, StyleSheet.text, type: "text/css; charset=utf-8")
            },
            Route(path: "/page.js", access: .guest) { _, _ in
                .text(200, PageScript.text, type: "text/javascript; charset=utf-8")
            },
            Route(path: "/icon.svg", access: .guest) { _, _ in .text(200, Icon.text, type: "image/svg+xml") },
            Route(path: "/login", access: .guest) { _, _ in .page(LoginPage.page(next: "/", isRefused: false)) },
            Route(method: "POST", path: "/login", access: .guest) { site, visit in site.logIn(visit) },
            Route(method: "POST", path: "/logout", access: .holder) { site, visit in
                .redirect(to: "/login").with("Set-Cookie", site.gatekeeper.logOut(visit.request))
            },

            Route(path: "/", access: .reader) { site, visit in site.overview(visit) },
        ] + actionRoutes

    // MARK: For programs

    private var liveness: ServerAnswer {
        let stalled = sources.stalled()
        return stalled.isEmpty ? .text(200, "ok\n") : .text(503, "stalled: \(stalled.joined(separator: ", "))\n")
    }

    private var readiness: ServerAnswer {
        let reasons = sources.reasons()
        return reasons.isEmpty ? .text(200, "ready\n") : .text(503, reasons.joined(separator: "\n") + "\n")
    }

    private var status: ServerAnswer {
        guard sources.metrics() != nil else { return .text(503, "starting\n") }
        return .json(sources.ask(.status))
    }

    private var exposition: ServerAnswer {
        guard let metrics = sources.metrics() else { return .text(503, "starting\n") }
        return .text(200, metrics.exposition, type: "text/plain; version=0.0.4; charset=utf-8")
    }

    // MARK: For people

    private func logIn(_ visit: Visit) -> ServerAnswer {
        let next = visit.form["next"].flatMap { PageFrame.isPlace($0) ? $0 : nil } ?? "/"
        guard let cookie = gatekeeper.logIn(visit.form["token"] ?? "", now: visit.now.uptime) else {
            return .page(401, LoginPage.page(next: next, isRefused: true))
        }
        return .redirect(to: next).with("Set-Cookie", cookie)
    }

    private func overview(_ visit: Visit) -> ServerAnswer {
        guard let metrics = sources.metrics() else {
            return .page(
                503, NoticePage.page("Starting", "There are no numbers yet. Try again in a second.", visit.viewer))
        }
        let series = Dictionary(
            metrics.destinations.map { ($0.lane.name, sources.history.series(of: $0.lane.name)) },
            uniquingKeysWith: { first, _ in first })
        return .page(
            OverviewPage.page(
                OverviewPage.Values(
                    metrics: metrics, reasons: sources.reasons(), series: series, at: visit.now.wall), visit.viewer))
    }
}
