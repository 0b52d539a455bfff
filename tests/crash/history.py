# SPDX-License-Identifier: Apache-2.0
# The history checker: producers, transactions, groups and consume-transform-produce run while the SPU is killed with kill -9 and
# started again; then everything that was told to a client must agree with what is in the log.
#   history.py DIR KILLS SEED     DIR: of tests/support/spu, which is started and stopped here
import collections
import os
import random
import subprocess
import sys
import threading
import time

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

DIR, KILLS, SEED = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
SPU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "spu")
PARTITIONS = 3
TOPICS = ["idem", "plain", "txn-a", "txn-b", "copy"]
BOOTSTRAP = ""
stopping = threading.Event()    # no more work is begun
finished = threading.Event()    # followers end, too
lock = threading.Lock()
problems = []
counts = collections.Counter()


def problem(text):
    with lock:
        problems.append(text)


def count(what, n=1):
    with lock:
        counts[what] += n


def settings(**more):
    base = {
        "bootstrap.servers": BOOTSTRAP, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 250, "retry.backoff.ms": 20,
        "socket.timeout.ms": 10000, "topic.metadata.refresh.interval.ms": 5000, "log_level": 0, "error_cb": lambda error: None,
    }
    base.update({key.replace("_", "."): value for key, value in more.items()})
    return base


class Plain(threading.Thread):
    """Numbers for each partition, acknowledged ones remembered with their offsets."""

    def __init__(self, name, topic, seed, **more):
        super().__init__(name=name)
        self.topic, self.random, self.sent, self.acked = topic, random.Random(seed), [0] * PARTITIONS, {}
        self.producer = Producer(settings(acks="all", message_timeout_ms=0, linger_ms=2, compression_type=self.random.choice(
            ["none", "gzip", "snappy", "lz4", "zstd"]), **more))

    def on_delivery(self, number):
        def done(error, message):
            if error is not None:
                problem(f"{self.name}: {number} was refused: {error}")
            else:
                self.acked[number] = message.offset()
        return done

    def run(self):
        while not stopping.is_set():
            for _ in range(self.random.randint(1, 8)):
                partition = self.random.randrange(PARTITIONS)
                number = (partition, self.sent[partition])
                self.sent[partition] += 1
                self.producer.produce(self.topic, f"{self.name}:{number[1]}", f"{self.name}", partition, on_delivery=self.on_delivery(number))
            self.producer.poll(self.random.random() * 0.03)
        left = self.producer.flush(60)
        if left:
            problem(f"{self.name}: {left} records are still under way")
        count(f"{self.topic} records", len(self.acked))


def until(deadline_s, action):
    """Repeat what may be repeated; false: it was not, start again with a new producer. KafkaException is passed on when abort helps."""
    deadline = time.monotonic() + deadline_s
    while True:
        try:
            action()
            return True
        except KafkaException as error:
            kind = error.args[0]
            if kind.fatal():
                return False
            if kind.txn_requires_abort():
                raise
            if not kind.retriable() and kind.code() not in (KafkaError._TIMED_OUT, KafkaError._STATE):
                return False
            if kind.code() == KafkaError._STATE or time.monotonic() > deadline:
                return False


def returns(wait_s, action):
    """Repeat what may be repeated. False: the call does not return; librdkafka's for offsets may not once a broker was away
    (its issues 5456 and 5511), so that the producer is left to itself."""
    failure = []

    def call():
        deadline = time.monotonic() + wait_s
        while not failure:
            try:
                action()
                return
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > deadline:
                    failure.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(wait_s)
    if failure:
        raise failure[0]
    if thread.is_alive():
        count("calls that did not return")
    return not thread.is_alive()


