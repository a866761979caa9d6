#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""test-disk.py [--nightly]: a disk that is full, or does not take a write, loses nothing.

Full map, RLIMIT_FSIZE, a small tmpfs: refused in words before it is full, reads go on, space given back
writes again. And each write and sync of a few commits is made to fail in turn: the daemon stops with a
sentence, and a restart has all that was answered."""
import csv
import os
import shutil
import subprocess
import sys
import time

import bank
import store

N_ROWS = (1500, 50)
MIB = 1 << 20


def make_rows(served, n_file, n_rows):
    """A file of new rows between two accounts; its path."""
    path = os.path.join(served.place, "rows.csv")
    with open(path, "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow("ref,kind,service_date,entered_date,giver,receiver,from,to,minutes,activity".split(","))
        for i in range(n_rows):
            day = f"2025-{1 + i % 12:02}-{1 + i // 12 % 28:02}"
            out.writerow([f"{n_file}/{n_rows}/{i}", "exchange", day, day, "m0001", "m0002", "", "", 1 + i // 336,
                          "gardening"])
    return path


def begin_bank(config, place=None, **more):
    served = bank.Bank(config, ("floor-member=none", "quantum=1", "day-refuse=100000"), place).must_start(**more)
    for code in ("m0001", "m0002"):
        served.must("account", "open", code, "--kind", "member")
    served.must("activity", "add", "gardening")
    return served


def fill(served, n_rows, n_most=200):
    """(files recorded, the refusal's answer) once the ledger is full; the answer is None if it never was."""
    for n in range(n_most):
        status, answer, told = served.client("import", "--history", make_rows(served, n, n_rows), timeout=120)
        if status != 0:
            return n, answer, told
    return n_most, None, ""


def exchange(served, minutes, *more):
    return served.client("exchange", "--giver", "m0001", "--receiver", "m0002", "--time", f"{minutes}m", "--on",
                         "2025-01-01", "--activity", "gardening", "--again", *more)


def is_refused_in_words(status, answer):
    return status == 1 and answer.get("refused") == "LEDGER_FULL" and len(answer.get("message", "")) > 20


def is_full(served):
    return served.client("status")[1].get("read_only")


def expect_full(served, what):
    """Fills it, with less and less; the number of entries that went in."""
    n_entries = 0
    for n_rows in N_ROWS:
        n, answer, told = fill(served, n_rows)
        n_entries += n * n_rows
        bank.ok(answer is not None and is_refused_in_words(1, answer),
                f"{what}: after {n} files of {n_rows} rows the next is refused in words", told)
    for i in range(1000):
        status, answer, told = exchange(served, 1 + i)
        if status == 0:
            n_entries += 1
        elif is_full(served):
            break
        else:
            time.sleep(0.1)  # what a step of the tables may take is kept free until it is done
    bank.ok(is_refused_in_words(status, answer), f"{what}: after {i} single exchanges the next is refused", told)
    expect_reads(served, what, n_entries)
    return n_entries


def expect_reads(served, what, n_entries, read_only=True):
    """read_only: what the status is to say; None: either."""
    status, balance, told = served.client("balance", "m0001")
    bank.ok(status == 0 and "minutes" in balance, f"{what}: reading goes on", told)
    status, answer, told = served.client("status")
    bank.ok(status == 0 and answer.get("entries") == n_entries and read_only in (None, answer.get("read_only")),
            f"{what}: the status tells of {n_entries} entries{' and why nothing is written' * bool(read_only)}", told)


def expect_sound(served, what, n_entries):
    status, told = bank.check(served.ledger, full=True)
    bank.ok(status == 0 and f" {n_entries} entries" in told, f"{what}: check --full finds them all", told)


def expect_writes_again(served, what, n_entries):
    status, _, told = exchange(served, 999)
    bank.ok(status == 0, f"{what}: space given back, it writes again", told)
    if served.process.poll() is None:
        served.stop()
    expect_sound(served, what, n_entries + (status == 0))


def restart(served, what, config, **more):
    stopped = served.stop()
    served.configure(config)
    bank.ok(stopped == 0 and served.start(**more), f"{what}: it stops and starts", served.told().decode())


def test_map():
    what = "a full map"
    served = begin_bank("map_mib 16\nreserve_mib 2\n")
    n = expect_full(served, what)
    restart(served, what, "map_mib 16\nreserve_mib 2\n")
    expect_reads(served, what, n)
    restart(served, what, "map_mib 64\nreserve_mib 2\n")
    expect_writes_again(served, what, n)


def test_file_size():
    what = "RLIMIT_FSIZE"
    limit = ("prlimit", f"--fsize={6 * MIB}")
    served = begin_bank("reserve_mib 1\n", prefix=limit)
    n = expect_full(served, what)
    restart(served, what, "reserve_mib 1\n", prefix=limit)
    expect_reads(served, what, n)
    restart(served, what, "reserve_mib 1\n")
    expect_writes_again(served, what, n)


def test_register():
    """Notes fill a file of their own, which takes minutes."""
    what = "a full register of people"
    if not bank.NIGHTLY:
        bank.skip(what, "nightly")
        return
    served = begin_bank("people_map_mib 16\nreserve_mib 1\n")
    why = " ".join(f"word{i}" for i in range(120))
    n_entries = 0
    while n_entries < 40000:
        status, answer, told = exchange(served, 1 + n_entries, "--why", why)
        if status != 0:
            break
        n_entries += 1
    bank.ok(is_refused_in_words(status, answer) and n_entries > 0,
            f"{what}: after {n_entries} notes the next is refused in words", told)
    expect_reads(served, what, n_entries, None)
    restart(served, what, "people_map_mib 32\nreserve_mib 1\n")
    status, _, told = exchange(served, 1, "--why", why)
    bank.ok(status == 0, f"{what}: a larger one takes notes again", told)
    served.stop()
    expect_sound(served, what, n_entries + 1)


def test_small_disk(place):
    what = "a small disk"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={12 * MIB}", "tmpfs", place], check=True)
    filler = os.path.join(place, "filler")
    with open(filler, "wb") as f:
        f.write(bytes(4 * MIB))
    served = begin_bank("reserve_mib 1\n", place)
    n = expect_full(served, what)
    restart(served, what, "reserve_mib 1\n")
    expect_reads(served, what, n)
    os.remove(filler)
    expect_writes_again(served, what, n)
    subprocess.run(["umount", "-l", place], check=False)


def test_start_on_a_full_disk(place):
    """Started without any space left: it still reads, or says why not; nothing is lost."""
    what = "a disk without a free byte"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={8 * MIB}", "tmpfs", place], check=True)
    served = begin_bank("reserve_mib 1\n", place)
    served.must("exchange", "--giver", "m0001", "--receiver", "m0002", "--time", "1", "--activity", "gardening")
    served.kill()
    filler = os.path.join(place, "l", "filler")
    with open(filler, "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass
    with open(served.log, "rb+") as f:
        f.truncate()
    log = os.path.join(bank.scratch(), "log")
    served.log = log
    bank.ok(served.start(), f"{what}: it starts", served.told().decode())
    expect_reads(served, what, 1)
    status, answer, told = exchange(served, 5)
    bank.ok(is_refused_in_words(status, answer), f"{what}: writing is refused", told)
    os.remove(filler)
    expect_writes_again(served, what, 1)
    subprocess.run(["umount", "-l", place], check=False)


def build_shim(place):
    path = os.path.join(place, "fail-nth.so")
    source = os.path.join(bank.TREE, "tests", "faults", "fail-nth.c")
    done = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"], capture_output=True, text=True,
                          check=False)
    return path if done.returncode == 0 else None


class Failing:
    """One ledger after another, each with its n-th write or sync failing."""

    def __init__(self, shim):
        self.shim = shim
        self.model = begin_bank("reserve_mib 0\nstep_records 4\n")
        self.model.stop()
        self.faults = []

    def workload(self, served):
        """What was answered: {entry: minutes}; and whether each outcome was done or left open."""
        answered = {}
        for minutes in (11, 12, 13):
            status, answer, told = served.client("--deadline", "1", "exchange", "--giver", "m0001", "--receiver",
                                                 "m0002", "--time", f"{minutes}m", "--on", "2025-01-01", "--activity",
                                                 "gardening", "--again", "--why", "a test")
            if status == 0:
                answered[answer["entry"]] = minutes
            elif status == 1 and answer.get("refused") not in ("NO_BANK", "SHUTTING_DOWN"):
                self.faults.append(f"refused: {told}")
        return answered

    def orders(self, ledger):
        found = {}
        for key, value, _, _ in store.open_store(os.path.join(ledger, "ledger", "data.mdb")).rows("log"):
            first, _, records = store.run_parse(key, value)
            for i, record in enumerate(records):
                if record[0] == store.ORDER:
                    found[first + i] = store.order_fields(record).get(7)
        return found

    def run(self, n, mode):
        """True when the n-th call was made, and so failed."""
        place = self.model.place
        served = self.model
        backup = os.path.join(place, "sound")
        if not os.path.exists(backup):
            shutil.copytree(served.ledger, backup)
        for name in ("ledger/data.mdb", "people/data.mdb", "head"):
            with open(os.path.join(backup, name), "rb") as f, open(os.path.join(served.ledger, name), "r+b") as to:
                to.write(f.read())
                to.truncate()
        # The client saw a later head of the last round's ledger, and would rightly refuse the copy put back; so
        # would the check the facts of what was recorded then.
        shutil.rmtree(os.path.join(place, "state"), ignore_errors=True)
        shutil.rmtree(os.path.join(served.ledger, "facts"), ignore_errors=True)
        when, told = os.path.join(place, "when"), os.path.join(place, "told")
        for path in (when, told):
            if os.path.exists(path):
                os.remove(path)
        started = served.start(env={**os.environ, "LD_PRELOAD": self.shim, "FAIL_AT": str(n), "FAIL_ON": mode,
                                    "FAIL_WHEN": when, "FAIL_TOLD": told})
        name = f"call {n} fails {mode}"
        if not started:
            self.faults.append(f"{name}: {served.told()}")
            return True
        with open(when, "w"):
            pass
        answered = self.workload(served)
        stopped = served.stop()
        if not os.path.exists(told):
            self.faults.append(f"{name}: it died ({stopped}): {served.told()}")
            return True
        with open(told) as f:
            n_calls = int(f.read())
        self.judge(name, served, answered, stopped, n_calls >= n)
        return n_calls >= n

    def judge(self, name, served, answered, stopped, has_failed):
        words = served.told().decode()
        if stopped != (2 if has_failed else 0) or (has_failed and "timebankd check" not in words):
            self.faults.append(f"{name}: exit {stopped}: {words}")
        status, told = bank.check(served.ledger, full=True)
        if status != 0:
            self.faults.append(f"{name}: check: {told}")
        if not served.start():
            self.faults.append(f"{name}: does not start again: {served.told().decode()}")
            return
        status, _, told = served.client("balance", "m0001")
        if status != 0:
            self.faults.append(f"{name}: reading: {told}")
        if served.stop() != 0:
            self.faults.append(f"{name}: does not stop: {served.told().decode()}")
        found = self.orders(served.ledger)
        lost = {entry: minutes for entry, minutes in answered.items() if found.get(entry) != minutes}
        if lost:
            self.faults.append(f"{name}: answered and lost: {lost}")
        for minutes in (11, 12, 13):
            if list(found.values()).count(minutes) > 1:
                self.faults.append(f"{name}: {minutes} minutes are there twice")


def test_failing_calls():
    if "ASAN_OPTIONS" in os.environ:
        bank.skip("failing writes and syncs", "nothing is preloaded before AddressSanitizer")
        return
    shim = build_shim(bank.scratch())
    if not shim:
        bank.skip("failing writes and syncs", "no compiler for the library that fails")
        return
    for mode in ("once", "always"):
        failing = Failing(shim)
        n = 1
        while n < 500 and failing.run(n, mode):
            n += 1
        bank.ok(not failing.faults and 10 < n < 500,
                f"each of {n - 1} writes and syncs fails {mode}: it stops with exit 2 and a sentence, and nothing "
                "that was answered is lost", *failing.faults)


def main():
    if "--mounts" not in sys.argv:
        for private in (["unshare", "-m"], ["unshare", "-rm"]):
            if subprocess.run([*private, "true"], capture_output=True, check=False).returncode == 0:
                os.execvp(private[0], [*private, sys.executable, "-B", *sys.argv, "--mounts"])
    bank.begin()
    test_failing_calls()
    test_map()
    test_file_size()
    test_register()
    if "--mounts" in sys.argv:
        test_small_disk(bank.scratch())
        test_start_on_a_full_disk(bank.scratch())
    else:
        bank.skip("a small disk", "no mounts of one's own here")
    bank.end()


main()
