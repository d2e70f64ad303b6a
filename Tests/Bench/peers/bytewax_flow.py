#!/usr/bin/env python3
"""Bytewax: its Kafka source, a step that parses and picks twelve fields, and a sink of its kind that posts them.

It does not use Kafka's consumer groups: it is assigned all partitions, and keeps their offsets in a recovery store of
its own (SQLite), written once an epoch, behind the sink. Started again with the same store it goes on from there.
"""

import os
import signal
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.errors import BytewaxRuntimeError
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main
from orjson import dumps, loads
from outside import PREFETCH, Poster
from twelve_fields import twelve_fields

BATCH = 1000
EPOCH = timedelta(seconds=1)


stopped = []


def stop(*_):
    # Bytewax has no other way to end a flow that reads for ever. It is the end of an epoch that counts: what was
    # posted behind the last one is posted again by whoever goes on with the store.
    if not stopped:
        stopped.append(True)
        # It calls that a panic, at length.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    raise KeyboardInterrupt


def lines(messages):
    found = []
    for message in messages:
        value = message.value
        if value is None:
            continue
        try:
            event = loads(value)
        except ValueError:
            continue
        if type(event) is dict:
            found.append(dumps(twelve_fields(event)))
    return found


class PostPartition(StatelessSinkPartition):
    def __init__(self, url):
        self.poster = Poster(url, ["Content-Type: application/x-ndjson"])

    def write_batch(self, items):
        for start in range(0, len(items), BATCH):
            # SIGTERM ends the waiting as well: its handler raises.
            self.poster.post(b"\n".join(items[start : start + BATCH]), lambda: False)


class PostSink(DynamicSink):
    def __init__(self, url):
        self.url = url

    def build(self, step_id, worker_index, worker_count):
        return PostPartition(self.url)


def recovery(work):
    directory = Path(work) / "bytewax"
    if not directory.exists():
        directory.mkdir()
        init_db_dir(directory, 1)
    return RecoveryConfig(directory)


def dataflow(environment):
    flow = Dataflow("forward")
    source = KafkaSource(
        environment["BENCH_BROKERS"].split(","),
        [environment["BENCH_TOPIC"]],
        batch_size=BATCH,
        # Its client for the list of partitions is given these too, and says that they are a consumer's.
        add_config={name: str(value) for name, value in PREFETCH.items()} | {"log_level": "3"},
    )
    stream = op.input("kafka", flow, source)
    stream = op.flat_map_batch("map", stream, lines)
    op.output("post", stream, PostSink(f"{environment['BENCH_URL']}/raw"))
    return flow


def main():
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        cli_main(dataflow(os.environ), epoch_interval=EPOCH, recovery_config=recovery(os.environ["BENCH_WORK"]))
    except (KeyboardInterrupt, BytewaxRuntimeError):
        # The second is the first, from inside of a step.
        if not stopped:
            raise


if __name__ == "__main__":
    main()