class Transactions(threading.Thread):
    """Transactions over both topics; how each ended is remembered: True, False or None (not known)."""

    def __init__(self, name, seed):
        super().__init__(name=name)
        self.random, self.size, self.outcome, self.number = random.Random(seed), {}, {}, 0

    def open(self):
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            producer = Producer(settings(transactional_id=self.name, transaction_timeout_ms=20000, linger_ms=1))
            try:
                producer.init_transactions(15)
                return producer
            except KafkaException as error:
                count("init_transactions again")
                if error.args[0].fatal() and not error.args[0].retriable():
                    time.sleep(0.02)
        problem(f"{self.name}: init_transactions did not get through in 90 s")
        return None

    def one(self, producer):
        """False: this producer is of no use any more."""
        number, self.number = self.number, self.number + 1
        self.size[number] = self.random.randint(1, 12)
        self.outcome[number] = None
        choice = self.random.random()
        try:
            producer.begin_transaction()
            for index in range(self.size[number]):
                producer.produce(self.random.choice(["txn-a", "txn-b"]), f"{self.name}:{number}:{index}", None,
                                 self.random.randrange(PARTITIONS))
                if self.random.random() < 0.2:
                    producer.poll(self.random.random() * 0.01)
            if choice < 0.07:
                producer.flush(0.05)
                return False # left open: whoever comes next fences it
            if choice < 0.25:
                if not until(20, lambda: producer.abort_transaction(10)):
                    self.outcome[number] = False # nobody said commit
                    return False
                self.outcome[number] = False
                return True
            if not until(20, lambda: producer.commit_transaction(10)):
                return False
            self.outcome[number] = True
            return True
        except KafkaException as error:
            if error.args[0].fatal() or not error.args[0].txn_requires_abort():
                return False
            try:
                done = until(20, lambda: producer.abort_transaction(10))
            except KafkaException:
                done = False
            if done:
                self.outcome[number] = False
            return done
        except BufferError:
            return False

    def run(self):
        producer = None
        while not stopping.is_set():
            if producer is None:
                producer = self.open()
                if producer is None:
                    return
            if not self.one(producer):
                count("producers replaced")
                producer = None
        self.open() # what is left open is aborted
        count("transactions committed", sum(1 for end in self.outcome.values() if end))
        count("transactions aborted", sum(1 for end in self.outcome.values() if end is False))
        count("transactions unknown", sum(1 for end in self.outcome.values() if end is None))


class Copier(threading.Thread):
    """Consume, transform, produce: what is in `idem` goes to `copy`, exactly once, offsets in the transaction."""

    def __init__(self, name, seed, drained):
        super().__init__(name=name)
        self.random, self.drained = random.Random(seed), drained

    def session(self):
        consumer = Consumer(settings(group_id="copiers", enable_auto_commit=False, auto_offset_reset="earliest",
                                     isolation_level="read_committed", session_timeout_ms=6000, heartbeat_interval_ms=500,
                                     fetch_wait_max_ms=50, partition_assignment_strategy="range"))
        producer = Producer(settings(transactional_id=self.name, transaction_timeout_ms=20000, linger_ms=1))
        end = time.monotonic() + self.random.uniform(5, 25)
        try:
            producer.init_transactions(15)
            consumer.subscribe(["idem"])
            while not self.drained.is_set() and (stopping.is_set() or time.monotonic() < end):
                messages = [message for message in consumer.consume(100, 0.1) if message.error() is None]
                if not messages:
                    continue
                producer.begin_transaction()
                for message in messages:
                    producer.produce("copy", f"{message.partition()}:{message.offset()}", message.key(), message.partition())
                ends = {}
                for message in messages:
                    ends[message.partition()] = max(ends.get(message.partition(), 0), message.offset() + 1)
                offsets = [TopicPartition("idem", partition, offset) for partition, offset in ends.items()]
                group = consumer.consumer_group_metadata()
                if not returns(15, lambda: producer.send_offsets_to_transaction(offsets, group, 5)):
                    return
                if not until(20, lambda: producer.commit_transaction(10)):
                    return
                count("copies committed")
        except KafkaException as error:
            count("copiers replaced")
            try:
                if not error.args[0].fatal() and error.args[0].txn_requires_abort():
                    producer.abort_transaction(5)
            except KafkaException:
                pass
        finally:
            consumer.close()

    def run(self):
        while not self.drained.is_set():
            self.session()


