# SPDX-License-Identifier: Apache-2.0
"""How each goal is measured. A function gives, for each goal that it is about, a dictionary: the figure, the raw limit
and the peer's figure of the same run (None where there is none), and what stands beside it."""
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from bank import Bank

DATA = "tests/data/two-years"
IN_FLIGHT_SMALL = 16
MIB = 1024 * 1024
BANK_BYTES, ACCOUNT_BYTES = 64 * MIB, 160
CHECKS_S = 120  # check --full is not begun again after so long
DAYS_OF_GROWTH = 3650  # dates of service of what comes on top: no day of a member gets full
# Asks again one second after it asked before, until it is ended.
ASK_EACH_SECOND = """
import subprocess, sys, time
while True:
    began = time.monotonic()
    subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(max(0, began + 1 - time.monotonic()))
"""


def cores():
    return len(os.sched_getaffinity(0))


def tell(text):
    print(text, file=sys.stderr, flush=True)


def line(told, limit=None, peer=None, **beside):
    """A run of `load` as a line of a goal."""
    kept = ("batch", "processes", "clients", "in_flight", "warnings", "bytes_per_order", "daemon_cores", "clients_cores",
            "daemon_us_per_order", "clients_us_per_order", "p50_ms", "p99_ms")
    return dict({key: told[key] for key in kept}, figure=told["orders_per_s"], limit=limit, peer=peer, **beside,
                load=os.getloadavg()[0])


def full_batches(bench, bank, *more):
    options = bench.options
    return bank.load("run", "--batch", options.batch, "--processes", options.processes, "--in-flight", options.in_flight,
                     "--seconds", options.seconds, *more)


def p1(bench, bank):
    options, seconds = bench.options, bench.options.seconds
    before = bank.bytes_used()
    full = full_batches(bench, bank)
    disk = (bank.bytes_used() - before) / full["orders"]
    small = bank.load("run", "--batch", min(1000, options.batch), "--processes", options.processes,
                      "--in-flight", IN_FLIGHT_SMALL, "--seconds", seconds)
    peer = bench.postgres.batched_per_second(seconds) if bench.postgres else {}
    best = max(peer.values(), default=None)
    return {"P1": line(full, lambda limits: limits["append_8000"], best, disk_bytes_per_order=disk),
            "P1 small": line(small, lambda limits: limits["append_1000"], best)}


def p2(bench, bank):
    options = bench.options
    peer = bench.postgres.orders_per_second(options.seconds) if bench.postgres else {}
    best, found = max(peer.values(), default=None), {}

    def raw(limits):
        """What all cores can sign and verify, each order once."""
        return cores() / (1 / limits["sign"] + 1 / limits["verify"])

    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        for name, state in (("P2", bank.place + "/many"), ("P2 in memory", memory)):
            told = bank.load("run", "--batch", 1, "--clients", options.clients, "--in-flight", 16,
                             "--seconds", options.seconds, state=state)
            found[name] = line(told, raw, best, peer_16=peer.get(16), peer_64=peer.get(64))
    return found


def raw_order_ms(limits):
    return 1e3 / limits["append_1"] + limits["sync_4k_us"] / 1e3 + 2e3 / limits["sign"] + 3e3 / limits["verify"]


def p3(bench, bank):
    options, found = bench.options, {}
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        for name, state in (("P3", None), ("P3 in memory", memory)):
            told = bank.load("run", "--batch", 1, "--seconds", options.seconds, state=state)
            found[name] = dict(line(told, raw_order_ms), figure=told["p50_ms"])
    beside = bank.load_beside("run", "--batch", options.batch, "--processes", options.processes,
                              "--in-flight", options.in_flight, "--seconds", options.seconds)
    told = bank.load("run", "--batch", 1, "--seconds", options.seconds)
    beside.communicate()
    found["P3 loaded"] = dict(line(told, raw_order_ms), figure=told["p99_ms"])
    return found


def p4(bench, bank):
    options, found = bench.options, {}
    for name, in_flight, limit in (("P4", 16, "socket_16"), ("P4 single", 1, "socket_1")):
        told = bank.load("read", "--clients", min(50, options.clients), "--in-flight", in_flight, "--seconds", options.seconds)
        peer = bench.redis.gets_per_second(in_flight, options.seconds) if bench.redis else None
        found[name] = line(told, lambda limits, limit=limit: limits[limit], peer)
    return found


