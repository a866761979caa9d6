# SPDX-License-Identifier: Apache-2.0
"""A ledger of its own, served until the end of a block; it may be stopped, killed and started again."""
import json
import os
import shutil
import subprocess
import sys
import time

START_S = 600


def disk_bytes(place):
    """What the files below a directory take of the disk."""
    found = [os.path.join(directory, name) for directory, _, names in os.walk(place) for name in names]
    return sum(512 * os.lstat(path).st_blocks for path in found)


class Bank:
    def __init__(self, bench, name, accounts=None, settings=""):
        self.bench, self.place, self.round = bench, os.path.join(bench.place, name), 0
        self.accounts, self.settings = accounts or bench.options.accounts, settings
        self.daemon = None

    def __enter__(self):
        os.mkdir(self.place)
        self.key, self.ledger = os.path.join(self.place, "key"), os.path.join(self.place, "ledger")
        self.socket = os.path.join(self.ledger, "socket")
        self.environment = dict(os.environ, XDG_STATE_HOME=os.path.join(self.place, "state"),
                                TIMEBANK="unix:" + self.socket, TIMEBANK_KEY=self.key, LC_ALL="C.UTF-8")
        self.environment.pop("TIMEBANK_LEDGER", None)
        self.run("clients/timebank", "key", "new", self.key)
        self.run("daemon/timebankd", "init", self.ledger, "--name", "bench.example/timebank", "--steward",
                 self.key + ".pub")
        if self.settings:
            with open(os.path.join(self.ledger, "timebankd.conf"), "w") as file:
                file.write(self.settings)
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.place)

    def start(self):
        """Seconds from the start of the daemon to its first answer, and what that told."""
        began = time.monotonic()
        with open(os.path.join(self.place, "log"), "a") as log:
            self.daemon = subprocess.Popen(self.bench.wrap([self.bench.program("daemon/timebankd"), "run", self.ledger]),
                                           stdout=log, stderr=log, env=self.environment)
        told = self.load("wait", "--seconds", START_S, state=self.place + "/wait")
        return told["answered_s"] - began, told

    def stop(self, kill=False):
        if self.daemon:
            (self.daemon.kill if kill else self.daemon.terminate)()
            self.daemon.wait()
            self.daemon = None

    def run(self, program, *arguments):
        done = subprocess.run([self.bench.program(program), *arguments], env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            log = os.path.join(self.place, "log")
            said = open(log).read()[-500:] if os.path.exists(log) else ""
            sys.exit(f"dev/bench: {program} {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}{said}")
        return done.stdout

    def load_command(self, verb, state, *arguments):
        """Each run takes rounds of its own, so that its orders look like no earlier ones."""
        return [verb, "--bank", "unix:" + self.socket, "--key", self.key, "--state", state or self.place + "/load",
                "--daemon", str(self.daemon.pid), "--accounts", str(self.accounts),
                "--first-round", str(self.round), *map(str, arguments)]

    def load(self, verb, *arguments, state=None):
        text = self.run("tests/bench/load", *self.load_command(verb, state, *arguments))
        told = json.loads(text) if text else {}
        self.round = max(self.round, told.get("next_round", 0))
        return told

    def load_beside(self, verb, *arguments, **how):
        """Goes on beside what comes next; with rounds that nothing else takes for a while."""
        command = self.load_command(verb, self.place + "/beside", *arguments)
        self.round += 10000
        return subprocess.Popen([self.bench.program("tests/bench/load"), *command], env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **how)

    def idle_bytes(self, n):
        """Anonymous memory of an idle connection, with n of them."""
        before = self.memory_bytes()
        holder = self.load_beside("idle", "--clients", n, stdin=subprocess.PIPE)
        holder.stdout.readline()
        after = self.memory_bytes()
        holder.communicate()
        if holder.returncode != 0:
            sys.exit(f"dev/bench: {n} connections could not be held")
        return (after - before) / n

    def memory_bytes(self):
        with open(f"/proc/{self.daemon.pid}/status") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("RssAnon"))

    def facts_bytes(self):
        """Of the reports' columns on disk; 0 where none are kept."""
        return disk_bytes(os.path.join(self.ledger, "facts"))

    def bytes_used(self):
        return disk_bytes(self.ledger)
