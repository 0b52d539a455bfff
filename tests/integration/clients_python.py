# SPDX-License-Identifier: Apache-2.0
# Python's Kafka clients against an SPU: confluent-kafka (librdkafka), kafka-python, aiokafka. clients_python.py BOOTSTRAP
import asyncio
import sys
import threading
import time

import aiokafka
import kafka
import kafka.admin
from confluent_kafka import ConsumerGroupTopicPartitions, ElectionType, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, OffsetSpec, ResourceType

from clients_python_cases import BOOTSTRAP, admin, case, consumer, produce, producer, read, refused, results, same, topic, wait_for

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@case("confluent: all five codecs, keys, headers, timestamps")
def codecs():
    for codec in CODECS:
        name, errors = topic(f"codec-{codec}"), []
        client = producer(compression_type=codec, linger_ms=20)
        for number in range(200):
            client.produce(name, f"value {number} " * 20, f"key {number}", 0, timestamp=1700000000000 + number,
                           headers=[("one", b"1"), ("empty", b""), ("none", None), ("one", b"again")],
                           on_delivery=lambda error, _: errors.append(error) if error else None)
        same(0, client.flush(30))
        same([], errors)
        for number, message in enumerate(read(name, 200)):
            same((number, f"value {number} " * 20, f"key {number}", 1700000000000 + number),
                 (message.offset(), message.value().decode(), message.key().decode(), message.timestamp()[1]))
            same([("one", b"1"), ("empty", b""), ("none", None), ("one", b"again")], message.headers())


@case("confluent: a megabyte goes through, more than the topic takes is refused")
def large():
    name = topic("large")
    produce(name, [b"x" * 1000000], message_max_bytes=2000000)
    same(1000000, len(read(name, 1)[0].value()))
    small, codes = topic("small", max_message_bytes="20000"), []
    client = producer(message_max_bytes=5000000)
    for size in (10000, 30000):
        client.produce(small, b"y" * size, on_delivery=lambda error, _: codes.append(error.code() if error else 0))
        client.flush(30)
    same([0, KafkaError.MSG_SIZE_TOO_LARGE], codes)


@case("confluent: a record without a key is refused by a compacted topic")
def compacted():
    name, codes = topic("compacted", cleanup_policy="compact"), []
    client = producer()
    for key in ("key", None):
        client.produce(name, "value", key, on_delivery=lambda error, _: codes.append(error.code() if error else 0))
        client.flush(30)
    same([0, KafkaError.INVALID_RECORD], codes)


@case("confluent: offsets for times, earliest, latest, largest timestamp")
def times():
    name = topic("times")
    client = producer(compression_type="zstd", linger_ms=20)
    stamps = [1700000000000 + step for step in (0, 10, 50, 20, 90, 30)]
    for stamp in stamps:
        client.produce(name, "value", partition=0, timestamp=stamp)
    client.flush(30)
    reader = consumer("times")
    for stamp, wanted in ((0, 0), (1700000000005, 1), (1700000000011, 2), (1700000000060, 4), (1700000000091, -1)):
        same(wanted, reader.offsets_for_times([TopicPartition(name, 0, stamp)], 10)[0].offset)
    same((0, 6), reader.get_watermark_offsets(TopicPartition(name, 0), 10))
    reader.close()
    for spec, wanted in ((OffsetSpec.max_timestamp(), 4), (OffsetSpec.earliest(), 0), (OffsetSpec.latest(), 6)):
        for future in admin.list_offsets({TopicPartition(name, 0): spec}).values():
            same(wanted, future.result(10).offset)


