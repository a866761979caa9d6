#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""test-flips.py [--nightly]: damage at rest is found and its place named, and never served or signed over.

Which damage matters is decided by a reader that shares no code with the daemon: a change is effective when
what a table holds differs afterwards, or cannot be read. Every effective change has to be found; nightly runs
flip every bit, CI takes a seeded sample of them (TIMEBANK_FLIPS bits an area)."""
import base64
import os
import re
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import bank
import store

sys.path.insert(0, os.path.join(bank.TREE, "tests", "cli"))
import other_language  # pylint: disable=wrong-import-position

N_WORKERS = 2
N_SAMPLE = int(os.environ.get("TIMEBANK_FLIPS", "0"))

# A store cut short kills its reader by a signal: that is what the check's child is for, no finding of a sanitizer.
if "ASAN_OPTIONS" in os.environ:
    os.environ["ASAN_OPTIONS"] += ":handle_sigbus=0:handle_segv=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0"
PLACE_NAMED = re.compile(r"^damaged: .*(record|head: |tile|table|ledger|people|the log|reading)", re.M)
TREE_TABLES = ("log", "tiles")


def sample(bits, n_ci):
    """All of them in a nightly run, else n_ci chosen by the seed."""
    n = N_SAMPLE or (len(bits) if bank.NIGHTLY else n_ci)
    return bits if n >= len(bits) else bank.chance.sample(bits, n)


def bits_of(places):
    """Every bit of (place, number of bytes)."""
    return [(at + i, bit) for at, n in places for i in range(n) for bit in range(8)]


class Copies:
    """A directory for each worker, damaged in place and mended again."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.place = bank.scratch()
        self.mine = threading.local()
        self.n = 0
        self.lock = threading.Lock()

    def directory(self):
        if not hasattr(self.mine, "path"):
            with self.lock:
                self.n += 1
                self.mine.path = os.path.join(self.place, str(self.n))
            shutil.copytree(self.ledger, self.mine.path, ignore=shutil.ignore_patterns("socket"))
        return self.mine.path

    def flip(self, name, bit, full=False):
        """What check says of a copy in which one bit is another."""
        directory = self.directory()
        with open(os.path.join(directory, name), "r+b") as f:
            f.seek(bit[0])
            byte = f.read(1)[0]
            f.seek(bit[0])
            f.write(bytes([byte ^ 1 << bit[1]]))
            f.flush()
            told = bank.check(directory, full)
            f.seek(bit[0])
            f.write(bytes([byte]))
        return told

    def flip_all(self, name, bits, full=False):
        with ThreadPoolExecutor(N_WORKERS) as pool:
            return list(zip(bits, pool.map(lambda bit: self.flip(name, bit, full), bits)))


def is_named(status, told):
    return status == 2 and PLACE_NAMED.search(told) is not None and "Traceback" not in told


def tell_missed(missed):
    return [f"byte {bit[0]} bit {bit[1]}: exit {status}: {told.strip()}" for bit, (status, told) in missed]


def expect_all_named(copies, sentence, name, bits, full=False):
    missed = [one for one in copies.flip_all(name, bits, full) if not is_named(*one[1])]
    bank.ok(not missed, f"{sentence}: {len(bits)} flips, each named", f"{len(missed)} missed", *tell_missed(missed))


