#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""How the daemon starts, refuses to start, and stops: each refusal says what to do, and leaves things alone."""
import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

import bank
import store

REFUSED = 1


def expect_refused(sentence, status, told, *words):
    missing = [word for word in words if word not in told]
    bank.ok(status == REFUSED and not missing, sentence, f"exit {status}, missing {missing}: {told}")


def run_daemon(*arguments):
    return bank.run(bank.TIMEBANKD, "run", *arguments, timeout=10)


def listing(directory):
    return sorted(os.path.relpath(os.path.join(d, f), directory) for d, _, fs in os.walk(directory) for f in fs)


def test_one_process(served):
    status, told = run_daemon(served.ledger)
    expect_refused("a second daemon is refused", status, told, "another timebankd serves", "stop")
    for full in (False, True):
        status, told = bank.check(served.ledger, full)
        expect_refused("check of a served ledger is refused, with what to do", status, told, "is being served", "stop")
    status, _, told = served.client("status")
    bank.ok(status == 0, "and the first goes on", told)


def test_socket_mode():
    for mask in (0, 0o077):
        served = bank.Bank()
        before = os.umask(mask)
        started = served.start()
        os.umask(before)
        mode = stat.S_IMODE(os.stat(served.socket).st_mode) if started else 0
        bank.ok(mode == 0o660, f"the socket's mode is 0660 under the umask {mask:03o}", f"{mode:o}")
        served.stop()


def test_stale_socket():
    served = bank.Bank().must_start()
    served.kill()
    bank.ok(os.path.exists(served.socket) and served.start() and served.client("status")[0] == 0,
            "a socket left behind by a kill is replaced", served.told().decode())
    bank.ok(served.stop() == 0 and not os.path.exists(served.socket), "a stop takes the socket away")
    with open(served.socket, "w") as f:
        f.write("precious")
    status, told = run_daemon(served.ledger)
    expect_refused("what is no socket is not replaced", status, told, "no socket is there")
    with open(served.socket) as f:
        bank.ok(f.read() == "precious", "and is left as it was")


def test_check_after_a_kill():
    """The tables are behind the log then: what check counts is right, or not told."""
    served = bank.Bank().must_start()
    for code in ("m0001", "m0002"):
        served.must("account", "open", code, "--kind", "member")
    served.kill()
    status, told = bank.check(served.ledger)
    bank.ok(status == 0 and ("accounts" not in told or " 10 accounts" in told), "check after a kill tells no wrong count",
            told)
    status, told = bank.check(served.ledger, full=True)
    bank.ok(status == 0 and " 10 accounts" in told, "and with --full the right one", told)


def test_socket_path():
    served = bank.Bank()
    place = bank.scratch()
    longest = os.path.join(place, "s" * (107 - len(place) - 1))
    bank.ok(served.start("--socket", longest) and os.path.exists(longest), "a socket's path of 107 bytes is taken",
            served.told().decode())
    served.socket = longest
    bank.ok(served.client("status")[0] == 0, "and a client gets through it")
    served.stop()
    status, told = run_daemon(served.ledger, "--socket", longest + "s")
    expect_refused("one of 108 bytes is refused, with what to do", status, told, "107 bytes", "--socket")
    status, told = run_daemon(served.ledger, "--socket", os.path.join(place, "nowhere", "s"))
    expect_refused("one in a directory that is not there is refused", status, told, "cannot listen")
    status, told = bank.check(served.ledger)
    bank.ok(status == 0, "and the ledger is as it was", told)


def test_key_file():
    served = bank.Bank()
    key = os.path.join(served.ledger, "ledger.key")
    for mode in (0o644, 0o640, 0o606):
        os.chmod(key, mode)
        status, told = run_daemon(served.ledger)
        bank.ok(status in (1, 2) and "ledger.key" in told and "not starting" in told,
                f"ledger.key with the mode {mode:o} is refused by name", f"exit {status}: {told}")
    os.chmod(key, 0o600)
    os.rename(key, key + ".kept")
    os.symlink(key + ".kept", key)
    status, told = run_daemon(served.ledger)
    bank.ok(status in (1, 2) and "ledger.key" in told, "ledger.key as a symbolic link is refused",
            f"exit {status}: {told}")
    os.unlink(key)
    status, told = run_daemon(served.ledger)
    bank.ok(status in (1, 2) and "ledger.key" in told, "no ledger.key at all is refused", f"exit {status}: {told}")
    os.rename(key + ".kept", key)
    bank.ok(served.start() and served.stop() == 0, "put right again, it is served", served.told().decode())


