#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The auditor, which shares no line with the bank: it finds nothing against a scheme's two years, names
what was damaged, and catches each trick of a ledger that somebody made up, signatures and all."""
import concurrent.futures
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap

import other_language as ol
from nacl.signing import SigningKey
from served_bank import BUILT, SOURCE, TIMEBANK, ServedBank

AUDIT = os.path.join(BUILT, "clients", "audit", "timebank-audit")
YEARS = os.path.join(SOURCE, "tests", "data", "two-years")
FLIPS = 200  # of what is too long for all

if not os.access(AUDIT, os.X_OK):
    tap.skip("the auditor", "it was not built: install golang-go and golang-golang-x-mod-dev")
    tap.end()
    sys.exit(0)


def audit(what, path, verifier_key, *more):
    """(exit status, its JSON)"""
    done = subprocess.run([AUDIT, what, path, verifier_key, "--json", *more], capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout) if done.stdout else {"problems": [done.stderr]}


def holds(sentence, what, path, verifier_key):
    status, found = audit(what, path, verifier_key)
    tap.ok(status == 0 and found["holds"], sentence, *found["problems"])
    return found


def caught(sentence, phrase, what, path, verifier_key, *more):
    status, found = audit(what, path, verifier_key, *more)
    tap.ok(status == 1 and any(phrase in p for p in found["problems"]), sentence,
           f"status {status}, and nowhere: {phrase}", *found["problems"])


def turn(data, bit):
    data = bytearray(data)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def spread(n_bytes, n):
    """n bits, from the first to the last; all of them where there are no more."""
    return range(8 * n_bytes) if 8 * n_bytes <= n else [i * (8 * n_bytes - 1) // (n - 1) for i in range(n)]


def write(place, name, data):
    path = os.path.join(place, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def read(*parts):
    with open(os.path.join(*parts), "rb") as f:
        return f.read()


# ------------------------------------------------------------------------------ a real scheme

def run_timebank(bank, *words):
    done = subprocess.run([TIMEBANK, *words], capture_output=True, text=True, env=dict(
        os.environ, TIMEBANK="unix:" + bank.path, TIMEBANK_KEY=bank.key_path, XDG_STATE_HOME=bank.place + "/state"))
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stderr}")
    return done.stdout


def refuses_turned_bits(receipt, verifier_key):
    def is_refused(name, bit):
        place = tempfile.mkdtemp(dir=receipt + "-turned")
        for other in os.listdir(receipt):
            os.symlink(os.path.join(receipt, other), os.path.join(place, other))
        os.unlink(os.path.join(place, name))
        write(place, name, turn(read(receipt, name), bit))
        status, found = audit("receipt", place, verifier_key)
        shutil.rmtree(place)
        return None if status == 1 and not found["holds"] else f"bit {bit} of {name}"

    os.mkdir(receipt + "-turned")
    files = [("entry.record", 4096), ("batch.header", 8 * 176), ("seal.record", FLIPS), ("entry.proof", FLIPS),
             ("seal.proof", FLIPS), ("batch.proof", FLIPS), ("batch.sig", FLIPS)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, n in files:
            bits = spread(len(read(receipt, name)), n)
            missed = [m for m in pool.map(lambda bit, name=name: is_refused(name, bit), bits) if m]
            tap.ok(not missed, f"a receipt with a bit turned in its {name} is refused ({len(bits)} bits)", *missed[:5])


def damages(place, export, verifier_key):
    for name, data in [
            ("tile/entries/017", turn(read(export, "tile/entries/017"), 5000)),
            ("tile/0/003", turn(read(export, "tile/0/003"), 77)),
            ("tile/1/000.p/37", turn(read(export, "tile/1/000.p/37"), 1)),
            ("tile/entries/020", read(export, "tile/entries/020")[:-1]), ("tile/0/005", None)]:
        copy = shutil.copytree(export, os.path.join(place, "damaged"))
        if data is None:
            os.unlink(os.path.join(copy, name))
        else:
            write(copy, name, data)
        caught(f"damage to {name} is told by its name", name, "ledger", copy, verifier_key)
        shutil.rmtree(copy)
    copy = shutil.copytree(export, os.path.join(place, "damaged"))
    write(copy, "checkpoint", read(export, "checkpoint").replace(b"\n9628\n", b"\n9627\n"))
    caught("a head of another size is not signed", "not signed", "ledger", copy, verifier_key)
    write(copy, "checkpoint", read(export, "checkpoint"))
    shutil.rmtree(os.path.join(copy, "tile", "entries"))
    found = holds("an export without records is checked by its tiles", "ledger", copy, verifier_key)
    tap.ok(any(n.startswith("the records") for n in found["not_checked"]), "and says that it has no records")


def audits_two_years():
    bank = ServedBank()
    try:
        bank.start()
        run_timebank(bank, "import", YEARS + "/entries.csv", YEARS + "/accounts.csv", "--history")
        export, receipt = bank.place + "/export", bank.place + "/receipt"
        run_timebank(bank, "ledger", "export", export, "--entries")
        run_timebank(bank, "receipt", "5000", "--out", receipt)
        found = holds("nothing is found against a scheme's two years", "ledger", export, bank.verifier_key)
        print(f"# {found['records']} records audited in {found['milliseconds']} ms")
        tap.ok(found["entries"] == 9073 and found["replayed_records"] == found["records"] and
               found["states_compared"] >= 2, "every record was replayed, every state compared", json.dumps(found))
        holds("a receipt out of the middle of a batch holds", "receipt", receipt, bank.verifier_key)
        other = Forged().verifier_key
        caught("another ledger's key proves nothing", "not signed", "receipt", receipt, other)
        refuses_turned_bits(receipt, bank.verifier_key)
        damages(bank.place, export, bank.verifier_key)
    finally:
        bank.end()


# ------------------------------------------------------------------------------ ledgers made up

NOW = 1750000000000  # of all of them; a day in June 2025
DAY = NOW // 86400000
OWN = ["chest", "issued", "retired", "expired", "advances", "vouchers", "transit", "write-offs"]
BY_POLICY = -2 ** 63


class Account:
    def __init__(self, number, kind, code):
        self.number, self.kind, self.code = number, kind, code
        self.balance = self.entries = self.last = 0
        self.running = ol.ZERO

    def move(self, index, leaf, minutes):
        self.balance += minutes
        self.entries, self.last = self.entries + 1, index
        self.running = ol.sha256(b"\x03" + self.running + leaf + struct.pack(">qq", self.balance, 0))

    def leaf(self):
        code = self.code.encode()
        return ol.leaf_hash(b"TBA1" + struct.pack(">QBBB", self.number, self.kind, 0, len(code)) + code + struct.pack(
            ">qqqqQQ", BY_POLICY, BY_POLICY, self.balance, 0, self.entries, self.last) + self.running)


class Forged:
    """A ledger of one's own: whoever has its key can write what they like."""
    pb = None

    def __init__(self):
        self.key, self.steward, self.broker = (SigningKey(bytes([n] * 32)) for n in (1, 2, 3))
        public = b"\x01" + bytes(self.key.verify_key)
        self.origin = "forged.example/timebank"
        self.id = ol.sha256(self.origin.encode() + b"\n" + public)
        self.verifier_key = f"{self.origin}+{self.id[:4].hex()}+{ol.base64.b64encode(public).decode()}"
        self.accounts = [Account(i, 4 + i, code) for i, code in enumerate(OWN)]
        self.records, self.n_batches, self.n_orders, self.at_ms = [], 0, 0, NOW
        if Forged.pb:
            self.begin()

    def begin(self):
        genesis = self.pb.Genesis(format=1, origin=self.origin, ledger_key=bytes(self.key.verify_key),
                                  steward_keys=[bytes(self.steward.verify_key)], created_ms=NOW)
        self.records.append(b"\x00" + genesis.SerializeToString())
        self.state()
        pb = self.pb
        self.batch([self.order("open_account", {"kind": pb.MEMBER}, to="m0001"),
                    self.order("open_account", {"kind": pb.MEMBER}, to="m0002"),
                    self.order("set_activity", {"name": "gardening"}),
                    self.order("grant_key", {"key": bytes(self.broker.verify_key), "role": pb.BROKER})])
        for code in ("m0001", "m0002"):
            self.accounts.append(Account(len(self.accounts), pb.MEMBER, code))

    def order(self, kind, parts=None, **fields):
        self.n_orders += 1
        fields.setdefault("id", struct.pack(">QQ", 1, self.n_orders))
        return ol.make_order(self.pb, kind, DAY, parts, **fields)

    def exchange(self, minutes=60, giver="m0001", receiver="m0002", **fields):
        return self.order("exchange", source_account=receiver, to=giver, minutes=minutes, activity="gardening", **fields)

    def batch(self, orders, key=None, received_ms=None, n=None, signed=None, pin=(0, ol.ZERO), batch_id=None,
              not_after_ms=900000, ledger_id=None):
        key = key or self.steward
        self.n_batches += 1
        batch_id = batch_id or struct.pack(">QQ", 0x7000 | 0x195653A0C00 << 16, 1 << 63 | self.n_batches)
        header = (b"TBB1" + struct.pack(">I", n or len(orders)) + (ledger_id or self.id) + bytes(key.verify_key)
                  + batch_id + struct.pack(">QQQ", self.at_ms, self.at_ms + not_after_ms, pin[0]) + pin[1]
                  + ol.tree_root([ol.leaf_hash(b"\x02" + o) for o in signed or orders]))
        signature = ol.sign(key, b"timebank-batch", header)
        self.records.append(b"\x01" + header + signature + struct.pack(">Q", received_ms or self.at_ms))
        self.records += [b"\x02" + o for o in orders]
        return len(self.records) - 1

    def move(self, giver, receiver, minutes):
        """What the last record moves."""
        index, leaf = len(self.records) - 1, ol.leaf_hash(self.records[-1])
        for a in self.accounts:
            if a.code in (giver, receiver):
                a.move(index, leaf, minutes if a.code == giver else -minutes)

    def helped(self, minutes=60, **fields):
        self.batch([self.exchange(minutes)], key=self.broker, **fields)
        self.move("m0001", "m0002", minutes)

    def state(self):
        root = ol.tree_root([a.leaf() for a in self.accounts])
        self.records.append(b"\x04" + struct.pack(">QQ", len(self.records), len(self.accounts)) + root
                            + struct.pack(">Q", self.at_ms))

    def root(self):
        return ol.tree_root([ol.leaf_hash(r) for r in self.records])

    def write(self, place):
        leaves = [ol.leaf_hash(r) for r in self.records]
        assert len(leaves) < 256
        write(place, f"tile/0/000.p/{len(leaves)}", b"".join(leaves))
        write(place, f"tile/entries/000.p/{len(leaves)}", b"".join(struct.pack(">H", len(r)) + r for r in self.records))
        text = f"{self.origin}\n{len(leaves)}\n{ol.base64.b64encode(ol.tree_root(leaves)).decode()}\n"
        signature = ol.base64.b64encode(self.id[:4] + self.key.sign(text.encode()).signature).decode()
        write(place, "checkpoint", f"{text}\n\u2014 {self.origin} {signature}\n".encode())


