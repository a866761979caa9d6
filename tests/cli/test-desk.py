#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A venue's session at a terminal, looked at as the person at the desk sees it. Between the desk and
the bank stands a gate that counts what is asked, and that cuts the line when it is told to."""
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from other_language import Client, make_order, message_types, read_secret_key
from served_bank import SOURCE, TIMEBANK, ServedBank

TESTS = []
WAIT_S = 30


def test(sentence):
    def remember(function):
        TESTS.append((sentence, function))
        return function
    return remember


class Gate:
    """A socket before the bank's. counts whole frames from the client; deaf: lets them through and keeps the
    answers back, as a line does that dies."""

    def __init__(self, path, bank_path):
        self.path, self.bank_path = path, bank_path
        self.n_asked = 0
        self.deaf = False
        self.closed = False
        self.pairs = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            if self.closed:
                client.close()
                continue
            bank = socket.socket(socket.AF_UNIX)
            bank.connect(self.bank_path)
            self.pairs += [client, bank]
            threading.Thread(target=self.pass_on, args=(client, bank, True), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(bank, client, False), daemon=True).start()

    def pass_on(self, source, target, from_client):
        held = b""
        try:
            while data := source.recv(65536):
                if from_client:
                    held += data
                    while len(held) >= 4 and len(held) >= 4 + struct.unpack(">I", held[:4])[0]:
                        held = held[4 + struct.unpack(">I", held[:4])[0]:]
                        self.n_asked += 1
                elif self.deaf:
                    continue
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for end in self.pairs:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.pairs = []


class Desk:
    """timebank desk on a terminal of its own."""

    def __init__(self, bank, gate, *options):
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.environ.update(TERM="xterm", TIMEBANK="unix:" + gate.path, TIMEBANK_KEY=bank.place + "/desk.key",
                              XDG_STATE_HOME=bank.place + "/desk-state")
            os.execv(TIMEBANK, [TIMEBANK, "--deadline", "2", "desk", *options])
        self.seen = ""
        self.at = 0

    def waits_for(self, pattern):
        """What came on the screen up to the pattern since the last one."""
        deadline = time.monotonic() + WAIT_S
        while True:
            found = re.search(pattern, self.seen[self.at:])
            if found:
                text = self.seen[self.at:self.at + found.end()]
                self.at += found.end()
                return text
            assert time.monotonic() < deadline, f"never came: {pattern}\n{self.seen[self.at:]}"
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.fd, 4096).decode()
                except OSError:
                    deadline = 0

    def types(self, text):
        os.write(self.fd, text.encode() + b"\r")

    def ends(self):
        """Its exit status."""
        _, status = os.waitpid(self.child, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)

    def gone(self):
        try:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


class Story:
    def __init__(self):
        self.bank = ServedBank()
        self.bank.start()
        self.gate = Gate(self.bank.place + "/gate", self.bank.path)
        for words in ("account open m0007 --kind member", "account open m0012 --kind member",
                      "account open leisure-centre --kind venue", "offer set leisure-centre swim --price 1h",
                      "offer set leisure-centre sauna --price 30m --ages adults"):
            self.tell(*words.split())
        self.bank.key_new(self.bank.place + "/desk.key")
        self.tell("key", "grant", self.bank.place + "/desk.key.pub", "--role", "venue", "--account", "leisure-centre")
        self.desks = []

    def run(self, *words, key="steward", text=None):
        environment = dict(os.environ, TIMEBANK="unix:" + self.bank.path,
                           TIMEBANK_KEY=f"{self.bank.place}/{key}.key", XDG_STATE_HOME=self.bank.place + "/state")
        return subprocess.run([TIMEBANK, *words], capture_output=True, text=True, env=environment, input=text)

    def tell(self, *words):
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def minutes(self, code):
        return json.loads(self.tell("--json", "balance", code))["minutes"]

    def desk(self, *options):
        self.desks.append(Desk(self.bank, self.gate, *options))
        return self.desks[-1]

    def end(self):
        for desk in self.desks:
            desk.gone()
        self.bank.stop()
        wrong = self.bank.check()
        self.bank.end()
        assert not wrong, wrong


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@test("a scan becomes VALID in exactly one exchange with the bank, in under five seconds")
def one_exchange(story):
    desk = story.desk("--offer", "swim")
    desk.waits_for("swim> ")
    for line, said in (("m0007 2+1", "Let in 2 adults and 1 under 16"), ("M0012 1", "Let in 1 adult")):
        before, began = story.gate.n_asked, time.monotonic()
        desk.types(line)
        text = plain(desk.waits_for(r"Entry \d+\."))
        assert "VALID" in text and said in text, text
        assert time.monotonic() - began < 5
        desk.waits_for("swim> ")
        assert story.gate.n_asked == before + 1, story.gate.n_asked - before
    desk.types("end")
    text = desk.waits_for("under 16\r\n")
    assert "swim" in text and "2 accepted, 3 adults and 1 under 16" in text, text
    assert desk.ends() == 0
    assert story.minutes("leisure-centre") == 240


@test("the screen shows no name, no balance and no amount, whatever is answered")
def no_amount(story):
    story.tell("account", "limit", "m0007", "--floor", "-2h")
    desk = story.desk()
    desk.waits_for("leisure-centre> ")
    desk.types("o swim")
    for line, word in (("m0007 1", "VALID"), ("m0007 9", "NO"), ("m0099 1", "CHECK"), ("m0012 0", "After")):
        desk.waits_for("swim> ")
        desk.types(line)
        text = plain(desk.waits_for(word + r".*\n"))
        assert not re.search(r"\d+ (h|min)\b|-\d|balance|floor|limit", text), text
    desk.waits_for("swim> ")
    desk.types("o sauna")
    desk.waits_for("sauna> ")
    desk.types("m0012 1+1")
    assert "sauna is for adults only: choose another offer" in desk.waits_for(r"NO .*\n")
    story.tell("account", "freeze", "m0012", "asked by the coordinator")
    desk.waits_for("sauna> ")
    desk.types("m0012")
    desk.waits_for("How many.*: ")
    desk.types("")
    text = plain(desk.waits_for(r"CHECK.*\n"))
    assert "coordinator" in text and "asked by" not in text, text
    desk.waits_for("sauna> ")
    desk.types("end")
    assert desk.ends() == 0


@test("the last acceptance is taken back at the desk, once")
def undo(story):
    desk = story.desk("--offer", "swim")
    desk.waits_for("swim> ")
    desk.types("u")
    desk.waits_for("nothing to undo")
    desk.types("m0007 2")
    desk.waits_for("VALID")
    desk.types("u")
    assert "swim, 2 adults" in plain(desk.waits_for(r"UNDONE.*\n"))
    assert story.minutes("m0007") == 0
    desk.types("u")
    desk.waits_for("nothing to undo")
    desk.types("end")
    desk.waits_for("nothing accepted")
    assert desk.ends() == 0


@test("a booking is taken at the desk by its entry number")
def booking(story):
    made = json.loads(story.tell("--json", "hold", "--from", "m0007", "--to", "leisure-centre", "--offer", "swim",
                                 "--adults", "2", "--on", "today"))
    desk = story.desk("--offer", "sauna")
    desk.waits_for("sauna> ")
    desk.types(f"b {made['entry']}")
    assert "swim. Let in 2 adults" in plain(desk.waits_for(r"VALID.*\n"))
    desk.types(f"b {made['entry']}")
    assert "redeem anew" in plain(desk.waits_for(r"NO .*\n"))
    desk.types("end")
    assert "1 accepted, 2 adults" in desk.waits_for("adults\r\n")
    assert desk.ends() == 0
    assert story.minutes("leisure-centre") == 120


@test("a booking that nobody took in time has lapsed, and its credits are back")
def lapsed(story):
    pb = message_types(SOURCE, story.bank.place)
    client = Client(pb, story.bank.path, read_secret_key(story.bank.key_path), story.bank.verifier_key)
    now_ms = int(time.time() * 1000)
    order = make_order(pb, "hold", authority=pb.BY_BROKER, service_day=now_ms // 86400000, source_account="m0007",
                       to="leisure-centre", minutes=60, parts={"offer": "swim", "adults": 1, "until_ms": now_ms + 1500})
    entry = client.submit(client.make_batch([order]), [order]).entries[0]
    client.close()
    assert story.minutes("m0007") == -60
    deadline = time.monotonic() + WAIT_S
    while story.minutes("m0007") != 0:
        assert time.monotonic() < deadline, "it never lapsed"
        time.sleep(0.2)
    for verb in ("capture", "release"):
        done = story.run("--json", verb, str(entry))
        assert done.returncode == 1 and json.loads(done.stdout)["refused"] == "HOLD_LAPSED", done.stdout
        assert "redeem anew" in done.stdout
    assert json.loads(story.tell("--json", "entry", "show", str(entry)))["state"] == "lapsed"
    desk = story.desk("--offer", "swim")
    desk.waits_for("swim> ")
    desk.types(f"b {entry}")
    assert "The hold has lapsed" in plain(desk.waits_for(r"NO .*\n"))
    desk.types("end")
    assert desk.ends() == 0


@test("a voucher is scanned like a code, and says once more that it was used")
def voucher(story):
    place = story.bank.place
    story.tell("voucher", "key", "new", place + "/v.key")
    story.tell("voucher", "key", "set", place + "/v.key.pub")
    story.tell("voucher", "mint", "--from", "issued", "--time", "1h", "--count", "1", "--expires",
               time.strftime("%Y-12-31", time.gmtime()), "--voucher-key", place + "/v.key", "--out", place + "/slips")
    with open(place + "/slips/vouchers-1-1.csv") as f:
        token = f.read().splitlines()[1].split(",")[-1]
    slip = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    desk = story.desk("--offer", "swim")
    desk.waits_for("swim> ")
    for typed, heads, word, said in ((token, "2", "NO", "does not cover it"), (slip, "", "NO", "scan it"),
                                     (token.replace("-", " "), "0+1", "VALID", "Let in 1 under 16"),
                                     (token, "", "CHECK", "used before")):
        desk.types(typed)
        desk.waits_for("How many.*: ")
        desk.types(heads)
        text = plain(desk.waits_for(word + r" .*\n"))
        assert said in text, text
    desk.types("u")
    desk.waits_for("UNDONE")
    desk.types("end")
    assert desk.ends() == 0
    assert story.minutes("leisure-centre") == 0 and story.minutes("vouchers") == 60


@test("a price that was set anew meanwhile is taken, without a question")
def new_price(story):
    desk = story.desk("--offer", "swim")
    desk.waits_for("swim> ")
    story.tell("offer", "set", "leisure-centre", "swim", "--price", "1h30")
    desk.types("m0007 1")
    desk.waits_for("VALID")
    assert story.minutes("leisure-centre") == 90
    story.tell("offer", "set", "leisure-centre", "swim", "--withdraw")
    desk.types("m0007 1")
    assert "swim was withdrawn" in desk.waits_for(r"NO .*\n")
    desk.types("end")
    assert desk.ends() == 0


@test("when the line dies after the bank recorded it, the desk asks again and nothing counts twice")
def dead_line(story):
    desk = story.desk("--offer", "swim")
    desk.waits_for("swim> ")
    story.gate.deaf = True
    desk.types("m0007 1")
    assert "Do not let anybody in yet" in plain(desk.waits_for(r"WAIT.*\n"))
    desk.waits_for("Return asks again.*: ")
    story.gate.closed = True
    story.gate.cut()
    desk.types("")
    desk.waits_for("WAIT")
    story.gate.deaf = story.gate.closed = False
    desk.waits_for("Return asks again.*: ")
    desk.types("")
    desk.waits_for("VALID")
    assert story.minutes("m0007") == -60
    desk.types("m0012 1")
    desk.waits_for("VALID")
    desk.types("end")
    assert "2 accepted, 2 adults" in desk.waits_for("adults\r\n")
    assert desk.ends() == 0
    assert story.minutes("leisure-centre") == 120


@test("whoever gives up asking is told that it is unknown")
def gives_up(story):
    desk = story.desk("--offer", "swim")
    desk.waits_for("swim> ")
    story.gate.deaf = True
    desk.types("m0007 1")
    desk.waits_for("Return asks again.*: ")
    desk.types("end")
    desk.waits_for("This session")
    assert desk.ends() == 3


@test("by a pipe each line is one scan, and with --json one object")
def pipe(story):
    done = story.run("desk", "--offer", "swim", key="desk", text="m0007 2\nm0099\nm0012\nu\no sauna\nm0012 1+1\n")
    assert done.returncode == 0, done.stderr
    words = [line.split(":")[0] for line in done.stdout.splitlines()]
    assert words[:6] == ["VALID", "CHECK", "VALID", "UNDONE", "The offer is sauna.", "NO"], done.stdout
    assert "1 accepted, 2 adults" in done.stdout and "2 refused, 1 undone" in done.stdout, done.stdout
    done = story.run("--json", "desk", "--offer", "swim", key="desk", text="m0007 2\nm0099 1\nu\n")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row.get("answer") for row in rows] == ["VALID", "CHECK", "UNDONE", None], rows
    assert rows[1]["refused"] == "NO_SUCH_ACCOUNT" and rows[3]["refused"] == 1 and rows[3]["undone"] == 1, rows
    assert rows[3]["accepted"] == [] and rows[3]["position"]["size"] > 0, rows


@test("a desk needs a venue's key and an offer")
def needs(story):
    done = story.run("desk", text="")
    assert done.returncode == 1 and "venue's key" in done.stderr, done.stderr
    done = story.run("desk", "--offer", "spa", key="desk", text="")
    assert done.returncode == 1 and 'no one offer "spa"' in done.stderr, done.stderr
    done = story.run("desk", key="desk", text="m0007 1\no s\no spa\n")
    assert done.stdout.count("Choose the offer first") == 1, done.stdout
    assert done.stdout.count("There is no one offer") == 2, done.stdout


for sentence, function in TESTS:
    story = Story()
    failed = []
    try:
        function(story)
    except Exception:
        failed += traceback.format_exc().splitlines()
    try:
        story.end()
    except Exception:
        failed += traceback.format_exc().splitlines()
    tap.ok(not failed, sentence, *failed)
tap.end()
