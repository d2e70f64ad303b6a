"""What the frameworks, and the afternoon's script, make of an event: the twelve fields that mq-bridge-map picks as well."""

NOTHING = {}


def twelve_fields(event):
    user = event.get("user")
    if type(user) is not dict:
        user = NOTHING
    properties = event.get("properties")
    if type(properties) is not dict:
        properties = NOTHING
    return {
        "eventName": event.get("event"),
        "event_id": event.get("event_id"),
        "eventTime": event.get("event_time"),
        "eventSourceUrl": event.get("url"),
        "referrerUrl": event.get("referrer"),
        "pageTitle": event.get("title"),
        "userData": {
            "anonymousId": user.get("anonymous_id"),
            "msclkid": user.get("msclkid"),
            "clientIpAddress": user.get("ip_address"),
            "clientUserAgent": user.get("user_agent"),
        },
        "customData": {"value": properties.get("value"), "currency": properties.get("currency")},
    }
