# SPDX-License-Identifier: Apache-2.0
# A console, kaskade, against an SPU: its keys are pressed, its tables read. console.py BOOTSTRAP
import asyncio
import os
import sys
import threading
import time

from confluent_kafka import TopicPartition
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, ConfigResource, ResourcePatternType, ResourceType)
from kaskade.admin import KaskadeAdmin
from kaskade.consumer import KaskadeConsumer
from kaskade.deserializers import Deserialization
from kaskade.models import PartitionSelection
from textual.widgets import DataTable, Input

from clients_python_cases import BOOTSTRAP, admin, case, consumer, producer, results, same, topic

PLAIN = {"bootstrap.servers": BOOTSTRAP}


def login(user, password):
    return {"bootstrap.servers": os.environ["TLS_BOOTSTRAP"], "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": os.environ[user], "sasl.password": os.environ[password], "ssl.ca.location": os.environ["CA"]}


def driven(app, drive):
    """Run the console on a screen of its own while drive(pilot) does what a person would."""
    async def run():
        async with app.run_test(size=(180, 50), notifications=True) as pilot:
            await drive(pilot)
    asyncio.run(asyncio.wait_for(run(), 120))


async def until(pilot, holds, seconds=30):
    """Wait for what the screen shows."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds} s: {[rows(pilot, '#' + each.id) for each in pilot.app.screen.query(DataTable)]}"
        await pilot.pause(0.05)


async def press_until(pilot, key, holds):
    """A key does nothing while the screen is being filled, which loses the focus, too: pressed again then."""
    async def pressed():
        await pilot.press(*[] if pilot.app.focused else ["tab"], key)
        await pilot.pause(0.3)
        return holds()
    deadline = time.monotonic() + 30
    while not await pressed():
        assert time.monotonic() < deadline, f"{key} does not help: {[rows(pilot, '#' + each.id) for each in pilot.app.screen.query(DataTable)]}"


def rows(pilot, table):
    """What stands in a table, by its first column; none while it is not there."""
    found = pilot.app.screen.query(table).results(DataTable)
    return {str(row[0]): [str(cell) for cell in row[1:]] for one in found for row in map(one.get_row_at, range(one.row_count))}


def listed(pilot):
    return rows(pilot, "#topics-table")


def refusals(pilot):
    return sum("not allowed" in str(each.render()) for each in pilot.app.screen.query("Toast"))


async def select(pilot, name):
    """Move to a topic's row."""
    table = pilot.app.screen.query_one("#topics-table", DataTable)
    steps = list(listed(pilot)).index(name) - table.cursor_row
    await pilot.press(*["down" if steps > 0 else "up"] * abs(steps))
    same(name, str(table.get_row_at(table.cursor_row)[0]))


async def fill(pilot, field, text):
    """Replace what stands in a field of a form."""
    box = pilot.app.screen.query_one(field, Input)
    box.focus()
    await pilot.press("end", *["backspace"] * len(box.value), *text)


def settings(name):
    for future in admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values():
        return {key: entry.value for key, entry in future.result(20).items()}


class Member:
    """A consumer that is a member of a group while the console looks, and has read 7 records of each partition."""

    def __init__(self, group, name):
        self.client, self.stopped = consumer(group, client_id="reader"), threading.Event()
        self.client.subscribe([name], on_assign=self.assigned)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def assigned(self, client, places):
        client.commit(offsets=[TopicPartition(each.topic, each.partition, 7) for each in places], asynchronous=False)
        client.assign(places)
        client.pause(places)

    def run(self):
        while not self.stopped.is_set():
            self.client.poll(0.05)
        self.client.close()

    def stop(self):
        self.stopped.set()
        self.thread.join()


@case("topics, sizes, lag, groups and their members")
def shown():
    name, client = topic("shown", 3, retention_ms="3600000"), producer()
    for number in range(30):
        client.produce(name, f"value {number}", f"key {number}", number % 3, headers=[("one", b"1")])
    same(0, client.flush(20))
    member = Member("readers", name)

    async def drive(pilot):
        # Asked for again until the member has committed.
        await press_until(pilot, "ctrl+r", lambda: listed(pilot).get(name) == ["3", "1", "1", "1", "1", "≈30", "≈9"])
        await select(pilot, name)
        await press_until(pilot, "d", lambda: pilot.app.screen.query("#partitions-table"))
        await until(pilot, lambda: len(rows(pilot, "#partitions-table")) == 3 and len(rows(pilot, "#configurations-table")) > 20)
        same({str(n): ["1", "0", "10", "10", "[1]", "[1]"] for n in range(3)}, rows(pilot, "#partitions-table"))
        same(["3600000"], rows(pilot, "#configurations-table")["retention.ms"])
        same({"readers": [f"{BOOTSTRAP}/1", "stable", "range", "3", "1", "9"]}, rows(pilot, "#groups-table"))
        offsets = pilot.app.screen.query_one("#group-offsets-table", DataTable)
        same([["readers", str(n), "7", "10", "3"] for n in range(3)], sorted([str(cell) for cell in offsets.get_row_at(n)] for n in range(3)))
        [(client_id, _, host, has)] = rows(pilot, "#group-members-table").values()
        same(("reader", "127.0.0.1", "[0, 1, 2]"), (client_id, host.lstrip("/"), has))
        await pilot.press("escape")
    try:
        driven(KaskadeAdmin(PLAIN, refresh_interval=0), drive)
    finally:
        member.stop()


