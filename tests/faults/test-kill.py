#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""test-kill.py [--nightly]: kill -9 at random moments under load, and nothing that was answered is lost.

Three people type exchanges, one imports two years piece by piece, and one holds credits that lapse a moment later,
while the daemon is killed: under load, while it starts, while it stops. After each kill the store is read by a reader that shares no code with the
daemon, and compared with every answer that anybody got. TIMEBANK_KILLS says how often (200; 2000 nightly)."""
import base64
import csv
import datetime
import json
import os
import re
import subprocess
import sys
import threading
import time

import bank
import store

sys.path.insert(0, os.path.join(bank.TREE, "tests", "cli"))
import other_language  # pylint: disable=wrong-import-position

KILLS = int(os.environ.get("TIMEBANK_KILLS", "2000" if bank.NIGHTLY else "200"))
KILLS_PER_LEDGER = 200
N_TYPISTS = 3
FULL_EVERY = 10
HOLD, RELEASE = 48, 50  # fields of an Order
HOLD_LAPSED = 1
# Small steps, so that kills hit the writing of derived tables, too.
CONFIG = "step_records 300\npublish_ms 50\n"


class Faults:
    """What went wrong, by promise."""

    def __init__(self):
        self.lost, self.twice, self.heads, self.checks = [], [], [], []
        self.starts, self.totals, self.unknown, self.refused = [], [], [], []
        self.events = []


faults = Faults()


class Truth:
    """What the store held after each kill: it only ever grows, and holds what was answered."""

    def __init__(self):
        self.tree = store.Tree()
        self.roots = {}
        self.runs = {}
        self.orders = {}
        self.numbers = {}
        self.exchanges = {}
        self.held = {}  # what waits: when it lapses, by the id of the hold
        self.n_lapsed = 0

    def take_due(self, index, record):
        """What was due stands before the first seal of that time or later, once, and nothing else does."""
        if record[0] == store.SEAL:
            received_ms = int.from_bytes(record[-8:], "big")
            late = [key for key, due_ms in self.held.items() if due_ms <= received_ms]
            if late:
                faults.events.append(f"seal {index}, of {received_ms}: what was due at {self.held[late[0]]} is missing")
        elif record[0] == store.ORDER:
            fields = store.order_fields(record)
            if HOLD in fields:
                self.held[fields[1]] = store.order_fields(b"." + fields[HOLD])[4]
            elif RELEASE in fields:
                self.held.pop(store.order_fields(b"." + fields[RELEASE])[1])
        elif record[0] == store.EVENT:
            fields = store.order_fields(record)
            due_ms = self.held.pop(fields[3], None)
            self.n_lapsed += 1
            if due_ms is None or fields[1] < due_ms or fields[2] != HOLD_LAPSED:
                faults.events.append(f"record {index}: {fields}, due {due_ms}")

    def take_run(self, value, first, leaves, records):
        for i, record in enumerate(records):
            if store.leaf_hash(record) != leaves[i]:
                faults.lost.append(f"record {first + i} does not hash to its leaf")
            self.tree.append(leaves[i])
            self.roots[self.tree.size] = self.tree.root()
            self.take_due(first + i, record)
            if record[0] != store.ORDER:
                continue
            fields = store.order_fields(record)
            if fields[1] in self.numbers:
                faults.twice.append(f"entries {self.numbers[fields[1]]} and {first + i} have one id")
            self.numbers[fields[1]] = first + i
            typed = (fields.get(5, b"").decode(), fields.get(3, b"").decode(), fields.get(7), fields.get(2))
            self.orders[first + i] = typed
            self.exchanges.setdefault(typed, []).append(first + i)
        self.runs[first] = store.sha(value)

    def read(self, path):
        seen = set()
        for key, value, _, _ in store.open_store(path).rows("log"):
            first = int.from_bytes(key, "big")
            seen.add(first)
            if first in self.runs:
                if self.runs[first] != store.sha(value):
                    faults.lost.append(f"the records from {first} on have changed")
            elif first != self.tree.size:
                faults.lost.append(f"records from {self.tree.size} to {first} are missing")
            else:
                self.take_run(value, *store.run_parse(key, value))
        gone = [first for first in self.runs if first not in seen]
        if gone:
            faults.lost.append(f"the records from {gone[0]} on were there before the kill")

    def holds(self, size, root):
        return self.roots.get(size) == base64.b64decode(root)


class Load:
    """Clients that go on through every kill; what they were told is kept here."""

    def __init__(self, served):
        self.bank = served
        self.gate = threading.Event()
        self.is_over = False
        self.heads = []
        self.acknowledged = []
        self.tried = {}
        self.counts = {"acknowledged": 0, "no bank": 0, "broken": 0, "unknown": 0, "pieces": 0, "holds": 0}
        self.holds = {}  # entry numbers answered, and the id of the order
        self.threads = []
        self.pieces = []
        self.states = []

    def start(self):
        for i in range(N_TYPISTS):
            self.threads.append(threading.Thread(target=self.type_exchanges, args=(i,), daemon=True))
        self.threads.append(threading.Thread(target=self.import_pieces, daemon=True))
        self.threads.append(threading.Thread(target=self.hold_and_release, daemon=True))
        for thread in self.threads:
            thread.start()

    def end(self):
        self.is_over = True
        self.gate.set()
        for thread in self.threads:
            thread.join(60)

    def note_answer(self, answer):
        position = answer.get("position")
        if position:
            self.heads.append((position["size"], position["root"]))

    def type_one(self, i, giver, receiver, minutes, day):
        """True when this exchange is done with: recorded, or of an outcome that the next call settles."""
        key = os.path.join(self.bank.place, f"typist{i}.key")
        status, answer, told = self.bank.client(
            "exchange", "--giver", giver, "--receiver", receiver, "--time", f"{minutes}m", "--on", str(day),
            "--activity", "gardening", key=key, state=f"state{i}")
        typed = (giver, receiver, minutes, (day - datetime.date(1970, 1, 1)).days)
        if status == 0:
            self.counts["acknowledged"] += 1
            self.acknowledged.append((answer["entry"], typed))
            self.note_answer(answer)
            return True
        if status == 1 and answer.get("refused") in ("NO_BANK", "SHUTTING_DOWN"):
            self.counts["no bank"] += 1
            return False
        self.counts["unknown" if status == 3 else "broken"] += 1
        if status not in (2, 3):
            faults.refused.append(f"{typed}: exit {status}: {told}")
        self.tried.setdefault(typed, told)
        return True

    def type_exchanges(self, i):
        today = datetime.date.today()
        n = 0
        while not self.is_over:
            self.gate.wait()
            day = today - datetime.timedelta(days=1 + n % 150)
            if self.type_one(i, f"x{2 * i + 1}", f"x{2 * i + 2}", 1 + n // 150, day):
                n += 1

    def import_pieces(self):
        while not self.is_over and self.pieces:
            self.gate.wait()
            status, answer, told = self.bank.client("import", "--history", self.pieces[0], state="state")
            if status == 0:
                self.counts["pieces"] += 1
                self.note_answer(answer)
                self.pieces.pop(0)
            elif status == 1 and answer.get("refused") not in ("NO_BANK", "SHUTTING_DOWN"):
                faults.refused.append(f"{self.pieces[0]}: {told}")
                self.pieces.pop(0)


    # ---- holds, by the client in another language, whose until_ms can be any moment

    def until_answered(self, orders):
        """The same batch again and again until it is answered: the answer, or None where it is refused."""
        key = other_language.read_secret_key(os.path.join(self.bank.place, "holder.key"))
        batch = memory = None
        while not self.is_over:
            self.gate.wait()
            try:
                client = other_language.Client(PB, self.bank.socket, key, self.verifier_key, memory, timeout_s=5)
                memory = client.memory
                batch = batch or client.make_batch(orders)
                answer = client.submit(batch, orders)
                client.close()
                return answer
            except (other_language.Gone, OSError):
                time.sleep(0.01)
            except other_language.Refused as no:
                if not all(r.refusal in HOLDER_REFUSED for r in no.refusals):
                    faults.refused.append(f"holder: {no}")
                if no.number != SHUTTING_DOWN:
                    return None
            except other_language.Lie as lie:
                faults.heads.append(f"holder: {lie}")
                return None
        return None

    def hold_and_release(self):
        with open(os.path.join(self.bank.place, "vkey")) as f:
            self.verifier_key = f.read()
        while not self.is_over:
            day = int(time.time()) // 86400
            until_ms = max(int(time.time() * 1000) + bank.chance.randrange(50, 2500), day * 86400000)
            hold = other_language.make_order(PB, "hold", source_account="h1", to="pool", minutes=60, service_day=day,
                                             authority=PB.BY_BROKER,
                                             parts={"offer": "swim", "adults": 1, "until_ms": until_ms})
            answer = self.until_answered([hold])
            if answer is None:
                continue
            self.counts["holds"] += 1
            order_id = PB.Order.FromString(hold).id
            self.holds[answer.entries[0]] = order_id
            if bank.chance.random() < 0.3:
                self.until_answered([other_language.make_order(PB, "release", authority=PB.BY_BROKER,
                                                               parts={"target": order_id})])
            time.sleep(0.02)


PB = other_language.message_types(bank.TREE, bank.scratch())


def number_of(name):
    with open(os.path.join(bank.TREE, "proto", "refusals.def")) as f:
        return int(re.search(rf"^REFUSAL\((\d+), {name},", f.read(), re.M).group(1))


SHUTTING_DOWN = number_of("SHUTTING_DOWN")
# Sent again after it would have lapsed, or released after it did.
HOLDER_REFUSED = (SHUTTING_DOWN, number_of("BAD_DATE"), number_of("HOLD_LAPSED"))


def cut_pieces(place, n_pieces):
    with open(os.path.join(bank.TWO_YEARS, "entries.csv"), newline="") as f:
        rows = list(csv.reader(f))
    cuts = sorted(bank.chance.sample(range(2, len(rows)), n_pieces - 1))
    pieces = []
    for begin, end in zip([1] + cuts, cuts + [len(rows)]):
        pieces.append(os.path.join(place, f"piece{len(pieces)}.csv"))
        with open(pieces[-1], "w", newline="") as f:
            csv.writer(f, lineterminator="\n").writerows([rows[0]] + rows[begin:end])
    return pieces


def prepare(n_kills):
    served = bank.Bank(CONFIG, ("floor-member=none", "quantum=1"))
    served.must_start()
    for i in range(N_TYPISTS):
        key = os.path.join(served.place, f"typist{i}.key")
        served.make_key(key)
        served.must("key", "grant", key + ".pub", "--role", "broker")
        for code in (f"x{2 * i + 1}", f"x{2 * i + 2}"):
            served.must("account", "open", code, "--kind", "member")
    served.must("activity", "add", "gardening")
    served.make_key(os.path.join(served.place, "holder.key"))
    served.must("key", "grant", os.path.join(served.place, "holder.key.pub"), "--role", "broker")
    served.must("account", "open", "h1", "--kind", "member")
    served.must("account", "open", "pool", "--kind", "venue")
    served.must("offer", "set", "pool", "swim", "--price", "1h")
    with open(os.path.join(served.place, "vkey"), "w") as f:
        f.write(re.search(r"serving (\S+) on", served.told().decode()).group(1))
    served.must("import", "--history", os.path.join(bank.TWO_YEARS, "accounts.csv"))
    load = Load(served)
    load.pieces = cut_pieces(served.place, max(10, int(n_kills * 0.9)))
    load.start()
    return served, load


def kill_somehow(served, load):
    """Under load, while it starts, or while it stops. The daemon is running."""
    how = bank.chance.random()
    load.gate.set()
    if how < 0.1:
        served.kill()
        load.gate.clear()
        served.launch()
        time.sleep(bank.chance.uniform(0, 0.03))
    else:
        time.sleep(bank.chance.expovariate(1 / 0.12) + 0.005)
        if how < 0.2:
            served.process.terminate()
            time.sleep(bank.chance.uniform(0, 0.01))
    served.kill()
    load.gate.clear()


def compare(served, load, truth, n):
    acknowledged, heads = list(load.acknowledged), list(load.heads)
    truth.read(os.path.join(served.ledger, "ledger", "data.mdb"))
    for number, typed in acknowledged:
        if truth.orders.get(number) != typed:
            faults.lost.append(f"kill {n}: entry {number} was answered as {typed}, is {truth.orders.get(number)}")
        if len(truth.exchanges.get(typed, [])) != 1:
            faults.twice.append(f"kill {n}: {typed} is at {truth.exchanges.get(typed)}")
    for number, order_id in list(load.holds.items()):
        if truth.numbers.get(order_id) != number:
            faults.lost.append(f"kill {n}: the hold answered as entry {number} is {truth.numbers.get(order_id)}")
    for typed in list(load.tried):
        if len(truth.exchanges.get(typed, [])) > 1:
            faults.twice.append(f"kill {n}: {typed} is at {truth.exchanges[typed]}")
    for size, root in heads:
        if not truth.holds(size, root):
            faults.heads.append(f"kill {n}: the head of size {size} with root {root} was answered")
    status, told = bank.check(served.ledger, full=n % FULL_EVERY == 0)
    if status != 0:
        faults.checks.append(f"kill {n}: {told}")


def compare_totals(served):
    """As a separate program computed them; accounts of the typists and of the holder are none of its."""
    again = served.must("import", "--history", os.path.join(bank.TWO_YEARS, "accounts.csv"),
                        os.path.join(bank.TWO_YEARS, "entries.csv"), state="state")
    if again["recorded"] != 0:
        faults.twice.append(f"the whole import records {again['recorded']} once more")
    report, accounts = os.path.join(served.place, "report"), os.path.join(served.place, "accounts")
    with open(report, "w") as f:
        json.dump(served.must("report", "--from", "2024-04-01", "--to", "2025-03-31"), f)
    _, told = bank.run(bank.TIMEBANK, "--json", "account", "list", env=served.environment())
    with open(accounts, "w") as f:
        f.writelines(line + "\n" for line in told.splitlines() if json.loads(line)["code"][0] != "x"
                     and json.loads(line)["code"] not in ("h1", "pool"))
    done = subprocess.run([os.path.join(bank.TREE, "dev", "compare-report"),
                           os.path.join(bank.TWO_YEARS, "expected-2024-04-01_2025-03-31.json"), report, accounts],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        faults.totals.append(done.stdout[-2000:] + done.stderr[-500:])


def settle(served, load):
    """Every outcome that was left open is known after the next call, and nothing stays in an outbox."""
    for i in range(N_TYPISTS):
        typist = os.path.join(served.place, f"typist{i}.key")
        status, _, told = served.client("balance", f"x{2 * i + 1}", key=typist, state=f"state{i}")
        outbox = os.path.join(served.place, f"state{i}", "timebank", "outbox")
        left = os.listdir(outbox) if os.path.isdir(outbox) else []
        if status != 0 or left:
            faults.unknown.append(f"typist {i}: exit {status}, left {left}: {told}")
    if load.pieces and not served.process.poll():
        for piece in load.pieces:
            served.must("import", "--history", piece)


def expect_all_lapsed(served):
    """Nothing stays in transit once the last hold was due."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        told = [served.must("balance", code)["minutes"] for code in ("h1", "transit")]
        if told == [0, 0]:
            return
        time.sleep(0.2)
    faults.events.append(f"h1 and transit stand at {told} after all holds were due")