def test_init():
    served = bank.Bank()
    before = listing(served.ledger)
    init = (bank.TIMEBANKD, "init", served.ledger, "--name", "other.example/timebank", "--steward", served.key + ".pub")
    status, told = bank.run(*init)
    expect_refused("init into a ledger is refused", status, told, "empty")
    bank.ok(listing(served.ledger) == before and bank.check(served.ledger)[0] == 0, "and the ledger is as it was")
    place = bank.scratch()
    with open(os.path.join(place, "letter"), "w") as f:
        f.write("dear")
    status, told = bank.run(bank.TIMEBANKD, "init", place, *init[3:])
    expect_refused("init into a directory with a file in it is refused", status, told, "empty")
    bank.ok(os.listdir(place) == ["letter"], "and the directory is as it was", os.listdir(place))
    status, told = bank.run(bank.TIMEBANKD, "init", os.path.join(place, "letter"), *init[3:])
    bank.ok(status in (1, 2) and told, "init over a file is refused", f"exit {status}: {told}")
    empty = os.path.join(place, "empty")
    os.mkdir(empty)
    status, told = bank.run(bank.TIMEBANKD, "init", empty, *init[3:])
    bank.ok(status == 0 and bank.check(empty)[0] == 0, "init into an empty directory makes a ledger", told)
    modes = {name: stat.S_IMODE(os.stat(os.path.join(empty, name)).st_mode) for name in os.listdir(empty)}
    bank.ok(all(mode & 0o077 == 0 for mode in modes.values()), "that nobody else can read", modes)
    bank.ok(sorted(os.listdir(place)) == ["empty", "letter"], "and leaves nothing beside it", os.listdir(place))


def test_killed_init():
    """Killed at any moment, init has made a whole ledger or none, and can be said again."""
    faults = []
    place = bank.scratch()
    bank.Bank.make_key(os.path.join(place, "k"))
    n_made = 0
    for i in range(40):
        ledger = os.path.join(place, f"l{i}")
        words = ("init", ledger, "--name", "test.example/timebank", "--steward", os.path.join(place, "k.pub"))
        process = bank.daemon(*words)
        time.sleep(bank.chance.uniform(0, 0.08))
        process.kill()
        process.wait()
        is_made = os.path.isdir(ledger) and os.listdir(ledger) != []
        n_made += is_made
        status, told = (0, "") if is_made else bank.run(bank.TIMEBANKD, *words)
        if status != 0 or bank.check(ledger, full=True)[0] != 0:
            faults.append(f"{ledger}: made before {is_made}: {told} {bank.check(ledger)}")
    bank.ok(not faults, f"init killed 40 times (whole {n_made} times) can be said again", *faults)


def test_no_ledger():
    place = bank.scratch()
    for sentence, directory in (("a directory that is not there", os.path.join(place, "nowhere")),
                                ("an empty directory", place)):
        status, told = run_daemon(directory)
        expect_refused(f"run refuses {sentence}", status, told, "is no ledger", "timebankd init")
        status, told = bank.check(directory)
        expect_refused(f"check refuses {sentence}", status, told, "is no ledger")
    bank.ok(os.listdir(place) == [], "and nothing is made there", os.listdir(place))


def test_settings():
    served = bank.Bank()
    for line, words in (("reserve_mib", ("line 1",)), ("no_such 1", ("no_such", "line 1")),
                        ("map_mib 1", ("map_mib", "16")), ("map_mib 16 MiB", ("line 1",))):
        served.configure(line + "\n")
        status, told = run_daemon(served.ledger)
        expect_refused(f"the setting '{line}' is refused with its line", status, told, *words)
    served.configure("")
    status, told = run_daemon(served.ledger, "--config", "/nonexistent/file")
    expect_refused("a configuration that is not there is refused", status, told, "/nonexistent/file")
    bank.ok(served.start("--accept-time") and served.stop() == 0, "--accept-time serves as always",
            served.told().decode())


