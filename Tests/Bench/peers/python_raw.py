#!/usr/bin/env python3
"""The least that Python can do: the records' bytes as they are, one a line, in batches. Nothing is read or checked."""

import gc
import os
import signal
import sys
import time

import pycurl
from confluent_kafka import Consumer, KafkaException

BATCH = 1000
LINGER = 0.2


def consumer_of(environment):
    return Consumer(
        {
            "bootstrap.servers": environment["BENCH_BROKERS"],
            "group.id": environment["BENCH_GROUP"],
            "auto.offset.reset": "earliest",
            # Offsets are stored when the sink has taken the records, and committed once a second.
            "enable.auto.offset.store": False,
            "enable.auto.commit": True,
            "auto.commit.interval.ms": 1000,
            "partition.assignment.strategy": "cooperative-sticky",
            "fetch.queue.backoff.ms": 5,
            "queued.min.messages": 20000,
            "queued.max.messages.kbytes": 16384,
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 500,
            "fetch.wait.max.ms": 20,
        }
    )


def curl_of(url):
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.POST, 1)
    # No `Expect: 100-continue`, which costs large bodies a wait.
    curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/x-ndjson", "Expect:"])
    curl.setopt(pycurl.WRITEFUNCTION, lambda answer: None)
    curl.setopt(pycurl.TIMEOUT, 30)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.UPLOAD_BUFFERSIZE, 1 << 21)
    return curl


def post(curl, body, stopped):
    """Posts until it is taken. Returns False only at the end."""
    curl.setopt(pycurl.POSTFIELDS, body)
    delay = 0.1
    while True:
        try:
            curl.perform()
            if curl.getinfo(pycurl.RESPONSE_CODE) == 200:
                return True
        except pycurl.error as error:
            print(f"post: {error}", file=sys.stderr)
        if stopped:
            return False
        time.sleep(delay)
        delay = min(2 * delay, 5)


def main():
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    # Nothing here makes cycles.
    gc.disable()
    consumer = consumer_of(os.environ)
    consumer.subscribe([os.environ["BENCH_TOPIC"]])
    curl = curl_of(f"{os.environ['BENCH_URL']}/raw")
    while not stopped:
        messages = consumer.consume(BATCH, LINGER)
        # An error of Kafka is a message too, with a text for a value.
        records = [message for message in messages if message.error() is None]
        values = [value for message in records if (value := message.value()) is not None]
        if values and not post(curl, b"\n".join(values), stopped):
            break
        for last in {message.partition(): message for message in records}.values():
            try:
                consumer.store_offsets(message=last)
            except KafkaException as error:
                # The partition went to another member, which reads it again.
                print(f"store: {error}", file=sys.stderr)
    consumer.close()


if __name__ == "__main__":
    main()