def stranger(f):
    f.batch([f.exchange()], key=SigningKey(bytes([9] * 32)))


def revoked(f):
    f.batch([f.order("revoke_key", {"key": bytes(f.broker.verify_key)})])
    f.helped()


def another_role(f):
    f.batch([f.order("set_policy", {"name": "quantum", "value": "1"})], key=f.broker)


def member_for_another(f):
    mine = SigningKey(bytes([4] * 32))
    f.batch([f.order("grant_key", {"key": bytes(mine.verify_key), "role": f.pb.ROLE_MEMBER}, to="m0001")])
    f.batch([f.exchange(authority=f.pb.BY_SELF)], key=mine)


def turned_signature(f):
    at = f.batch([f.exchange()], key=f.broker) - 1
    f.records[at] = turn(f.records[at], 8 * (1 + 176 + 40))


def swapped(f):
    f.batch([f.exchange(60)], key=f.broker, signed=[f.exchange(120)])


def twice(f):
    f.batch([f.exchange(id=bytes(16))], key=f.broker)
    f.batch([f.exchange(id=bytes(16))], key=f.broker)


def batch_twice(f):
    same = struct.pack(">QQ", 0x7000, 1 << 63)
    f.helped(batch_id=same)
    f.helped(batch_id=same)


def replayed(f):
    f.records.append(b"\x02" + f.exchange())


