#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The daemon is killed at each call that changes a disk while the ledger's key is changed: the next start goes on,
one key of the ledger is never lost, and who knows the first one still follows. So at the start after a kill, too."""
import os
import re
import subprocess
import sys

import bank

ROTATIONS = 15  # of one ledger; 20 are allowed


def build_shim(place):
    path = os.path.join(place, "die-nth.so")
    source = os.path.join(bank.TREE, "tests", "faults", "die-nth.c")
    done = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"], capture_output=True, text=True,
                          check=False)
    return path if done.returncode == 0 else None


class Rotating(bank.Bank):
    """A ledger whose first verifier key is known."""

    def __init__(self):
        super().__init__()
        self.must_start()
        self.first = self.must("status")["verifier_key"]
        self.must("account", "open", "m1", "--kind", "member")
        self.stop()
        self.mark = os.path.join(self.place, "mark")

    def launch_dying(self, shim, n, starts_counting):
        if os.path.exists(self.mark):
            os.remove(self.mark)
        if starts_counting:
            open(self.mark, "w").close()
        return self.start(env={**os.environ, "LD_PRELOAD": shim, "DIE_AT": str(n), "DIE_WHEN": self.mark})

    def rotate(self):
        return subprocess.Popen([bank.TIMEBANK, "--json", "ledger", "rotate", "--overlap", "0", "why"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env=self.environment())

    def fault(self):
        """None, or what is wrong with the ledger that nobody serves now."""
        status, told = bank.check(self.ledger, full=True)
        if status != 0:
            return f"check: {told}"
        if not self.start():
            return f"the next start: {self.told().decode()}"
        return None

    def followed(self):
        """None, or what is wrong for who knows the first key, and with the files."""
        done, told = bank.run(bank.TIMEBANK, "balance", "m1", env={**self.environment(state="new"),
                                                                   "TIMEBANK_LEDGER": self.first})
        if done != 0:
            return f"who knows the first key: {told}"
        left = sorted(name for name in os.listdir(self.ledger) if re.match(r"ledger\.key", name))
        if "ledger.key" not in left or "ledger.key.old" in left:
            return f"files: {left}"
        return None


def killed_at(old, shim, n):
    """(whether that call was made, what is wrong or None)."""
    if not old.launch_dying(shim, n, False):
        return True, f"a start without a fault: {old.told().decode()}"
    open(old.mark, "w").close()
    asking = old.rotate()
    while asking.poll() is None and old.process.poll() is None:
        try:
            old.process.wait(0.005)
        except subprocess.TimeoutExpired:
            pass
    is_dead = old.process.poll() is not None
    if not is_dead:
        asking.wait()
        old.stop()
        is_dead = old.process.returncode == -9  # at one of the calls of the stop
    wrong = old.fault()
    told = asking.communicate()[0] or b""
    if not wrong and asking.returncode not in (0, 1, 2, 3):
        wrong = f"the client: {asking.returncode} {told}"
    wrong = wrong or old.followed()
    old.stop()
    return is_dead, wrong


def test_change(shim):
    faults, n, old = [], 1, None
    while True:
        if (n - 1) % ROTATIONS == 0:
            old = Rotating()
        was_made, wrong = killed_at(old, shim, n)
        faults += [f"call {n}: {wrong}"] if wrong else []
        if not was_made or len(faults) > 3:
            break
        n += 1
    bank.ok(n > 20 and not faults, f"a change of key killed at any of {n - 1} calls is gone on with", *faults)


def test_start(shim):
    """The order is recorded, its files have not followed: the start that lets them is killed itself."""
    faults, n = [], 1
    while not faults:
        old = Rotating()
        old.must_start()
        old.must("ledger", "rotate", "--overlap", "0", "why")
        old.must("ledger", "rotate", "--overlap", "10", "why")
        old.kill()
        key, old_key, next_key = (os.path.join(old.ledger, "ledger.key" + end) for end in ("", ".old", ".next"))
        os.rename(key, next_key)
        os.rename(old_key, key)
        served = old.launch_dying(shim, n, True)
        old.kill()
        wrong = old.fault()
        if not wrong:
            left = sorted(name for name in os.listdir(old.ledger) if name.startswith("ledger.key"))
            wrong = None if left == ["ledger.key", "ledger.key.old"] else f"files: {left}"
            old.stop()
        faults += [f"call {n}: {wrong}"] if wrong else []
        if served:
            break
        n += 1
    bank.ok(n > 3 and not faults, f"a start killed at any of the {n - 1} calls that let the files follow", *faults)


def main():
    bank.begin()
    shim = build_shim(bank.scratch())
    if shim:
        test_change(shim)
        test_start(shim)
    else:
        bank.skip("a change of key that is killed", "no compiler")
    bank.end()


sys.exit(main())
