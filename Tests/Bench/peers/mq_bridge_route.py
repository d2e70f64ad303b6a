#!/usr/bin/env python3
"""mq-bridge between the topic and the sink: its configuration, and how it is stopped.

Python only starts it; all the work is done by its Rust core in this process. With --map a mapping picks twelve fields
of each event.
"""

import os
import signal
import sys
import threading

import mq_bridge

FIELDS = {
    "eventName": "$.event",
    "event_id": "$.event_id",
    "eventTime": "$.event_time",
    "eventSourceUrl": "$.url",
    "referrerUrl": "$.referrer",
    "pageTitle": "$.title",
    "userData.anonymousId": "$.user.anonymous_id",
    "userData.msclkid": "$.user.msclkid",
    "userData.clientIpAddress": "$.user.ip_address",
    "userData.clientUserAgent": "$.user.user_agent",
    "customData.value": "$.properties.value",
    "customData.currency": "$.properties.currency",
}


def configuration(environment, is_mapping):
    output = {
        "http_bulk": {"url": environment["BENCH_URL"], "upsert": {"path": "/raw", "format": "ndjson"}},
    }
    if is_mapping:
        output["middlewares"] = [{"transform": {"mapping": FIELDS}}]
    return {
        "input": {
            "kafka": {
                "url": environment["BENCH_BROKERS"],
                "topic": environment["BENCH_TOPIC"],
                "group_id": environment["BENCH_GROUP"],
                "consumer_options": [
                    ["auto.offset.reset", "earliest"],
                    ["fetch.queue.backoff.ms", "5"],
                    ["queued.min.messages", "20000"],
                    ["queued.max.messages.kbytes", "4096"],
                    ["session.timeout.ms", "6000"],
                    ["heartbeat.interval.ms", "500"],
                    ["fetch.wait.max.ms", "20"],
                ],
            }
        },
        "output": output,
        "batch_size": 1000,
        "concurrency": 1,
        # It says itself whether it promises that, and would not start.
        "required_delivery": "at_least_once",
    }


def main():
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    route = mq_bridge.Route.from_config(configuration(os.environ, "--map" in sys.argv[1:]))
    route.start()
    stopped.wait()
    mq_bridge.request_shutdown()
    route.join()


if __name__ == "__main__":
    main()