@case("a topic is made, changed, grown and deleted")
def changed():
    async def drive(pilot):
        await until(pilot, lambda: "shown" in listed(pilot))
        await press_until(pilot, "n", lambda: pilot.app.screen.query("#name"))
        await fill(pilot, "#name", "made")
        await fill(pilot, "#partitions", "2")
        await pilot.press("f2")
        await until(pilot, lambda: "made" in listed(pilot))
        same(("2", "604800000", "delete"), (listed(pilot)["made"][0], settings("made")["retention.ms"], settings("made")["cleanup.policy"]))
        await select(pilot, "made")
        await press_until(pilot, "e", lambda: pilot.app.screen.query("#retention"))
        await fill(pilot, "#partitions", "5")
        await fill(pilot, "#retention", "7000")
        await pilot.press("tab", "down", "enter", "f2")
        await until(pilot, lambda: listed(pilot).get("made", [""])[0] == "5")
        same(("7000", "compact"), (settings("made")["retention.ms"], settings("made")["cleanup.policy"]))
        await select(pilot, "made")
        await press_until(pilot, "ctrl+d", lambda: pilot.app.screen.query("#topic-confirmation"))
        await pilot.press(*"made", "enter")
        await until(pilot, lambda: listed(pilot) and "made" not in listed(pilot))
        assert "made" not in admin.list_topics(timeout=20).topics
    driven(KaskadeAdmin(login("SPU_USER", "SPU_PASSWORD"), refresh_interval=0), drive)


def viewer(config, name, **more):
    return KaskadeConsumer(name, config, {}, {}, {}, Deserialization.STRING, Deserialization.STRING, **more)


def records_shown(pilot):
    busy = pilot.app.screen.query_one("#records-table").loading
    return {} if busy else rows(pilot, "#records-table")


@case("records with keys, times and headers: all, and from an offset of a partition")
def records():
    async def all_of_them(pilot):
        await until(pilot, lambda: len(records_shown(pilot)) == 25)
        await press_until(pilot, "n", lambda: len(records_shown(pilot)) == 30) # the next chunk
        found = records_shown(pilot)["key 17"]
        same(["value 17", "2", "5", "1"], [found[0], *found[3:]])

    async def some(pilot):
        await until(pilot, lambda: len(records_shown(pilot)) == 2)
        same({"key 25": "8", "key 28": "9"}, {key: row[4] for key, row in records_shown(pilot).items()})
    driven(viewer(login("SPU_USER", "SPU_PASSWORD") | {"auto.offset.reset": "earliest"}, "shown"), all_of_them)
    driven(viewer(PLAIN, "shown", partitions=(PartitionSelection(1, 8),)), some)


@case("a user sees and changes what the ACLs let him")
def allowed():
    guest = "User:" + os.environ["GUEST"]

    def grant(operation):
        binding = AclBinding(ResourceType.TOPIC, "shown", ResourcePatternType.LITERAL, guest, "*", operation, AclPermissionType.ALLOW)
        for future in admin.create_acls([binding]).values():
            future.result(20)

    async def drive(pilot):
        await until(pilot, lambda: "Updated" in str(pilot.app.screen.query_one("#topics-frame").border_subtitle))
        same({}, listed(pilot))
        await press_until(pilot, "n", lambda: pilot.app.screen.query("#name"))
        await fill(pilot, "#name", "not-his")
        await pilot.press("f2")
        await until(pilot, lambda: refusals(pilot) > 0)
        grant(AclOperation.DESCRIBE)
        grant(AclOperation.DESCRIBE_CONFIGS)
        await press_until(pilot, "ctrl+r", lambda: listed(pilot).get("shown", [""] * 6)[5] == "≈30")
        same({"shown"}, set(listed(pilot)))
        await select(pilot, "shown")
        await press_until(pilot, "e", lambda: pilot.app.screen.query("#retention"))
        await fill(pilot, "#retention", "1")
        await until(pilot, lambda: refusals(pilot) == 0)
        await pilot.press("f2")
        await until(pilot, lambda: refusals(pilot) > 0)
        assert "not-his" not in admin.list_topics(timeout=20).topics
        same("3600000", settings("shown")["retention.ms"])
    driven(KaskadeAdmin(login("GUEST", "GUEST_PASSWORD"), refresh_interval=0), drive)


print(f"{results[0]} passed, {results[1]} failed", flush=True)
sys.exit(1 if results[1] else 0)