def make_small():
    """A ledger with an order of nearly each kind, cleanly stopped."""
    served = bank.Bank("", ("quantum=1",)).must_start()
    desk = os.path.join(served.place, "desk.key")
    served.make_key(desk)
    for words in (
            "account open m0007 --kind member --joined 2024-03-01", "account open m0012 --kind member",
            "account open food-bank --kind organisation", "account open pool --kind venue",
            "account open m0013 --kind member", "activity add gardening --tag outdoors", "funder add council",
            "offer set pool swim --price 1h", f"key grant {desk}.pub --role venue --account pool",
            "policy set floor-member -1500", "issue --to food-bank --time 120 --funder council",
            "exchange --giver m0007 --receiver m0012 --time 2h30 --activity gardening",
            "earn --giver m0007 --receiver food-bank --time 2.5 --activity gardening",
            "log --giver m0012 --time 1 --activity gardening", "gift --from m0007 --to m0012 --time 1",
            "donate --from m0007 --time 1", "grant --to m0013 --time 2 --why welcome",
            "redeem --from m0007 --to pool --offer swim --adults 1 --under16 1",
            "account limit m0012 --floor -30h --ceiling 40h", "account freeze m0013 away",
            "account thaw m0013 back", f"key revoke {desk}.pub stolen"):
        answer = served.must(*words.split())
        if words.startswith("exchange"):
            served.must("reverse", str(answer["entry"]), "a slip")
    enter_what_waits(served)
    if served.stop() != 0:
        raise RuntimeError(served.told())
    return served


def enter_what_waits(served):
    """A gift and a hold that wait, a hold that has lapsed, and rows of tables that no verb above fills."""
    pb = other_language.message_types(bank.TREE, bank.scratch())
    verifier_key = re.search(r"serving (\S+) on", served.told().decode()).group(1)
    client = other_language.Client(pb, served.socket, other_language.read_secret_key(served.key), verifier_key)
    day = int(time.time()) // 86400

    def order(kind, parts=None, **fields):
        return other_language.make_order(pb, kind, parts=parts, **fields)

    def hold(until_ms):
        return order("hold", source_account="m0012", to="pool", minutes=60, service_day=day, authority=pb.BY_BROKER,
                     parts={"offer": "swim", "adults": 1, "until_ms": until_ms})

    def submit(*orders):
        client.submit(client.make_batch(orders), orders)

    submit(order("set_policy", parts={"name": "gift", "value": "pending"}),
           order("gift", source_account="m0007", to="m0012", minutes=20, proposal=True), hold((day + 9) * 86400000),
           order("set_person", to="m0007", parts={"person": "p2"}),
           order("set_mandate", to="m0007", parts={"holder": "m0012", "kind": pb.CARER, "from_day": day}),
           order("set_trust", to="m0007", parts={"giver": "m0012"}),
           order("safeguard", to="m0007", parts={"other": "m0013"}),
           order("set_choice", to="m0013", parts={"heir": "chest"}),
           order("set_programme", parts={"name": "winter", "funder": "council"}))
    submit(hold(max(int(time.time() * 1000) + 200, day * 86400000)))
    client.close()
    until = time.monotonic() + 20
    while served.must("balance", "transit")["minutes"] != 80 and time.monotonic() < until:
        time.sleep(0.1)


def make_large():
    served = bank.Bank("").must_start()
    served.must("import", "--history", os.path.join(bank.TWO_YEARS, "accounts.csv"),
                os.path.join(bank.TWO_YEARS, "entries.csv"))
    if served.stop() != 0:
        raise RuntimeError(served.told())
    return served


def data_of(directory, room="ledger"):
    return os.path.join(directory, room, "data.mdb")


def places(rows):
    return [p for key, value, at_key, at_value in rows for p in ((at_key, len(key)), (at_value, len(value)))]


def check_sound(ledger, sentence):
    for full in (False, True):
        status, told = bank.check(ledger, full)
        bank.ok(status == 0 and "sound" in told, f"{sentence} is sound before{', with --full' * full}", told)


def check_small(small):
    copies = Copies(small.ledger)
    found = store.open_store(data_of(small.ledger))
    bank.ok(set(found.tables) == set(store.TABLES), "this program knows every table",
            set(found.tables) ^ set(store.TABLES))
    expect_all_named(copies, "the head file", "head", sample(bits_of([(0, store.HEAD_BYTES)]), 2500))
    expect_all_named(copies, "keys and runs of the log", "ledger/data.mdb",
                     sample(bits_of(places(found.rows("log"))), 6000))
    derived = [p for table in store.TABLES if table not in TREE_TABLES for p in places(found.rows(table))]
    expect_all_named(copies, "keys and rows of the derived tables, with --full", "ledger/data.mdb",
                     sample(bits_of(derived), 4000), full=True)
    layout = [(at, 4) for key, _, _, at in found.rows("meta") if key == b"state"]
    expect_all_named(copies, "the layout of the derived tables", "ledger/data.mdb", bits_of(layout))
    people = store.open_store(data_of(small.ledger, "people"))
    rows = [p for table in people.tables for p in places(people.rows(table))]
    expect_all_named(copies, "keys and rows of the register of people", "people/data.mdb",
                     sample(bits_of(rows), 1000))


