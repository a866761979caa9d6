#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The power fails while a slot of the head file is being written: its first sector is new, the rest
is not. The daemon starts from the other slot, and everything that was answered is there. So it is
where the head file lags behind by orders that name one another."""
import os
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), room) for room in ("cli", "check")]

import tap
from served_bank import TIMEBANK, ServedBank

SLOT_BYTES, SECTOR_BYTES = 4096, 512


def tear_newest_slot(path):
    with open(path, "r+b") as head:
        both = head.read()
        sequences = [struct.unpack(">Q", both[at:at + 8])[0] for at in (0, SLOT_BYTES)]
        head.seek(sequences.index(max(sequences)) * SLOT_BYTES + SECTOR_BYTES)
        head.write(bytes(SLOT_BYTES - SECTOR_BYTES))


def main():
    bank = ServedBank()
    try:
        bank.start()
        command = [TIMEBANK, "--bank", "unix:" + bank.path, "--key", bank.key_path]
        home = dict(os.environ, HOME=bank.place, XDG_STATE_HOME=bank.place)

        def run(*arguments):
            return subprocess.run([*command, *arguments], env=home, capture_output=True, text=True)

        opened = run("account", "open", "m0001", "--kind", "member")
        tap.ok(opened.returncode == 0, "an account is opened", opened.stdout + opened.stderr)
        bank.daemon.kill()
        bank.daemon.wait()
        os.unlink(bank.path)
        tear_newest_slot(bank.directory + "/head")
        bank.start()
        listed = run("account", "list")
        tap.ok("m0001" in listed.stdout, "it is there after the start", listed.stdout + listed.stderr, bank.said())

        with open(bank.directory + "/head", "rb") as head:
            before = head.read()
        said = run("account", "open", "m0002", "--kind", "member").stdout
        said += run("gift", "--from", "m0001", "--to", "m0002", "--time", "1h").stdout
        entry = re.findall(r"entry (\d+)", said)[-1:]
        reversed_it = run("reverse", *entry, "a slip")
        tap.ok(reversed_it.returncode == 0, "a gift is taken back", said, reversed_it.stdout + reversed_it.stderr)
        bank.daemon.kill()
        bank.daemon.wait()
        os.unlink(bank.path)
        with open(bank.directory + "/head", "r+b") as head:
            head.write(before)
        try:
            bank.start()
            tap.ok("m0002" in run("account", "list").stdout, "a head that lags behind is caught up with")
        except RuntimeError as no:
            tap.ok(False, "a head that lags behind is caught up with", str(no))
        status = bank.stop()
        tap.ok(status == 0 and bank.check() is None, "and the ledger is sound", f"status {status}", bank.said())
    finally:
        bank.end()
    tap.end()
    return 1 if tap.n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
