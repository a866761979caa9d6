# SPDX-License-Identifier: Apache-2.0
"""A bank of a test's own in Python: made in a temporary directory with a short path, served by the
real daemon, and checked in full when it ends. The programs are those of TIMEBANK_BUILD."""
import os
import shutil
import subprocess
import tempfile
import time

SOURCE = os.environ.get("TIMEBANK_SOURCE",
                        os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILT = os.environ.get("TIMEBANK_BUILD", os.path.join(SOURCE, "build"))
TIMEBANK = os.path.join(BUILT, "clients", "timebank")
TIMEBANKD = os.path.join(BUILT, "daemon", "timebankd")
START_S = 20
END_S = 30


class ServedBank:
    def __init__(self, settings="", key_maker="timebank"):
        self.place = tempfile.mkdtemp(prefix="tb.", dir="/tmp")
        self.directory = self.place + "/ledger"
        self.path = self.directory + "/socket"
        self.key_path = self.place + "/steward.key"
        self.key_new(self.key_path, key_maker)
        made = subprocess.run([TIMEBANKD, "init", self.directory, "--name", "test.example/timebank", "--steward",
                               self.key_path + ".pub"], capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(made.stdout + made.stderr)
        self.verifier_key = next(word for word in made.stdout.split() if word.startswith("test.example/timebank+"))
        with open(self.directory + "/timebankd.conf", "w") as f:
            f.write(settings)
        self.daemon = None

    def key_new(self, path, maker="timebank"):
        if maker == "ssh-keygen":
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path], check=True)
        else:
            subprocess.run([TIMEBANK, "key", "new", path], check=True, capture_output=True)

    def start(self, limit=None):
        """Serves it; limit: a bash command before it, ulimit for example."""
        command = [TIMEBANKD, "run", self.directory]
        if limit:
            command = ["bash", "-c", limit + '; exec "$@"', "bash", *command]
        self.log = open(self.place + "/daemon.log", "ab")
        self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + START_S
        while not os.path.exists(self.path):
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the daemon does not start: " + self.said())
            time.sleep(0.02)

    def said(self):
        with open(self.place + "/daemon.log", errors="replace") as f:
            return f.read()

    def stop(self):
        """The exit status after SIGTERM, None where it had to be killed."""
        if self.daemon is None:
            return 0
        self.daemon.terminate()
        try:
            status = self.daemon.wait(END_S)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            status = None
        self.daemon = None
        self.log.close()
        return status

    def check(self):
        """None, or what the offline check has against the ledger."""
        done = subprocess.run([TIMEBANKD, "check", self.directory, "--full"], capture_output=True, text=True)
        return None if done.returncode == 0 else done.stdout + done.stderr

    def end(self):
        self.stop()
        shutil.rmtree(self.place, ignore_errors=True)

    # ------------------------------------------------------------ the daemon's process

    def cpu_s(self):
        with open(f"/proc/{self.daemon.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_kib(self):
        with open(f"/proc/{self.daemon.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
