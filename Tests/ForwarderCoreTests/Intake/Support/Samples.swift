/// Events that several tests use. Everything in them is made up.
enum Samples {
    /// Every field of the storefront preset.
    static let everything = #"""
        {"event":"Purchase","event_id":"ord-991","event_time":1786000000,"url":"https://shop.example/thanks",\#
        "referrer":"https://shop.example/cart","title":"Thank you","keywords":"mug,plate",\#
        "page_load_id":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77","consent":{"ad_storage":"granted"},\#
        "user":{"email":"ada@example.com","phone":"+14255550100","external_id":"c0ffee",\#
        "anonymous_id":"b171a9b06ce011ecafcd1b209be8601b","msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab",\#
        "ip_address":"203.0.113.7","user_agent":"Mozilla/5.0","idfa":"3F0C1B52-6A5E-4F0E-9C2A-0E6F3B1D9A77",\#
        "gaid":"4f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77"},\#
        "properties":{"value":79.99,"currency":"USD","transaction_id":"991","search_term":"mug",\#
        "item_ids":["a","b"],"items":[{"id":"a","name":"Mug","price":19.99,"quantity":2}],"category":"kitchen",\#
        "label":"spring","page_type":"purchase","event_value":3,"ecomm_total_value":84.99,"ecomm_category":"7",\#
        "external_attribution_credit":0.5,"external_attribution_model":"LastTouch"},"source":"shop-eu"}
        """#
}