class Reader(threading.Thread):
    """A member of a group that commits what it has read; committed offsets must not go back."""

    def __init__(self, name, seed, acked):
        super().__init__(name=name)
        self.random, self.acked = random.Random(seed), acked

    def run(self):
        while not stopping.is_set():
            consumer = Consumer(settings(group_id="readers", enable_auto_commit=False, auto_offset_reset="earliest",
                                         isolation_level="read_committed", session_timeout_ms=6000, heartbeat_interval_ms=500,
                                         fetch_wait_max_ms=50, partition_assignment_strategy="cooperative-sticky"))
            consumer.subscribe(["txn-a", "txn-b"])
            end = time.monotonic() + self.random.uniform(5, 30)
            while not stopping.is_set() and time.monotonic() < end:
                messages = [message for message in consumer.consume(50, 0.1) if message.error() is None]
                if not messages:
                    continue
                count("records read by the group", len(messages))
                ends = {}
                for message in messages:
                    ends[(message.topic(), message.partition())] = message.offset() + 1
                try:
                    done = consumer.commit(offsets=[TopicPartition(*place, offset) for place, offset in ends.items()], asynchronous=False)
                except KafkaException:
                    continue
                with lock:
                    for place in done:
                        if place.error is None:
                            key = (place.topic, place.partition)
                            self.acked[key] = max(self.acked.get(key, 0), place.offset)
            consumer.close()


class Follower(threading.Thread):
    """Reads all from the beginning; what is at an offset is remembered, and never changes."""

    def __init__(self, name, isolation):
        super().__init__(name=name)
        self.isolation, self.seen = isolation, {}

    def run(self):
        consumer = Consumer(settings(group_id=self.name, enable_auto_commit=False, auto_offset_reset="error",
                                     isolation_level=self.isolation, fetch_wait_max_ms=50))
        consumer.assign([TopicPartition(topic, partition, 0) for topic in TOPICS for partition in range(PARTITIONS)])
        last = {}
        while not finished.is_set():
            for message in consumer.consume(500, 0.1):
                if message.error() is not None:
                    if message.error().code() in (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET):
                        problem(f"{self.name}: {message.error()}")
                    continue
                place = (message.topic(), message.partition())
                if message.offset() <= last.get(place, -1):
                    problem(f"{self.name}: {place} goes back from {last[place]} to {message.offset()}")
                last[place] = message.offset()
                self.seen[place + (message.offset(),)] = message.value()
        consumer.close()
        count(f"records followed {self.isolation}", len(self.seen))


def spu(*args):
    subprocess.run([SPU, *args], check=True, stdout=subprocess.DEVNULL)


def committed(group, isolation="read_committed"):
    """What a group has committed; None: not now."""
    consumer = Consumer(settings(group_id=group, isolation_level=isolation))
    topics = ["idem"] if group == "copiers" else ["txn-a", "txn-b"]
    try:
        places = consumer.committed([TopicPartition(topic, p) for topic in topics for p in range(PARTITIONS)], timeout=5)
        if any(place.error for place in places):
            return None
        return {(place.topic, place.partition): max(place.offset, 0) for place in places}
    except KafkaException:
        return None
    finally:
        consumer.close()


class Watcher(threading.Thread):
    """Looks at the groups' offsets again and again: they never go back, nor below what a member was told."""

    def __init__(self, acked):
        super().__init__(name="watcher")
        self.acked, self.last = acked, {"copiers": {}, "readers": {}}

    def look(self, group):
        with lock:
            floor = dict(self.acked) if group == "readers" else {}
        now = committed(group)
        if now is None:
            return
        for place, offset in now.items():
            if offset < self.last[group].get(place, 0):
                problem(f"group {group}: {place} goes back from {self.last[group][place]} to {offset}")
            if offset < floor.get(place, 0):
                problem(f"group {group}: {place} is at {offset}, a member was told {floor[place]}")
            self.last[group][place] = offset
        count("looks at committed offsets")

    def run(self):
        while not stopping.is_set():
            for group in self.last:
                self.look(group)
            stopping.wait(0.3)


def ends(isolation):
    admin = AdminClient(settings())
    asked = {TopicPartition(topic, p): OffsetSpec.latest() for topic in TOPICS for p in range(PARTITIONS)}
    found = admin.list_offsets(asked, isolation_level=isolation, request_timeout=20)
    return {(place.topic, place.partition): future.result().offset for place, future in found.items()}


