# SPDX-License-Identifier: Apache-2.0
# What the cases of Python's clients share: counting, topics, producers and consumers of confluent-kafka.
import os
import sys
import time
import traceback

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

AREA = os.path.splitext(os.path.basename(sys.argv[0]))[0]
BOOTSTRAP = sys.argv[1]
results = [0, 0]
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def case(name):
    def run(test):
        try:
            test()
            results[0] += 1
            print(f"ok   {AREA}/{name}", flush=True)
        except Exception: # whatever it is
            results[1] += 1
            print(f"FAIL {AREA}/{name}", flush=True)
            print("     " + traceback.format_exc().replace("\n", "\n     "), flush=True)
        return test
    return run


def same(wanted, got):
    assert wanted == got, f"wanted {str(wanted)[:300]}, got {str(got)[:300]}"


def refused(code, action):
    try:
        action()
    except KafkaException as error:
        same(code, error.args[0].code())
        return
    raise AssertionError("it was not refused")


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.02)


def topic(name, partitions=1, **config):
    for future in admin.create_topics([NewTopic(name, partitions, 1, config={k.replace("_", "."): v for k, v in config.items()})]).values():
        future.result(20)
    return name


def producer(**more):
    return Producer({"bootstrap.servers": BOOTSTRAP, "linger.ms": 2, **{key.replace("_", "."): value for key, value in more.items()}})


def consumer(group, **more):
    return Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                     "fetch.wait.max.ms": 50, "heartbeat.interval.ms": 300, "session.timeout.ms": 6000,
                     **{key.replace("_", "."): value for key, value in more.items()}})


def produce(name, values, client=None, **more):
    client = client or producer(**more)
    errors, offsets = [], []
    for value in values:
        client.produce(name, value, partition=0,
                       on_delivery=lambda error, message: errors.append(error) if error else offsets.append(message.offset()))
        client.poll(0)
    same(0, client.flush(30))
    same([], errors)
    return offsets


def read(name, count, partitions=1, isolation="read_committed", start=0):
    client = consumer("reader", isolation_level=isolation)
    client.assign([TopicPartition(name, partition, start) for partition in range(partitions)])
    found, deadline = [], time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        for message in client.consume(1000, 0.2):
            assert message.error() is None, message.error()
            found.append(message)
    client.close()
    same(count, len(found))
    return found
