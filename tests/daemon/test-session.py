#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Hostile, slow and many clients against a real daemon with small limits: each is gone by its deadline,
none takes the daemon down, none starves the others, and what was answered is there after a stop."""
import os
import resource
import socket
import struct
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "cli"), os.path.join(os.path.dirname(HERE), "check")]

import tap
from other_language import (Client, Gone, Lie, Refused, Wire, lengthed, make_order, message_types, read_secret_key,
                            uuid7, varint)
from served_bank import SOURCE, ServedBank

FRAME_MS, HANDSHAKE_MS, STALL_MS = 1200, 900, 1500
FRAME_KIB = 1024
LATE_S = 2.0  # the tick is 0.25 s; a loaded machine takes longer
SETTINGS = f"""
frame_ms             {FRAME_MS}
handshake_ms         {HANDSHAKE_MS}
stall_ms             {STALL_MS}
queue_kib            64
queue_max_kib        1024
frame_kib            {FRAME_KIB}
requests_in_flight   64
connections          300
connections_per_key  40
page_entries         10000
"""
N_MEMBERS = 6000
SANITIZED = "ASAN_OPTIONS" in os.environ  # which keeps freed memory for a while
PB = None
TESTS = []
BAD_REQUEST, UNKNOWN_KEY, TRY_LATER, TOO_LARGE, NOT_CANONICAL, BAD_TEXT = 1, 4, 5, 8, 40, 70


def test(sentence):
    def remember(function):
        TESTS.append((sentence, function))
        return function
    return remember


def now():
    return time.monotonic()


class Story:
    """One bank, N_MEMBERS members, and the steward who stays connected through all tests."""

    def __init__(self, settings=SETTINGS, limit=None, n_members=0):
        self.bank = ServedBank(settings)
        try:
            self.bank.start(limit)
            self.key = read_secret_key(self.bank.key_path)
            self.memory = [0, bytes(32)]
            self.good = self.connect()
            for begin in range(0, n_members, 1000):
                self.submit(self.good, [make_order(PB, "open_account", to=f"m{n:04d}", parts={"kind": PB.MEMBER})
                                        for n in range(begin + 1, min(begin + 1000, n_members) + 1)])
        except BaseException:
            self.bank.end()
            raise

    def connect(self, timeout_s=20):
        client = Client(PB, self.bank.path, self.key, self.bank.verifier_key, list(self.memory), timeout_s)
        return client

    def submit(self, client, orders):
        answer = client.submit(client.make_batch(orders), orders)
        return answer

    def is_well(self):
        """The daemon serves: the same process, a read and a new session."""
        assert self.bank.daemon.poll() is None, "the daemon is gone: " + self.bank.said()
        self.good.ask(status=PB.Empty())
        fresh = self.connect()
        fresh.ask(status=PB.Empty())
        fresh.close()

    def end(self):
        """What is wrong at the end, or None."""
        try:
            self.good.close()
            if self.bank.stop() != 0:
                return "the daemon did not end well: " + self.bank.said()
            return self.bank.check()
        finally:
            self.bank.end()


def wait_gone(wire, within_s, meanwhile=None):
    """Seconds until the daemon closed it; meanwhile() is called about every 50 ms."""
    begin = now()
    wire.socket.settimeout(0.05)
    while now() - begin < within_s:
        try:
            if meanwhile:
                meanwhile()
            if not wire.socket.recv(65536):
                return now() - begin
        except TimeoutError:
            continue
        except (ConnectionError, BrokenPipeError):
            return now() - begin
    raise AssertionError(f"still there after {within_s} s")


def expect_end(wire, refusal):
    """A refusal with tag 0, then the end."""
    reply = wire.receive()
    assert reply.tag == 0 and [r.refusal for r in reply.refused.refusals] == [refusal], reply
    try:
        reply = wire.receive()
    except Gone:
        return
    raise AssertionError(f"goes on: {reply}")


def raw_request(body, tag=1):
    """Bytes of a Request whose body is given as bytes."""
    return b"\x08" + varint(tag) + body


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def send_raw(client, payload):
    client.wire.socket.sendall(lengthed(payload))


# ---------------------------------------------------------------- deadlines

@test("who says nothing is gone by handshake_ms")
def no_hello(s):
    wire = Wire(PB, s.bank.path)
    took = wait_gone(wire, HANDSHAKE_MS / 1000 + LATE_S)
    assert took > HANDSHAKE_MS / 1000 * 0.8, took


@test("who drips a hello is gone by handshake_ms, although bytes keep coming")
def drip_hello(s):
    wire = Wire(PB, s.bank.path)
    drips = iter(lengthed(bytes(4000)))
    wait_gone(wire, HANDSHAKE_MS / 1000 + LATE_S, lambda: wire.socket.send(bytes([next(drips)])))


@test("who drips a frame is gone by frame_ms, although bytes keep coming")
def drip_frame(s):
    client = s.connect()
    drips = iter(lengthed(bytes(4000)))
    took = wait_gone(client.wire, FRAME_MS / 1000 + LATE_S, lambda: client.wire.socket.send(bytes([next(drips)])))
    assert took > FRAME_MS / 1000 * 0.8, took


@test("who drips whole frames, each in time, is answered for longer than frame_ms")
def slow_but_whole(s):
    client, begin = s.connect(), now()
    frame = lengthed(PB.Request(tag=7, status=PB.Empty()).SerializeToString())
    while now() - begin < FRAME_MS / 1000 * 1.5:
        for byte in frame:
            client.wire.socket.sendall(bytes([byte]))
            time.sleep(0.01)
        assert client.wire.receive().status.accounts == 8 + N_MEMBERS
    client.close()


@test("a welcomed client that sends nothing may stay")
def idle(s):
    client = s.connect()
    time.sleep(max(FRAME_MS, HANDSHAKE_MS, STALL_MS) / 1000 + 1)
    client.ask(status=PB.Empty())
    client.close()


# ---------------------------------------------------------------- frames and messages

@test("a frame of no bytes or of too many is refused and cut off, before the welcome")
def frames_before(s):
    for length in (0, 4097, 1 << 20, 0xFFFFFFFF):
        wire = Wire(PB, s.bank.path)
        wire.receive()
        wire.socket.sendall(struct.pack(">I", length))
        expect_end(wire, TOO_LARGE)
    s.is_well()


@test("a frame of no bytes or of too many is refused and cut off, after the welcome")
def frames_after(s):
    for length in (0, FRAME_KIB * 1024 + 1, 0x7FFFFFFF, 0xFFFFFFFF):
        client = s.connect()
        client.wire.socket.sendall(struct.pack(">I", length))
        expect_end(client.wire, TOO_LARGE)
    s.is_well()


@test("what is no protobuf ends the session, before and after the welcome")
def garbage(s):
    deep = b"".join(b"\x0b" for _ in range(3000))
    nested = b"\x08\x01"
    for _ in range(1000):
        nested = field(99, nested)
    for junk in (b"\xff" * 100, b"\x08", os.urandom(4000) + b"\x07", deep, field(8, b"\xff"), b"\x42\x7f"):
        wire = Wire(PB, s.bank.path)
        wire.receive()
        wire.socket.sendall(lengthed(junk))
        expect_end(wire, BAD_REQUEST)
        client = s.connect()
        send_raw(client, junk)
        expect_end(client.wire, BAD_REQUEST)
    client = s.connect()
    send_raw(client, raw_request(nested, 3))
    assert client.wire.receive().refused.refusals[0].refusal == BAD_REQUEST
    client.close()
    s.is_well()


@test("any other request than hello before the welcome ends the session")
def not_hello(s):
    for request in (PB.Request(tag=1, status=PB.Empty()), PB.Request(tag=1, hello=PB.Hello(key=bytes(32))),
                    PB.Request(tag=1)):
        wire = Wire(PB, s.bank.path)
        wire.receive()
        wire.send(request)
        assert wire.receive().refused.refusals[0].refusal == BAD_REQUEST
        wait_gone(wire, LATE_S)


@test("a second hello and a body that nobody knows are refused with their tag, and the session goes on")
def unknown_body(s):
    client = s.connect()
    send_raw(client, raw_request(field(200, b"later"), 9))
    reply = client.wire.receive()
    assert reply.tag == 9 and reply.refused.refusals[0].refusal == BAD_REQUEST
    client.wire.send(PB.Request(tag=10, hello=PB.Hello(key=bytes(32), nonce=bytes(32), signature=bytes(64))))
    reply = client.wire.receive()
    assert reply.tag == 10 and reply.refused.refusals[0].refusal == BAD_REQUEST
    client.ask(status=PB.Empty())
    client.close()


@test("fields that the daemon does not know are passed over")
def unknown_fields(s):
    client = s.connect()
    send_raw(client, raw_request(field(16, field(77, b"more")) + field(300, b"later") + b"\xf8\x3f\x05", 9))
    reply = client.wire.receive()
    assert reply.tag == 9 and reply.status.accounts == 8 + N_MEMBERS
    client.close()


@test("a request with the tag 0 ends the session: a reply to it would look like the end of one")
def tag_0(s):
    client = s.connect()
    client.wire.send(PB.Request(tag=0, status=PB.Empty()))
    expect_end(client.wire, BAD_REQUEST)


@test("a code that is no UTF-8 or holds a NUL gets an answer that can be read")
def bad_strings(s):
    client = s.connect()
    for code in (b"\xff\xfe", b"m0001\0x", b"\xc0\x80", b"m" * 5000):
        for request in (17, 19):
            send_raw(client, raw_request(field(request, field(1, code)), 9))
            reply = client.wire.receive()
            body = "refused" if b"\0" not in code else reply.WhichOneof("body")
            assert reply.tag == 9 and reply.WhichOneof("body") == body, reply
        send_raw(client, raw_request(field(18, field(1, code) + b"\x10\x01"), 9))
        assert client.wire.receive().WhichOneof("body") == "accounts"
    client.close()


@test("a note's text that is no UTF-8 is refused: nobody could read the entry again")
def bad_note(s):
    import hashlib
    text, salt = b"caf\xe9", os.urandom(32)
    note = hashlib.blake2b(text, key=salt, digest_size=32).digest()
    order = make_order(PB, "freeze", to="m0004", note=note)
    batch = s.good.make_batch([order]).SerializeToString() + field(5, b"\0") + field(6, salt) + field(7, text)
    client = s.connect()
    send_raw(client, raw_request(field(9, batch), 9))
    reply = client.wire.receive()
    assert reply.WhichOneof("body") == "refused", reply
    assert [r.refusal for r in reply.refused.refusals] == [BAD_TEXT], reply.refused
    client.close()


@test("a request that fills all the memory a request may have takes nobody else down")
def memory(s):
    client = s.connect()

    def fill(n_fields, request=field(16, b"")):
        """What becomes of a request padded with unknown fields: True answered, False the session ended."""
        nonlocal client
        send_raw(client, raw_request(request + b"\xf8\x3f\x01" * n_fields, 9))
        try:
            reply = client.wire.receive()
        except Gone:
            reply = None
        assert s.bank.daemon.poll() is None, "the daemon is gone: " + s.bank.said()
        if reply is not None and reply.tag == 9:
            return True
        client.close()
        client = s.connect()
        return False

    most = (FRAME_KIB * 1024 - 64) // 3
    fits, too_many = 0, most + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if fill(middle):
            fits = middle
        else:
            too_many = middle
    assert fits < most, "the test does not reach the limit"
    for n_fields in range(fits - 12, fits + 3):
        fill(n_fields, field(18, b""))
    client.close()
    s.is_well()


# ---------------------------------------------------------------- ends in the middle

@test("half a close, and a reset in the middle of a frame, leave no trace")
def half_close(s):
    before = s.good.ask(status=PB.Empty()).connections
    frame = lengthed(PB.Request(tag=1, status=PB.Empty()).SerializeToString())
    clients = []
    for end in ("half", "half-frame", "reset", "reset-frame", "before-hello"):
        client = s.connect() if end != "before-hello" else Wire(PB, s.bank.path)
        wire = getattr(client, "wire", client)
        if end.endswith("-frame"):
            wire.socket.sendall(frame[:-1])
        if end.startswith("half"):
            wire.socket.shutdown(socket.SHUT_WR)
            wait_gone(wire, LATE_S)
        else:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wire.close()
        clients.append(wire)
    deadline = now() + LATE_S
    while s.good.ask(status=PB.Empty()).connections != before:
        assert now() < deadline, "a connection is still counted"
        time.sleep(0.05)


@test("a batch sent before half a close is in as a whole, or not at all, and a retry finds out")
def batch_and_close(s):
    orders = [make_order(PB, "set_activity", parts={"name": f"half {n}"}) for n in range(50)]
    client = s.connect()
    batch = client.make_batch(orders)
    client.send(submit=batch)
    client.wire.socket.shutdown(socket.SHUT_WR)
    wait_gone(client.wire, LATE_S)
    for already in (None, True):
        answer = s.good.submit(batch, orders)
        assert already is None or answer.already
    names = []
    while True:
        page = s.good.ask(activities=PB.Page(after=names[-1] if names else ""))
        names += page.names
        if not page.more:
            break
    assert sum(n.startswith("half ") for n in names) == 50


# ---------------------------------------------------------------- many requests, long replies

@test("500 requests in one go are all answered, each with its tag")
def pipelining(s):
    client = s.connect()
    requests = b"".join(lengthed(PB.Request(tag=n, known_size=client.memory[0],
                                            balance=PB.ByCode(code=f"m{n:04d}")).SerializeToString())
                        for n in range(1, 501))
    client.wire.socket.sendall(requests)
    got = {}
    for _ in range(500):
        reply = client.wire.receive()
        got[reply.tag] = reply.balance.code
    assert got == {n: f"m{n:04d}" for n in range(1, 501)}
    client.close()


@test("writes and reads in one go: each read sees at least the batches sent before it")
def mixed(s):
    client = s.connect()
    size, tags = client.memory[0], {}
    for n in range(40):
        orders = [make_order(PB, "set_activity", parts={"name": f"mixed {n}"})]
        tags[client.send(submit=client.make_batch(orders))] = "submit"
        tags[client.send(status=PB.Empty())] = "status"
    entries, status_size = [], []
    for _ in range(80):
        reply = client.wire.receive()
        assert tags.pop(reply.tag) == {"answer": "submit"}.get(reply.WhichOneof("body"), reply.WhichOneof("body"))
        if reply.WhichOneof("body") == "answer":
            entries.append(reply.answer.entries[0])
        else:
            status_size.append((len(entries), reply.position.size))
    assert entries == sorted(entries) and len(set(entries)) == 40 and entries[0] > size
    for n_before, at in status_size:
        assert n_before == 0 or at > entries[n_before - 1]
    client.close()


@test("a list over 64 KiB comes in parts, and is whole")
def parts(s):
    client = s.connect()
    page = client.ask(accounts=PB.Page())
    assert len(page.items) == 8 + N_MEMBERS and not page.more and client.wire.n_parts > 1
    client.close()


@test("refusals over 64 KiB come in parts, one for each order")
def refusal_parts(s):
    client = s.connect()
    orders = [make_order(PB, "gift", to="m9999", minutes=15, **{"from": "m0001"}) for _ in range(1500)]
    try:
        s.submit(client, orders)
    except Refused as no:
        assert sorted(r.place for r in no.refusals) == list(range(1500))
        assert client.wire.n_parts > 1
    client.ask(status=PB.Empty())
    client.close()


@test("a client that reads gets 60 long lists asked for in one go, although they are more than queue_max_kib")
def long_pipeline(s):
    client = s.connect()
    client.wire.socket.sendall(b"".join(
        lengthed(PB.Request(tag=n, accounts=PB.Page()).SerializeToString()) for n in range(1, 61)))
    for n in range(1, 61):
        reply = client.wire.receive()
        assert reply.tag == n and len(reply.accounts.items) == 8 + N_MEMBERS
    client.close()


@test("who reads slowly, but reads, is not taken for one who does not")
def slow_reader(s):
    client = s.connect()
    request = lengthed(PB.Request(tag=1, accounts=PB.Page()).SerializeToString())
    client.wire.socket.sendall(request * 24)
    for _ in range(24):
        time.sleep(STALL_MS / 1000 / 10)
        assert len(client.wire.receive().accounts.items) == 8 + N_MEMBERS
    client.close()


@test("who never reads is read no further, takes little memory, and is gone by stall_ms")
def never_reads(s):
    before_kib = s.bank.rss_kib()
    request = lengthed(PB.Request(tag=1, accounts=PB.Page()).SerializeToString())
    clients = [s.connect() for _ in range(10)]
    n_sent = [0] * len(clients)
    for client in clients:
        client.wire.socket.setblocking(False)
    begin, most_kib, alive = now(), 0, set(range(len(clients)))
    while alive and now() - begin < STALL_MS / 1000 + LATE_S + 1:
        for i in list(alive):
            try:
                for _ in range(200):
                    n_sent[i] += clients[i].wire.socket.send(request * 50)
            except BlockingIOError:
                pass
            except ConnectionError:
                alive.discard(i)
        most_kib = max(most_kib, s.bank.rss_kib())
        time.sleep(0.02)
    took = now() - begin
    s.is_well()
    print(f"# 10 clients that never read: gone after {took:.1f} s, {max(n_sent) >> 10} KiB of requests taken of one,"
          f" the daemon grew from {before_kib} to {most_kib} KiB")
    assert not alive, f"{len(alive)} are still there"
    # a list is about 60 times queue_kib smaller than what they asked for: 13 MB would be 500,000 lists
    assert max(n_sent) < 2 << 20, n_sent
    assert SANITIZED or most_kib - before_kib < 10 * 4096, "memory grows with what nobody reads"
    for client in clients:
        client.close()


# ---------------------------------------------------------------- how many

@test("one key has connections_per_key sessions at most, and room again when one ends")
def cap_per_key(s):
    clients = []
    try:
        while len(clients) < 60:
            clients.append(s.connect())
        raise AssertionError("no limit")
    except Refused as no:
        assert no.number == TRY_LATER
    assert len(clients) == 39, len(clients)  # and the steward's
    clients.pop().close()
    deadline = now() + LATE_S
    while True:
        try:
            clients.append(s.connect())
            break
        except Refused:
            assert now() < deadline, "no room again"
    for client in clients:
        client.close()


@test("beyond the cap of connections a client is closed at once, and those before it are served")
def cap_of_connections(s):
    wires = [Wire(PB, s.bank.path) for _ in range(320)]
    begin, n_refused = now(), 0
    for wire in wires:
        try:
            wire.receive()
        except Gone:
            n_refused += 1
    assert 20 <= n_refused <= 25, n_refused
    assert now() - begin < LATE_S
    s.good.ask(status=PB.Empty())
    for wire in wires:
        wire.close()
    deadline = now() + LATE_S
    while s.good.ask(status=PB.Empty()).connections > 1:
        assert now() < deadline
        time.sleep(0.05)
    s.is_well()


@test("when all are gone the daemon does nothing, and keeps little")
def idle_after(s):
    time.sleep(0.5)
    before = s.bank.cpu_s()
    time.sleep(2)
    used, rss = s.bank.cpu_s() - before, s.bank.rss_kib()
    print(f"# idle: {used * 50:.1f} % of a processor, {rss} KiB")
    assert used < 0.1, f"{used} s of 2"
    assert SANITIZED or rss < 200 << 10, rss


# ---------------------------------------------------------------- slow ones beside good ones

def quantile(times, q):
    return sorted(times)[min(len(times) - 1, int(len(times) * q))]


def measure_good(s, n_clients, n_requests):
    """Seconds of each request of so many clients at once, read and write in turn."""
    times, failures = [], []

    def run(which):
        try:
            client = s.connect()
            for n in range(n_requests):
                orders = [make_order(PB, "set_activity", parts={"name": uuid7().hex()})] if n % 5 == 0 else None
                begin = now()
                if orders:
                    s.submit(client, orders)
                else:
                    client.ask(balance=PB.ByCode(code="m0001"))
                times.append(now() - begin)
            client.close()
        except Exception:
            failures.append(traceback.format_exc())

    threads = [threading.Thread(target=run, args=(n,)) for n in range(n_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    return times


class Slow(threading.Thread):
    """200 slow clients, turned by one thread: a third drips hellos, a third drips frames, a third asks for
    long lists and reads nothing. All that the daemon closed are counted."""

    def __init__(self, s, n):
        super().__init__()
        self.stopping, self.n_gone = threading.Event(), 0
        self.left = []
        request = lengthed(PB.Request(tag=1, accounts=PB.Page()).SerializeToString())
        for i in range(n):
            if i % 3 == 0:
                wire, data = Wire(PB, s.bank.path), lengthed(bytes(4000))
            else:
                wire, data = s.connect().wire, lengthed(bytes(60000)) if i % 3 == 1 else request * 5000
            wire.socket.setblocking(False)
            self.left.append([wire, data, i % 3 == 2])

    def run(self):
        while self.left and not self.stopping.is_set():
            for row in list(self.left):
                wire, data, at_once = row
                try:
                    n = wire.socket.send(data if at_once else data[:1])
                    row[1] = data[n:] or data
                    if not at_once and not wire.socket.recv(65536):
                        raise ConnectionError
                except BlockingIOError:
                    pass
                except ConnectionError:
                    self.n_gone += 1
                    wire.close()
                    self.left.remove(row)
            time.sleep(0.05)


@test("200 slow clients do not starve 20 good ones, and are all gone by their deadlines")
def starvation(_):
    s = Story("frame_ms 6000\nhandshake_ms 6000\nstall_ms 5000\nconnections 500\nconnections_per_key 400\n"
              "queue_kib 64\nqueue_max_kib 1024\npage_entries 1000\n", n_members=2000)
    try:
        base = measure_good(s, 20, 60)
        before_kib, slow = s.bank.rss_kib(), Slow(s, 200)
        slow.start()
        begin = now()
        loaded = measure_good(s, 20, 60)
        took, most_kib = now() - begin, s.bank.rss_kib()
        slow.join(20)
        slow.stopping.set()
        print(f"# p99 of 20 good clients: {quantile(base, .99) * 1000:.1f} ms alone, "
              f"{quantile(loaded, .99) * 1000:.1f} ms beside 200 slow ones (medians {quantile(base, .5) * 1000:.1f} "
              f"and {quantile(loaded, .5) * 1000:.1f} ms); {len(loaded) / took:.0f} requests/s; "
              f"from {before_kib} to {most_kib} KiB")
        assert slow.n_gone == 200, f"{200 - slow.n_gone} slow clients are still there"
        assert quantile(loaded, .99) < 2 * quantile(base, .99) + 2, "starved"
        before = s.bank.cpu_s()
        time.sleep(1)
        assert s.bank.cpu_s() - before < 0.1, "busy although nobody asks"
    finally:
        wrong = s.end()
    assert wrong is None, wrong


# ---------------------------------------------------------------- descriptors

@test("out of descriptors the daemon waits without spinning, and recovers in about a second")
def descriptors(_):
    s = Story("handshake_ms 60000\n", limit="ulimit -n 64")
    try:
        wires = [Wire(PB, s.bank.path) for _ in range(200)]
        time.sleep(0.5)
        before = s.bank.cpu_s()
        s.good.ask(status=PB.Empty())
        time.sleep(2)
        s.good.ask(status=PB.Empty())
        used = s.bank.cpu_s() - before
        for wire in wires:
            wire.close()
        begin = now()
        client = s.connect()
        client.ask(status=PB.Empty())
        took = now() - begin
        s.submit(client, [make_order(PB, "set_activity", parts={"name": "after"})])
        client.close()
        n_lines = s.bank.said().count("\n")
        print(f"# without descriptors: {used:.2f} s of processor in 2 s; served again after {took:.2f} s; "
              f"{n_lines} lines said")
        assert used < 0.2 and took < 1.5 and n_lines < 30
    finally:
        wrong = s.end()
    assert wrong is None, wrong


# ---------------------------------------------------------------- a stop under load

class Load(threading.Thread):
    """Submits batches, 16 under way at a time, until the connection ends; keeps every answer."""

    def __init__(self, s, name):
        super().__init__()
        self.client, self.name_of = s.connect(), name
        self.sent, self.answered, self.refused, self.failure = {}, {}, {}, None

    def send_one(self):
        orders = [make_order(PB, "set_activity", parts={"name": f"{self.name_of} {len(self.sent)} {n}"})
                  for n in range(3)]
        batch = self.client.make_batch(orders)
        self.sent[self.client.tag + 1] = (batch, orders)
        self.client.send(submit=batch)

    def run(self):
        try:
            for _ in range(16):
                self.send_one()
            while True:
                reply = self.client.wire.receive()
                if reply.WhichOneof("body") == "refused":
                    self.refused[reply.tag] = reply.refused.refusals[0].refusal
                else:
                    self.answered[reply.tag] = reply.answer
                self.send_one()
        except (Gone, ConnectionError):
            pass
        except Exception:
            self.failure = traceback.format_exc()
        self.client.close()


@test("SIGTERM under load: what was answered is there, what was refused is not, the rest is one or the other")
def stop_under_load(_):
    s = Story()
    try:
        loads = [Load(s, f"load {n}") for n in range(6)]
        for load in loads:
            load.start()
        time.sleep(1.5)
        begin = now()
        assert s.bank.stop() == 0, s.bank.said()
        took = now() - begin
        for load in loads:
            load.join(20)
            assert not load.failure, load.failure
        assert took < 7, f"{took} s"
        s.good.close()
        s.bank.start()
        s.good = s.connect()
        n_answered = n_unknown_in = n_unknown_out = n_refused = 0
        size = s.good.ask(inclusion=PB.AskInclusion()).size
        present = set()
        after = ""
        while True:
            page = s.good.ask(activities=PB.Page(after=after))
            present.update(page.names)
            if not page.more:
                break
            after = page.names[-1]
        n_expected = 0
        for load in loads:
            for tag, (batch, orders) in load.sent.items():
                names = [PB.Order.FromString(o).set_activity.name for o in orders]
                n_in = sum(name in present for name in names)
                assert n_in in (0, 3), "a batch is in by half"
                n_expected += n_in
                if tag in load.answered:
                    n_answered += 1
                    assert n_in == 3, f"answered and lost: {names}"
                elif tag in load.refused:
                    n_refused += 1
                    assert n_in == 0 and load.refused[tag] == 9, (load.refused[tag], names)
                elif n_in:
                    n_unknown_in += 1
                else:
                    n_unknown_out += 1
            for tag in list(load.answered)[-5:]:
                batch, orders = load.sent[tag]
                again = s.good.submit(batch, orders)
                assert again.already and again.seal == load.answered[tag].seal
                assert list(again.entries) == list(load.answered[tag].entries)
                assert again.received_at_ms == load.answered[tag].received_at_ms
                for number, order in zip(again.entries, orders):
                    assert s.good.ask(entry=PB.ByNumber(number=number)).order == order
        assert n_expected == len(present), "entries that nobody sent"
        assert n_answered > 50, n_answered
        entries = [e for load in loads for answer in load.answered.values() for e in answer.entries]
        assert len(entries) == len(set(entries)) == 3 * n_answered and max(entries) < size
        print(f"# stopped in {took:.2f} s: {n_answered} batches answered, {n_refused} refused, "
              f"{n_unknown_in} without an answer in, {n_unknown_out} not in")
    finally:
        wrong = s.end()
    assert wrong is None, wrong


@test("SIGTERM is not put off by clients that ask and read without a pause")
def stop_under_reads(_):
    s = Story()
    try:
        stopping = threading.Event()

        def ask(wire):
            requests = lengthed(PB.Request(tag=1, policies=PB.Page()).SerializeToString()) * 500
            wire.socket.setblocking(False)
            left = requests
            while not stopping.is_set():
                try:
                    left = left[wire.socket.send(left):] or requests
                except BlockingIOError:
                    pass
                except ConnectionError:
                    return
                try:
                    while wire.socket.recv(1 << 20):
                        pass
                    return
                except BlockingIOError:
                    time.sleep(0.001)
                except ConnectionError:
                    return

        threads = [threading.Thread(target=ask, args=(s.connect().wire,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        begin = now()
        assert s.bank.stop() == 0, s.bank.said()
        took = now() - begin
        stopping.set()
        for thread in threads:
            thread.join()
        print(f"# stopped in {took:.2f} s")
        assert took < 3, f"{took} s"
    finally:
        wrong = s.end()
    assert wrong is None, wrong


def main():
    global PB
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    import tempfile
    with tempfile.TemporaryDirectory() as place:
        PB = message_types(SOURCE, place)
    s = Story(n_members=N_MEMBERS)
    try:
        for sentence, function in TESTS:
            if only not in function.__name__:
                continue
            try:
                if s.bank.daemon.poll() is not None:  # one that took it down must not hide what follows
                    s.bank.end()
                    s = Story(n_members=N_MEMBERS)
                begin = now()
                function(s)
                tap.ok(True, sentence)
                if only:
                    print(f"# {now() - begin:.1f} s")
            except Exception:
                tap.ok(False, sentence, *traceback.format_exc().splitlines())
            sys.stdout.flush()
    finally:
        wrong = s.end()
    tap.ok(wrong is None, "the daemon ends well, and the offline check agrees with all that was done",
           *str(wrong).splitlines())
    tap.end()


main()
