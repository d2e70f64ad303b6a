#!/usr/bin/env python3
"""What somebody would write in an afternoon: confluent-kafka, the json module, requests."""

import json
import os
import signal
import sys
import time

import requests
from confluent_kafka import Consumer
from outside import TUNED
from twelve_fields import twelve_fields

BATCH = 1000
LINGER = 0.2


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
                "partition.assignment.strategy": "cooperative-sticky",
            }
            # Not of an afternoon: the broker and the comparison need these.
            | TUNED
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
            return json.dumps(twelve_fields(event))
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
