#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Clients whose keys are good and whose intentions are not: what they send must cost nobody else
anything. Each test goes on with the same daemon, so that one that stops fails all that follow."""
import hashlib
import os
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from other_language import Client, Refused, make_order, message_types, read_secret_key
from served_bank import SOURCE, TIMEBANK, ServedBank

TESTS = []
NO_AUTHORITY, LEDGER_FULL, OTHER_HISTORY, ID_DIFFERS, BAD_TEXT, SEE_COORDINATOR = 2, 6, 25, 42, 70, 86
BACKUP_EXISTS = 204


def test(sentence):
    def remember(function):
        TESTS.append((sentence, function))
        return function
    return remember


class Story:
    """A bank with three members, an organisation and a venue, most with keys of their own."""

    def __init__(self, bank, pb):
        self.bank, self.pb = bank, pb
        self.steward = self.connect(bank.key_path)
        kinds = {"m0001": pb.MEMBER, "m0002": pb.MEMBER, "m0003": pb.MEMBER, "shed": pb.ORGANISATION, "pool": pb.VENUE}
        self.record(self.steward, *[self.order("open_account", to=code, parts={"kind": kind})
                                    for code, kind in kinds.items()],
                    self.order("set_activity", parts={"name": "gardening"}),
                    self.order("set_offer", to="pool", parts={"name": "swim", "price_minutes": 60}))
        roles = {"m0001": pb.ROLE_MEMBER, "m0002": pb.ROLE_MEMBER, "shed": pb.ROLE_ORGANISATION,
                 "pool": pb.ROLE_VENUE}
        self.paths = {}
        for code, role in roles.items():
            self.paths[code] = f"{bank.place}/{code}.key"
            bank.key_new(self.paths[code])
            public = bytes(read_secret_key(self.paths[code]).verify_key)
            self.record(self.steward, self.order("grant_key", to=code, parts={"key": public, "role": role}))

    def connect(self, path):
        return Client(self.pb, self.bank.path, read_secret_key(path), self.bank.verifier_key, timeout_s=60)

    def as_key(self, code):
        return self.connect(self.paths[code])

    def order(self, kind, giver=None, **fields):
        if giver is not None:
            fields["from"] = giver
        return make_order(self.pb, kind, **fields)

    def record(self, client, *orders, change=None, **header):
        batch = client.make_batch(orders, **header)
        if change:
            change(batch)
        return client.submit(batch, orders)

    def refusals(self, client, *orders, **more):
        """What it is refused with, or nothing."""
        try:
            self.record(client, *orders, **more)
        except Refused as no:
            return no.refusals
        return []

    def is_well(self):
        assert self.bank.daemon.poll() is None, "the daemon stopped: " + self.bank.said()[-2000:]
        assert self.steward.ask(status=self.pb.Empty()).accounts == 13


def note_of(text, salt):
    return hashlib.blake2b(text.encode(), key=salt, digest_size=32).digest()


@test("a reason that is empty is refused, and stops nobody")
def empty_reason(s):
    member, salt = s.as_key("m0001"), os.urandom(32)
    order = s.order("gift", "m0001", to="m0002", minutes=15, authority=s.pb.BY_SELF, note=note_of("", salt))

    def change(batch):
        batch.note_place.append(0)
        batch.note_salt.append(salt)
        batch.note_text.append("")

    assert [r.refusal for r in s.refusals(member, order, change=change)] == [BAD_TEXT]


@test("a hundred and thirty thousand reasons for one order are refused")
def many_reasons(s):
    member = s.as_key("m0001")
    order = s.order("gift", "m0001", to="m0002", minutes=15, authority=s.pb.BY_SELF)

    def change(batch):
        batch.note_place.extend([0] * 130000)
        batch.note_salt.extend([b""] * 130000)
        batch.note_text.extend([""] * 130000)

    assert s.refusals(member, order, change=change)


@test("a log of hours at an organisation does not keep reports from being made")
def log_at_organisation(s):
    s.record(s.steward, s.order("log", "shed", to="m0002", minutes=30, activity="gardening"))
    assert s.steward.ask(report=s.pb.AskReport(from_day=18000, to_day=20000)).json


@test("a venue finds out no balance: not by trying, not by many in one batch, not by asking again")
def curious_venue(s):
    venue = s.as_key("pool")

    def swim(heads):
        return s.order("redeem", "m0001", to="pool", minutes=60 * heads, authority=s.pb.BY_VENUE,
                       parts={"offer": "swim", "adults": heads})

    def try_only(batch):
        batch.dry_run = True

    assert [r.refusal for r in s.refusals(venue, swim(1), change=try_only)] == [NO_AUTHORITY]
    refusals = s.refusals(venue, *[swim(1) for _ in range(40)])
    assert len(refusals) == 40 and {r.refusal for r in refusals} == {SEE_COORDINATOR}, refusals
    assert [r.refusal for r in s.refusals(venue, swim(1))] == [SEE_COORDINATOR]
    nobody = s.order("redeem", "nobody", to="pool", minutes=60, authority=s.pb.BY_VENUE,
                     parts={"offer": "swim", "adults": 1})
    assert SEE_COORDINATOR in [r.refusal for r in s.refusals(venue, swim(1), nobody)]


@test("who guesses the id of others' entry is not told which field differs")
def guessed_id(s):
    known = hashlib.sha256(b"guessable").digest()[:16]
    s.record(s.steward, s.order("gift", "m0002", to="m0003", minutes=15, id=known))
    member = s.as_key("m0001")
    refusals = s.refusals(member, s.order("gift", "m0001", to="m0002", minutes=15, authority=s.pb.BY_SELF, id=known))
    assert [(r.refusal, r.field, r.entry) for r in refusals] == [(ID_DIFFERS, "", 0)], refusals
    refusals = s.refusals(s.steward, s.order("gift", "m0002", to="m0003", minutes=30, id=known))
    assert [(r.refusal, r.field) for r in refusals] == [(ID_DIFFERS, "minutes")] and refusals[0].entry


@test("a member's key writes no text into the log by way of a sheet's name")
def text_in_log(s):
    order = s.order("gift", "m0001", to="m0002", minutes=15, authority=s.pb.BY_SELF, sheet="Jo Bloggs is a thief")
    refusals = s.refusals(s.as_key("m0001"), order)
    assert [(r.refusal, r.field) for r in refusals] == [(NO_AUTHORITY, "sheet")], refusals


@test("of an author who claims another history a hundred times one batch is kept")
def evidence(s):
    member = s.as_key("m0001")
    for _ in range(100):
        order = s.order("gift", "m0001", to="m0002", minutes=15, authority=s.pb.BY_SELF)
        refusals = s.refusals(member, order, pin=(3, os.urandom(32)))
        assert [r.refusal for r in refusals] == [OTHER_HISTORY]
    kept = os.listdir(s.bank.directory + "/evidence")
    assert len(kept) == 1
    said = subprocess.run([TIMEBANK, "verify", s.bank.directory + "/evidence/" + kept[0], "--ledger", s.bank.verifier_key],
                          capture_output=True, text=True)
    assert said.returncode == 0 and "had seen a head of 3 records" in said.stdout, said


@test("whoever fills the register of people with reasons is refused, and others go on without reasons")
def register_full(s):
    refusals, n_batches = [], 0
    while not refusals and n_batches < 40:
        salt, n_batches = os.urandom(32), n_batches + 1
        sides = ("m0002", "m0003") if n_batches % 2 else ("m0003", "m0002")
        text = "because " * 2000
        orders = [s.order("gift", sides[0], to=sides[1], minutes=15, note=note_of(text, salt)) for _ in range(40)]

        def change(batch):
            batch.note_place.extend(range(40))
            batch.note_salt.extend([salt] * 40)
            batch.note_text.extend([text] * 40)

        refusals = s.refusals(s.steward, *orders, change=change)
    assert [r.refusal for r in refusals] == [LEDGER_FULL] and n_batches > 2, (refusals, n_batches)
    s.record(s.steward, s.order("gift", "m0002", to="m0003", minutes=15))


@test("of backups of one name that are asked for at once, one is made and the others are refused")
def backups_at_once(s):
    client = s.connect(s.bank.key_path)
    tags = [client.send(backup=s.pb.Backup(name="one")) for _ in range(3)]
    replies = [client.wire.receive() for _ in tags]
    client.close()
    told = sorted(r.refused.refusals[0].refusal if r.WhichOneof("body") == "refused" else 0 for r in replies)
    assert told == [0, BACKUP_EXISTS, BACKUP_EXISTS], told
    assert os.listdir(s.bank.directory + "/backups") == ["one"]


def main():
    bank = ServedBank("people_map_mib 16\n")
    try:
        pb = message_types(SOURCE, bank.place)
        bank.start()
        story = Story(bank, pb)
        for sentence, function in TESTS:
            try:
                function(story)
                story.is_well()
                tap.ok(True, sentence)
            except Exception:
                tap.ok(False, sentence, *traceback.format_exc().splitlines())
                if bank.daemon.poll() is not None:
                    bank.start()
                    story.steward = story.connect(bank.key_path)
        status = bank.stop()
        tap.ok(status == 0, "the daemon ends well", f"status {status}", bank.said())
        tap.ok(bank.check() is None, "the ledger is sound", str(bank.check()))
    finally:
        bank.end()
    tap.end()
    return 1 if tap.n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
