#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The manual suffices to write a client in another language: other_language.py was written from it,
and here it does a session's work with a real daemon and believes nothing that it cannot check."""
import os
import re
import struct
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from nacl.signing import SigningKey
from other_language import (Client, Lie, Refused, check_consistency, compact_levels, fold, leaf_hash, make_order,
                            message_types, read_secret_key, sign, tree_root, uuid7)
from served_bank import SOURCE, ServedBank

TESTS = []
NUMBERS = {}  # of refusals, as timebank-protocol(7) has them


def test(sentence):
    def remember(function):
        TESTS.append((sentence, function))
        return function
    return remember


def read_manual_numbers():
    page = subprocess.run(["mandoc", "-Tutf8", "-Owidth=200", SOURCE + "/man/timebank-protocol.7"],
                          capture_output=True, text=True, check=True).stdout
    page = re.sub(".\b", "", page)  # bold, as terminals had it
    section = page.partition("\nREFUSALS")[2].partition("\nWARNINGS")[0]
    for line in section.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0].isdigit() and words[1].isupper():
            NUMBERS[words[1]] = int(words[0])


def refused(function, *names):
    """That it is refused with exactly these, by their places; the refusals."""
    try:
        function()
    except Refused as no:
        rows = sorted(no.refusals, key=lambda r: r.place)
        assert [r.refusal for r in rows] == [NUMBERS[n] for n in names], f"refused with {no}, not {names}"
        return rows
    raise AssertionError(f"not refused with {names}")


class Story:
    """One bank and one client, told from test to test."""

    def __init__(self, bank, pb):
        self.bank, self.pb = bank, pb
        self.key = read_secret_key(bank.key_path)
        self.memory = [0, bytes(32)]
        self.client = self.connect()

    def connect(self, key=None, memory=None):
        return Client(self.pb, self.bank.path, key or self.key, self.bank.verifier_key,
                      self.memory if memory is None else memory)

    def order(self, kind, giver=None, **fields):
        if giver is not None:
            fields["from"] = giver
        return make_order(self.pb, kind, **fields)

    def submit(self, *orders, **header):
        batch = self.client.make_batch(orders, **header)
        return self.client.submit(batch, orders)


@test("the daemon proves at hello that it is the ledger, and knows a steward's key made by ssh-keygen")
def hello(s):
    assert s.client.welcome.role == s.pb.STEWARD and s.client.welcome.account == ""
    assert s.client.ledger.read_head(s.client.greeting.checkpoint)[0] == 2
    status = s.client.ask(status=s.pb.Empty())
    assert status.origin == "test.example/timebank" and s.memory[0] == 2
    assert status.accounts == 8 and status.entries == 0


@test("a key without a role is welcomed without one, and told so when it asks for more")
def stranger(s):
    s.bank.key_new(s.bank.place + "/stranger.key", "timebank")
    other = s.connect(read_secret_key(s.bank.place + "/stranger.key"), [0, bytes(32)])
    assert other.welcome.role == s.pb.ROLE_NONE
    assert other.ask(status=s.pb.Empty()).accounts == 8
    refused(lambda: other.ask(balance=s.pb.ByCode(code="chest")), "UNKNOWN_KEY")
    other.close()


@test("a hello signed by another key ends the session")
def false_hello(s):
    s.bank.key_new(s.bank.place + "/false.key", "timebank")
    false = read_secret_key(s.bank.place + "/false.key")

    class Pretender:
        verify_key = s.key.verify_key

        def sign(self, message):
            return false.sign(message)

    refused(lambda: s.connect(Pretender(), [0, bytes(32)]), "BAD_SIGNATURE")


@test("accounts and activities are opened by a signed batch, and its range proof holds")
def opening(s):
    s.opened = [s.order("open_account", to=code, parts={"kind": s.pb.MEMBER}) for code in ("m0001", "m0002", "m0003")]
    s.opened.append(s.order("set_activity", parts={"name": "gardening"}))
    answer = s.submit(*s.opened)
    assert answer.seal == 2 and list(answer.entries) == [3, 4, 5, 6]
    assert bytes(answer.readable) == bytes(4) and not answer.already


