#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""test-facts.py [--nightly]: the facts beside the log are an aid and never an authority. Killed while they are
written, with bits turned, cut, of another ledger, on a disk that takes nothing: a report says the same, and what
is wrong with them is found by check --full and mended by the next report."""
import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import bank

YEAR = ("--from", "2024-04-01", "--to", "2025-03-31")
N_KILLS = 40 if bank.NIGHTLY else 8
N_FLIPS = 400 if bank.NIGHTLY else 12


def facts_of(served, name=""):
    return os.path.join(served.ledger, "facts", name)


def report(served, *more):
    """The figures, or what was said instead."""
    status, told = bank.run(bank.TIMEBANK, "report", *YEAR, "--format", "json", *more, env=served.environment())
    if status != 0:
        return told
    figures = json.loads(told)
    return json.dumps([figures[key] for key in ("measures", "further_measures", "register_measures", "register")],
                      sort_keys=True)


def said_of_facts(served):
    return [line for line in served.told().decode(errors="replace").splitlines() if "/facts" in line]


def make_bank():
    served = bank.Bank("step_records 200\n").must_start()
    served.must("import", "--history", os.path.join(bank.TWO_YEARS, "accounts.csv"),
                os.path.join(bank.TWO_YEARS, "entries.csv"))
    return served


def unasked(served):
    """Before anybody asks for a report, the facts are made in the background, and again where they are gone."""
    sizes = []
    for _ in range(2):
        deadline = time.monotonic() + 60
        while not os.path.exists(facts_of(served, "head")) and time.monotonic() < deadline:
            time.sleep(0.05)
        sizes.append(os.path.exists(facts_of(served, "head")) and os.path.getsize(facts_of(served, "blocks")))
        served.kill()
        shutil.rmtree(facts_of(served), ignore_errors=True)
        served.must_start()
    bank.ok(all(sizes) and not said_of_facts(served), "facts far behind are made before anybody asks", str(sizes))


def goes_on(served, expected):
    bank.ok(os.path.getsize(facts_of(served, "head")) > 0, "the facts are written behind in steps")
    served.stop()
    status, told = bank.check(served.ledger, full=True)
    bank.ok(status == 0, "check --full makes the same facts of the log", told)
    served.must_start()
    bank.ok(report(served) == expected, "after a start the report is the same")
    bank.ok(not said_of_facts(served), "and nothing is said about the facts", *said_of_facts(served))


def at_once(served, expected):
    """Several reports, at a position and at the head, while entries come in."""
    at = str(served.must("status")["size"])
    fixed = report(served, "--at", at)
    with ThreadPoolExecutor(8) as pool:
        reports = []
        for i in range(6):
            reports += [pool.submit(report, served, *(["--at", at] if k % 2 else [])) for k in range(4)]
            served.must("exchange", "--giver", "m0007", "--receiver", "m0012", "--time", f"{15 * (i + 1)}m",
                        "--on", "2025-04-02", "--activity", "gardening")
        told = {r.result() for r in reports}
    bank.ok(fixed == expected and told == {expected}, "reports made at once while entries come in are one",
            *[t[:200] for t in told])


def killed(served, expected):
    """While the first report writes them, a little later each time."""
    wrong = []
    for i in range(N_KILLS):
        served.kill()
        if i % 2 == 0:
            shutil.rmtree(facts_of(served), ignore_errors=True)
        served.must_start()
        client = subprocess.Popen([bank.TIMEBANK, "report", *YEAR], env=served.environment(),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.004 * (i + 1))
        served.kill()
        client.wait()
        served.must_start()
        if report(served) != expected:
            wrong.append(f"kill {i}")
        served.kill()
        status, told = bank.check(served.ledger, full=True)
        if status != 0:
            wrong.append(f"kill {i}: {told}")
        served.must_start()
    bank.ok(not wrong, f"killed {N_KILLS} times while they are written, they are whole or made anew", *wrong)


def flip(path, bit):
    with open(path, "r+b") as f:
        f.seek(bit // 8)
        byte = f.read(1)[0]
        f.seek(bit // 8)
        f.write(bytes([byte ^ 1 << bit % 8]))


def flipped(served, expected):
    report(served)
    served.stop()
    kept = bank.scratch() + "/facts"
    shutil.copytree(facts_of(served), kept)
    wrong, n_named = [], 0
    for i in range(N_FLIPS):
        name = ("head", "blocks")[i % 2]
        shutil.rmtree(facts_of(served))
        shutil.copytree(kept, facts_of(served))
        bit = bank.chance.randrange(8 * os.path.getsize(facts_of(served, name)))
        flip(facts_of(served, name), bit)
        status, told = bank.check(served.ledger, full=True)
        n_named += status == 1 and "sound" in told and "\nfacts: " in "\n" + told
        if status != 1:
            wrong.append(f"{name}, bit {bit}: check --full says {told}")
        if i % 3 == 0:
            served.must_start()
            if report(served) != expected:
                wrong.append(f"{name}, bit {bit}: another report")
            if served.stop() != 0 or bank.check(served.ledger, full=True)[0] != 0:
                wrong.append(f"{name}, bit {bit}: not mended")
    bank.ok(not wrong, f"of {N_FLIPS} turned bits each is named, and no report is another ({n_named} named)", *wrong)


def of_another_log(served, expected):
    other = make_bank()
    report(other)
    other.stop()
    shutil.rmtree(facts_of(served))
    shutil.copytree(facts_of(other), facts_of(served))
    status, told = bank.check(served.ledger, full=True)
    bank.ok(status == 1 and "of another log" in told, "check --full says of facts that they are another ledger's", told)
    served.must_start()
    bank.ok(report(served) == expected, "they are not believed")
    bank.ok(len(said_of_facts(served)) == 1, "which is said once", *said_of_facts(served))
    served.stop()


def cut_while_read(served, expected):
    """Memory that is mapped from a file that somebody cut short must not be touched."""
    served.must_start()
    report(served)
    for part in (0, 2):
        size = os.path.getsize(facts_of(served, "blocks"))
        os.truncate(facts_of(served, "blocks"), size // 3 * part)
        if report(served) != expected:
            break
    bank.ok(report(served) == expected and served.process.poll() is None,
            "cut short under a daemon that reads them, they are made anew", *said_of_facts(served))
    bank.ok(served.stop() == 0 and bank.check(served.ledger, full=True)[0] == 0, "and are whole again")


def on_no_disk(served, expected):
    """A file in the place of the directory: nothing can be written there, whoever runs this."""
    shutil.rmtree(facts_of(served))
    with open(facts_of(served)[:-1], "w", encoding="ascii"):
        pass
    served.must_start()
    bank.ok(report(served) == expected and report(served) == expected, "where they cannot be kept, reports are the same")
    bank.ok(len(said_of_facts(served)) == 1, "which is said once", *said_of_facts(served))
    bank.ok(served.stop() == 0, "and it stops in peace")
    os.unlink(facts_of(served)[:-1])


def main():
    bank.begin()
    served = make_bank()
    unasked(served)
    expected = report(served)
    bank.ok(expected.startswith("["), "there is a report", expected)
    goes_on(served, expected)
    at_once(served, expected)
    killed(served, expected)
    flipped(served, expected)
    of_another_log(served, expected)
    cut_while_read(served, expected)
    on_no_disk(served, expected)
    bank.end()


if __name__ == "__main__":
    main()
