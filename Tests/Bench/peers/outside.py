"""What the peers in Python have outside of them: how they read, and the connection they post over."""

import sys
import time

import pycurl
from confluent_kafka import Consumer, KafkaException


class Poster:
    """Posts bodies over one connection that is kept, each until it is taken."""

    def __init__(self, url, headers):
        self.curl = curl = pycurl.Curl()
        self.answer = []
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.POST, 1)
        # No `Expect: 100-continue`, which costs large bodies a wait.
        curl.setopt(pycurl.HTTPHEADER, [*headers, "Expect:"])
        curl.setopt(pycurl.WRITEFUNCTION, self.answer.append)
        curl.setopt(pycurl.TIMEOUT, 30)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.UPLOAD_BUFFERSIZE, 1 << 21)

    def post(self, body, is_stopped):
        """Returns whether the body was taken; False only at the end."""
        curl = self.curl
        curl.setopt(pycurl.POSTFIELDS, body)
        delay = 0.1
        while True:
            self.answer.clear()
            try:
                curl.perform()
                status = curl.getinfo(pycurl.RESPONSE_CODE)
                if status == 200:
                    return True
                problem = f"status {status}"
            except pycurl.error as error:
                problem = str(error)
            print(f"post: {problem}", file=sys.stderr)
            if is_stopped():
                return False
            time.sleep(delay)
            delay = min(2 * delay, 5)


# Reading ahead as the daemon does it, and what the broker wants of a member of a group.
PREFETCH = {
    "fetch.queue.backoff.ms": 5,
    "queued.min.messages": 20000,
    "queued.max.messages.kbytes": 4096,
    "fetch.wait.max.ms": 20,
}
TUNED = PREFETCH | {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500}


def consumer_of(environment):
    return Consumer(
        {
            "bootstrap.servers": environment["BENCH_BROKERS"],
            "group.id": environment["BENCH_GROUP"],
            "auto.offset.reset": "earliest",
            # Offsets are stored when the sink has taken the events, and committed once a second.
            "enable.auto.offset.store": False,
            "enable.auto.commit": True,
            "auto.commit.interval.ms": 1000,
            "partition.assignment.strategy": "cooperative-sticky",
        }
        | TUNED
    )


def store(consumer, messages):
    """Marks everything up to these messages as done."""
    for last in {message.partition(): message for message in messages}.values():
        if last.error():
            continue
        try:
            consumer.store_offsets(message=last)
        except KafkaException as error:
            # The partition went to another member, which reads it again.
            print(f"store: {error}", file=sys.stderr)
