#!/usr/bin/env python3
"""A consumer that does in Python what the daemon does with a CAPI destination: it reads the shop's events, checks,
maps and hashes them, and posts them in batches.

It is written for speed, as somebody would who is set on Python: C does what C can do (orjson, lru_cache, librdkafka's
batches), an event that is as it should be takes the straight way through `entry_of`, and only one that is not is looked
at field by field (`tidied`, `is_personal`). It reads the fields that this shop sends, by their proper names.
"""

import gc
import os
import re
import signal
import socket
import sys
import time
import unicodedata
from collections import Counter
from functools import lru_cache
from hashlib import sha256

import orjson
from outside import Poster, consumer_of, store

BATCH = 1000
LINGER = 0.2
TAG = "12345678"
TOKEN = "made-up-capi-token"
DATA_PROVIDER = "conversion-forwarder"

PAGE_LOAD = ""
TARGETS = {
    "PageView": PAGE_LOAD,
    "ViewContent": "view_item",
    "AddToCart": "add_to_cart",
    "InitiateCheckout": "begin_checkout",
    "Purchase": "purchase",
    "Lead": "lead",
    "Search": "search",
    "SignUp": "sign_up",
}
PAGE_TYPES = frozenset(["cart", "category", "home", "other", "product", "purchase", "searchresults"])

LARGEST_RECORD = 256 << 10
LARGEST_BODY = 2 << 20
OLDEST = 7 * 86_400
FUTURE = 300
MILLISECONDS_FROM = 100_000_000_000
DEDUPE_SECONDS = 7 * 86_400
WHITE = " \t\n\v\f\r"
# How many visitors and URLs are remembered with what became of them. The shop of the benchmark has a few visits at a time
# and some thousand URLs; one where thousands of visitors come and go between two events of each has little of it.
MOST_USERS = int(os.environ.get("BENCH_REMEMBERED", "5000"))
MOST_URLS = 1 << 15 if MOST_USERS else 0

loads = orjson.loads
dumps = orjson.dumps
Fragment = orjson.Fragment


class Rejected(Exception):
    """Says why an event is not to be sent."""


class Skipped(Exception):
    """Says why nothing is owed for an event."""


# ---------------------------------------------------------------------------------------------- Texts
HEX64 = re.compile(r"[0-9A-Fa-f]{64}").fullmatch
DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*").fullmatch
INVISIBLE = frozenset(["Cc", "Cf", "Co", "Cs", "Cn"])


def email_hash(text):
    """Trimmed, without dots and `+alias` in the local part, in lower case; None if that is no address."""
    address = text.strip(WHITE)
    if HEX64(address):
        return address.lower()
    if not address.isascii():
        address = lowered(address)
        if address is None:
            return None
    local, _, domain = address.partition("@")
    local = local.partition("+")[0].replace(".", "").lower()
    domain = domain.lower()
    # What is not ASCII in the local part was lowered already and may stay; below a space nothing may.
    if not local or min(local) < " " or "\x7f" in local or not DOMAIN(domain):
        return None
    return sha256(f"{local}@{domain}".encode()).hexdigest()


def lowered(address):
    """An address with letters that are not ASCII, in lower case; None if nobody can have typed it."""
    result = []
    address = address.strip()
    at = address.find("@")
    for index, character in enumerate(address):
        if not character.isascii() and not character.isspace():
            if 0 <= at < index or character in "\u0130\ufffd" or unicodedata.category(character) in INVISIBLE:
                return None
            character = character.lower()
        result.append(character)
    return "".join(result).strip(WHITE)


E164 = re.compile(r"(?:\+|00)([1-9][0-9]{6,14})").fullmatch
TRUNK_ZERO = re.compile(r"[(\[][-.\s]*0[-.\s]*[)\]]", re.ASCII).search
SEPARATORS = dict.fromkeys(map(ord, "-.()[]" + WHITE))


def phone_hash(text):
    """E.164 with its plus sign; None if it takes a guess to make it so."""
    if not text.isascii():
        text = "".join(c for c in text if c.isascii() or not c.isspace() and unicodedata.category(c) != "Pd")
        if not text.isascii():
            return None
    trimmed = text.strip(WHITE)
    if HEX64(trimmed):
        return trimmed.lower()
    number = E164(text.translate(SEPARATORS))
    if number is None or TRUNK_ZERO(text):
        return None
    return sha256(f"+{number[1]}".encode()).hexdigest()