@case("confluent: commit and resume")
def resume():
    name = topic("resume")
    produce(name, [str(number) for number in range(20)])
    got = []
    for turn in range(2):
        client = consumer("resume")
        client.subscribe([name])
        wait_for(lambda: [got.append(m.value().decode()) for m in client.consume(10, 0.2) if not m.error()] and len(got) >= 10 * (turn + 1))
        client.commit(offsets=[TopicPartition(name, 0, 10 * (turn + 1), metadata="a note")], asynchronous=False)
        same("a note", client.committed([TopicPartition(name, 0)], 10)[0].metadata)
        client.close()
        del got[10 * (turn + 1):]
    same([str(number) for number in range(20)], got)


class Member(threading.Thread):
    def __init__(self, group, name, **more):
        super().__init__(daemon=True)
        self.client, self.stop, self.seen = consumer(group, **more), threading.Event(), []
        self.client.subscribe([name])
        self.places = set()
        self.start()

    def run(self):
        while not self.stop.is_set():
            for message in self.client.consume(100, 0.1):
                if message.error() is None:
                    self.seen.append(message.value())
            self.places = {place.partition for place in self.client.assignment()}
        self.client.close()

    def end(self):
        self.stop.set()
        self.join(30)


def share(members, partitions):
    places = [place for member in members for place in member.places]
    return sorted(places) == list(range(partitions)) and all(member.places for member in members)


def rebalances(strategy):
    name = topic(f"group-{strategy}", 6)
    members = [Member(f"group-{strategy}", name, partition_assignment_strategy=strategy) for _ in range(3)]
    wait_for(lambda: share(members, 6))
    members.pop().end()
    wait_for(lambda: share(members, 6))
    members += [Member(f"group-{strategy}", name, partition_assignment_strategy=strategy) for _ in range(2)]
    members.pop(0).end()
    wait_for(lambda: share(members, 6))
    client = producer()
    for number in range(600):
        client.produce(name, str(number))
    client.flush(30)
    wait_for(lambda: sum(len(member.seen) for member in members) >= 600)
    same(sorted(str(number).encode() for number in range(600)), sorted(value for member in members for value in member.seen))

    def described():
        description = admin.describe_consumer_groups([f"group-{strategy}"])[f"group-{strategy}"].result(10)
        return len(description.members), description.state.name, description.partition_assignor

    wait_for(lambda: described()[1] == "STABLE")  # a cooperative group shares in two steps
    same((3, "STABLE", strategy), described())
    for member in members:
        member.end()


for each in ("range", "roundrobin", "cooperative-sticky"):
    case(f"confluent: a group with {each}: members come and go at once")(lambda each=each: rebalances(each))


@case("confluent: a static member comes back to what it had, without a rebalance")
def static():
    name = topic("static", 4)
    members = [Member("static", name, group_instance_id=f"member{n}") for n in range(2)]
    wait_for(lambda: share(members, 4))
    had = members[0].places
    others = members[1].places
    members[0].end() # a static member does not leave
    members[0] = Member("static", name, group_instance_id="member0")
    wait_for(lambda: members[0].places == had)
    same(others, members[1].places)
    for member in members:
        member.end()


@case("confluent: idempotent producer")
def idempotent():
    name = topic("idempotent")
    offsets = produce(name, [str(number) for number in range(2000)], enable_idempotence=True)
    same(list(range(2000)), offsets)
    same([str(number) for number in range(2000)], [message.value().decode() for message in read(name, 2000)])


@case("confluent: transactions: read_committed sees what was committed, in order")
def transactions():
    name = topic("transactions")
    client = producer(transactional_id="confluent")
    client.init_transactions(20)
    for number in range(6):
        client.begin_transaction()
        client.produce(name, f"{number}", partition=0)
        if number % 2 == 0:
            client.commit_transaction(20)
        else:
            client.flush(10)
            client.abort_transaction(20)
    same(["0", "2", "4"], [message.value().decode() for message in read(name, 3)])
    same(["0", "1", "2", "3", "4", "5"], [message.value().decode() for message in read(name, 6, isolation="read_uncommitted")])