@test("exchange, gift and log are recorded as one batch, with balances and a proof")
def three_orders(s):
    size_before = s.memory[0]
    s.orders = [s.order("exchange", "m0002", to="m0001", minutes=150, activity="gardening"),
                s.order("gift", "m0001", to="m0003", minutes=30),
                s.order("log", to="m0003", minutes=60, activity="gardening")]
    s.batch = s.client.make_batch(s.orders)
    s.answer = s.client.submit(s.batch, s.orders)
    assert s.answer.seal >= size_before and s.memory[0] > size_before
    assert bytes(s.answer.readable) == b"\3\3\0"
    assert list(s.answer.from_after) == [-150, 120, 0] and list(s.answer.to_after) == [150, 30, 0]
    assert not s.answer.warnings


@test("balances are what the orders say, and entries are the bytes that were sent")
def reading(s):
    for code, minutes, n in (("m0001", 120, 2), ("m0002", -150, 1), ("m0003", 30, 1), ("chest", 0, 0)):
        balance = s.client.ask(balance=s.pb.ByCode(code=code))
        assert (balance.code, balance.minutes, balance.entries) == (code, minutes, n), balance
    assert s.client.ask(balance=s.pb.ByCode(code="m0002")).floor_minutes == -1200
    assert not s.client.ask(balance=s.pb.ByCode(code="m0002")).HasField("ceiling_minutes")
    for number, order in zip(s.answer.entries, s.orders):
        entry = s.client.ask(entry=s.pb.ByNumber(number=number))
        assert entry.order == order and entry.number == number and entry.seal == s.answer.seal
        assert entry.author == s.client.public and entry.received_at_ms == s.answer.received_at_ms
        by_id = s.client.ask(order=s.pb.ById(id=s.pb.Order.FromString(order).id))
        assert by_id.number == number
    refused(lambda: s.client.ask(balance=s.pb.ByCode(code="m0009")), "NO_SUCH_ACCOUNT")
    refused(lambda: s.client.ask(entry=s.pb.ByNumber(number=s.answer.seal)), "NO_SUCH_ENTRY")


@test("every record of the batch is proven by itself, too")
def inclusion(s):
    seal = b"\x01" + s.batch.header + s.batch.signature + struct.pack(">Q", s.answer.received_at_ms)
    s.client.check_inclusion(s.answer.seal, seal)
    for number, order in zip(s.answer.entries, s.orders):
        s.client.check_inclusion(number, b"\x02" + order)
    try:
        s.client.check_inclusion(s.answer.entries[0], b"\x02" + s.orders[1])
    except Lie:
        return
    raise AssertionError("a wrong record was believed")


@test("the same batch again gets the first answer again, with a later head")
def retry(s):
    s.submit(s.order("set_activity", parts={"name": "cooking"}))
    for client in (s.client, s.connect()):
        again = client.submit(s.batch, s.orders)
        assert again.already and again.seal == s.answer.seal and list(again.entries) == list(s.answer.entries)
        assert again.received_at_ms == s.answer.received_at_ms and again.readable == s.answer.readable
        assert list(again.from_after) == list(s.answer.from_after) and not again.warnings
        assert list(again.to_after) == list(s.answer.to_after)


@test("the same orders in another batch are in already, all or some")
def same_orders(s):
    again = s.submit(*s.orders)
    assert again.seal == 0 and again.already and list(again.entries) == list(s.answer.entries)
    new = s.order("gift", "m0001", to="m0002", minutes=15)
    rows = refused(lambda: s.submit(s.orders[0], new, s.orders[2]), "ALREADY", "ALREADY")
    assert [(r.place, r.entry) for r in rows] == [(0, s.answer.entries[0]), (2, s.answer.entries[2])]
    changed = s.pb.Order.FromString(s.orders[0])
    changed.minutes = 165
    rows = refused(lambda: s.submit(changed.SerializeToString()), "ID_DIFFERS")
    assert rows[0].field == "minutes" and rows[0].entry == s.answer.entries[0]


@test("a bad batch is refused whole, with all its refusals at once")
def bad_orders(s):
    size = s.client.ask(status=s.pb.Empty()) and s.memory[0]
    rows = refused(lambda: s.submit(
        s.order("exchange", "m0002", to="m0099", minutes=15, activity="gardening"),
        s.order("gift", "m0001", to="m0002", minutes=15),
        s.order("gift", "m0001", to="m0001", minutes=15),
        s.order("gift", "m0001", to="m0002", minutes=7),
        s.order("gift", "m0001", to="m0002"),
        s.order("gift", "m0002", to="m0001", minutes=15000),
        s.order("log", to="m0001", minutes=15, activity="juggling"),
        s.order("gift", "m0001", to="m0002", minutes=30, line=7) + b"\x08",
        s.order("gift", "m0001", to="m0002", minutes=45, authority=s.pb.BY_SELF)),
        "NO_SUCH_ACCOUNT", "SAME_ACCOUNT", "NOT_IN_QUANTUM", "ZERO", "BELOW_FLOOR", "UNKNOWN_ACTIVITY",
        "NOT_CANONICAL", "WRONG_AUTHORITY")
    assert [r.place for r in rows] == [0, 2, 3, 4, 5, 6, 7, 8]
    assert rows[0].field == "to" and rows[5].field == "activity" and all(r.message for r in rows)
    assert s.client.ask(balance=s.pb.ByCode(code="m0001")).minutes == 120
    assert s.memory[0] == size, "something was written"