def read_all(isolation, limits):
    """All records, {place: [(offset, value)]}."""
    consumer = Consumer(settings(group_id="check", enable_auto_commit=False, isolation_level=isolation, auto_offset_reset="error",
                                 enable_partition_eof=True))
    consumer.assign([TopicPartition(*place, 0) for place in limits])
    found, at_end, deadline = {place: [] for place in limits}, set(), time.monotonic() + 120
    while len(at_end) < len(limits):
        if time.monotonic() > deadline:
            problem(f"reading all ({isolation}) does not come to the end")
            break
        for message in consumer.consume(1000, 0.2):
            place = (message.topic(), message.partition())
            if message.error() is None:
                found[place].append((message.offset(), message.value()))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                at_end.add(place)
            else:
                problem(f"reading {place}: {message.error()}")
    consumer.close()
    return found


def check_plain(thread, log, exactly_once):
    for partition in range(PARTITIONS):
        place = (thread.topic, partition)
        prefix = f"{thread.name}:".encode()
        numbers = [(int(value[len(prefix):]), offset) for offset, value in log[place] if value.startswith(prefix)]
        at = {offset: number for number, offset in numbers}
        got = [number for number, _ in numbers]
        if exactly_once and got != list(range(thread.sent[partition])):
            missing = sorted(set(range(thread.sent[partition])) - set(got))[:5]
            twice = [n for n, times in collections.Counter(got).items() if times > 1][:5]
            problem(f"{thread.name}, partition {partition}: {len(got)} of {thread.sent[partition]}; missing {missing}, twice {twice}, "
                    f"in order: {got == sorted(got)}")
        first = []
        for number in got: # a repeated send comes after the first, whole requests again
            if not first or number > first[-1]:
                first.append(number)
        if first != list(range(len(first))):
            problem(f"{thread.name}, partition {partition}: out of order")
        for (where, number), offset in thread.acked.items():
            if where == partition and offset >= 0 and at.get(offset) != number:
                problem(f"{thread.name}: {number} was acknowledged at {place} {offset}, where there is {at.get(offset)}")


def check_transactions(thread, everything, visible):
    prefix = f"{thread.name}:".encode()
    found = collections.defaultdict(list)
    for place, records in visible.items():
        last = (-1, -1)
        for _, value in records:
            if value.startswith(prefix):
                number, index = (int(part) for part in value[len(prefix):].split(b":"))
                found[number].append(index)
                if (number, index) <= last:
                    problem(f"{thread.name}: {place} out of order: {last}, then {(number, index)}")
                last = (number, index)
    for number, size in thread.size.items():
        indexes = sorted(found.get(number, []))
        outcome = thread.outcome[number]
        if outcome is True and indexes != list(range(size)):
            problem(f"{thread.name}: transaction {number} was committed with {size}, there is {indexes}")
        if outcome is False and indexes:
            problem(f"{thread.name}: transaction {number} was aborted, there is {indexes}")
        if outcome is None and indexes and indexes != list(range(size)):
            problem(f"{thread.name}: transaction {number} of {size} is there in part: {indexes}")


def check_followers(followers, everything, visible):
    for follower in followers:
        log = everything if follower.isolation == "read_uncommitted" else visible
        now = {place + (offset,): value for place, records in log.items() for offset, value in records}
        for place, value in follower.seen.items():
            if now.get(place) != value:
                problem(f"{follower.name} saw {value} at {place}, where there is {now.get(place)} now")
                break


def check_copies(everything, visible):
    for partition in range(PARTITIONS):
        wanted = [f"{partition}:{offset}".encode() for offset, _ in everything[("idem", partition)]]
        got = [value for _, value in visible[("copy", partition)]]
        if got != wanted:
            times = collections.Counter(got)
            problem(f"copy, partition {partition}: {len(got)} of {len(wanted)}; missing {[w for w in wanted if w not in times][:5]}, twice "
                    f"{[v for v, n in times.items() if n > 1][:5]}")


def result(name, bad):
    print(("FAIL" if bad else "ok  ") + f" history/{name}", flush=True)
    for text in bad[:12]:
        print(f"     {text}", flush=True)
    return bool(bad)


def take_problems():
    with lock:
        taken, problems[:] = list(problems), []
    return taken