@case("confluent: a newer producer of the same id fences the older one")
def fencing():
    name = topic("fencing")
    old, new = producer(transactional_id="fenced"), producer(transactional_id="fenced")
    old.init_transactions(20)
    old.begin_transaction()
    old.produce(name, "old", partition=0)
    old.flush(10)
    new.init_transactions(20)
    new.begin_transaction()
    new.produce(name, "new", partition=0)
    new.commit_transaction(20)
    try:
        old.commit_transaction(20)
        raise AssertionError("the old one may commit")
    except KafkaException as error:
        assert error.args[0].fatal(), error
    same(["new"], [message.value().decode() for message in read(name, 1)])


@case("confluent: consumed offsets are part of the transaction")
def offsets_in_transaction():
    source, target = topic("source"), topic("target")
    produce(source, [str(number) for number in range(10)])
    reader, client = consumer("copier"), producer(transactional_id="copier")
    client.init_transactions(20)
    reader.subscribe([source])
    messages = []
    wait_for(lambda: messages.extend(m for m in reader.consume(10, 0.2) if not m.error()) or len(messages) >= 10)
    for commits in (False, True):
        client.begin_transaction()
        for message in messages:
            client.produce(target, message.value(), partition=0)
        client.send_offsets_to_transaction([TopicPartition(source, 0, 10)], reader.consumer_group_metadata(), 20)
        if commits:
            client.commit_transaction(20)
        else:
            client.abort_transaction(20)
            same(-1001, reader.committed([TopicPartition(source, 0)], 10)[0].offset)
    same(10, reader.committed([TopicPartition(source, 0)], 10)[0].offset)
    same(10, len(read(target, 10)))
    reader.close()


@case("confluent: topics, partitions, settings")
def admin_topics():
    name = topic("admin", 2, retention_ms="100000")
    refused(KafkaError.TOPIC_ALREADY_EXISTS, lambda: topic("admin"))
    refused(KafkaError.TOPIC_EXCEPTION, lambda: topic("bad/name"))
    refused(KafkaError.INVALID_CONFIG, lambda: topic("bad", retention_ms="soon"))
    admin.create_partitions([NewPartitions(name, 5)])[name].result(20)
    described = admin.describe_topics(TopicCollection([name]))[name].result(20)
    same(5, len(described.partitions))
    resource = ConfigResource(ResourceType.TOPIC, name)
    same("100000", admin.describe_configs([resource])[resource].result(20)["retention.ms"].value)
    change = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[
        ConfigEntry("retention.ms", "5000000", incremental_operation=AlterConfigOpType.SET),
        ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)])
    admin.incremental_alter_configs([change])[resource].result(20)
    now = admin.describe_configs([resource])[resource].result(20)
    same(("5000000", ["compact", "delete"]), (now["retention.ms"].value, sorted(now["cleanup.policy"].value.split(","))))
    assert name in admin.list_topics(timeout=10).topics
    same(1, len(admin.describe_cluster(include_authorized_operations=True).result(20).nodes))
    elected = admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(name, 0)]).result(20)
    same([KafkaError.ELECTION_NOT_NEEDED], [error.code() for error in elected.values()])
    admin.delete_topics([name])[name].result(20)
    refused(KafkaError.UNKNOWN_TOPIC_OR_PART, lambda: admin.delete_topics([name])[name].result(20))


@case("confluent: records are deleted")
def delete_records():
    name = topic("shorter")
    produce(name, ["a", "b", "c", "d"])
    place = TopicPartition(name, 0, 2)
    for future in admin.delete_records([place]).values():
        same(2, future.result(20).low_watermark)
    same(["c", "d"], [message.value().decode() for message in read(name, 2, start=2)])
    refused(KafkaError.OFFSET_OUT_OF_RANGE, lambda: [future.result(20) for future in admin.delete_records([TopicPartition(name, 0, 9)]).values()])


