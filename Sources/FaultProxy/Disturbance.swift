/// One misfortune of a connection: what happens, and where.
public struct Disturbance: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// Both ends get a reset.
        case reset
        /// Both ends get an end, in the middle of whatever was being said.
        case close
        /// The connection stays open and nothing passes any more, until the client gives up.
        case stall
        /// Nothing passes for so long; then it goes on.
        case delay(milliseconds: UInt32)
        /// What is left of the turn in this direction passes byte by byte.
        case drip
    }

    public enum Place: Sendable, Hashable {
        /// As soon as the connection of this number is accepted.
        case connection(Int)
        /// In the turn of this number, when so many of its bytes have passed in that direction and another one comes.
        ///
        /// A turn begins when the client speaks after the server, or first of all. In HTTP/1.1 without pipelining it is
        /// a request and its answer; in TLS the handshake has turns too.
        case turn(Int, Direction, afterBytes: Int = 0)
    }

    public enum Direction: Sendable, Hashable {
        case toServer, toClient
    }

    public var kind: Kind
    public var place: Place

    public init(_ kind: Kind, at place: Place) {
        self.kind = kind
        self.place = place
    }
}
