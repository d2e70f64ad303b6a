#!/usr/bin/env python3
"""What somebody would write in an afternoon: confluent-kafka, the json module, requests."""

import json
import os
import signal
import sys
import time

import requests
from confluent_kafka import Consumer

BATCH = 1000
LINGER = 0.2


def mapped(event):
    user = event.get("user") or {}
    properties = event.get("properties") or {}
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


class Forwarder:
    def __init__(self, environment):
        self.url = f"{environment['BENCH_URL']}/raw"
        self.session = requests.Session()
        self.is_stopped = False
        self.dropped = 0
        self.consumer = Consumer(
            {
                "bootstrap.servers": environment["BENCH_BROKERS"],
                "group.id": environment["BENCH_GROUP"],
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                # As in outside.py; the broker and the comparison need these.
                "partition.assignment.strategy": "cooperative-sticky",
                "fetch.queue.backoff.ms": 5,
                "queued.min.messages": 20000,
                "queued.max.messages.kbytes": 16384,
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 500,
                "fetch.wait.max.ms": 20,
            }
        )
        self.consumer.subscribe([environment["BENCH_TOPIC"]])

    def stop(self, *_):
        self.is_stopped = True

    def line(self, message):
        """The record's line; None for one that is left out."""
        if message.error():
            print(f"kafka: {message.error()}", file=sys.stderr)
            return None
        if message.value() is None:
            return None
        try:
            event = json.loads(message.value())
            return json.dumps(mapped(event))
        except (ValueError, AttributeError):
            self.dropped += 1
            return None

    def post(self, body):
        """Repeats a POST until it is taken; False if that has to end before it is."""
        while not self.is_stopped:
            try:
                answer = self.session.post(
                    self.url, data=body, headers={"Content-Type": "application/x-ndjson"}, timeout=30
                )
                if answer.status_code == 200:
                    return True
                print(f"post: status {answer.status_code}", file=sys.stderr)
            except requests.RequestException as error:
                print(f"post: {error}", file=sys.stderr)
            time.sleep(1)
        return False

    def run(self):
        while not self.is_stopped:
            messages = self.consumer.consume(BATCH, LINGER)
            if not messages:
                continue
            lines = [line for message in messages if (line := self.line(message)) is not None]
            if lines and not self.post("\n".join(lines).encode()):
                break
            self.consumer.commit(asynchronous=False)
        self.consumer.close()
        print(f"dropped: {self.dropped}")


def main():
    forwarder = Forwarder(os.environ)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forwarder.stop)
    forwarder.run()


if __name__ == "__main__":
    main()