@case("confluent: groups are listed, their offsets set and deleted")
def admin_groups():
    name = topic("admin-groups")
    produce(name, ["a", "b", "c"])
    asked = ConsumerGroupTopicPartitions("admin-group", [TopicPartition(name, 0, 2)])
    for future in admin.alter_consumer_group_offsets([asked]).values():
        future.result(20)
    for future in admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("admin-group")]).values():
        same([(name, 0, 2)], [(place.topic, place.partition, place.offset) for place in future.result(20).topic_partitions])
    assert "admin-group" in [group.group_id for group in admin.list_consumer_groups().result(20).valid]
    for future in admin.delete_consumer_groups(["admin-group"]).values():
        future.result(20)
    assert "admin-group" not in [group.group_id for group in admin.list_consumer_groups().result(20).valid]


@case("kafka-python: codecs, headers, timestamps, a group, commits")
def kafka_python():
    name = topic("kafka-python", 2)
    for codec in CODECS:
        client = kafka.KafkaProducer(bootstrap_servers=BOOTSTRAP, compression_type=None if codec == "none" else codec, linger_ms=5)
        futures = [client.send(name, f"{codec} {number}".encode(), str(number).encode(), [("h", b"1")], number % 2, 1700000000000 + number)
                   for number in range(50)]
        client.flush(30)
        for future in futures:
            future.get(10)
        client.close()
    total = []
    for turn in range(2):
        client = kafka.KafkaConsumer(name, bootstrap_servers=BOOTSTRAP, group_id="kafka-python", auto_offset_reset="earliest",
                                     enable_auto_commit=False, max_poll_records=125 if turn == 0 else 500)
        deadline = time.monotonic() + 30
        while len(total) < 125 * (turn + 1) and time.monotonic() < deadline:
            for messages in client.poll(timeout_ms=300).values():
                total.extend(messages)
        client.commit()
        client.close()
    same(250, len(total))
    same({f"{codec} {number}" for codec in CODECS for number in range(50)}, {message.value.decode() for message in total})
    same([("h", b"1")], list(total[0].headers))


@case("kafka-python: idempotence and transactions")
def kafka_python_transactions():
    name = topic("kafka-python-txn")
    client = kafka.KafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id="kafka-python")
    client.init_transactions()
    for number in range(4):
        client.begin_transaction()
        client.send(name, str(number).encode(), partition=0)
        if number % 2 == 0:
            client.commit_transaction()
        else:
            client.flush(20)
            client.abort_transaction()
    client.close()
    same(["0", "2"], [message.value().decode() for message in read(name, 2)])


@case("kafka-python: topics and groups by its admin client")
def kafka_python_admin():
    client = kafka.KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    client.create_topics([kafka.admin.NewTopic("kp-admin", 3, 1)])
    same(3, len(client.describe_topics(["kp-admin"])[0]["partitions"]))
    client.delete_topics(["kp-admin"])
    client.close()


async def aio():
    client = aiokafka.AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id="aiokafka", compression_type="lz4")
    await client.start()
    for number in range(4):
        try:
            async with client.transaction():
                await client.send_and_wait("aiokafka", str(number).encode(), partition=0)
                if number % 2:
                    raise ValueError("not this one")
        except ValueError:
            pass
    await client.stop()
    reader = aiokafka.AIOKafkaConsumer("aiokafka", bootstrap_servers=BOOTSTRAP, group_id="aiokafka", auto_offset_reset="earliest",
                                       isolation_level="read_committed", enable_auto_commit=False)
    await reader.start()
    got = [(await asyncio.wait_for(reader.getone(), 30)).value for _ in range(2)]
    await reader.commit()
    await reader.stop()
    same([b"0", b"2"], got)


@case("aiokafka: transactions, a group, commits")
def aiokafka_case():
    topic("aiokafka")
    asyncio.run(aio())


import clients_python_access # noqa: E402, F401: its cases come last

print(f"{results[0]} passed, {results[1]} failed", flush=True)
sys.exit(1 if results[1] else 0)
