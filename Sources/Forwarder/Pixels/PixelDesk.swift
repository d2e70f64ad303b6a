import ForwarderCore
import Glibc
import HTTPClient

/// Carries out what the `pixels` commands want of the Conversion Pixel Service. The daemon has no part in it, and may run
/// meanwhile.
final class PixelDesk {
    struct Refused: Error {
        var reason: String
    }

    private let client: HTTPClient
    private let file: PixelTokenFile
    /// One command at a time for each state directory, and each sends one request after the other: the service allows
    /// fifteen at once, and two that sign in at once would each believe the token theirs.
    private let lock: PixelLock
    private var session: PixelSession
    private var lastRequest: UInt64 = 0

    init(_ settings: PixelServiceSettings, _ configuration: Configuration) throws(Refused) {
        do {
            let directory = configuration.state.directory
            _ = try DirectSession.hasOwnDirectory(directory, mayCreate: true)
            file = try PixelTokenFile(settings, configuration.state)
            lock = try PixelLock(PixelTokenFile.folder(in: directory))
            let password: String
            do throws(Secrets.Unreadable) {
                password = try Secrets.read(settings.password)
            } catch {
                throw Refused(reason: "pixel_service.password: \(error.reason)")
            }
            session = PixelSession(settings, password: password, record: try file.read())
            client = try HTTPClient(options: HTTPClient.Options(configuration.http))
        } catch let error as Refused {
            throw error
        } catch let error as DirectSession.Refused {
            throw Refused(reason: error.reason)
        } catch let error as HTTPClientError {
            throw Refused(reason: "http: \(error.description)")
        } catch {
            throw Refused(reason: "\(error)")
        }
        // libcurl leaves it to its caller: a connection that breaks while it is written to ends no command.
        signal(SIGPIPE, SIG_IGN)
    }

    /// - Returns: the element `response` of the answer.
    func carryOut(_ call: PixelCall) throws(Refused) -> JSONElement {
        var saved = session.record
        var step = session.begin(call, now: SystemClock.now.wall)
        while true {
            // Before it is sent: what this process does must count for the next one, though it be killed.
            if session.record != saved {
                try file.write(session.record)
                saved = session.record
            }
            switch step {
            case .send(let request):
                let completion = exchange(request)
                step = session.answered(
                    completion.outcome, detail: completion.faultDetail, now: SystemClock.now.wall)
            case .wait(let duration, let reason):
                StandardError.write(reason)
                usleep(UInt32(clamping: duration.milliseconds) * 1000)
                step = session.resume(now: SystemClock.now.wall)
            case .done(let response): return response
            case .failed(let reason): throw Refused(reason: reason)
            }
        }
    }

    /// The one pixel that is meant.
    func pixel(_ reference: PixelReference) throws(Refused) -> ConversionPixel {
        let found = try carryOut(.one(reference)).pixels
        // A service that takes no notice of the reference answers with what it has.
        let meant = found.first { pixel in
            if case .id(let id, _) = reference { pixel.id == id } else { true }
        }
        guard let meant else {
            throw Refused(
                reason: "there is no \(reference.words), or none that this user may see; "
                    + "`conversion-forwarder pixels list --all` lists all there are")
        }
        return meant
    }

    private func exchange(_ request: HTTPRequest) -> HTTPClient.Completion {
        lastRequest += 1
        client.start(request, id: RequestID(lastRequest))
        while true {
            if let completion = client.run(timeout: .seconds(1)).first { return completion }
        }
    }
}