def not_canonical(f):
    f.batch([f.exchange() + b"\xd2\x05\x01a"], key=f.broker)


def made_up_balance(f):
    f.helped()
    f.accounts[-1].balance += 600
    f.state()


def moved_by_nobody(f):
    f.helped()
    f.accounts[-1].running = ol.ZERO
    f.state()


def more_back(f):
    f.batch([f.exchange(60, id=bytes(16))], key=f.broker)
    f.batch([f.order("reverse", {"target": bytes(16)}, minutes=75, authority=f.pb.BY_BROKER)], key=f.broker)


def event_out_of_nothing(f):
    f.helped()
    event = f.pb.Event(ledger_time_ms=f.at_ms, kind=f.pb.HOLD_LAPSED, follows=bytes(16), minutes=60)
    f.records.append(b"\x03" + event.SerializeToString())


def late_covers(f):
    f.state()
    f.records[-1] = turn(f.records[-1], 8 * 8)


TRICKS = [
    ("an author who never had a role", "never granted", stranger),
    ("an author whose key was revoked", "was revoked", revoked),
    ("a broker who sets a policy", "no right to record it", another_role),
    ("a member who pays with another's credits", "does not act for", member_for_another),
    ("a signature with a bit turned", "signature does not hold", turned_signature),
    ("other orders than were signed", "signed other orders", swapped),
    ("one order more than was signed", "an order under no seal", replayed),
    ("a batch cut short", "of the batch of seal", lambda f: f.batch([f.exchange()], key=f.broker, n=2)),
    ("an order recorded twice", "its id is that of record", twice),
    ("a batch recorded twice", "batch id was used", batch_twice),
    ("a seal of another ledger", "it is of the ledger", lambda f: f.helped(ledger_id=bytes(32))),
    ("an author who saw another history", "another history", lambda f: f.helped(pin=(3, bytes(32)))),
    ("an author who saw what was not there yet", "more than there were", lambda f: f.helped(pin=(99, bytes(32)))),
    ("a batch held back for a year", "time limit", lambda f: f.helped(received_ms=NOW + 365 * 86400000)),
    ("a batch received before the one ahead of it", "received before", lambda f: f.helped(received_ms=NOW - 1)),
    ("an order with a field that nobody knows", "not in canonical form", not_canonical),
    ("a balance below its floor", "below its limit", lambda f: f.helped(1215)),
    ("time between two steps", "quantum", lambda f: f.helped(61)),
    ("more taken back than was given", "remained", more_back),
    ("a balance made up", "not that of the replay", made_up_balance),
    ("a statement that lost its lines", "not that of the replay", moved_by_nobody),
    ("something that fell due and never waited", "was due next", event_out_of_nothing),
    ("a state about other records", "a state that covers", late_covers),
]


def catches_each_trick():
    place = tempfile.mkdtemp(prefix="tb.", dir="/tmp")
    try:
        sys.path.insert(0, place)
        Forged.pb = ol.message_types(SOURCE, place)
        honest = Forged()
        honest.helped(pin=(len(honest.records), honest.root()))
        honest.state()
        honest.write(place + "/honest")
        holds("a ledger made with another program holds", "ledger", place + "/honest", honest.verifier_key)
        fork = Forged()
        fork.helped(120)
        fork.state()
        fork.helped()
        fork.state()
        fork.write(place + "/fork")
        caught("a ledger that rewrote its past: caught", "does not extend", "ledger", place + "/fork",
               fork.verifier_key, "--since", place + "/honest/checkpoint")
        for i, (what, phrase, play) in enumerate(TRICKS):
            forged = Forged()
            play(forged)
            if forged.records[-1][0] != 4:
                forged.state()
            forged.write(f"{place}/{i}")
            caught(f"{what}: caught", phrase, "ledger", f"{place}/{i}", forged.verifier_key)
    finally:
        shutil.rmtree(place)


catches_each_trick()
audits_two_years()
tap.end()
