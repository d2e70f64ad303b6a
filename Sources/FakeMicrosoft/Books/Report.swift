import ForwarderCore

/// What can be asked of the books.
extension MicrosoftModel {
    /// The destinations it knows, in a steady order.
    public var destinations: [FakeDestination] {
        books.keys.sorted { $0.name < $1.name }
    }

    /// The books of one destination; nil if it is not known.
    public func books(of destination: FakeDestination) -> DestinationBooks? {
        books[destination]
    }

    /// How often an event was accepted by the tag, repeats included. The id is compared as it stands in the JSON.
    public func timesAccepted(tag: String, eventID: String) -> Int {
        books[.capi(tag: tag)]?.timesAccepted(id: ContentHash.of(eventID)) ?? 0
    }

    /// How often a pixel was called with this query, repeats included.
    public func timesAccepted(pixel: Int, query: String) -> Int {
        books[.pixel(id: pixel)]?.timesAccepted(key: ContentHash.of(query)) ?? 0
    }

    /// How often a conversion was accepted by the account, repeats included.
    public func timesAccepted(account: String, _ conversion: ConversionKey) -> Int {
        books[.offline(account: account)]?.timesAccepted(key: conversion.hash) ?? 0
    }

    /// What was said of an event that the fault plan refused; "" for a refusal of it alone that named nobody.
    public func refusals(tag: String, eventID: String) -> Set<String> {
        books[.capi(tag: tag)]?.refusals(id: ContentHash.of(eventID)) ?? []
    }

    /// The same of a conversion.
    public func refusals(account: String, _ conversion: ConversionKey) -> Set<String> {
        books[.offline(account: account)]?.refusals(key: conversion.hash) ?? []
    }

    /// Refresh tokens that were used with success.
    public var tokenRefreshes: Int { tokens.refreshes }

    /// Requests for no known destination, answered with faults or refused.
    public var strayBooks: DestinationBooks { strays }

    /// Everything in the books as one JSON object.
    public func report() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { report in
            report.name("destinations")
            report.object { list in
                for destination in destinations {
                    guard let books = books[destination] else { continue }
                    list.name(destination.name)
                    list.object { books.write(to: &$0) }
                }
            }
            report.name("oauth")
            report.object {
                $0.member("refreshes", tokens.refreshes)
                tokenTraffic.write(to: &$0)
            }
            report.name("pixels")
            report.object { list in
                for (id, counts) in pixelCounts.sorted(by: { $0.key < $1.key }) {
                    list.name("\(id)")
                    list.object { pixel in
                        pixel.member("attributed", counts.attributed)
                        pixel.name("unattributed")
                        pixel.object {
                            for reason in PixelCounts.Reason.allCases {
                                if let count = counts.unattributed[reason] { $0.member(reason.rawValue, count) }
                            }
                        }
                    }
                }
            }
            report.name("strays")
            report.object {
                $0.member("judged_invalid", strays.judgedInvalid)
                strays.traffic.write(to: &$0)
                strays.writeFindings(to: &$0)
            }
        }
        return writer.bytes
    }
}

/// What tells two offline conversions apart.
public struct ConversionKey: Sendable {
    public var name: String
    /// As sent.
    public var time: String
    public var clickID: String
    public var emailHash: String
    public var phoneHash: String

    public init(name: String, time: String, clickID: String = "", emailHash: String = "", phoneHash: String = "") {
        self.name = name
        self.time = time
        self.clickID = clickID
        self.emailHash = emailHash
        self.phoneHash = phoneHash
    }

    var hash: UInt64 {
        var hash = ContentHash()
        for part in [clickID, name, time, emailHash, phoneHash] {
            Array(part.utf8).withUnsafeBufferPointer { hash.add($0) }
        }
        return hash.value
    }

    /// What adjustments find it by.
    var original: UInt64 {
        let isByClick = !clickID.isEmpty
        let key = ConversionKey(
            name: name, time: time, clickID: clickID, emailHash: isByClick ? "" : emailHash,
            phoneHash: isByClick ? "" : phoneHash)
        return key.hash
    }
}

extension DestinationBooks {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("accepted", accepted)
        writer.member("duplicates", duplicates)
        writer.member("judged_invalid", judgedInvalid)
        writer.member("refused_by_plan", refusedByPlan)
        writer.member("received", received)
        writer.member("changed", changed)
        writer.member("invalid", invalid)
        writer.member("unprocessed", unprocessed)
        writer.name("counted_value")
        writer.object {
            for (currency, sum) in conversions.sums.sorted(by: { $0.key < $1.key }) {
                $0.member(currency, Amount(thousandths: sum, currency: currency).text)
            }
        }
        traffic.write(to: &writer)
        writeFindings(to: &writer)
    }

    fileprivate func writeFindings(to writer: inout JSONWriter) {
        writer.name("findings")
        writer.array { list in
            for finding in findings {
                list.object {
                    $0.member("reason", finding.reason)
                    if let property = finding.property { $0.member("property", property) }
                    if let index = finding.index { $0.member("index", index) }
                    if let eventID = finding.eventID { $0.member("event_id", eventID) }
                }
            }
        }
    }
}

extension Traffic {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.name("requests")
        Traffic.write(requests, to: &writer)
        writer.name("faults")
        Traffic.write(faults, to: &writer)
    }

    private static func write(_ counts: [String: Int], to writer: inout JSONWriter) {
        writer.object {
            for (name, count) in counts.sorted(by: { $0.key < $1.key }) { $0.member(name, count) }
        }
    }
}