CLICK_ID = re.compile(
    r"(?:_uet)?([0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})(?:-[01])?"
).fullmatch


def click_id(text):
    found = CLICK_ID(text.strip(WHITE))
    return found and found[1]


def ip_address(text):
    text = text.strip(WHITE)
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return None
    return text


@lru_cache(1 << 10)
def currency_code(text):
    text = text.strip(WHITE)
    return text.upper() if len(text) == 3 and text.isascii() and text.isalpha() else None


# ---------------------------------------------------------------------------------------------- Personal data

EMAIL_WITHIN = re.compile(rb"[^\x00-\x20/=?&:;,(\[<>@\x7f]@[A-Za-z0-9.\x80-\xff-]+\.[A-Za-z\x80-\xff]").search
PHONE_WITHIN = re.compile(rb"\+(?:[ \-.()/+]*[0-9]){7}").search
DIALABLE = re.compile(rb"[ \-.()/+]*(?:[0-9][ \-.()/+]*){7,}").fullmatch
PHONE_NAME = re.compile(rb"(?i)\A(?:tel|cell)\Z|phone|mobile|msisdn").search


ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})").sub


def unquote_to_bytes(text):
    return ENCODED(lambda found: bytes.fromhex(found[1].decode()), text)


def is_personal(text):
    """Whether bytes hold an e-mail address or an international telephone number, percent-encoded or not."""
    for _ in range(3):
        if EMAIL_WITHIN(text) or PHONE_WITHIN(text):
            return True
        if b"%" not in text:
            return False
        text = unquote_to_bytes(text)
    return bool(EMAIL_WITHIN(text) or PHONE_WITHIN(text))


def is_personal_text(text):
    return ("@" in text or "+" in text or "%" in text) and is_personal(text.encode())


def is_personal_parameter(parameter):
    if is_personal(parameter):
        return True
    for _ in range(3):
        parameter = unquote_to_bytes(parameter)
    name, equals, value = parameter.partition(b"=")
    if not equals:
        name, value = b"", name
    return bool(DIALABLE(value) and (value[:1] == b" " or PHONE_NAME(name)))


ORIGIN = re.compile(rb"(?i:https?)://(?!:)[A-Za-z0-9\x80-\xff._:\[\]-]+(?=[/?#]|\Z)").match
NOT_IN_URL = re.compile(rb'[\x00-\x20<>"\\\x7f]').search
NEEDS_A_LOOK = re.compile(rb"[@+%]|(?i:phone|mobile|msisdn|tel=|cell=)").search
BEFORE_PARAMETER = re.compile(rb"(?=[&;#])")


# A shop repeats its pages.
@lru_cache(MOST_URLS)
def page_url(text):
    """The URL without parameters and parts of the path that hold personal data; None if it is no URL of a page."""
    text = text.strip(WHITE)
    url = text.encode()
    origin = None if NOT_IN_URL(url) else ORIGIN(url)
    if origin is None:
        return None
    start = origin.end()
    if not NEEDS_A_LOOK(url, start):
        return text
    end = min((i for i in (url.find(b"?", start), url.find(b"#", start)) if i >= 0), default=len(url))
    path = b"/".join(b"" if is_personal(part) else part for part in url[start:end].split(b"/"))
    kept = [url[:start], path]
    # What stays first in the query, and in the fragment, gets its `?` or `#`.
    opening = url[end : end + 1]
    for index, parameter in enumerate(BEFORE_PARAMETER.split(url[end + 1 :]) if opening else ()):
        delimiter, parameter = (parameter[:1], parameter[1:]) if index else (opening, parameter)
        if delimiter == b"#":
            opening = delimiter
        if not is_personal_parameter(parameter):
            kept += opening or delimiter, parameter
            opening = b""
    return b"".join(kept).decode()


# ---------------------------------------------------------------------------------------------- One event

GRANTED = {"granted": True, "g": True, "denied": False, "d": False}


