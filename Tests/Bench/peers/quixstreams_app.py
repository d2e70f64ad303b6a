#!/usr/bin/env python3
"""Quix Streams: its JSON deserialiser, a dataframe that picks twelve fields, and a sink of its kind that posts them.

The framework reads, keeps the checkpoints and handles SIGTERM. A checkpoint flushes the sink and then commits the
offsets; a sink that says it cannot take more makes it pause, go back and read again.
"""

import os
import warnings
from pathlib import Path

from orjson import dumps
from outside import TUNED, Poster
from twelve_fields import twelve_fields

# One of its dependencies, which is not used here, calls another one deprecated.
with warnings.catch_warnings(record=True):
    from quixstreams import Application
    from quixstreams.models.serializers.exceptions import SerializationError
    from quixstreams.sinks import BaseSink, SinkBackpressureError

BATCH = 1000
CHECKPOINT_SECONDS = 0.2
RETRY_SECONDS = 1


class PostSink(BaseSink):
    """Gathers lines over all partitions; the framework's own BatchingSink would post each partition's by itself."""

    def __init__(self, url):
        super().__init__()
        self.poster = Poster(url, ["Content-Type: application/x-ndjson"])
        self.lines = []

    def add(self, value, key, timestamp, headers, topic, partition, offset):
        self.lines.append(dumps(value))

    def flush(self):
        lines, self.lines = self.lines, []
        for start in range(0, len(lines), BATCH):
            # One try: it is the framework that repeats.
            if not self.poster.post(b"\n".join(lines[start : start + BATCH]), lambda: True):
                raise SinkBackpressureError(retry_after=RETRY_SECONDS)

    def on_paused(self):
        self.lines.clear()


def on_consumer_error(error, message, logger):
    """Whether to go on: a record that is no JSON is left out."""
    if isinstance(error, SerializationError):
        return True
    logger.error("kafka: %s", error)
    return False


def main():
    environment = os.environ
    application = Application(
        broker_address=environment["BENCH_BROKERS"],
        consumer_group=environment["BENCH_GROUP"],
        auto_offset_reset="earliest",
        auto_create_topics=False,
        use_changelog_topics=False,
        commit_interval=CHECKPOINT_SECONDS,
        commit_every=BATCH,
        consumer_poll_timeout=CHECKPOINT_SECONDS,
        on_consumer_error=on_consumer_error,
        state_dir=Path(environment["BENCH_WORK"]) / "quixstreams",
        loglevel="WARNING",
        consumer_extra_config=TUNED,
    )
    events = application.dataframe(application.topic(environment["BENCH_TOPIC"], value_deserializer="json"))
    # A tombstone is None.
    events = events.filter(lambda event: type(event) is dict).apply(twelve_fields)
    events.sink(PostSink(f"{environment['BENCH_URL']}/raw"))
    application.run()


if __name__ == "__main__":
    main()
