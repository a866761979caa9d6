#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Ledgers that an older timebankd left (tests/golden): checked, adopted, brought to this version's layout by a
start, whatever fails or is killed on the way, and then served as if they had always been this version's."""
import glob
import json
import os
import shutil
import subprocess
import sys
import time

import bank
import store

GOLDEN = sorted(glob.glob(os.path.join(bank.TREE, "tests", "golden", "layout-*.tar.xz")))
STEPS = "step_records 7\n"
# What tests/golden/make-ledger entered.
BALANCES = {"m1": 45, "m2": -60, "m3": 120, "m4": 15, "food-bank": 930, "pool": 240, "chest": 30}
# And what only its later versions did.
MORE = {"layout-1": {"issued": -1320}}
MORE_OTHERWISE = {"issued": -3120, "m5": 120, "m6": 75, "m7": 60, "m8": 120, "mill": 1260, "baths": 60, "vouchers": 180,
                  "advances": -180, "transit": 105}


class OldBank(bank.Bank):
    """A golden ledger unpacked; its steward's key lies in it."""

    def __init__(self, archive, config=STEPS):  # pylint: disable=super-init-not-called
        self.place = self.states = bank.scratch()
        self.archive = archive
        self.ledger = os.path.join(self.place, "ledger")
        self.key = os.path.join(self.place, "steward.key")
        self.log = os.path.join(self.place, "log")
        self.socket = os.path.join(self.ledger, "socket")
        self.process = None
        self.unpack(config)

    def unpack(self, config=STEPS):
        shutil.rmtree(self.ledger, ignore_errors=True)
        subprocess.run(["tar", "-C", self.place, "-xJf", self.archive], check=True)
        shutil.copy(os.path.join(self.ledger, "steward.key"), self.key)
        os.chmod(self.key, 0o600)
        self.configure(config)

    def adopt(self):
        return bank.run(bank.TIMEBANKD, "adopt", self.ledger)

    def start_now(self, **more):
        """Whenever it was made, and whatever this machine's clock says."""
        return self.start("--accept-time", **more)

    def runs(self):
        """The log's bytes, which no start may change."""
        return store.open_store(os.path.join(self.ledger, "ledger", "data.mdb")).content("log")


def test_check(old, name):
    for full in (False, True):
        status, told = bank.check(old.ledger, full)
        bank.ok(status == 0 and "older layout" in told, f"{name}: check{' --full' if full else ''} finds it sound, and old",
                told)
    status, told = old.adopt()
    bank.ok(status == 0, f"{name}: it is adopted", told)


def test_served(old, name):
    """Everything that was in it is there, and it goes on."""
    log = old.runs()
    bank.ok(old.start_now(), f"{name}: it is served", old.told().decode())
    expected = BALANCES | MORE.get(name, MORE_OTHERWISE)
    told = {code: old.must("balance", code)["minutes"] for code in expected}
    bank.ok(told == expected, f"{name}: every balance is what it was", told)
    lines = old.must("statement", "m1")["lines"]
    bank.ok(len(lines) == 8 and lines[-1]["balance_minutes"] == BALANCES["m1"],
            f"{name}: a statement has every line, and ends in the balance", lines)
    _, printed = bank.run(bank.TIMEBANK, "--json", "policy", "list", env=old.environment())
    policies = {p["name"]: p["value"] for p in map(json.loads, printed.splitlines())}
    bank.ok(policies.get("gift") == "at-once" and policies.get("ceiling-member") == "6000",
            f"{name}: policies that its genesis lacks have their defaults", policies)
    bank.ok(old.stop() == 0 and old.runs() == log, f"{name}: no record of it was touched")
    old.start_now()
    status, _, words = old.client("exchange", "--giver", "m1", "--receiver", "m2", "--time", "1", "--activity",
                                  "gardening")
    bank.ok(status == 0, f"{name}: it takes new entries", words)
    entry = lines[0]["entry"]
    status, _, words = old.client("entry", "show", str(entry))
    bank.ok(status == 0, f"{name}: and shows old ones", words)
    status, _, words = old.client("report", "--from", "2025-01-01", "--to", "2025-12-31")
    bank.ok(status == 0, f"{name}: and reports on them", words)
    bank.ok(old.stop() == 0, f"{name}: it stops")
    status, words = bank.check(old.ledger, full=True)
    bank.ok(status == 0 and "older layout" not in words, f"{name}: check --full agrees with every table", words)


def build_shim(place):
    path = os.path.join(place, "fail-nth.so")
    source = os.path.join(bank.TREE, "tests", "faults", "fail-nth.c")
    done = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"], capture_output=True, text=True,
                          check=False)
    return path if done.returncode == 0 else None


def put_back(old):
    """The adopted ledger again, in the same file: its inode stays."""
    for name in ("ledger/data.mdb", "head"):
        with open(os.path.join(old.place, "sound", name), "rb") as f, open(os.path.join(old.ledger, name), "r+b") as to:
            to.write(f.read())
            to.truncate()
    shutil.rmtree(os.path.join(old.place, "state"), ignore_errors=True)


def failing_start(old, shim, n):
    """The start with its n-th write or sync failing: True where that call was made."""
    put_back(old)
    told = os.path.join(old.place, "told")
    if os.path.exists(told):
        os.remove(told)
    started = old.start_now(env={**os.environ, "LD_PRELOAD": shim, "FAIL_AT": str(n), "FAIL_ON": "once",
                                 "FAIL_WHEN": old.ledger, "FAIL_TOLD": told})
    if started:
        old.kill()
        return False
    old.process.wait()
    return True


def goes_on(old, log):
    """None, or what is wrong after a start that was cut."""
    status, words = bank.check(old.ledger, full=True)
    if status != 0:
        return f"check before the next start: {words}"
    if not old.start_now():
        return f"the next start: {old.told().decode()}"
    if old.runs() != log:
        return "its records have changed"
    told = {code: old.must("balance", code)["minutes"] for code in ("m1", "m2", "m3", "pool")}
    if any(BALANCES[code] != minutes for code, minutes in told.items()):
        return f"balances: {told}"
    if old.stop() != 0:
        return f"the stop: {old.told().decode()}"
    status, words = bank.check(old.ledger, full=True)
    return None if status == 0 and "older layout" not in words else f"check after it: {words}"


def test_cut(old, name):
    """Each write and sync of the start that builds the tables fails, or it is killed somewhere in it."""
    shim = build_shim(bank.scratch())
    if not shim:
        bank.skip(f"{name}: a start cut at any write", "no compiler")
        return
    log = old.runs()
    shutil.copytree(old.ledger, os.path.join(old.place, "sound"))
    faults, n = [], 1
    while failing_start(old, shim, n):
        wrong = goes_on(old, log)
        faults += [f"write {n}: {wrong}"] if wrong else []
        n += 1
    bank.ok(n > 10 and not faults, f"{name}: a start cut at any of its {n - 1} writes is gone on with by the next", *faults)
    faults = []
    for i in range(12):
        put_back(old)
        old.launch("--accept-time")
        time.sleep(0.002 * i)
        old.kill()
        wrong = goes_on(old, log)
        faults += [f"killed after {2 * i} ms: {wrong}"] if wrong else []
    bank.ok(not faults, f"{name}: so is one that is killed", *faults)


def main():
    bank.begin()
    bank.ok(GOLDEN, "there are golden ledgers")
    for archive in GOLDEN:
        name = os.path.basename(archive).removesuffix(".tar.xz")
        old = OldBank(archive)
        test_check(old, name)
        test_served(old, name)
        old.unpack()
        old.adopt()
        test_cut(old, name)
    bank.end()


sys.exit(main())