@test("what is not canonical is refused: a default, an unknown field, two members, a long varint, no kind")
def not_canonical(s):
    good = s.order("gift", "m0001", to="m0002", minutes=15)
    head, tail = good[:18], good[18:]
    for bad in (good[:-3] + b"\x58\x00" + good[-3:], good + b"\xa0\x06\x01", good[:-3] + good[-3:] * 2,
                good.replace(b"\x38\x0f", b"\x38\x8f\x00"), good[:-3], tail + head, b"\x00", b"\xff" * 40):
        assert bad != good
        refused(lambda: s.submit(bad), "NOT_CANONICAL")


@test("a bad header is refused by what is wrong with it")
def bad_headers(s):
    order = s.order("gift", "m0001", to="m0002", minutes=15)

    def patched(at, data, key=s.key):
        batch = s.client.make_batch([order])
        header = batch.header[:at] + data + batch.header[at + len(data):]
        return s.pb.Submit(header=header, signature=sign(key, b"timebank-batch", header), orders=batch.orders)

    def no(name, batch):
        refused(lambda: s.client.submit(batch, [order]), name)

    batch = s.client.make_batch([order])
    no("BAD_SIGNATURE", s.pb.Submit(header=batch.header, signature=bytes(64), orders=batch.orders))
    no("BAD_SIGNATURE", s.pb.Submit(header=batch.header, signature=sign(s.key, b"file", batch.header),
                                    orders=batch.orders))
    no("OTHER_LEDGER", patched(8, os.urandom(32)))
    no("BAD_HEADER", patched(0, b"TBB2"))
    no("BAD_HEADER", s.pb.Submit(header=batch.header + b"\0", signature=batch.signature, orders=batch.orders))
    no("BAD_HEADER", s.pb.Submit(header=batch.header, signature=batch.signature[:-1], orders=batch.orders))
    no("BAD_HEADER", s.pb.Submit(header=batch.header, signature=batch.signature, orders=batch.orders + b"\0"))
    no("BAD_HEADER", s.pb.Submit(header=batch.header, signature=batch.signature, orders=batch.orders[:-1]))
    no("BAD_HEADER", s.pb.Submit(header=batch.header, signature=batch.signature, orders=b"\x80" * 30))
    other = SigningKey(bytes(range(32)))
    no("BAD_SIGNATURE", patched(40, bytes(other.verify_key), other))
    no("BAD_SIGNATURE", patched(144, os.urandom(32)))
    no("BATCH_ID_USED", patched(72, s.batch.header[72:88]))
    no("OTHER_HISTORY", patched(112, os.urandom(32)))
    now = struct.unpack(">Q", batch.header[88:96])[0]
    no("TOO_LATE", patched(96, struct.pack(">Q", now - 1000)))
    no("BAD_NOT_AFTER", patched(96, bytes(8)))
    no("BAD_NOT_AFTER", patched(96, struct.pack(">Q", now + 3600000)))
    no("BAD_HEADER", patched(4, bytes(4)))
    no("BAD_HEADER", patched(4, struct.pack(">I", 2)))
    no("BATCH_SIZE", patched(4, struct.pack(">I", 8191)))
    s.client.submit(batch, [order])  # nothing of that did harm: the good one is still new


@test("a dry run tells what would be, and writes nothing")
def dry_run(s):
    before = s.client.ask(balance=s.pb.ByCode(code="m0001")).minutes
    orders = [s.order("gift", "m0001", to="m0002", minutes=15)]
    for n in (1, 2):
        batch = s.client.make_batch(orders, batch_id=uuid7())
        batch.dry_run = True
        if n == 1:
            answer = s.client.submit(batch, orders)
            assert answer.dry_run and answer.seal == 0 and list(answer.entries) == [0]
            assert list(answer.from_after) == [before - 15]
    assert s.client.ask(end_dry_run=s.pb.EndDryRun()).dry_run
    assert s.client.ask(balance=s.pb.ByCode(code="m0001")).minutes == before