class Oracle:
    """Whether damage is effective. The snapshot before the last one is as good where it holds the same log:
    its tables stand at an earlier position, from which a start goes on."""

    def __init__(self, path):
        self.whole = self.contents(path)
        self.older = self.contents(path, older=True)

    @staticmethod
    def contents(path, older=False):
        """A hash for each table, None for one that cannot be read."""
        found = {}
        for table in store.TABLES:
            try:
                found[table] = store.open_store(path, older).content(table)
            except store.Damaged:
                found[table] = None
        return found

    def effective(self, path):
        """"log", "derived" or ""."""
        now = self.contents(path)
        if any(now[t] != self.whole[t] for t in TREE_TABLES):
            return "log"
        return "" if now in (self.whole, self.older) else "derived"


def judge(oracle, directory):
    """(effective, a fault or None): what check has to say of this damage, and what it says."""
    effective = oracle.effective(data_of(directory))
    status, told = bank.check(directory, full=effective == "derived")
    if effective and not is_named(status, told):
        return effective, f"{effective}: exit {status}: {told.strip()}"
    if status not in (0, 2):
        return effective, f"not effective, but exit {status}: {told.strip()}"
    return effective, None


def check_anywhere(large, n_ci):
    """Random bits of the whole file: page headers, free pages, everything."""
    oracle = Oracle(data_of(large.ledger))
    copies = Copies(large.ledger)
    size = os.path.getsize(data_of(large.ledger))
    bits = [(bank.chance.randrange(size), bank.chance.randrange(8)) for _ in range(N_SAMPLE or n_ci)]
    path = data_of(copies.directory())
    faults, counts = [], {"log": 0, "derived": 0, "": 0}
    for place, bit in bits:
        with open(path, "r+b") as f:
            f.seek(place)
            byte = f.read(1)[0]
            f.seek(place)
            f.write(bytes([byte ^ 1 << bit]))
            f.flush()
            effective, fault = judge(oracle, copies.directory())
            f.seek(place)
            f.write(bytes([byte]))
        counts[effective] += 1
        if fault:
            faults.append(f"byte {place} bit {bit}: {fault}")
    bank.ok(not faults, f"random bits of a large ledger's file: {counts['log']} changed log or tiles, "
            f"{counts['derived']} a derived table, {counts['']} nothing; each change named", *faults)


def check_tiles(large):
    copies = Copies(large.ledger)
    rows = store.open_store(data_of(large.ledger)).rows("tiles")
    expect_all_named(copies, "keys and hashes of the tiles", "ledger/data.mdb", sample(bits_of(places(rows)), 300))


def with_copy(ledger, damage):
    """A copy of the ledger, damaged by a function of its path; the copy's path."""
    directory = os.path.join(bank.scratch(), "l")
    shutil.copytree(ledger, directory, ignore=shutil.ignore_patterns("socket"))
    damage(directory)
    return directory


