# SPDX-License-Identifier: Apache-2.0
"""What the fault tests share: TAP lines, a seed that is printed, a bank of their own in a temporary
directory with a short path, and an end at which nothing is left running."""
import atexit
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("TIMEBANK_BUILD", os.path.join(TREE, "build"))
TIMEBANK = os.path.join(BUILD, "clients", "timebank")
TIMEBANKD = os.path.join(BUILD, "daemon", "timebankd")
TWO_YEARS = os.path.join(TREE, "tests", "data", "two-years")
NIGHTLY = "--nightly" in sys.argv or bool(os.environ.get("TIMEBANK_NIGHTLY"))
SEED = int(os.environ.get("TIMEBANK_SEED", random.SystemRandom().randrange(1 << 32)))
chance = random.Random(SEED)
n_lines = 0
n_bad = 0
_running = set()


def say(text):
    print(f"# {text}", flush=True)


def ok(good, sentence, *details):
    global n_lines, n_bad
    n_lines += 1
    n_bad += not good
    print(f"{'ok' if good else 'not ok'} {n_lines} - {sentence}", flush=True)
    if not good:
        for detail in details[:20]:
            for line in str(detail).splitlines():
                say(line)


def skip(sentence, why):
    global n_lines
    n_lines += 1
    print(f"ok {n_lines} - {sentence} # skip {why}", flush=True)


def end():
    print(f"1..{n_lines}")
    sys.exit(1 if n_bad else 0)


def begin():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say(f"seed {SEED} (TIMEBANK_SEED={SEED} does the same again)")


def scratch():
    """A directory that is gone at the end."""
    path = tempfile.mkdtemp(prefix="tb", dir="/tmp")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@atexit.register
def _kill_all():
    for process in _running:
        if process.poll() is None:
            process.kill()
            process.wait()


def daemon(*arguments, prefix=(), log=subprocess.DEVNULL, **more):
    """timebankd in the background; it dies with this program."""
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *prefix, TIMEBANKD, *arguments],
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more)
    _running.add(process)
    return process


def run(*command, timeout=60, **more):
    """(exit status, standard output and error); -9 where it had to be killed."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False, **more)
    except subprocess.TimeoutExpired as late:
        return -9, (late.stdout or b"").decode(errors="replace")
    return done.returncode, done.stdout.decode(errors="replace")


def check(ledger, full=False, **more):
    return run(TIMEBANKD, "check", ledger, *(["--full"] if full else []), **more)


class Bank:
    """A ledger at self.ledger, its steward's key, and the daemon that serves it."""

    def __init__(self, config="", policies=(), place=None):
        self.place = place or scratch()
        # Of the clients: elsewhere than on a disk that is to be full, where a batch on its way would take a page.
        self.states = scratch() if place else self.place
        self.ledger = os.path.join(self.place, "l")
        self.key = os.path.join(self.place, "steward.key")
        self.log = os.path.join(self.place, "log")
        self.socket = os.path.join(self.ledger, "socket")
        self.process = None
        self.make_key(self.key)
        done, told = run(TIMEBANKD, "init", self.ledger, "--name", "test.example/timebank", "--steward",
                         self.key + ".pub", *[word for p in policies for word in ("--policy", p)])
        if done != 0:
            raise RuntimeError(told)
        self.configure(config)

    def configure(self, config):
        with open(os.path.join(self.ledger, "timebankd.conf"), "w") as f:
            f.write(config)

    @staticmethod
    def make_key(path):
        run(TIMEBANK, "key", "new", path)

    def launch(self, *arguments, **more):
        with open(self.log, "ab") as log:
            self.process = daemon("run", self.ledger, *arguments, log=log, **more)
        return self.process

    def wait(self, seconds=20):
        """True when it serves, False when it ended instead."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            if b"serving" in self.told():
                return True
            time.sleep(0.002)
        return False

    def told(self):
        with open(self.log, "rb") as f:
            return f.read()

    def start(self, *arguments, **more):
        with open(self.log, "wb"):
            pass
        self.launch(*arguments, **more)
        return self.wait()

    def must_start(self, *arguments, **more):
        if not self.start(*arguments, **more):
            raise RuntimeError(self.told().decode(errors="replace"))
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=30):
        """The exit status after SIGTERM."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    def environment(self, key=None, state="state"):
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TIMEBANK")}
        return {**inherited, "XDG_STATE_HOME": os.path.join(self.states, state), "LC_ALL": "C.UTF-8",
                "TIMEBANK": f"unix:{self.socket}", "TIMEBANK_KEY": key or self.key}

    def client(self, *arguments, key=None, state="state", timeout=60):
        """(exit status, the last line of --json as an object, all it printed)."""
        done, told = run(TIMEBANK, "--json", *arguments, timeout=timeout, env=self.environment(key, state))
        answer = {}
        for line in told.splitlines():
            if line.startswith("{"):
                try:
                    answer = json.loads(line)
                except ValueError:
                    pass
        return done, answer, told

    def must(self, *arguments, **more):
        done, answer, told = self.client(*arguments, **more)
        if done != 0:
            raise RuntimeError(f"timebank {' '.join(arguments)}: {told}")
        return answer