def is_granted(consent):
    """What a shop says that is not the plain word; what cannot be read is not granted."""
    if type(consent) is dict:
        consent = consent.get("ad_storage")
    if consent is None or consent is True:
        return True
    if type(consent) is not str:
        return False
    word = consent.strip(WHITE).lower()
    return not word or GRANTED.get(word, False)


def seconds_of(value):
    """UNIX seconds that are not a plain integer."""
    if value is None or type(value) is str and not value.strip(WHITE):
        raise Rejected("timestamp_missing")
    if decimal(value) is None:
        raise Rejected("timestamp_not_a_number")
    return int(float(value))


PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch


def decimal(value):
    """A number, or what was written as text, digit for digit; None if it is none."""
    if type(value) is int or type(value) is float:
        return value
    if type(value) is not str:
        return None
    text = value.strip(WHITE)
    return Fragment(text) if PLAIN_NUMBER(text) and len(text) < 29 else None


def whole_number(value):
    if decimal(value) is None:
        return None
    number = float(value)
    return int(number) if number.is_integer() and 0 <= number < 1 << 31 else None


NOTHING = {}


def user_data_of(user):
    """Raises as `entry_of` does."""
    get = user.get
    data = {}
    agent = get("user_agent")
    # strip also tells that it is a text.
    if agent and agent.strip(WHITE) and not is_personal_text(agent):
        data["clientUserAgent"] = agent
    anonymous_id = get("anonymous_id")
    if anonymous_id and anonymous_id.strip(WHITE) and not is_personal_text(anonymous_id):
        data["anonymousId"] = anonymous_id
    email = get("email")
    email = email and email_hash(email)
    if email:
        data["em"] = email
    phone = get("phone")
    phone = phone and phone_hash(phone)
    if phone:
        data["ph"] = phone
    click = get("msclkid")
    click = click and click_id(click)
    if click:
        data["msclkid"] = click
    if not data.keys() & IDENTIFIERS:
        raise Rejected("no_identifier")
    address = get("ip_address")
    address = address and ip_address(address)
    if address:
        data["clientIpAddress"] = address
    # Its place in an entry is always the same, so it is written once for all of its events.
    return Fragment(dumps(data))


IDENTIFIERS = {"anonymousId", "em", "ph", "msclkid"}


def entry_of(event, target, now, derived_id, users):
    """The entry of the request, and the id of its transaction. Where a value is missing or is not of its usual type, it
    raises what `careful_entry_of` is for: TypeError, AttributeError or KeyError."""
    get = event.get
    moment = get("event_time")
    if type(moment) is not int:
        moment = seconds_of(moment)
    if moment >= MILLISECONDS_FROM:
        raise Rejected("timestamp_in_milliseconds")
    if moment > now + FUTURE:
        raise Rejected("in_the_future")
    if now - moment > OLDEST:
        raise Rejected("too_old")

    user = get("user") or NOTHING
    anonymous_id = user.get("anonymous_id")
    # The events of a visit come close together and have the same user.
    known = users.get(anonymous_id)
    if known is not None and known[0] == user:
        user_data = known[1]
    else:
        user_data = user_data_of(user)
        if MOST_USERS:
            if len(users) >= MOST_USERS:
                users.clear()
            users[anonymous_id] = user, user_data
    # Everything that is copied as it is, to be looked through for personal data at once.
    copied = event_id = get("event_id") or derived_id()

    if target:
        entry = {
            "eventType": "custom",
            "eventId": event_id,
            "eventName": target,
            "eventTime": moment,
            "adStorageConsent": "G",
            "userData": user_data,
        }
    else:
        entry = {
            "eventType": "pageLoad",
            "eventId": event_id,
            "eventTime": moment,
            "adStorageConsent": "G",
            "userData": user_data,
        }
    url = get("url")
    if url:
        url = page_url(url)
        if url:
            entry["eventSourceUrl"] = url
        elif not target:
            raise Rejected("url_invalid")
    elif not target:
        raise Rejected("url_missing")
    referrer = get("referrer")
    if referrer:
        referrer = page_url(referrer)
        if referrer:
            entry["referrerUrl"] = referrer
    title = get("title")
    if title:
        entry["pageTitle"] = title
        copied += title

    transaction = None
    properties = get("properties")
    if properties:
        get_property = properties.get
        data = {}
        label = get_property("label")
        if label:
            data["eventLabel"] = label
            copied += label
        term = get_property("search_term")
        if term:
            data["searchTerm"] = term
            copied += term
        transaction = get_property("transaction_id")
        if transaction:
            data["transactionId"] = transaction
            copied += transaction
        # Revenue has no place on a page load.
        if target:
            value = get_property("value")
            if value is not None:
                if type(value) is not float and type(value) is not int:
                    value = decimal(value)
                if value is not None:
                    data["value"] = value
            currency = get_property("currency")
            if currency:
                currency = currency_code(currency)
                if currency:
                    data["currency"] = currency
        ids = get_property("item_ids")
        if ids:
            if type(ids) is not list:
                raise TypeError
            copied += "".join(ids)
            data["itemIds"] = ids
        items = get_property("items")
        if items:
            for item in items:
                # Items have the same names on both sides, so one with nothing else in it is sent as it came.
                if len(item) != 4:
                    raise KeyError
                copied += item["id"] + item["name"]
                quantity = item["quantity"]
                if type(item["price"]) not in NUMBERS or type(quantity) is not int or not 0 <= quantity < 1 << 31:
                    raise TypeError
            data["items"] = items
        page_type = get_property("page_type")
        if page_type:
            page_type = page_type.strip()
            if page_type in PAGE_TYPES:
                data["pageType"] = page_type
        if data:
            entry["customData"] = data

    if "@" in copied or "+" in copied or "%" in copied:
        without_personal_data(entry)
        transaction = entry.get("customData", NOTHING).get("transactionId")
    return entry, transaction