def p9(bench):
    n = bench.options.idle
    with Bank(bench, "idle", settings=f"connections {n + 10}\nconnections_per_key {n + 10}\n") as bank:
        return {"P9": {"figure": bank.idle_bytes(n) / 1024, "limit": None, "peer": None, "connections": n,
                       "load": os.getloadavg()[0]}}


def p10(bench):
    data = os.path.join(bench.tree, DATA)
    with Bank(bench, "import") as bank:
        began = time.monotonic()
        bank.run("clients/timebank", "import", "--history", data + "/accounts.csv", data + "/entries.csv")
        seconds = time.monotonic() - began
    with open(data + "/accounts.csv") as accounts, open(data + "/entries.csv") as entries:
        n_rows = sum(1 for _ in accounts) + sum(1 for _ in entries) - 2
    return {"P10": {"figure": seconds, "peer": None, "rows": n_rows,
                    "limit": lambda limits: n_rows / limits["append_8000"] + 2 / limits["append_1"],
                    "load": os.getloadavg()[0]}}


# ------------------------------------------------------------- of a ledger that has grown


def fill(bench, bank, n):
    """So many exchanges over --years, in full batches; how many they came to be."""
    options = bench.options
    batches = -(-n // (options.batch * options.processes))
    orders = batches * options.processes * options.batch
    return bank.load("run", "--batch", options.batch, "--processes", options.processes, "--in-flight", options.in_flight,
                     "--batches", batches, "--years", options.years, "--orders", orders)["orders"]


def p5(bench, bank, entries):
    """As a client gets it: the median of years that nobody asked for before, and of one year asked for again and again."""
    told = bank.load("report", "--runs", max(2, bench.options.runs))
    peer = None
    if bench.postgres:
        tell("filling PostgreSQL with the same entries")
        bench.postgres.fill(bench.options.entries, bench.options.accounts, bench.options.years)
        peer = bench.postgres.report_ms(bench.options.runs)
    both = {"limit": None, "peer": peer, "entries": entries, "load": os.getloadavg()[0]}
    return {"P5": {**both, "figure": told["other_year_ms"], "daemon_cpu_ms": told["other_year_daemon_cpu_ms"],
                   "first_ms": told["first_ms"], "facts_bytes_per_entry": bank.facts_bytes() / entries,
                   "memory_bytes_per_entry": bank.memory_bytes() / entries},
            "P5 again": {**both, "figure": told["p50_ms"], "daemon_cpu_ms": told["daemon_cpu_ms"], "max_ms": told["max_ms"]}}


def p5_beside(bench, bank):
    """The same writes alone and beside reports."""
    alone = full_batches(bench, bank, "--days", DAYS_OF_GROWTH)
    asker = subprocess.Popen([sys.executable, "-c", ASK_EACH_SECOND, bench.program("tests/bench/load"),
                              *bank.load_command("report", bank.place + "/asker", "--runs", 1)],
                             env=bank.environment, stdout=subprocess.DEVNULL, start_new_session=True)
    told = full_batches(bench, bank, "--days", DAYS_OF_GROWTH)
    os.killpg(asker.pid, signal.SIGTERM)
    asker.wait()
    return {"P5 beside": line(told, alone["orders_per_s"])}


def p6(bench, bank):
    """Started again by its keeper, and after it was killed in the middle of P1."""
    found = {}
    for name, kill in (("P6", False), ("P6 killed", True)):
        beside = None
        if kill:
            beside = bank.load_beside("run", "--batch", bench.options.batch, "--days", DAYS_OF_GROWTH,
                                      start_new_session=True)
            time.sleep(min(1, bench.options.seconds))
        bank.stop(kill)
        if beside:
            os.killpg(beside.pid, signal.SIGKILL)
            beside.communicate()
        seconds, told = bank.start()
        found[name] = {"figure": seconds, "limit": None, "peer": None, "entries": told["entries"],
                       "records": told["size"], "load": os.getloadavg()[0]}
    return found


def p7(bench, bank):
    """P1 on an empty ledger and on top of the entries by turns, as much earlier as later: a disk slows down the longer
    it is written to. Before each a raw append, which tells whether it was the same disk."""
    found = {}
    with Bank(bench, "empty") as empty:
        empty.load("prepare")
        for each in (empty, bank):
            each.load("run", "--batch", bench.options.batch, "--batches", 2, "--days", DAYS_OF_GROWTH)
        for each in (empty, bank, bank, empty):
            append = bench.limits()["append_8000"]
            found.setdefault(each, []).append(dict(full_batches(bench, each, "--days", DAYS_OF_GROWTH), append=append))
    alone, grown = ({key: statistics.mean(run[key] for run in runs) for key in runs[0]} for runs in found.values())
    bound = BANK_BYTES + ACCOUNT_BYTES * bench.options.accounts
    return {"P7": line(grown, alone["orders_per_s"], append=grown["append"], append_empty=alone["append"]),
            "P7 memory": {"figure": bank.memory_bytes() / MIB, "limit": bound / MIB, "peer": None,
                          "accounts": bench.options.accounts, "load": os.getloadavg()[0]}}


def p8(bench, bank):
    _, told = bank.start() if not bank.daemon else (0, bank.load("wait"))
    bank.stop()
    limits = bench.limits()
    began = time.monotonic()
    bank.run("daemon/timebankd", "check", bank.ledger, "--full")
    seconds = time.monotonic() - began
    # A leaf and a node each, on all cores.
    return {"P8": {"figure": told["size"] / seconds, "limit": cores() * limits["node_many"] / 2, "peer": None,
                   "records": told["size"], "seconds": seconds, "load": os.getloadavg()[0]}}


def of_years(bench, only):
    """All that is asked of one ledger, filled once: lists of runs by goal."""
    options, runs = bench.options, {}

    def keep(found):
        for name, run in found.items():
            runs.setdefault(name, []).append(run)

    with Bank(bench, "years") as bank:
        tell(f"filling a ledger with {options.entries:,} entries over {options.years} years")
        bank.load("prepare")
        before = bank.bytes_used()
        entries = fill(bench, bank, options.entries)
        if "P5" in only or "P7" in only:
            keep(p5(bench, bank, entries))
            used = bank.bytes_used() - before
            keep({"P7 disk": {"figure": used / entries, "limit": None, "peer": None, "entries": entries,
                              "facts_bytes_per_entry": bank.facts_bytes() / entries, "load": os.getloadavg()[0]}})
        for _ in range(options.runs):
            if "P5" in only and options.seconds > 0:
                keep(p5_beside(bench, bank))
            if "P6" in only:
                keep(p6(bench, bank))
            if "P7" in only:
                bank.stop()
                bank.start()
                keep(p7(bench, bank))
        began = time.monotonic()
        while "P8" in only and len(runs.get("P8", [])) < options.runs and time.monotonic() - began < CHECKS_S:
            keep(p8(bench, bank))
    return {name: found for name, found in runs.items() if name.split()[0] in only}


# ------------------------------------------------------------- of a ledger that is new


def between_limits(bench, found, measure, *arguments):
    """A disk that others use is not the same for long: the limits are the mean of before and after."""
    before = bench.limits()
    once = measure(bench, *arguments)
    after = bench.limits()
    limits = {name: (before[name] + after[name]) / 2 for name in before}
    bench.all_limits.append(limits)
    for name, run in once.items():
        found[name] = dict(run, limit=run["limit"](limits) if run["limit"] else None)


def of_new(bench, only):
    """One run of what begins with a fresh ledger: a line for each goal."""
    found, options = {}, bench.options
    if only & {"P1", "P2", "P3", "P4"}:
        with Bank(bench, "load") as bank:
            bank.load("prepare")
            bank.load("run", "--batch", options.batch, "--batches", 2)
            for name, measure in (("P3", p3), ("P1", p1), ("P2", p2), ("P4", p4)):
                if name in only:
                    between_limits(bench, found, measure, bank)
    if "P9" in only:
        found.update(p9(bench))
    if "P10" in only:
        between_limits(bench, found, p10)
    return found