class Typists:
    """Clients that type until they are told to go."""

    def __init__(self, served, n):
        self.served = served
        self.answered = []
        self.faults = []
        self.is_over = False
        self.threads = [threading.Thread(target=self.type, args=(i,), daemon=True) for i in range(n)]
        for thread in self.threads:
            thread.start()

    def type(self, i):
        minutes = 0
        while not self.is_over:
            minutes += 1
            status, answer, told = self.served.client(
                "--deadline", "1", "exchange", "--giver", "m0001", "--receiver", "m0002", "--time", f"{minutes}m",
                "--on", "2025-01-01", "--activity", "gardening", "--again", state=f"state{i}")
            if status == 0:
                self.answered.append((answer["entry"], minutes))
            elif status == 1 and answer.get("refused") not in ("NO_BANK", "SHUTTING_DOWN"):
                self.faults.append(told)

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(30)


def entries(ledger):
    found = {}
    for key, value, _, _ in store.open_store(os.path.join(ledger, "ledger", "data.mdb")).rows("log"):
        first, _, records = store.run_parse(key, value)
        for i, record in enumerate(records):
            if record[0] == store.ORDER:
                found[first + i] = store.order_fields(record).get(7)
    return found


def test_stop(number):
    served = bank.Bank("", ("floor-member=none", "quantum=1", "day-refuse=100000")).must_start()
    for code in ("m0001", "m0002"):
        served.must("account", "open", code, "--kind", "member")
    served.must("activity", "add", "gardening")
    typists = Typists(served, 3)
    while len(typists.answered) < 5 and not typists.faults and served.process.poll() is None:
        time.sleep(0.01)
    time.sleep(bank.chance.uniform(0, 0.3))
    began = time.monotonic()
    served.process.send_signal(number)
    try:
        status = served.process.wait(20)
    except subprocess.TimeoutExpired:
        status = None
    took = time.monotonic() - began
    typists.end()
    found = entries(served.ledger)
    lost = [one for one in typists.answered if found.get(one[0]) != one[1]]
    name = signal.Signals(number).name
    bank.ok(status == 0 and took < 15, f"{name} under load stops it with 0", f"exit {status} in {took:.1f} s",
            served.told().decode())
    bank.ok(not lost and not typists.faults and len(typists.answered) > 3,
            f"{name}: each of {len(typists.answered)} answered entries is there", *lost, *typists.faults)
    status, told = bank.check(served.ledger, full=True)
    bank.ok(status == 0, f"{name}: check --full agrees", told)


def test_idle_connection():
    """Somebody who connected and says nothing does not hold up the stop."""
    served = bank.Bank().must_start()
    idle = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for one in idle:
        one.connect(served.socket)
    idle[1].send(b"\0\0")
    time.sleep(0.1)
    began = time.monotonic()
    status = served.stop()
    bank.ok(status == 0 and time.monotonic() - began < 15, "silent connections do not hold up a stop",
            f"exit {status} after {time.monotonic() - began:.1f} s")
    for one in idle:
        one.close()


def test_moved():
    """Renamed on the same disk it is the same ledger; a copy is not."""
    served = bank.Bank()
    moved = os.path.join(served.place, "m")
    os.rename(served.ledger, moved)
    served.ledger, served.socket = moved, os.path.join(moved, "socket")
    bank.ok(served.start() and served.stop() == 0, "a renamed directory is served", served.told().decode())
    copy = os.path.join(served.place, "c")
    shutil.copytree(moved, copy)
    status, told = run_daemon(copy)
    expect_refused("a copied one is refused", status, told, "copied or moved", "original")


def main():
    bank.begin()
    served = bank.Bank().must_start()
    test_one_process(served)
    served.stop()
    test_socket_mode()
    test_stale_socket()
    test_check_after_a_kill()
    test_socket_path()
    test_key_file()
    test_init()
    test_killed_init()
    test_no_ledger()
    test_settings()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        test_stop(number)
    test_idle_connection()
    test_moved()
    bank.end()


main()