NUMBERS = (float, int)


def without_personal_data(entry):
    """Takes out each copied text that holds an address or a number. An event that loses its id is done carefully."""

    def clean(container, *names):
        for name in names:
            if name in container and is_personal_text(container[name]):
                del container[name]

    if is_personal_text(entry["eventId"]):
        raise KeyError
    clean(entry, "pageTitle")
    data = entry.get("customData")
    if data:
        clean(data, "eventLabel", "searchTerm", "transactionId")
        if "itemIds" in data:
            data["itemIds"] = [i for i in data["itemIds"] if not is_personal_text(i)]
        for item in data.get("items", ()):
            clean(item, "id", "name")
        for name in ("itemIds", "items"):
            if not data.get(name, True):
                del data[name]
        if not data:
            del entry["customData"]


def tidied(event):
    """The event with texts where texts belong, and without what is of no use."""

    def text(value):
        if type(value) is int or type(value) is float:
            value = dumps(value).decode()
        return value if type(value) is str and value.strip(WHITE) else None

    def texts(container, *names):
        return {name: text(container.get(name)) for name in names} if type(container) is dict else {}

    plain = texts(event, "event_id", "url", "referrer", "title")
    if plain["event_id"] and is_personal_text(plain["event_id"]):
        plain["event_id"] = None
    plain["event_time"] = event.get("event_time")
    plain["user"] = texts(event.get("user"), "user_agent", "anonymous_id", "email", "phone", "msclkid", "ip_address")
    given = event.get("properties")
    properties = texts(given, "label", "search_term", "transaction_id", "currency", "page_type")
    if type(given) is dict:
        properties["value"] = given.get("value")
        ids = given.get("item_ids")
        ids = map(text, ids if type(ids) is list else [ids])
        properties["item_ids"] = [i for i in ids if i]
        items = given.get("items")
        properties["items"] = [tidied_item(i, text) for i in items if type(i) is dict] if type(items) is list else []
    plain["properties"] = properties
    return plain


def tidied_item(item, text):
    plain = {
        "id": text(item.get("id")),
        "quantity": whole_number(item.get("quantity")),
        "price": decimal(item.get("price")),
        "name": text(item.get("name")),
    }
    for name in ("id", "name"):
        if plain[name] and is_personal_text(plain[name]):
            plain[name] = None
    return {name: value for name, value in plain.items() if value is not None}


def careful_entry_of(event, record, target, now, users):
    plain = tidied(event)
    items = plain["properties"].pop("items", None)
    entry, transaction = entry_of(plain, target, now, lambda: sha256(record).hexdigest()[:32], users)
    items = [item for item in items or () if item]
    if items:
        entry.setdefault("customData", {})["items"] = items
    return entry, transaction