def main():
    global BOOTSTRAP
    rng = random.Random(SEED)
    spu("start", DIR, "partitions: 3")
    with open(os.path.join(DIR, "env"), encoding="utf-8") as env:
        BOOTSTRAP = next(line for line in env if line.startswith("BOOTSTRAP="))[10:].strip()
    admin = AdminClient(settings())
    for future in admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in TOPICS]).values():
        future.result(20)
    acked, drained = {}, threading.Event()
    idem = [Plain(f"idem{n}", "idem", rng.random(), enable_idempotence=True) for n in range(2)]
    plain = [Plain("plain0", "plain", rng.random(), max_in_flight_requests_per_connection=1)]
    txns = [Transactions(f"txn{n}", rng.random()) for n in range(3)]
    copiers = [Copier(f"copier{n}", rng.random(), drained) for n in range(2)]
    readers = [Reader(f"reader{n}", rng.random(), acked) for n in range(2)]
    followers = [Follower("follower-uncommitted", "read_uncommitted"), Follower("follower-committed", "read_committed")]
    watcher = Watcher(acked)
    workers = idem + plain + txns + readers + [watcher]
    for thread in workers + copiers + followers:
        thread.daemon = True
        thread.start()
    for _ in range(KILLS):
        time.sleep(rng.choice([rng.uniform(0, 0.4), rng.uniform(0.3, 3)]))
        spu("kill", DIR)
        time.sleep(rng.uniform(0, 0.25))
        spu("again", DIR)
    time.sleep(2)
    stopping.set()
    for thread in workers:
        thread.join(150)
        if thread.is_alive():
            problem(f"{thread.name} does not come to its end")
    failed = result(f"{KILLS} kills: every client gets on again (SEED={SEED})", take_problems())
    deadline = time.monotonic() + 90
    highs = ends(IsolationLevel.READ_UNCOMMITTED)
    while time.monotonic() < deadline:
        now = committed("copiers")
        if now is not None and all(now[("idem", p)] >= highs[("idem", p)] for p in range(PARTITIONS)):
            break
        time.sleep(0.3)
    else:
        problem(f"the copiers are at {now}, the end is {highs}")
    drained.set()
    for thread in copiers:
        thread.join(60)
    for _ in range(100): # a copier's last transaction may be ending
        highs, stable = ends(IsolationLevel.READ_UNCOMMITTED), ends(IsolationLevel.READ_COMMITTED)
        if highs == stable:
            break
        time.sleep(0.3)
    failed |= result("consume-transform-produce comes to the end", take_problems())
    failed |= result("no transaction holds readers up at the end", [
        f"{place}: {stable[place]} of {highs[place]}" for place in highs if highs[place] != stable[place]])
    watcher.look("readers")
    for group in ("readers", "copiers"):
        for place, offset in (committed(group) or {}).items():
            if offset > highs[place]:
                problem(f"group {group}: {place} is at {offset}, the end is {highs[place]}")
    failed |= result("committed offsets never go back, nor past the end", take_problems())
    everything, visible = read_all("read_uncommitted", highs), read_all("read_committed", highs)
    finished.set()
    for thread in followers:
        thread.join(30)
    failed |= result("followers see offsets in order", take_problems())
    for thread in idem:
        check_plain(thread, everything, True)
    failed |= result("idempotent: each record once, in order, where it was acknowledged", take_problems())
    for thread in plain:
        check_plain(thread, everything, False)
    failed |= result("acks=all: nothing acknowledged is lost", take_problems())
    for thread in txns:
        check_transactions(thread, everything, visible)
    failed |= result("transactions: all or nothing, none that was aborted", take_problems())
    check_copies(everything, visible)
    failed |= result("consume-transform-produce: each record once", take_problems())
    check_followers(followers, everything, visible)
    failed |= result("what a reader saw stays as it was", take_problems())
    lazy = [what for what in ("idem records", "plain records", "transactions committed", "transactions aborted", "copies committed",
                              "records read by the group", "looks at committed offsets") if counts[what] < KILLS // 5]
    failed |= result("all of them had something to do", [f"{what}: {counts[what]}" for what in lazy])
    print("     " + ", ".join(f"{what} {n}" for what, n in sorted(counts.items())), flush=True)
    spu("stop", DIR)
    sys.stdout.flush()
    os._exit(1 if failed else 0) # daemons may still be at it


main()