def one_ledger(n_kills):
    served, load = prepare(n_kills)
    truth = Truth()
    for n in range(1, n_kills + 1):
        kill_somehow(served, load)
        compare(served, load, truth, n)
        if not served.start():
            faults.starts.append(f"kill {n}: status {served.process.poll()}: {served.told().decode(errors='replace')}")
            break
        if faults.lost or faults.twice:
            break
    load.end()
    if served.process.poll() is None:
        settle(served, load)
        expect_all_lapsed(served)
        compare_totals(served)
        if served.stop() != 0:
            faults.starts.append(f"the last stop: {served.told().decode(errors='replace')}")
    compare(served, load, truth, 0)
    if truth.held:
        faults.events.append(f"{len(truth.held)} holds have neither lapsed nor been released")
    load.counts["lapsed"] = truth.n_lapsed
    bank.say(f"{n_kills} kills: {truth.tree.size} records; " + ", ".join(f"{v} {k}" for k, v in load.counts.items()))
    return load.counts


def main():
    bank.begin()
    began, left = time.monotonic(), KILLS
    n_acknowledged = n_pieces = n_lapsed = 0
    while left > 0 and not any(vars(faults).values()):
        counts = one_ledger(min(left, KILLS_PER_LEDGER))
        n_acknowledged += counts["acknowledged"]
        n_pieces += counts["pieces"]
        n_lapsed += counts["lapsed"]
        left -= KILLS_PER_LEDGER
    bank.say(f"{KILLS} kills in {time.monotonic() - began:.0f} s")
    bank.ok(n_acknowledged > KILLS // 5 and n_pieces > 0 and n_lapsed > KILLS // 5, "the kills came while entries were being recorded")
    bank.ok(not faults.lost, f"after {KILLS} kills every answered entry is there with its number and bytes",
            *faults.lost)
    bank.ok(not faults.twice, "no entry is there twice", *faults.twice)
    bank.ok(not faults.events, f"each of {n_lapsed} holds lapsed once, before the first seal of its time or later",
            *faults.events)
    bank.ok(not faults.heads, "every head that was answered is a head of the log", *faults.heads)
    bank.ok(not faults.checks, "timebankd check agrees after each kill, and --full after each tenth", *faults.checks)
    bank.ok(not faults.starts, "the daemon starts again after each kill", *faults.starts)
    bank.ok(not faults.unknown, "an outcome left open is learnt at the next call", *faults.unknown)
    bank.ok(not faults.refused, "nothing is refused because of a kill", *faults.refused)
    bank.ok(not faults.totals, "the import that was cut makes the totals of one that was not", *faults.totals)
    bank.end()


sys.exit(main())