# ---------------------------------------------------------------------------------------------- Batches


def no_event(message):
    """What is wrong with a record that has no event with a name. An error of Kafka has text for a value as well."""
    if message.error():
        print(f"kafka: {message.error()}", file=sys.stderr)
        return Skipped("kafka_error")
    try:
        event = loads(message.value())
    except ValueError:
        return Rejected("malformed_json")
    if type(event) is not dict:
        return Rejected("not_an_object")
    return Rejected("event_missing" if event.get("event") is None else "event_invalid")


def odd_target(name):
    """Of a name that is not in the table as it stands."""
    if name is None or type(name) is str and not name.strip(WHITE):
        raise Rejected("event_missing")
    if type(name) is bool:
        raise Rejected("event_invalid")
    target = TARGETS.get(name.strip(WHITE)) if type(name) is str else None
    if target is None:
        raise Skipped("unmapped_event")
    return target


class Mapper:
    """Turns records into entries, and counts what becomes of no entry."""

    def __init__(self):
        self.counts = Counter()
        # When the transactions of the last days were sent: each counts once. Lost with the process.
        self.transactions = {}
        # By anonymous id, a user and what is sent of it.
        self.users = {}

    def entries(self, messages):
        now = int(time.time())
        entries = []
        append = entries.append
        target_of = TARGETS.get
        users = self.users
        for message in messages:
            value = message.value()
            try:
                if value is None:
                    raise Skipped("tombstone")
                if len(value) > LARGEST_RECORD:
                    raise Rejected("event_too_large")
                try:
                    event = loads(value)
                    target = target_of(event["event"])
                except (ValueError, TypeError, KeyError):
                    raise no_event(message) from None
                if target is None:
                    target = odd_target(event["event"])
                consent = event.get("consent")
                # Who says nothing is taken to have granted it.
                is_plain = consent is None or type(consent) is dict and consent.get("ad_storage") == "granted"
                if not is_plain and not is_granted(consent):
                    raise Skipped("consent_denied")
                try:
                    # Without an id the record's own hash is one; there is none here, so that is done carefully too.
                    entry, transaction = entry_of(event, target, now, None, users)
                except (TypeError, AttributeError, KeyError):
                    entry, transaction = careful_entry_of(event, value, target, now, users)
                if transaction and self.is_again(transaction, target, now):
                    raise Skipped("duplicate_transaction")
                append(entry)
            except (Rejected, Skipped) as reason:
                self.counts[str(reason)] += 1
        return entries

    def is_again(self, transaction, target, now):
        if target != "purchase":
            return False
        last = self.transactions.get(transaction)
        if last is not None and now - last <= DEDUPE_SECONDS:
            return True
        self.transactions[transaction] = now
        return False


def body_of(entries):
    return dumps({"data": entries, "continueOnValidationError": True, "dataProvider": DATA_PROVIDER})


def bodies_of(entries):
    """One body as a rule; halves where it would be too large."""
    body = body_of(entries)
    if len(body) <= LARGEST_BODY or len(entries) < 2:
        return [body]
    half = len(entries) // 2
    return bodies_of(entries[:half]) + bodies_of(entries[half:])


def main():
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    is_stopped = stopped.__len__
    # Nothing here makes cycles, and the collector would look through every batch.
    gc.disable()

    environment = os.environ
    consumer = consumer_of(environment)
    consumer.subscribe([environment["BENCH_TOPIC"]])
    poster = Poster(
        f"{environment['BENCH_URL']}/v1/{TAG}/events",
        [f"Authorization: Bearer {TOKEN}", "Content-Type: application/json"],
    )
    mapper = Mapper()
    consume = consumer.consume
    while not stopped:
        messages = consume(BATCH, LINGER)
        if not messages:
            continue
        entries = mapper.entries(messages)
        if entries and not all(poster.post(body, is_stopped) for body in bodies_of(entries)):
            break
        store(consumer, messages)
    consumer.close()
    print(f"not sent: {dict(mapper.counts)}")


if __name__ == "__main__":
    main()
