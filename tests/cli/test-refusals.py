#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Every refusal of proto/refusals.def is reached by a test through the command line, and its sentence
says what to do next in words that hold for who reads them: the options and verbs it names exist,
and no broker is told to ask a broker. What no command of the programs can produce is asked by a
client of our own. The last tests look for refusals that nothing here reaches: ELSEWHERE names the
tests of other files, which must be there and name the refusal."""
import datetime
import itertools
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from other_language import Client, Gone, Refused, lengthed, make_order, message_types, read_secret_key
from served_bank import SOURCE, TIMEBANK, ServedBank

TABLE = {name: (int(number), sentence) for number, name, sentence in re.findall(
    r'^REFUSAL\((\d+), (\w+), "(.*)"\)$', tap.read("proto/refusals.def"), re.M)}
NAMES = {number: name for name, (number, _) in TABLE.items()}

# Reached by a story of its own: refusal -> file::test.
ELSEWHERE = {
    "BAD_HEADER": "test-other-language.py::a bad header is refused by what is wrong with it",
    "BAD_SIGNATURE": "test-other-language.py::a bad header is refused by what is wrong with it",
    "OTHER_LEDGER": "test-other-language.py::a bad header is refused by what is wrong with it",
    "BATCH_ID_USED": "test-other-language.py::a bad header is refused by what is wrong with it",
    "OTHER_HISTORY": "test-other-language.py::a bad header is refused by what is wrong with it",
    "TOO_LATE": "test-other-language.py::a bad header is refused by what is wrong with it",
    "BAD_NOT_AFTER": "test-other-language.py::a bad header is refused by what is wrong with it",
    "BATCH_SIZE": "test-other-language.py::a bad header is refused by what is wrong with it",
    "ALREADY": "test-other-language.py::the same orders in another batch are in already, all or some",
    "ID_DIFFERS": "test-other-language.py::the same orders in another batch are in already, all or some",
    "WRONG_AUTHORITY": "test-other-language.py::a bad batch is refused whole, with all its refusals at once",
    "NOT_CANONICAL": "test-other-language.py::what is not canonical is refused: a default, an unknown field, "
                     "two members, a long varint, no kind",
    "NOTHING_TO_EXPIRE": "limits.bats::what nobody spent in time is told first, and lapses only for as many as were told",
    "EXPIRY_CAP": "limits.bats::an expiry is taken back like any entry, and no more expires in a day than the cap",
    "NO_QUORUM": "witness.bats::for programs each outcome is a line, and the last says whether it is enough",
    "BAD_ROTATION": "rotation.bats::the twentieth change still fits into a greeting, and there is no other",
    "OFFER_NOT_NOW": "venue.bats::an offer of other hours is refused when it is typed as it happens",
}
# What only a bug could bring, or what no room says any more: refusal -> why.
NEVER = {
    "SHUTTING_DOWN": "a daemon that stops reads no further: its clients see the connection end, and ask again",
    "BRIDGE": "the report's own control sum: only wrong tables could break it",
    "NOT_FOR_EVALUATORS_YET": "an evaluator's key gets reports of its class",
    "NOT_AS_RELEASED": "the same figures at the same position: only wrong tables could change them",
    "REPORT_FAILED": "facts that are damaged are made anew; only wrong code or a wrong store could bring more",
    "OTHER_KEY": "batches of another key wait for that key, and nobody is refused for them",
}

# One of these begins what to do next; "nothing" goes on "to do", or says that all is well.
IMPERATIVES = """chmod call use ask wait set send check sign make enter keep split update see name round leave say take choose shorten
settle import grant add run start stop write fill count reach give scan propose withdraw look come redeem mint expire
begin follow share advance open correct insist free put type try remove capture release restore decline withdraw
nothing let change
""".split()
NOT_VERBS_OWN = {"--bank", "--key", "--ledger", "--deadline", "--json", "--accept-time", "--full"}
VERBS = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", subprocess.run([TIMEBANK, "--help"], capture_output=True, text=True,
                                                               check=True).stdout, re.M)
HELPS = {}
TESTS = []
MET = set()
WRONG = []


def test(sentence):
    def remember(function):
        TESTS.append((sentence, function))
        return function
    return remember


def help_of(verb):
    if verb not in HELPS:
        HELPS[verb] = subprocess.run([TIMEBANK, *verb.split(), "--help"], capture_output=True, text=True).stdout
    return HELPS[verb]


def has_option(verb, option):
    return re.search(re.escape(option) + r"(?![a-z-])", help_of(verb)) is not None


def sentence_wrong(sentence):
    """None, or what keeps it from saying what to do next."""
    if not sentence.endswith("."):
        return "no full stop"
    for verb in re.findall(r"timebank ([a-z]+(?: [a-z]+)?)", sentence):
        if verb not in VERBS and verb.split()[0] not in [v.split()[0] for v in VERBS]:
            return f"there is no timebank {verb}"
    first, *parts = re.split(r"[:;.] ", sentence)
    words = [first.split()[0].lower()] + [word.lower() for part in parts for word in re.split(r"[ ,.]+", part)]
    return None if set(words) & set(IMPERATIVES) else "it does not say what to do next"


def options_wrong(sentence, verb):
    """Each option is of the verb that the sentence names before it, else of the one that was typed."""
    for option in re.finditer(r"(?<![\w-])--[a-z][a-z-]*[a-z]", sentence):
        named = re.findall(r"timebank ([a-z]+(?: [a-z]+)?)", sentence[:option.start()])
        named = [v if v in VERBS else v.split()[0] for v in named][-1:]
        if sentence[option.end():].startswith(" out."):
            continue
        if option[0] not in NOT_VERBS_OWN and not any(has_option(v, option[0]) for v in [*named, verb]):
            return f"{verb} has no option {option[0]}"
    return None


class Scene:
    """A bank and who meets there. Whatever is refused goes through refused(), which judges the sentence."""

    def __init__(self, settings="", shim=None):
        self.bank = ServedBank(settings)
        self.numbers = itertools.count(1)
        self.env = dict(os.environ, TIMEBANK="unix:" + self.bank.path, XDG_STATE_HOME=self.bank.place + "/state",
                        LC_ALL="C.UTF-8")
        self.env.pop("TIMEBANK_LEDGER", None)
        if shim:
            self.clock = self.bank.place + "/clock"
            self.clock_ahead(0, 0)
            self.env.update(OTHER_CLOCK=self.clock, LD_PRELOAD=shim)
        before = dict(os.environ)
        os.environ.update({k: self.env[k] for k in ("OTHER_CLOCK", "LD_PRELOAD") if k in self.env})
        try:
            self.bank.start()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def clock_ahead(self, wall_s, boot_s):
        with open(self.clock + ".new", "w") as f:
            f.write(f"{wall_s} {boot_s}\n")
        os.rename(self.clock + ".new", self.clock)

    def path(self, name):
        return f"{self.bank.place}/{name}"

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def key(self, name, *grant):
        """A new key, with the role that the words grant."""
        self.bank.key_new(self.path(name + ".key"))
        if grant:
            self.done("key", "grant", self.path(name + ".key.pub"), "--role", *grant)

    def run(self, *words, key="steward", before=(), text=None):
        env = dict(self.env, TIMEBANK_KEY=self.path(key + ".key"))
        return subprocess.run([TIMEBANK, *before, "--json", *words], env=env, capture_output=True, text=True,
                              timeout=60, input=text)

    def done(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout.splitlines()[0]) if done.stdout.strip() else {}

    def entry(self, *words, **more):
        return str(self.done(*words, **more)["entry"])

    def refused(self, name, *words, key="steward", status=1, **more):
        done = self.run(*words, key=key, **more)
        assert done.returncode == status, f"{' '.join(words)}: {done.returncode} {done.stdout}{done.stderr}"
        told = json.loads(done.stdout.splitlines()[-1])
        if isinstance(told["refused"], list):  # an import's, row by row
            told = told["refused"][0]
        assert told["refused"] == name, f"{' '.join(words)}: not {name}: {done.stdout}"
        verb = " ".join(words[:2]) if " ".join(words[:2]) in VERBS else words[0]
        self.judge(name, told["message"], verb, key)
        return told

    def judge(self, name, sentence, verb, key):
        wrong = sentence_wrong(sentence) or options_wrong(sentence, verb)
        if not wrong and key in ("steward", "broker") and re.search(r"ask a broker\b(?! who)", sentence):
            wrong = "a broker is told to ask a broker"
        if not wrong and key == "steward" and "ask a steward" in sentence and name not in ("WRONG_LEDGER", "NOT_VERIFIED"):
            wrong = "a steward is told to ask a steward"
        if wrong:
            WRONG.append(f"{verb}, {key}'s key: {name}: {wrong}: {sentence}")
        MET.add(name)

    # ------------------------------------------------------------ a client of our own

    def connect(self, pb, key="steward"):
        return Client(pb, self.bank.path, read_secret_key(self.path(key + ".key")), self.bank.verifier_key, timeout_s=60)

    def no(self, name, function):
        """That what the function asks is refused so."""
        try:
            function()
        except Refused as no:
            assert NAMES[no.number] == name, str(no)
            self.judge(name, no.refusals[0].message, "exchange", "client")
            return
        raise AssertionError(f"not refused with {name}")

    def no_order(self, name, pb, kind, giver=None, key="steward", **fields):
        if giver:
            fields["from"] = giver
        client = self.connect(pb, key)
        order = make_order(pb, kind, **fields)
        self.no(name, lambda: client.submit(client.make_batch([order]), [order]))
        client.close()

    def member(self):
        code = f"m{next(self.numbers) + 1000}"
        self.done("account", "open", code, "--kind", "member", "--joined", "2024-01-01")
        return code

    def members(self, n):
        return [self.member() for _ in range(n)]

    def helps(self, giver, receiver, time, *more, **keys):
        return self.entry("exchange", "--giver", giver, "--receiver", receiver, "--time", time, "--activity", "gardening",
                          *more, **keys)

    def refused_help(self, name, giver, receiver, time, *more, **keys):
        return self.refused(name, "exchange", "--giver", giver, "--receiver", receiver, "--time", time, "--activity",
                            "gardening", *more, **keys)


def day(n):
    return (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=n)).isoformat()


def furnish(s):
    for code, kind in {"food-bank": "organisation", "pool": "venue", "gym": "venue"}.items():
        s.done("account", "open", code, "--kind", kind)
    s.done("activity", "add", "gardening")
    s.done("funder", "add", "council")
    s.done("issue", "--to", "food-bank", "--time", "40h", "--funder", "council")
    s.done("offer", "set", "pool", "swim", "--price", "1h")
    s.me, s.you, s.third = s.members(3)
    for name, *grant in (("broker", "broker"), ("broker-me", "broker", "--account", s.me), ("evaluator", "evaluator"),
                         ("me", "member", "--account", s.me), ("you", "member", "--account", s.you),
                         ("third", "member", "--account", s.third), ("pool", "venue", "--account", "pool"),
                         ("gym", "venue", "--account", "gym"), ("food-bank", "organisation", "--account", "food-bank")):
        s.key(name, *grant)


# ---------------------------------------------------------------- the session and the program

@test("keys: none, unknown, revoked, of no use, granted before, without the right")
def keys(s):
    s.refused("NO_KEY", "status", key="nothing")
    open(s.path("open.key"), "w").write("no key\n")
    s.refused("NO_KEY", "status", key="open")
    os.chmod(s.path("open.key"), 0o600)
    s.refused("NO_KEY", "status", key="open")
    s.key("stranger")
    s.refused("UNKNOWN_KEY", "balance", s.me, key="stranger")
    s.key("gone", "broker")
    s.done("key", "revoke", s.path("gone.key.pub"), "left")
    s.refused("REVOKED_KEY", "balance", s.me, key="gone")
    s.refused("KEY_GRANTED", "key", "grant", s.path("gone.key.pub"), "--role", "broker")
    s.refused("NO_SUCH_KEY", "key", "revoke", s.path("stranger.key.pub"), "no")
    s.refused("LAST_STEWARD", "key", "revoke", s.path("steward.key.pub"), "no")
    s.refused("BAD_KEY", "key", "grant", s.write("bad.pub", "ssh-ed25519 AAAA\n"), "--role", "broker")
    s.refused("BAD_KEY", "key", "grant", s.path("steward.key"), "--role", "broker")
    for words in (("venue",), ("broker", "--account", "pool"), ("venue", "--account", s.me), ("auditor", "--account", s.me)):
        s.refused("BAD_ROLE", "key", "grant", s.path("stranger.key.pub"), "--role", *words)
    s.refused("NO_AUTHORITY", "account", "list", key="me")
    s.refused("NO_AUTHORITY", "policy", "set", "quantum", "30", key="broker")
    s.refused("NO_AUTHORITY", "gift", "--from", s.you, "--to", s.me, "--time", "1h", key="me")


@test("backups with names that are none, of a name that is there, and that cannot be written")
def backups(s):
    for name in ("Upper", "a/b", ".hidden", "x.part-1"):
        s.refused("BACKUP_NAME", "backup", name)
    s.done("backup", "one")
    s.refused("BACKUP_EXISTS", "backup", "one")
    backups = s.bank.directory + "/backups"
    os.rename(backups, backups + ".kept")
    open(backups, "w").close()
    s.refused("BACKUP_FAILED", "backup", "two")
    os.unlink(backups)
    os.rename(backups + ".kept", backups)


@test("a bank that is not there, or another than the one that was trusted")
def other_banks(s):
    s.refused("NO_BANK", "status", before=("--bank", "unix:/nonexistent/socket"))
    other = Scene()
    try:
        s.refused("WRONG_LEDGER", "status", before=("--ledger", other.bank.verifier_key))
        # Another bank answers at the address of the first.
        moved = s.bank.path + ".moved"
        os.rename(s.bank.path, moved)
        os.symlink(other.bank.path, s.bank.path)
        try:
            s.refused("WRONG_LEDGER", "status")
        finally:
            os.unlink(s.bank.path)
            os.rename(moved, s.bank.path)
    finally:
        other.bank.end()


def frame_of(stream):
    data = b""
    while len(data) < 4 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
        more = stream.recv(1 if len(data) < 4 else 4 + struct.unpack(">I", data[:4])[0] - len(data))
        if not more:
            raise Gone()
        data += more
    return data[4:]


class Between:
    """A socket before the bank's own, through which one client goes. asked(request) and told(response) may
    change what passes; what they return None for stays here."""

    def __init__(self, scene, asked=lambda request: request, told=lambda response: response):
        self.scene, self.asked, self.told = scene, asked, told
        self.path = scene.path("between")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        here, _ = self.listener.accept()
        there = socket.socket(socket.AF_UNIX)
        there.connect(self.scene.bank.path)
        back = threading.Thread(target=self.relay, daemon=True, args=(there, here, self.scene.pb.Response, self.told))
        back.start()
        self.relay(here, there, self.scene.pb.Request, self.asked)
        there.shutdown(socket.SHUT_RDWR)
        back.join(10)
        here.close()
        there.close()

    @staticmethod
    def relay(source, target, kind, change):
        try:
            while True:
                message = change(kind.FromString(frame_of(source)))
                if message is not None:
                    target.sendall(lengthed(message.SerializeToString()))
        except (Gone, OSError):
            pass

    def close(self):
        self.thread.join(10)
        self.listener.close()
        os.unlink(self.path)


@test("a bank whose proof of itself does not verify")
def liar(s):
    def told(response):
        if response.WhichOneof("body") == "welcome":
            response.welcome.signature = bytes(64)
        return response

    between = Between(s, told=told)
    done = s.run("status", before=("--bank", "unix:" + between.path, "--deadline", "3"))
    message = json.loads(done.stdout)["message"]
    assert done.returncode == 2 and message.startswith(TABLE["NOT_VERIFIED"][1]), done.stdout
    s.judge("NOT_VERIFIED", TABLE["NOT_VERIFIED"][1], "status", "steward")
    between.close()


@test("a request that cannot be read, or is too large")
def bad_requests(s):
    client = s.connect(s.pb)
    s.no("BAD_REQUEST", lambda: client.ask(register=s.pb.AskRegister(table=99)))
    client.wire.socket.sendall(struct.pack(">I", 1 << 30))
    s.no("TOO_LARGE", lambda: client.receive(0))


@test("a daemon that is busy, and one that is full")
def busy(s):
    scene = Scene("connections_per_key 1\n")
    try:
        client = scene.connect(s.pb)
        scene.refused("TRY_LATER", "status", before=("--deadline", "1"))
        client.close()
    finally:
        scene.bank.end()
    scene = Scene("map_mib 16\nreserve_mib 64\n")
    try:
        scene.refused("LEDGER_FULL", "activity", "add", "gardening", before=("--deadline", "1"))
        scene.done("status")
    finally:
        scene.bank.end()


@test("a report that would read more than the setting allows, one of another class, and one of no period")
def reports(s):
    scene = Scene("report_rows 1\n")
    try:
        scene.refused("TOO_MANY_ROWS", "report", "--from", "2025-01-01", "--to", "2025-01-31")
    finally:
        scene.bank.end()
    words = ("report", "--from", "2025-01-01", "--to", "2025-01-31")
    s.refused("CLASS_NOT_YOURS", *words, "--class", "internal", key="evaluator")
    s.refused("BAD_RELEASE", *words, "--release")
    s.refused("NO_SUCH_POSITION", *words, "--at", "99999999")
    s.refused("BAD_PERIOD", "report", "--from", "2025-02-01", "--to", "2025-01-31")
    s.refused("NO_SUCH_MEASURE", *words, "--why", "giver")


@test("figures that tell of few people beside those that left, and what earlier ones rest on")
def releases(s):
    month = ("report", "--from", "2024-02-01", "--to", "2024-02-29")
    s.done(*month, key="evaluator")
    s.helps(s.me, s.you, "1h", "--on", "2024-02-14")
    s.refused("TOO_CLOSE", *month, key="evaluator")
    s.refused("POLICY_FIXED", "policy", "set", "report-year-begins", "1")


@test("an outbox that is full")
def outbox(s):
    other = Scene()
    try:
        other.key("second", "broker")
        other.done("activity", "add", "gardening")
        other.pb = s.pb
        between = Between(other, asked=lambda request: None if request.WhichOneof("body") == "submit" else request)
        unknown = other.run("activity", "add", "cooking", before=("--bank", "unix:" + between.path, "--deadline", "1"),
                            key="second")
        between.close()
        assert unknown.returncode == 3, unknown.stdout + unknown.stderr
        directory = subprocess.run(["find", other.path("state"), "-name", "outbox"], capture_output=True,
                                   text=True).stdout.split()[0]
        name = next(n for n in os.listdir(directory) if re.match(r"[0-9a-f]{64}-", n))
        for copy in (f"{name[:-4]}{n:04x}" for n in range(1000)):
            if copy != name:
                shutil.copy(os.path.join(directory, name), os.path.join(directory, copy))
        other.refused("OUTBOX_FULL", "activity", "add", "reading", before=("--deadline", "3"))
    finally:
        other.bank.end()


# ---------------------------------------------------------------- what was typed

@test("times, dates, figures and files that cannot be read")
def typed(s):
    s.refused_help("BAD_TIME", s.me, s.you, "soon")
    s.refused_help("AMBIGUOUS_TIME", s.me, s.you, "2.30")
    s.refused_help("NEGATIVE", s.me, s.you, "-1h")
    s.refused_help("ZERO", s.me, s.you, "0")
    s.refused_help("NOT_IN_QUANTUM", s.me, s.you, "7m")
    s.refused_help("TOO_LONG", s.me, s.you, "25h")
    s.refused_help("BAD_DATE", s.me, s.you, "1h", "--on", "2025-02-30")
    s.refused_help("AMBIGUOUS_DATE", s.me, s.you, "1h", "--on", "5/3")
    s.refused_help("FUTURE_DATE", s.me, s.you, "1h", "--on", day(5))
    s.refused("BAD_NUMBER", "list", "quiet", "--days", "many")
    s.refused("BAD_FILE", "import", s.write("no.csv", "a,b\n1,2\n"), "--dry-run")
    s.refused("MISSING_COLUMN", "import", s.write("short.csv", "code,kind,joined,ward,age_band\nm9001,member\n"), "--dry-run")
    s.refused("DUPLICATE_ROW", "import", s.write("twice.csv", "code,kind,joined,ward,age_band\nm9001,member,,,\nm9001,"
                                                 "member,,,\n"), "--dry-run")
    sheet = s.write("sheet.csv", f"date,giver,receiver,time,activity,sheet,line\n2025-03-05,{s.me},{s.you},1h,gardening,S1,1\n")
    s.refused("CONTROL_TOTAL", "sheet", sheet, "--lines", "2")
    entries = ("ref,kind,service_date,entered_date,giver,receiver,from,to,minutes,activity,offer,adults,under16,funder,"
               "reverses\n")
    old = s.write("old.csv", f"{entries}1,exchange,2025-03-05,2025-03-06,{s.me},{s.you},,,60,gardening,,,,,\n")
    s.refused("HISTORY_ONLY", "import", old, "--dry-run")
    s.refused("HISTORY_STEWARD", "import", old, "--history", "--dry-run", key="broker")


@test("accounts: unknown, frozen, closed, of the wrong kind, the same, and codes that cannot be")
def accounts(s):
    a, b = s.members(2)
    s.refused_help("NO_SUCH_ACCOUNT", "m0999", a, "1h")
    s.refused_help("SAME_ACCOUNT", a, a, "1h")
    s.refused_help("WRONG_KIND", a, "pool", "1h")
    s.refused("NOT_FROZEN", "account", "thaw", a)
    s.done("account", "freeze", a, "away")
    s.refused_help("FROZEN", a, b, "1h")
    s.refused("ALREADY_FROZEN", "account", "freeze", a, "away")
    s.done("account", "thaw", a)
    s.helps(a, b, "1h")
    s.refused("NOT_EMPTY", "account", "close", a)
    c = s.member()
    s.done("account", "close", c)
    s.refused_help("CLOSED", c, b, "1h")
    s.refused("ALREADY_CLOSED", "account", "close", c)
    s.refused("CODE_TAKEN", "account", "open", c, "--kind", "member")
    s.refused("BAD_CODE", "account", "open", "a--b", "--kind", "venue")
    s.refused("NOT_A_MEMBER_CODE", "account", "open", "anna-schmidt", "--kind", "member")
    s.refused("BANK_ACCOUNT", "account", "freeze", "chest", "no")
    s.refused("BANK_ACCOUNT", "account", "limit", "issued", "--floor", "0h")
    s.refused("BAD_LIMIT", "account", "limit", a, "--floor", "1h")
    s.refused("UNKNOWN_POLICY", "policy", "set", "colour", "blue")
    s.refused("BAD_POLICY_VALUE", "policy", "set", "quantum", "7")
    s.refused("BAD_TEXT", "person", "add", a, "anna")


@test("entries: unknown names, no double, no more than remains, nobody's own hours")
def entries(s):
    a, b = s.members(2)
    s.refused("UNKNOWN_ACTIVITY", "exchange", "--giver", a, "--receiver", b, "--time", "1h", "--activity", "juggling")
    s.refused("UNKNOWN_OFFER", "redeem", "--from", a, "--to", "pool", "--offer", "sauna", "--adults", "1")
    s.refused("UNKNOWN_FUNDER", "programme", "add", "warm winter", "--funder", "nobody")
    s.done("policy", "set", "programmes", "listed")
    s.refused("UNKNOWN_PROGRAMME", "issue", "--to", "food-bank", "--time", "1", "--funder", "council", "--programme", "none")
    s.done("policy", "set", "programmes", "any")
    s.refused("NO_HEADS", "redeem", "--from", a, "--to", "pool", "--offer", "swim")
    s.refused("NOT_THE_PRICE", "redeem", "--from", a, "--to", "pool", "--offer", "swim", "--adults", "1", "--time", "2h")
    entry = s.helps(a, b, "1h")
    s.refused_help("LOOKS_LIKE", a, b, "1h")
    s.refused("MORE_THAN_REMAINS", "reverse", entry, "--time", "2h", "no")
    s.refused("NO_SUCH_ENTRY", "reverse", "99999999", "no")
    back = s.entry("reverse", entry, "typed twice")
    s.refused("ALREADY_REVERSED", "reverse", entry, "no")
    s.refused("NOT_REVERSIBLE", "reverse", back, "no")
    s.refused_help("OWN_HOURS", s.me, s.you, "1h", key="broker-me")
    s.refused_help("BELOW_FLOOR", a, b, "23h")
    s.refused_help("BELOW_FLOOR", s.third, s.me, "23h", key="me")
    s.done("account", "limit", a, "--ceiling", "1h")
    s.refused_help("ABOVE_CEILING", a, b, "2h")
    s.refused("CHEST_EMPTY", "grant", "--to", a, "--time", "2000h", "--from", "chest")
    s.refused("ADVANCE_CAP", "advance", "--to", advance_cap(s, b), "--time", "2h")
    s.done("policy", "set", "advance-max", "none")
    s.no_order("NEEDS_WHY", s.pb, "exchange", b, to=a, minutes=60, activity="gardening", override=1)
    s.no_order("BAD_CORRECTION", s.pb, "exchange", b, to=a, minutes=60, activity="gardening", corrects=bytes(range(16)))


def advance_cap(s, code):
    s.done("policy", "set", "advance-max", "60")
    return code


@test("spending by the day, week, month and year: a broker may insist, a member is sent to one")
def spans(s):
    for span, word in (("day", "DAILY"), ("week", "WEEKLY"), ("month", "MONTHLY"), ("year", "YEARLY")):
        a = s.member()
        s.key(a, "member", "--account", a)
        s.done("account", "limit", a, "--spend", span + "=1h")
        s.refused_help(word + "_AMOUNT", s.me, a, "2h")
        s.refused("%s_AMOUNT" % word, "donate", "--from", a, "--time", "2h", key=a)
        s.done("account", "limit", a, "--entries", span + "=1")
        s.helps(s.me, a, "15m")
        s.refused_help(word + "_COUNT", s.you, a, "15m")
        s.refused("%s_COUNT" % word, "donate", "--from", a, "--time", "30m", key=a)


# ---------------------------------------------------------------- venues

@test("offers: another day, age or party, full, used up, withdrawn, and what a venue may take")
def offers(s):
    a, b = s.members(2)

    def swim(name, *rules, who=a, heads=("--adults", "1"), key="steward"):
        s.done("offer", "set", "pool", "swim", "--price", "15m", "--days", "any", "--ages", "any", "--party", "any",
               "--per-day", "any", "--per-month", "any", "--budget", "any")
        s.done("offer", "set", "pool", "swim", *rules)
        for key in ("steward", "pool"):
            s.refused(name, "redeem", "--from", who, "--to", "pool", "--offer", "swim", *heads, key=key)

    weekday = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).strftime("%a").lower()
    swim("OFFER_NOT_TODAY", "--days", weekday)
    swim("OFFER_NOT_AT_THIS_AGE", "--ages", "under16")
    swim("PARTY_TOO_LARGE", "--party", "1", heads=("--adults", "2"))
    s.done("offer", "set", "pool", "swim", "--party", "any")
    s.done("redeem", "--from", a, "--to", "pool", "--offer", "swim", "--adults", "1")
    swim("OFFER_FULL", "--per-day", "1", who=b)
    swim("PER_PERSON_USED_UP", "--per-month", "1")
    swim("OFFER_BUDGET", "--budget", "15m", who=b)
    swim("OFFER_WITHDRAWN", "--withdraw")
    s.done("offer", "set", "pool", "swim", "--price", "1h", "--budget", "any", "--per-month", "any", "--per-day", "any")
    s.done("policy", "set", "venue-cap-member-day", "30")
    s.refused("CAP", "redeem", "--from", b, "--offer", "swim", "--adults", "1", key="pool")
    s.done("policy", "set", "venue-cap-member-day", "none")
    first = s.entry("redeem", "--from", b, "--offer", "swim", "--adults", "1", key="pool")
    s.entry("redeem", "--from", a, "--offer", "swim", "--adults", "1", key="pool")
    s.refused("TOO_LATE_TO_UNDO", "reverse", first, "the wrong one", key="pool")
    s.done("safeguard", b)
    s.refused("SEE_COORDINATOR", "redeem", "--from", b, "--offer", "swim", "--adults", "1", key="pool")
    s.done("safeguard", b, "--lift")
    s.refused("REASON_NOT_KEPT", "safeguard", b, "--why", "a rumour")


@test("a return that differs, and a session whose lines are not whole")
def returns(s):
    month = day(-40)[:7]
    wrong = s.write("return.csv", "offer,time,heads\nswim,4h,2\n")
    s.refused("RETURN_DIFFERS", "venue", "return", "pool", "--month", month, wrong, key="pool")
    s.refused("RETURN_DIFFERS", "venue", "return", "pool", "--month", month, wrong)
    a, b = s.members(2)
    s.refused("SESSION_LINES", "session", "--activity", "gardening", "--giver", a + "=1h", "--giver", a + "=1h",
              "--receiver", b + "=2h")
    s.refused("SESSION_SHORT", "session", "--activity", "gardening", "--giver", a + "=2h", "--receiver", b + "=1h")


@test("a booking that has ended, and one that lapsed while nobody came")
def bookings(s):
    a = s.member()
    hold = ("hold", "--from", a, "--to", "pool", "--offer", "swim", "--adults", "1")
    ended = s.entry(*hold)
    s.done("release", ended, "cannot come")
    s.refused("HOLD_ENDED", "capture", ended)
    lapses = s.entry(*hold)
    s.clock_ahead(2 * 86400, 2 * 86400)
    try:
        s.done("status")
        s.refused("HOLD_LAPSED", "capture", lapses)
        s.refused("HOLD_LAPSED", "capture", lapses, key="pool")
        s.refused("HOLD_LAPSED", "release", lapses)
    finally:
        s.clock_ahead(0, 0)


@test("a clock that jumps ahead stops writing, and reading goes on")
def clock(s):
    scene = Scene(shim=s.shim)
    try:
        scene.clock_ahead(7200, 0)
        scene.refused("CLOCK", "activity", "add", "gardening", before=("--deadline", "1"))
        scene.done("status")
        scene.clock_ahead(0, 0)
        scene.done("activity", "add", "gardening")
    finally:
        scene.bank.end()


@test("vouchers: mistyped, not genuine, unknown, used, void, elsewhere, not yet, expired, and without a key")
def vouchers(s):
    slips = ("--voucher-key", s.path("vouchers.key"), "--out", s.path("slips"))
    mint = ("voucher", "mint", "--from", "food-bank", "--time", "1h", "--expires", day(30))
    s.done("voucher", "key", "new", s.path("vouchers.key"))
    s.refused("NO_VOUCHER_KEY", *mint, *slips)
    s.done("voucher", "key", "set", s.path("vouchers.key.pub"))
    s.refused("KEY_GRANTED", "voucher", "key", "set", s.path("steward.key.pub"))
    s.done(*mint, "--count", "4", *slips)

    def token(serial):
        for name in os.listdir(s.path("slips")):
            if name.startswith("vouchers-"):
                for row in open(s.path("slips/" + name)).read().replace("\r", "").splitlines():
                    if row.startswith(f"{serial},"):
                        return row.rpartition(",")[2]
        raise AssertionError(f"no slip {serial}")

    def no(name, text, *more):
        for key in ("pool", "broker"):
            s.refused(name, "voucher", "redeem", text, *(("--to", "pool") if key == "broker" else ()), *more, key=key)

    no("VOUCHER_MISTYPED", token(1)[:-1] + ("A" if token(1)[-1] != "A" else "B"))
    s.done("voucher", "redeem", token(1), key="pool")
    no("VOUCHER_USED", token(1))
    s.done("voucher", "void", "2", "torn")
    no("VOUCHER_VOID", token(2))
    s.refused("VOUCHER_VOID", "voucher", "reissue", "2", "lost", *slips)
    s.done(*mint, "--venue", "gym", "--good-from", day(1), *slips)
    no("VOUCHER_OTHER_PLACE", token(5))
    s.refused("VOUCHER_NOT_YET", "voucher", "redeem", token(5), key="gym")
    s.refused("VOUCHER_UNKNOWN", "voucher", "void", "900", "no")
    s.done("voucher", "mint", "--from", "food-bank", "--time", "1h", "--expires", day(0), *slips)
    s.refused("VOUCHER_EXPIRED", "voucher", "check", token(6), "--voucher-key", s.path("vouchers.key.pub"), "--on", day(3))
    s.clock_ahead(3 * 86400, 3 * 86400)
    try:
        s.done("status")
        no("VOUCHER_EXPIRED", token(6))
    finally:
        s.clock_ahead(0, 0)
    s.bank.key_new(s.path("forger.key"))
    s.refused("VOUCHER_NOT_GENUINE", "voucher", "check", token(3), "--voucher-key", s.path("forger.key.pub"))
    today = int(datetime.datetime.now().timestamp()) // 86400
    s.no_order("VOUCHER_SERIAL", s.pb, "mint_vouchers", "food-bank", to="vouchers", minutes=60, service_day=today,
               authority=s.pb.BY_BROKER,
               parts={"first_serial": 999, "count": 1, "each_minutes": 60, "expires_day": today + 9})


# ---------------------------------------------------------------- who agrees

@test("proposals: needed, not needed, another's, answered, disputed, too late")
def agreement(s):
    s.done("policy", "set", "claims", "on")
    claim = ("exchange", "--receiver", s.me, "--time", "1h", "--activity", "gardening")
    s.refused("NEEDS_CONFIRMATION", *claim, key="you")
    entry = s.entry(*claim, "--propose", key="you")
    s.refused("NOT_A_PROPOSAL", "exchange", "--giver", s.you, "--time", "1h", "--activity", "gardening", "--propose", key="me")
    s.refused("STILL_WAITING", "reverse", entry, "no")
    s.refused("NOT_THE_OTHER_SIDE", "withdraw", entry, key="me")
    s.refused("OTHER_PROPOSAL", "confirm", entry, "--quote", "11" * 32, key="me")
    zeros = s.run("confirm", entry, "--quote", "00" * 32, key="me")
    assert zeros.returncode == 64, "nothing was quoted, and it was agreed to: " + zeros.stdout
    s.done("confirm", entry, "--yes", key="me")
    s.refused("NOT_WAITING", "withdraw", entry, key="you")
    s.done("policy", "set", "claims", "off")
    entry = s.helps(s.you, s.me, "45m")
    s.refused("NOT_DISPUTED", "decide", entry, "--stands", "no")
    s.done("confirm", entry, "--yes", key="me")
    s.refused("ALREADY_CONFIRMED", "confirm", entry, "--yes", key="me")
    s.done("dispute", entry, "it was less", key="me")
    s.refused("DISPUTED", "reverse", entry, "no")
    s.refused("PARTY", "decide", entry, "--stands", "mine", key="broker-me")
    s.done("decide", entry, "--stands", "the sheet is signed")
    for key in ("me", "broker"):
        s.refused("TOO_LATE_TO_DISPUTE", "dispute", entry, "again", key=key)
    s.done("policy", "set", "second-person-above", "120")
    s.refused("NEEDS_SECOND_PERSON", "grant", "--to", s.me, "--time", "3h", key="broker")
    s.done("policy", "set", "second-person-above", "off")


# ---------------------------------------------------------------- people

@test("households, mandates and guardians")
def people(s):
    a, b = s.members(2)
    s.key("young", "member", "--account", a)
    s.key("adult", "member", "--account", b)
    s.done("policy", "set", "under-18", "guardian")
    s.done("person", "add", a, "1", "--minor")
    s.refused("NEEDS_GUARDIAN", "donate", "--from", a, "--time", "15m", key="young")
    s.done("policy", "set", "under-18", "allow")
    s.done("person", "add", a, "2")
    s.refused_help("NAME_THE_PERSON", a, b, "1h")
    s.refused_help("UNKNOWN_PERSON", a + "/3", b, "1h")
    s.done("mandate", "set", b, "--for", a, "--kind", "carer")
    s.done("mandate", "end", b, "--for", a)
    s.refused("MANDATE_OVER", "donate", "--from", a + "/2", "--time", "15m", key="adult")
    s.refused("MANDATE_OVER", "mandate", "end", s.me, "--for", a)


@test("leaving, merging, transfers and being erased")
def leaving(s):
    a, b, c, d = s.members(4)
    s.helps(a, b, "1h")
    s.refused("NOT_LEAVING", "account", "settle", a, "--left")
    s.done("account", "leave", a)
    s.refused("SPEND_DOWN", "account", "settle", a, "--left")
    settle = {"as": s.pb.DIED}
    s.no_order("BALANCE_MOVED", s.pb, "settle", a, to="chest", service_day=20400, authority=s.pb.BY_BROKER,
               parts={**settle, "balance": 30})
    s.no_order("OTHER_CHOICE", s.pb, "settle", a, to=c, service_day=20400, authority=s.pb.BY_BROKER,
               parts={**settle, "balance": 60})
    s.refused("NOT_EMPTY", "erase", a)
    s.done("account", "settle", a, "--died")
    s.done("erase", a)
    s.refused("ERASED", "erase", a)
    merge = s.entry("account", "merge", c, "--into", d, "joined twice")
    s.refused_help("MERGED", c, b, "1h")
    s.done("account", "unmerge", merge, "two people")
    s.refused("NOT_MERGED", "account", "unmerge", merge, "again")
    s.done("account", "open", "bank:riverside", "--kind", "bank")
    take = ("transfer", "--from", "bank:riverside", "--to", b, "--time", "1h", "--id", "5f0c29e1b7d84a6c9e3d12ab45cd67ef")
    s.done(*take)
    s.refused("TRANSFER_USED", *take)
    s.done("policy", "set", "transfer-cap-year", "90")
    s.refused("TRANSFER_CAP", "transfer", "--from", b, "--to", "bank:riverside", "--time", "1h")
    s.refused("TRANSFER_CAP", "transfer", "--from", d, "--to", "bank:riverside", "--time", "2h", key="broker")


@test("a closed period")
def period(s):
    a, b = s.members(2)
    s.done("period", "close", "2020-12-31", "the year's report went out")
    s.refused_help("PERIOD_CLOSED", a, b, "1h", "--on", "2020-12-31")
    s.refused_help("PERIOD_CLOSED", s.you, s.me, "1h", "--on", "2020-12-31", key="me")


# ---------------------------------------------------------------- all of them

def sentences_are_well():
    bad = [f"{name}: {wrong}: {sentence}" for name, (_, sentence) in TABLE.items()
           for wrong in [sentence_wrong(sentence)] if wrong]
    tap.ok(not bad, "every sentence of the table says what to do next", *bad)
    tap.ok(not WRONG, "every sentence met says what to do next, with verbs and options that there are", *WRONG)
    manual = re.sub(r"\s+", " ", tap.read("man/timebank-protocol.7"))
    lost = [name for name, (_, sentence) in TABLE.items() if re.sub(r"\s+", " ", sentence) not in manual.replace('\\-', '-')]
    tap.ok(not lost, "every sentence of the table stands in the manual", *lost)


def story_of(place):
    """The text of the test that file::sentence names, or None."""
    name, _, sentence = place.partition("::")
    path = os.path.join(HERE, name)
    if not os.path.exists(path) or not sentence:
        return None
    text = open(path).read()
    begin = text.find(f'@test "{sentence}"' if name.endswith(".bats") else f'@test("{sentence}")')
    return None if begin < 0 else text[begin:text.find("\n@test", begin + 1)]


def every_refusal_is_reached():
    lost = [name for name in TABLE if name not in MET and name not in ELSEWHERE and name not in NEVER]
    tap.ok(not lost, "every refusal is reached by a test through the command line", *lost)
    stale = [f"{name}: {place}" for name, place in ELSEWHERE.items() if name not in (story_of(place) or "")]
    tap.ok(not stale, "the tests of other files are there, and name the refusal", *stale)
    both = [name for name in ELSEWHERE if name in MET] + [name for name in NEVER if name in MET]
    tap.ok(not both, "nothing is listed as reached elsewhere, or never, that is reached here", *both)


def main():
    scene = None
    shim = f"/tmp/tb-other-clock-{os.getpid()}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, os.path.join(HERE, "other-clock.c"), "-ldl"], check=True)
    os.environ["ASAN_OPTIONS"] = "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")
    try:
        scene = Scene(shim=shim)
        scene.shim = shim
        scene.pb = message_types(SOURCE, scene.bank.place)
        furnish(scene)
        for sentence, function in TESTS:
            try:
                function(scene)
                tap.ok(True, sentence)
            except Exception:
                tap.ok(False, sentence, *traceback.format_exc().splitlines())
        tap.ok(scene.bank.stop() == 0, "the daemon ends well", *scene.bank.said().splitlines())
        wrong = scene.bank.check()
        tap.ok(wrong is None, "the ledger is sound", *(wrong or "").splitlines())
    finally:
        if scene:
            scene.bank.end()
        os.unlink(shim)
    sentences_are_well()
    every_refusal_is_reached()
    tap.end()


if __name__ == "__main__":
    main()
