/// A field of a conversion pixel that may be written, by its name in the Conversion Pixel Service. The order is that in
/// which they are sent and shown.
public enum PixelField: String, Sendable, CaseIterable {
    case name
    case code
    case state
    case trigger = "trigger_type"
    case category = "pixel_conversion_event_id"
    case postClickMinutes = "post_click_expire_mins"
    case postViewMinutes = "post_view_expire_mins"
    case repeatMinutes = "min_minutes_per_conv"
    case postClickValue = "post_click_value"
    case postViewValue = "post_view_value"
    case piggybacks = "piggyback_pixels"
}

/// What stands in such a field.
public enum PixelValue: Sendable, Equatable {
    /// Which the service does not take for absent: an absent field is left as it is.
    case null
    case text(String)
    case integer(Int64)
    case number(Double)
    case piggybacks([PiggybackPixel])

    /// As the service writes it.
    public var json: String {
        var json = JSONWriter()
        write(to: &json)
        return json.text
    }

    func write(to json: inout JSONWriter) {
        switch self {
        case .null: json.null()
        case .text(let text): json.value(text)
        case .integer(let number): json.value(number)
        case .number(let number): json.value(number)
        case .piggybacks(let pixels):
            json.array { list in
                for pixel in pixels {
                    list.object {
                        $0.member("pixel_type", pixel.kind.rawValue)
                        $0.member("url", pixel.url)
                    }
                }
            }
        }
    }
}

/// A pixel of somebody else's that is fired along.
public struct PiggybackPixel: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case image = "img"
        case script = "js"
    }

    public var kind: Kind
    public var url: String

    public init(_ kind: Kind, url: String) {
        self.kind = kind
        self.url = url
    }
}

/// The event that a pixel stands for, by the number that the service gives it.
public enum PixelCategory: Int64, Sendable, CaseIterable {
    case landingPage = 2
    case itemView, addToCart, initiateCheckout, addPaymentInfo, purchase, lead

    /// As it is written on the command line: the words of Monetize's page.
    public var word: String {
        switch self {
        case .landingPage: "landing-page"
        case .itemView: "view-item"
        case .addToCart: "add-to-cart"
        case .initiateCheckout: "initiate-checkout"
        case .addPaymentInfo: "add-payment-info"
        case .purchase: "purchase"
        case .lead: "generate-lead"
        }
    }

    /// The page's own title and the service's name of it are understood as well.
    private var otherWords: [String] {
        switch self {
        case .landingPage: ["visitlandingpage"]
        case .itemView: ["viewanitem", "itemview"]
        case .lead: ["lead"]
        case .addToCart, .initiateCheckout, .addPaymentInfo, .purchase: []
        }
    }

    /// In any spelling: `Add to cart`, `add-to-cart`, `AddToCart`.
    init?(spelled text: String) {
        let letters = String(decoding: text.utf8.filter(isLetter).map(lowercased), as: UTF8.self)
        let found = PixelCategory.allCases.first { category in
            category.word.replacing("-", with: "") == letters || category.otherWords.contains(letters)
        }
        guard let found else { return nil }
        self = found
    }
}

/// The bounds that the service's page gives.
enum PixelLimits {
    /// Minutes; 22 days and 18 hours.
    static let repeatMinutes: Int64 = 32_767
    /// Minutes; 90 days.
    static let postClickMinutes: Int64 = 129_600
    /// Minutes; 30 days.
    static let postViewMinutes: Int64 = 43_200
    /// Characters. Monetize's page knows no limit, the service's does.
    static let piggybackURL = 255
    /// Objects of a page of a list; ids of a request.
    static let page = 100
}
