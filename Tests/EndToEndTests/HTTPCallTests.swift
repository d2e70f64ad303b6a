import FakeMicrosoft
import ForwarderHarness
import MockKafka
import ScenarioKit
import Testing

/// libcurl and libmicrohttpd fail what the daemon asks of them.
struct HTTPCallTests {
    @Test(.timeLimit(.minutes(15)))
    func `whichever call of libcurl fails, the request is tried again`() async throws {
        try await onThread {
            let scene = try FailingScene(hasOffline: true)
            let quick = ["retry: {base: 50ms, cap: 60ms, parked_probe: 1s}", "batch: {linger: 50ms}"]
            scene.stage.settings.capi = quick
            scene.stage.settings.offline = quick
            let rules: [[String]] = [
                ["curl_easy_init 1"],
                (1...3).map { "curl_multi_add_handle \($0)" },
                (1...10).map { "curl_multi_perform \($0 * 7)" },
                (1...5).map { "curl_multi_poll \($0 * 7)" },
                (1...3).map { "curl_multi_wakeup \($0 * 3)" },
                (1...3).map { "curl_multi_info_read \($0 * 2)" },
                (1...12).map { "curl_slist_append \($0 * 5)" },
                // Each in another place of a request.
                (1...42).map { "curl_easy_setopt \($0 * 41)" },
                (1...12).map { "curl_easy_getinfo \($0 * 5)" },
            ]
            let daemon = try scene.start()
            for some in rules {
                try scene.calls.set(some)
                while !scene.calls.haveAllFailed {
                    try scene.publish()
                    try scene.arrive()
                }
                try scene.commit()
            }
            try scene.finish(daemon)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a daemon without its admin port, or with one that cannot answer, still delivers`() async throws {
        try await onThread {
            let scene = try FailingScene()
            try scene.calls.set("MHD_start_daemon 1")
            var daemon = try scene.start()
            try scene.calls.waitUntilFailed()
            try scene.stage.said("admin.refused")
            try scene.publish()
            try scene.arrive()
            try scene.commit()
            try daemon.stop()

            try scene.calls.set()
            daemon = try scene.start()
            guard let address = try scene.stage.said("admin.opened")["address"]?.string else {
                throw Disappointment("no address")
            }
            try scene.calls.set(
                "MHD_create_response_from_buffer 1", "MHD_add_response_header 2", "MHD_queue_response 3")
            for _ in 1...6 { _ = try WebPage(address, "/livez") }
            try scene.calls.waitUntilFailed()
            try requireEqual(WebPage(address, "/livez").status, 200, "status")
            try scene.finish(daemon)
        }
    }
}
