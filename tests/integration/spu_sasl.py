#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests by hand against a listener with SASL: what no client would send, and the times of failures.

spu_sasl.py PORT USER PASSWORD REAUTH_MS PID KB   (a plain listener that allows PLAIN; the node's process, and what a
connection may cost it before authentication)
"""
import socket
import struct
import sys
import time

PORT, USER, PASSWORD, REAUTH_MS, PID = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
STRANGER_KB_MAX = int(sys.argv[6])
HANDSHAKE, AUTHENTICATE, VERSIONS, METADATA = 17, 36, 18, 3


def text(value):
    raw = value.encode()
    return struct.pack(">h", len(raw)) + raw


class Connection:
    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", PORT), 20)
        self.last = 0

    def send(self, key, version, body):
        self.last += 1
        header = struct.pack(">hhi", key, version, self.last) + text("by-hand")
        frame = header + body
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def receive(self):
        """The body of a response, or None when the connection is closed."""
        head = self.take(4)
        if head is None:
            return None
        return self.take(struct.unpack(">i", head)[0])[4:]

    def take(self, size):
        data = b""
        while len(data) < size:
            try:
                part = self.socket.recv(size - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                return None
            data += part
        return data

    def ask(self, key, version, body):
        self.send(key, version, body)
        return self.receive()

    def bare(self, token):
        """The answer to a token without request; None: closed."""
        self.socket.sendall(struct.pack(">i", len(token)) + token)
        head = self.take(4)
        return None if head is None else self.take(struct.unpack(">i", head)[0])

    def handshake(self, mechanism="PLAIN", version=1):
        """The error, and the mechanisms that are offered."""
        body = self.ask(HANDSHAKE, version, text(mechanism))
        error, count = struct.unpack(">hi", body[:6])
        names, at = [], 6
        for _ in range(count):
            size = struct.unpack(">h", body[at:at + 2])[0]
            names.append(body[at + 2:at + 2 + size].decode())
            at += 2 + size
        return error, names

    def authenticate(self, token):
        """The error, its message, the answer and the session's lifetime."""
        body = self.ask(AUTHENTICATE, 1, struct.pack(">i", len(token)) + token)
        error, size = struct.unpack(">hh", body[:4])
        at = 4 + max(size, 0)
        message = body[4:at].decode()
        size = struct.unpack(">i", body[at:at + 4])[0]
        at += 4 + size
        return error, message, body[at - size:at], struct.unpack(">q", body[at:at + 8])[0]

    def login(self, user=USER, password=PASSWORD):
        error, _ = self.handshake()
        assert error == 0, error
        return self.authenticate(b"\0" + user.encode() + b"\0" + password.encode())

    def metadata(self):
        return self.ask(METADATA, 1, struct.pack(">i", 0))


def nothing_but_sasl_is_served_before_authentication():
    connection = Connection()
    assert connection.ask(VERSIONS, 0, b"") is not None
    assert connection.metadata() is None


def a_large_frame_before_authentication_closes_the_connection():
    connection = Connection()
    connection.socket.sendall(struct.pack(">i", 64 * 1024))
    assert connection.receive() is None


def sasl_authenticate_needs_a_handshake():
    connection = Connection()
    assert connection.authenticate(b"\0a\0b")[0] == 34
    assert connection.receive() is None


def an_unknown_mechanism_is_answered_with_those_that_there_are():
    connection = Connection()
    assert connection.handshake("GSSAPI") == (33, ["PLAIN"])
    assert connection.receive() is None


def tokens_without_requests_log_in():
    connection = Connection()
    assert connection.handshake(version=0) == (0, ["PLAIN"])
    assert connection.bare(b"\0" + USER.encode() + b"\0" + PASSWORD.encode()) == b""
    assert connection.metadata() is not None


def tokens_without_requests_that_are_wrong_close_the_connection_without_a_word():
    for token in (b"\0" + USER.encode() + b"\0wrong", b"\0nobody-at-all\0wrong", b"x", b"\0\0\0\0", bytes(range(256)), b"x" * 8000):
        connection = Connection()
        assert connection.handshake(version=0)[0] == 0
        begin = time.monotonic()
        assert connection.bare(token) is None, token
        assert time.monotonic() - begin >= 0.099
    for size in (0, -1, 8193, 1 << 30):
        connection = Connection()
        assert connection.handshake(version=0)[0] == 0
        connection.socket.sendall(struct.pack(">i", size))
        assert connection.take(1) is None, size


def who_has_logged_in_cannot_send_tokens_without_requests():
    connection = Connection()
    assert connection.login()[0] == 0
    assert connection.handshake(version=0)[0] == 34
    assert connection.receive() is None


def tokens_that_are_nonsense_are_refused():
    for token in (b"", b"\0", b"no separators", b"\0\0\0\0", b"\0a\0" + b"x" * 2000, bytes(range(256))):
        connection = Connection()
        assert connection.handshake()[0] == 0
        assert connection.authenticate(token)[0] == 58, token
        assert connection.receive() is None


def an_unknown_user_and_a_wrong_password_cannot_be_told_apart():
    answers, times = [], []
    for user, password in ((USER, "wrong"), ("nobody-at-all", "wrong")):
        for _ in range(5):
            connection = Connection()
            begin = time.monotonic()
            answers.append(connection.login(user, password))
            times.append(time.monotonic() - begin)
            assert connection.receive() is None
    assert len(set(answers)) == 1 and answers[0][0] == 58, answers
    assert min(times) >= 0.099, times


def a_session_that_is_over_is_closed_and_one_that_is_renewed_goes_on():
    expired, renewed = Connection(), Connection()
    for connection in (expired, renewed):
        error, _, _, lifetime = connection.login()
        assert (error, lifetime) == (0, REAUTH_MS), (error, lifetime)
        assert connection.metadata() is not None
    time.sleep(REAUTH_MS / 2000)
    assert renewed.login()[0] == 0
    time.sleep(REAUTH_MS / 2000 + 0.1)
    assert renewed.metadata() is not None
    assert expired.metadata() is None


def resident_kb():
    with open("/proc/%d/status" % PID) as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def a_stranger_costs_a_few_kb():
    connections = [Connection() for _ in range(50)]
    before = resident_kb()
    for _ in range(500):
        connection = Connection()
        assert connection.handshake()[0] == 0
        connection.socket.sendall(struct.pack(">i", 8192) + b"x" * 8000)  # and waits
        connections.append(connection)
    time.sleep(0.2)
    each = (resident_kb() - before) / 500
    assert each < STRANGER_KB_MAX, "%.1f KB each" % each


def another_user_cannot_take_a_connection_over():
    connection = Connection()
    assert connection.login()[0] == 0
    error, message, _, _ = connection.login("root", "root-secret")
    assert error == 58 and "principals" in message, (error, message)
    assert connection.receive() is None


TESTS = [value for name, value in list(globals().items()) if callable(value) and name[0] in "atsw" and
         name not in ("text", "socket", "sys", "struct", "time")] + [nothing_but_sasl_is_served_before_authentication]

failed = 0
for test in TESTS:
    try:
        test()
        print("ok   spu_security/" + test.__name__)
    except Exception as error:  # told, and the others run
        failed += 1
        print("FAIL spu_security/%s: %r" % (test.__name__, error))
print("%d passed, %d failed" % (len(TESTS) - failed, failed))