def check_truncation(large):
    oracle = Oracle(data_of(large.ledger))
    size = os.path.getsize(data_of(large.ledger))
    used = store.open_store(data_of(large.ledger)).last_page + 1
    lengths = [0, 1, 4095, 4096, 8191, 8192, 12288, size - 1, size - 4096, used * 4096 - 1]
    lengths += [bank.chance.randrange(size) for _ in range(10)]
    lengths += [4096 * bank.chance.randrange(size // 4096) for _ in range(10)]
    faults, n_effective = [], 0
    for length in lengths:
        directory = with_copy(large.ledger, lambda d, n=length: os.truncate(data_of(d), n))
        effective, fault = judge(oracle, directory)
        n_effective += bool(effective)
        faults += [f"cut to {length}: {fault}"] if fault else []
    bank.ok(not faults and n_effective > 15, f"a store cut short, {n_effective} times effectively, is named", *faults)


def swap_pages(directory, a, b):
    with open(data_of(directory), "r+b") as f:
        f.seek(a * 4096)
        first = f.read(4096)
        f.seek(b * 4096)
        second = f.read(4096)
        f.seek(a * 4096)
        f.write(second)
        f.seek(b * 4096)
        f.write(first)


def check_swaps(large):
    oracle = Oracle(data_of(large.ledger))
    last_page = store.open_store(data_of(large.ledger)).last_page
    faults, n_effective = [], 0
    # The first led LMDB in a circle, as mdb_get() met a page that was none.
    swaps = [(26, 241)] + [bank.chance.sample(range(0 if i < 5 else 2, last_page + 1), 2) for i in range(60)]
    for a, b in swaps:
        directory = with_copy(large.ledger, lambda d, a=a, b=b: swap_pages(d, a, b))
        effective, fault = judge(oracle, directory)
        n_effective += bool(effective)
        faults += [f"pages {a} and {b}: {fault}"] if fault else []
    bank.ok(not faults and n_effective > 10, f"swapped pages, {n_effective} times effectively, are named", *faults)


def zero(directory, at, n):
    with open(data_of(directory), "r+b") as f:
        f.seek(at)
        f.write(bytes(n))


def check_metas(small):
    """Every bit of the two meta pages' contents, and each of them emptied."""
    oracle = Oracle(data_of(small.ledger))
    copies = Copies(small.ledger)
    faults, n_effective = [], 0
    bits = sample(bits_of([(page * 4096 + 16, 136) for page in (0, 1)]), 500)
    path = data_of(copies.directory())
    for place, bit in bits:
        with open(path, "r+b") as f:
            f.seek(place)
            byte = f.read(1)[0]
            f.seek(place)
            f.write(bytes([byte ^ 1 << bit]))
            f.flush()
            effective, fault = judge(oracle, copies.directory())
            f.seek(place)
            f.write(bytes([byte]))
        n_effective += bool(effective)
        faults += [f"byte {place} bit {bit}: {fault}"] if fault else []
    for page in (0, 1):
        directory = with_copy(small.ledger, lambda d, at=page * 4096: zero(d, at, 4096))
        status, told = bank.check(directory)
        if not is_named(status, told):
            faults.append(f"meta page {page} emptied: exit {status}: {told}")
    bank.ok(not faults and n_effective > 0, f"bits of the meta pages, {n_effective} of {len(bits)} effective, "
            "and meta pages emptied, are named", *faults)


def refuses(ledger, words):
    """A fault unless the daemon refuses to serve it, says so, and leaves the head file as it is."""
    with open(os.path.join(ledger, "head"), "rb") as f:
        before = f.read()
    status, told = bank.run(bank.TIMEBANKD, "run", ledger, timeout=5)
    with open(os.path.join(ledger, "head"), "rb") as f:
        after = f.read()
    if status not in (1, 2) or not re.search(words, told) or before != after:
        return [f"run: exit {status}, head file {'kept' if before == after else 'CHANGED'}: {told.strip()}"]
    return []


def check_old_copies():
    """The store or the head file put back from a copy, by hand, so that nothing was copied elsewhere."""
    served = bank.Bank("").must_start()
    served.must("account", "open", "m0001", "--kind", "member")
    served.stop()
    names = ("ledger/data.mdb", "head")
    old = {name: open(os.path.join(served.ledger, name), "rb").read() for name in names}
    served.must_start().must("account", "open", "m0002", "--kind", "member")
    served.stop()
    new = {name: open(os.path.join(served.ledger, name), "rb").read() for name in names}
    for name, what in zip(names, ("store under a newer head", "head file beside a newer store")):
        with open(os.path.join(served.ledger, name), "r+b") as f:
            f.write(old[name])
        status, told = bank.check(served.ledger)
        faults = [] if is_named(status, told) else [f"check: exit {status}: {told}"]
        faults += refuses(served.ledger, "Restore|restore|copy")
        bank.ok(not faults, f"an old {what} is named, and not served", *faults)
        with open(os.path.join(served.ledger, name), "r+b") as f:
            f.write(new[name])
    bank.ok(served.start() and served.stop() == 0, "put right again, it is served", served.told().decode())


def check_not_served(small):
    """Damage on the way of a start: nothing is served or signed. In place, as a copy is refused anyway."""
    path = data_of(small.ledger)
    rows = store.open_store(path).rows("log")
    faults = []
    bits = bank.chance.sample(bits_of(places(rows)), 40)
    for place, bit in bits:
        with open(path, "r+b") as f:
            f.seek(place)
            byte = f.read(1)[0]
            f.seek(place)
            f.write(bytes([byte ^ 1 << bit]))
            f.flush()
            faults += [f"byte {place} bit {bit}: {fault}" for fault in refuses(small.ledger, "not starting")]
            f.seek(place)
            f.write(bytes([byte]))
    bank.ok(not faults, f"a ledger with a flipped bit is not served, {len(bits)} times, and nothing is signed", *faults)


def key_parts(text):
    """The fields of an OpenSSH key file, but for its comment and padding."""
    lines = text.strip().split(b"\n")
    if lines[0] != b"-----BEGIN OPENSSH PRIVATE KEY-----" or lines[-1] != b"-----END OPENSSH PRIVATE KEY-----":
        return None
    try:
        blob = base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except ValueError:
        return None
    at, parts = blob.find(b"ssh-ed25519", 80), [blob[:98]]
    for _ in range(3):
        n = int.from_bytes(blob[at - 4:at], "big")
        parts.append(blob[at:at + n])
        at += n + 4
    return parts


def check_key(small):
    directory = with_copy(small.ledger, lambda d: None)
    path = os.path.join(directory, "ledger.key")
    with open(path, "rb") as f:
        whole = f.read()
    faults, n_effective = [], 0
    bits = sample(bits_of([(0, len(whole))]), 600)
    for place, bit in bits:
        altered = bytearray(whole)
        altered[place] ^= 1 << bit
        with open(path, "r+b") as f:
            f.write(altered)
        if key_parts(bytes(altered)) == key_parts(whole):
            continue
        n_effective += 1
        status, told = bank.check(directory)
        if status != 2 or "ledger.key" not in told:
            faults.append(f"byte {place} bit {bit}: exit {status}: {told.strip()}")
    bank.ok(not faults, f"bits of ledger.key, {n_effective} effective, are named", *faults)
    with open(os.path.join(small.ledger, "ledger.key"), "r+b") as f, open(small.key, "rb") as other:
        f.write(other.read())
        f.truncate()
    faults = refuses(small.ledger, "ledger.key|key")
    status, told = bank.check(small.ledger)
    faults += [] if status == 2 and "ledger.key" in told else [f"check: exit {status}: {told}"]
    bank.ok(not faults, "another key in ledger.key is named, and not served", *faults)
    with open(os.path.join(small.ledger, "ledger.key"), "r+b") as f:
        f.write(whole)
        f.truncate()


def check_copied(small):
    directory = with_copy(small.ledger, lambda d: None)
    faults = refuses(directory, "copied or moved.*original")
    status, told = bank.check(directory)
    faults += [] if status == 0 else [f"check: exit {status}: {told}"]
    bank.ok(not faults, "a copied directory is sound, and is not served", *faults)


def main():
    bank.begin()
    small, large = make_small(), make_large()
    check_sound(small.ledger, "the small ledger")
    check_sound(large.ledger, "the large ledger")
    check_small(small)
    check_tiles(large)
    check_anywhere(large, 10000 if bank.NIGHTLY else 250)
    check_truncation(large)
    check_swaps(large)
    check_metas(small)
    check_key(small)
    check_copied(small)
    check_not_served(small)
    check_old_copies()
    check_sound(small.ledger, "the small ledger, mended,")
    bank.end()


main()
