#!/usr/bin/env python3
"""The least that Python can do: the records' bytes as they are, one a line, in batches. Nothing is read or checked."""

import gc
import os
import signal

from outside import Poster, consumer_of, store

BATCH = 1000
LINGER = 0.2


def main():
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    # Nothing here makes cycles.
    gc.disable()
    consumer = consumer_of(os.environ)
    consumer.subscribe([os.environ["BENCH_TOPIC"]])
    poster = Poster(f"{os.environ['BENCH_URL']}/raw", ["Content-Type: application/x-ndjson"])
    while not stopped:
        messages = consumer.consume(BATCH, LINGER)
        # An error of Kafka is a message too, with a text for a value.
        values = [value for message in messages if message.error() is None and (value := message.value()) is not None]
        if values and not poster.post(b"\n".join(values), stopped.__len__):
            break
        store(consumer, messages)
    consumer.close()


if __name__ == "__main__":
    main()
