import StorefrontEvents

/// Events as they come from a shop; every name in them is made up.
enum Samples {
    /// A purchase with everything a shop usually knows: 898 bytes.
    static let purchase = Array(
        #"""
        {"event":"Purchase","event_id":"ord-991-abcdef","event_time":1786000000,\#
        "url":"https://shop.example/thanks/for/your/order?utm_source=bing&utm_medium=cpc",\#
        "referrer":"https://shop.example/cart","title":"Thank you for your order",\#
        "page_load_id":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77","consent":{"ad_storage":"granted"},\#
        "user":{"email":"Ada.Lovelace@example.com","phone":"+1 (425) 555-0100",\#
        "external_id":"c0ffee00c0ffee00c0ffee00c0ffee00","anonymous_id":"b171a9b06ce011ecafcd1b209be8601b",\#
        "msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab","ip_address":"203.0.113.7",\#
        "user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 \#
        Safari/537.36"},\#
        "properties":{"value":79.99,"currency":"USD","transaction_id":"991",\#
        "items":[{"id":"a","name":"Mug","price":19.99,"quantity":2},\#
        {"id":"b","name":"Plate","price":40.01,"quantity":1}],"page_type":"purchase"},"source":"shop-eu"}
        """#.utf8)

    /// Somebody looks at a page.
    static let pageView = Array(
        #"""
        {"event":"PageView","event_id":"pv-991-abcdef","event_time":1786000000,\#
        "url":"https://shop.example/p/17?utm_source=bing&utm_medium=cpc","referrer":"https://shop.example/",\#
        "title":"Item 17","consent":{"ad_storage":"granted"},\#
        "user":{"email":"Ada.Lovelace@example.com","anonymous_id":"b171a9b06ce011ecafcd1b209be8601b",\#
        "ip_address":"203.0.113.7","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like \#
        Gecko) Chrome/124.0 Safari/537.36"},"source":"shop-eu"}
        """#.utf8)

    /// The same purchase as Segment publishes it, with all that it adds to each call.
    static let orderCompleted = Array(
        #"""
        {"anonymousId":"b171a9b06ce011ecafcd1b209be8601b","channel":"browser","context":{"campaign":{"name":"summer",\#
        "source":"bing","medium":"cpc"},"consent":{"categoryPreferences":{"Advertising":true,"Analytics":true}},\#
        "ip":"203.0.113.7","library":{"name":"analytics.js","version":"next-1.53.0"},"locale":"en-US",\#
        "page":{"path":"/thanks/for/your/order","referrer":"https://shop.example/cart",\#
        "search":"?utm_source=bing&utm_medium=cpc","title":"Thank you for your order",\#
        "url":"https://shop.example/thanks/for/your/order?utm_source=bing&utm_medium=cpc"},\#
        "timezone":"Europe/Amsterdam","traits":{"email":"Ada.Lovelace@example.com","phone":"+1 (425) 555-0100"},\#
        "userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 \#
        Safari/537.36"},"event":"Order Completed","integrations":{"All":true},"messageId":"ord-991-abcdef",\#
        "originalTimestamp":"2026-08-06T07:06:39.152Z","properties":{"checkout_id":"fksdjfsdjfisjf9sdfjsd9f",\#
        "order_id":"991","total":79.99,"revenue":79.99,"shipping":3,"tax":2,"currency":"USD",\#
        "msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab","page_load_id":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77",\#
        "products":[{"product_id":"a","sku":"45790-32","name":"Mug","price":19.99,"quantity":2,"category":"Kitchen"},\#
        {"product_id":"b","sku":"46493-32","name":"Plate","price":40.01,"quantity":1,"category":"Kitchen"}],\#
        "page_type":"purchase"},"receivedAt":"2026-08-06T07:06:40.266Z","sentAt":"2026-08-06T07:06:40.169Z",\#
        "timestamp":"2026-08-06T07:06:40.249Z","type":"track","userId":"c0ffee00c0ffee00c0ffee00c0ffee00","version":2}
        """#.utf8)

    /// What a shop publishes in a while, tombstones left out.
    static let shop: [[UInt8]] = {
        var shop = Storefront(seed: 1)
        return (0..<4000).compactMap { _ in shop.next(now: now).value }
    }()

    /// When the events came in, in seconds since 1970.
    static let now: Int64 = 1_786_000_100

    /// An answer to 1,000 events, of which ten were refused.
    static let tenRefused: [UInt8] = {
        let errors = (0..<10).map { index in
            #"{"index":\#(index * 97),"errorCode":"InvalidValue","propertyName":"data[\#(index * 97)].userData.em","#
                + #""errorMessage":"The value is not valid.","isWarning":false}"#
        }
        return Array(#"{"eventsReceived":990,"error":{"code":"ValidationErrors","details":["#.utf8)
            + Array(errors.joined(separator: ",").utf8) + Array("]}}".utf8)
    }()
}