@test("a note's text travels beside the batch, and the ledger holds what commits to it")
def notes(s):
    import hashlib
    text, salt = "the hedge, all of it", os.urandom(32)
    note = hashlib.blake2b(text.encode(), key=salt, digest_size=32).digest()
    orders = [s.order("gift", "m0001", to="m0002", minutes=45, note=note)]
    batch = s.client.make_batch(orders)
    batch.note_place.append(0)
    batch.note_salt.append(salt)
    batch.note_text.append(text)
    answer = s.client.submit(batch, orders)
    assert s.client.ask(entry=s.pb.ByNumber(number=answer.entries[0])).why == text


@test("a reversal in part, and the reply tells both accounts' balances by their codes")
def reversal(s):
    target = s.pb.Order.FromString(s.orders[0]).id
    before = [s.client.ask(balance=s.pb.ByCode(code=c)).minutes for c in ("m0001", "m0002")]
    answer = s.submit(s.order("reverse", minutes=60, authority=s.pb.BY_BROKER, parts={"target": target}))
    assert bytes(answer.readable) == b"\0" and list(answer.other_place) == [0, 0]
    assert dict(zip(answer.other_code, answer.other_after)) == {"m0001": before[0] - 60, "m0002": before[1] + 60}
    assert s.client.ask(entry=s.pb.ByNumber(number=s.answer.entries[0])).reversed_minutes == 60
    refused(lambda: s.submit(s.order("reverse", minutes=120, authority=s.pb.BY_BROKER, parts={"target": target})),
            "MORE_THAN_REMAINS")


@test("a page of accounts goes on where the last one ended")
def pages(s):
    codes, after = [], ""
    while True:
        page = s.client.ask(accounts=s.pb.Page(after=after, max=4))
        codes += [b.code for b in page.items]
        assert page.more == (len(page.items) == 4 and len(codes) < 11) and len(page.items) <= 4
        if not page.more:
            break
        after = codes[-1]
    assert codes == sorted(codes) and len(codes) == 11 and "m0003" in codes and "write-offs" in codes


@test("after a restart the ledger goes on from the head that the client remembers")
def restart(s):
    s.client.close()
    assert s.bank.stop() == 0
    assert s.bank.check() is None, s.bank.check()
    s.bank.start()
    s.client = s.connect()
    before = list(s.memory)
    again = s.client.submit(s.batch, s.orders)
    assert again.already and list(again.entries) == list(s.answer.entries)
    s.submit(s.order("set_activity", parts={"name": "reading"}))
    assert s.memory[0] > before[0]


@test("the client itself is no believer: a turned bit in any part of a proof is found")
def turned_bits(s):
    leaves = [leaf_hash(bytes([n])) for n in range(21)]
    for begin, end in ((0, 1), (3, 7), (5, 21), (8, 16)):
        pieces = [*((k, None) for k in compact_levels(0, begin))]
        at, line = 0, []
        for k, _ in pieces:
            line.append((k, tree_root(leaves[at:at + (1 << k)])))
            at += 1 << k
        line += [(0, h) for h in leaves[begin:end]]
        at = end
        for k in compact_levels(end, 21):
            line.append((k, tree_root(leaves[at:at + (1 << k)])))
            at += 1 << k
        assert fold(line) == tree_root(leaves)
        for i, (k, h) in enumerate(line):
            assert fold(line[:i] + [(k, bytes([h[0] ^ 1]) + h[1:])] + line[i + 1:]) != tree_root(leaves)
    size, root = s.memory
    for bad in ((size - 1, root, size, root, []), (size, bytes(32), size, root, []), (size + 1, root, size, root, [])):
        try:
            check_consistency(*bad)
        except Lie:
            continue
        raise AssertionError("a false head was believed")


def main():
    read_manual_numbers()
    bank = ServedBank(key_maker="ssh-keygen")
    try:
        bank.start()
        story = Story(bank, message_types(SOURCE, bank.place))
        for sentence, function in TESTS:
            try:
                function(story)
                tap.ok(True, sentence)
            except Exception:
                tap.ok(False, sentence, *traceback.format_exc().splitlines())
        story.client.close()
        tap.ok(bank.stop() == 0, "the daemon ends well when told to", *bank.said().splitlines())
        wrong = bank.check()
        tap.ok(wrong is None, "the offline check agrees with all that was done", *(wrong or "").splitlines())
    finally:
        bank.end()
    tap.end()


main()
