#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A malicious server: an operator who holds the ledger's key and cheats the people who use timebank.
Each trick ends a command with exit status 2, a sentence and an evidence file; timebank verify says
what that proves to others; and with an honest bank all goes on as before."""
import base64
import datetime
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from malicious import Answer, Books, Forge, Honest, Keep, Operator, OtherHeads, Record, sign_rotation
from other_language import Ledger, Wire, leaf_hash, message_types, sha256, sign
from served_bank import BUILT, SOURCE, TIMEBANK, TIMEBANKD, ServedBank

AUDIT = os.path.join(BUILT, "clients", "audit", "timebank-audit")
TESTS = []


def test(sentence):
    def remember(function):
        TESTS.append((sentence, function))
        return function
    return remember


def timebank(bank, state, *words, socket=None, key=None):
    env = dict(os.environ, TIMEBANK="unix:" + (socket or bank.path), XDG_STATE_HOME=state)
    return subprocess.run([TIMEBANK, "--key", key or bank.key_path, *words], env=env, capture_output=True, text=True)


class Victim:
    """Somebody who uses the operator's socket, and remembers what they saw there."""

    def __init__(self, story):
        self.story, self.bank, self.operator = story, story.bank, story.operator
        self.state = tempfile.mkdtemp(prefix="state.", dir=story.bank.place)
        self.run("balance", "m0001")

    def try_run(self, *words, key=None):
        return timebank(self.bank, self.state, *words, socket=self.operator.path, key=key)

    def run(self, *words, key=None):
        done = self.try_run(*words, key=key)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def caught(self, sentence, *words, key=None, status=2):
        """The evidence that a command leaves, which ends with this sentence."""
        done = self.try_run(*words, key=key)
        said = done.stdout + done.stderr
        assert done.returncode == status, f"{words} ended with {done.returncode}: {said}"
        assert sentence in said, f"{words} said: {said}"
        assert "Evidence: " in said, f"no evidence: {said}"
        path = said.rstrip().rpartition("Evidence: ")[2]
        assert os.path.getsize(path) > 0
        return path

    def explains(self, evidence, status, *words):
        done = subprocess.run([TIMEBANK, "verify", evidence, "--ledger", self.bank.verifier_key],
                              capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert done.returncode == status, f"verify ended with {done.returncode}: {said}"
        for word in words:
            assert word in said, f"verify said: {said}"

    def proves(self, evidence):
        self.explains(evidence, 0, "signed two histories", "No honest ledger can sign both")

    def goes_on(self):
        """The bank is honest again."""
        self.operator.trick, self.operator.behind = Honest(), self.bank.path
        self.run("balance", "m0001")


class Story:
    def __init__(self, pb):
        self.pb = pb
        self.bank = ServedBank()
        self.bank.start()
        self.state = self.bank.place + "/state"
        self.member = self.bank.place + "/member.key"
        self.others = []
        self.n = 0
        for code in ("m0001", "m0002"):
            self.honest("account", "open", code, "--kind", "member", "--joined", "2024-01-01")
        self.honest("activity", "add", "gardening")
        self.bank.key_new(self.member)
        self.honest("key", "grant", self.member + ".pub", "--role", "member", "--account", "m0001")
        for _ in range(3):
            self.exchange()
            self.log()
        self.operator = Operator(self.bank, pb)

    def honest(self, *words):
        done = timebank(self.bank, self.state, *words)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def new_day(self):
        """Another one each time, so that no entry looks like an earlier one."""
        self.n += 1
        return str(datetime.date(2025, 1, 1) + datetime.timedelta(self.n))

    def exchange(self):
        return self.honest("exchange", "--giver", "m0001", "--receiver", "m0002", "--time", "1h", "--on", self.new_day(),
                           "--activity", "gardening")

    def log(self, *words):
        return self.honest("log", "--giver", "m0002", "--time", "1h", "--on", self.new_day(), "--activity", "gardening", *words)

    def copy(self):
        """A copy of the ledger as it is now, which is served as if it were the only one."""
        place = tempfile.mkdtemp(prefix="copy.", dir=self.bank.place) + "/ledger"
        self.bank.stop()
        shutil.copytree(self.bank.directory, place, ignore=lambda _, names: [n for n in names if n == "socket"])
        self.bank.start()
        subprocess.run([TIMEBANKD, "adopt", place], check=True, capture_output=True)
        with open(place + ".log", "ab") as log:
            daemon = subprocess.Popen([TIMEBANKD, "run", place], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.others.append(daemon)
        for _ in range(1000):
            if os.path.exists(place + "/socket"):
                return place + "/socket"
            time.sleep(0.02)
        raise AssertionError("the copy is not served")

    def books(self):
        return self.operator.books(self.bank.path)

    def end(self):
        for daemon in self.others:
            daemon.terminate()
            daemon.wait()
        self.operator.end()
        self.bank.stop()
        fault = self.bank.check()
        self.bank.end()
        return fault


def log_at(story, socket):
    done = timebank(story.bank, os.path.dirname(socket) + ".state", "log", "--giver", "m0002", "--time", "1h", "--on", story.new_day(),
                    "--activity", "gardening", socket=socket)
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------ forks, and what was taken out

@test("a fork of the same size, behind the same socket")
def fork(story):
    copy = story.copy()
    story.log()
    log_at(story, copy)
    victim = Victim(story)
    victim.operator.behind = copy
    evidence = victim.caught("two histories", "balance", "m0001")
    victim.proves(evidence)
    victim.goes_on()


@test("a fork that is longer")
def longer_fork(story):
    copy = story.copy()
    story.log()
    for _ in range(3):
        log_at(story, copy)
    victim = Victim(story)
    victim.operator.behind = copy
    victim.proves(victim.caught("does not extend the one seen before", "balance", "m0001"))
    victim.goes_on()


@test("an old copy, served again")
def rollback(story):
    copy = story.copy()
    story.log()
    victim = Victim(story)
    victim.operator.behind = copy
    evidence = victim.caught("The ledger went back", "balance", "m0001")
    victim.explains(evidence, 1, "Nobody signed which came first", "entries were taken out")
    victim.goes_on()


@test("the last entry taken out, and another put in its place")
def replaced(story):
    victim = Victim(story)
    books = story.books()
    record = bytearray(books.records[-1])
    record[-1] ^= 1
    books.records[-1] = bytes(record)
    victim.operator.trick = OtherHeads(books)
    victim.proves(victim.caught("two histories", "balance", "m0001"))
    victim.goes_on()


@test("two entries in another order")
def reordered(story):
    victim = Victim(story)
    books = story.books()
    books.records[-4:] = books.records[-2:] + books.records[-4:-2]
    victim.operator.trick = OtherHeads(books)
    victim.proves(victim.caught("two histories", "balance", "m0001"))
    books.records.append(b"\x02one more")
    victim.proves(victim.caught("does not extend", "balance", "m0001"))
    victim.goes_on()



@test("a fork that somebody recorded on, found out at the other one")
def forked_author(story):
    copy = story.copy()
    story.log()
    for _ in range(3):
        log_at(story, copy)
    log = ["log", "--giver", "m0002", "--time", "1h", "--on", story.new_day(), "--activity", "gardening"]
    victim = Victim.__new__(Victim)
    victim.story, victim.bank, victim.operator = story, story.bank, story.operator
    victim.state = tempfile.mkdtemp(prefix="state.", dir=story.bank.place)
    victim.operator.behind = copy
    victim.run(*log)
    victim.operator.behind = story.bank.path
    victim.caught("The ledger went back", *log)
    for _ in range(6):
        story.log()
    victim.proves(victim.caught("does not extend the one seen before", *log))


# ------------------------------------------------------------ heads that nobody signed so

@test("a head signed by another key")
def forged_head(story):
    victim = Victim(story)
    books = story.books()

    def forge(reply, request):
        reply.position.CopyFrom(books.position(request.known_size, head=books.head(key=victim.operator.other_key)))

    victim.operator.trick = Forge("balance", forge)
    evidence = victim.caught("signature on the ledger's head is not right", "balance", "m0001")
    victim.explains(evidence, 1, "proves nothing to others")
    victim.operator.trick = OtherHeads(books, key=victim.operator.other_key)
    victim.caught("signature on the ledger's head is not right", "balance", "m0001")
    victim.goes_on()


@test("a proof of consistency that is none, and no proof at all")
def forged_consistency(story):
    victim = Victim(story)
    story.log()

    def forge(reply, _):
        for i, piece in enumerate(reply.position.consistency):
            reply.position.consistency[i] = piece[::-1]

    def forget(reply, _):
        del reply.position.consistency[:]

    for change in (forge, forget):
        victim.operator.trick = Forge("status", change)
        evidence = victim.caught("does not extend the one seen before", "balance", "m0001")
        victim.explains(evidence, 1, "the reply does not connect them", "timebank ledger export")
    victim.goes_on()


# ------------------------------------------------------------------ batches that were left out

def n_logs(story):
    return story.honest("statement", "m0002", "--csv").count("log")


@test("a batch answered with an older batch's answer, and not recorded")
def forged_answer(story):
    victim = Victim(story)
    keep = victim.operator.trick = Keep()
    victim.run("log", "--giver", "m0002", "--time", "1h", "--on", story.new_day(), "--activity", "gardening")
    old = keep.kept("answer")
    n = n_logs(story)

    def answer(request):
        position = story.books().position(request.known_size)
        return story.pb.Response(position=position, answer=old.answer)

    victim.operator.trick = Answer("submit", answer)
    evidence = victim.caught("answered as recorded, but is not in the ledger as sent", "log", "--giver", "m0002",
                             "--time", "1h", "--on", story.new_day(),
                             "--activity", "gardening")
    victim.explains(evidence, 1, "proves nothing to others")
    assert n_logs(story) == n
    victim.goes_on()
    victim.run("log", "--giver", "m0002", "--time", "1h", "--on", story.new_day(), "--activity", "gardening")
    assert n_logs(story) == n + 2, "what the operator kept back is recorded once, before the next batch"


@test("a batch written into books that nobody else is shown")
def omitted(story):
    victim = Victim(story)
    victim.operator.trick = Record(story.books())
    victim.run("log", "--giver", "m0002", "--time", "1h", "--on", story.new_day(), "--activity", "gardening")
    victim.operator.trick = Honest()
    evidence = victim.caught("The ledger went back", "balance", "m0001")
    victim.explains(evidence, 1, "Nobody signed which came first")
    for _ in range(2):
        story.log()
    victim.proves(victim.caught("does not extend the one seen before", "balance", "m0001"))
    Victim(story).goes_on()


@test("a batch of two answered with its entries in another order")
def answer_reordered(story):
    victim = Victim(story)
    sheet = victim.state + "/two.csv"
    with open(sheet, "w", encoding="utf-8") as f:
        f.write("ref,kind,service_date,giver,receiver,minutes,activity\n")
        for ref in ("r1", "r2"):
            f.write(f"{ref},exchange,{story.new_day()},m0001,m0002,60,gardening\n")

    def turn(reply, _):
        if not reply.answer.dry_run:
            reply.answer.entries[:] = list(reply.answer.entries)[::-1]

    victim.operator.trick = Forge("answer", turn)
    victim.caught("The entries do not follow their seal", "import", sheet)
    victim.goes_on()
    assert "Already in: 2" in victim.run("import", sheet)


@test("a batch answered as in already, where other entries stand")
def already(story):
    victim = Victim(story)
    n = n_logs(story)

    def answer(request):
        books = story.books()
        return story.pb.Response(position=books.position(request.known_size),
                                 answer=story.pb.Answer(already=True, entries=[len(books.records) - 1]))

    victim.operator.trick = Answer("submit", answer)
    evidence = victim.caught("answered as in already", "log", "--giver", "m0002", "--time", "1h", "--on", story.new_day(), "--activity", "gardening")
    victim.explains(evidence, 1, "proves nothing to others")
    assert n_logs(story) == n
    victim.goes_on()


@test("an import answered as in already")
def import_already(story):
    victim = Victim(story)
    sheet = victim.state + "/one.csv"
    with open(sheet, "w", encoding="utf-8") as f:
        f.write("ref,kind,service_date,giver,receiver,minutes,activity\n"
                f"i1,exchange,{story.new_day()},m0001,m0002,60,gardening\n")

    def answer(request):
        books = story.books()
        other = next(i for i in reversed(range(len(books.records))) if books.records[i][0] == 2)
        return None if request.submit.dry_run else story.pb.Response(
            position=books.position(request.known_size), answer=story.pb.Answer(already=True, entries=[other]))

    victim.operator.trick = Answer("submit", answer)
    victim.caught("answered as in already", "import", sheet)
    victim.goes_on()
    assert "Already in: 1" in victim.run("import", sheet), "what waited was recorded before"


# ------------------------------------------------------------------------------ receipts

def entry_of(said):
    return int(said.rpartition("entry ")[2].split()[0].rstrip(".,"))


@test("a receipt of an entry that is not in the ledger")
def forged_receipt(story):
    victim = Victim(story)
    entry = str(entry_of(story.exchange()))

    def other_minutes(reply, _):
        reply.receipt.record = reply.receipt.record.replace(b"m0001", b"m0002")

    def other_seal(reply, _):
        seal = bytearray(reply.receipt.seal_record)
        seal[-1] ^= 1
        reply.receipt.seal_record = bytes(seal)

    for change, sentence in ((other_minutes, "The entry shown is not the one in the ledger"),
                             (other_seal, "The seal shown is not the one in the ledger")):
        victim.operator.trick = Forge("receipt", change)
        evidence = victim.caught(sentence, "receipt", entry, "--out", victim.state + "/receipt")
        victim.explains(evidence, 1, "proves nothing to others")
        assert not os.path.exists(victim.state + "/receipt")
    victim.goes_on()
    victim.run("receipt", entry, "--out", victim.state + "/receipt")
    victim.explains(victim.state + "/receipt", 0, "VERIFIED")


@test("a receipt of an order recorded again, outside its batch, under a head that the operator signs")
def replayed_order(story):
    victim = Victim(story)
    entry = entry_of(story.exchange())
    books = story.books()
    books.records.append(books.records[entry])
    again = len(books.records) - 1
    trick = victim.operator.trick = OtherHeads(books)

    def receipt(request):
        if request.WhichOneof("body") == "receipt":
            return story.pb.Response(position=books.position(request.known_size),
                                     receipt=books.receipt(again, entry - 1, 0, 1))
        return None

    trick.request = receipt
    evidence = victim.caught("its author did not sign it at that place", "receipt", str(again))
    victim.explains(evidence, 1, "proves nothing to others")
    victim.operator.trick = Honest()
    victim.caught("The ledger went back", "balance", "m0001")
    Victim(story).goes_on()


@test("a batch recorded twice: its receipt verifies, the books do not")
def replayed_batch(story):
    victim = Victim(story)
    entry = entry_of(story.exchange())
    books = story.books()
    books.records += books.records[entry - 1:entry + 1]
    again = len(books.records) - 1
    trick = victim.operator.trick = OtherHeads(books)

    def answer(request):
        body, position = request.WhichOneof("body"), books.position(request.known_size)
        if body == "receipt":
            return story.pb.Response(position=position, receipt=books.receipt(again, again - 1, 0, 1))
        if body == "published":
            return story.pb.Response(position=position, published=story.pb.Published(size=len(books.records),
                                                                                     checkpoint=books.head()))
        if body == "tiles":
            hashes = books.leaves()[request.tiles.first:request.tiles.first + request.tiles.n]
            return story.pb.Response(position=position, tiles=story.pb.Hashes(hashes=b"".join(hashes)))
        if body == "records":
            records = books.records[request.records.first:request.records.first + request.records.max]
            return story.pb.Response(position=position, records=story.pb.Records(
                first=request.records.first, n=len(records),
                records=b"".join(struct.pack(">H", len(r)) + r for r in records)))
        return None

    trick.request = answer
    victim.run("receipt", str(again))
    victim.run("ledger", "export", "--entries", victim.state + "/export")
    if os.path.exists(AUDIT):
        done = subprocess.run([AUDIT, "ledger", victim.state + "/export", story.bank.verifier_key],
                              capture_output=True, text=True)
        assert done.returncode == 1 and f"record {again}: its id is that of record {entry}" in done.stdout, done.stdout
    victim.operator.trick = Honest()
    victim.caught("The ledger went back", "balance", "m0001")
    Victim(story).goes_on()


# ---------------------------------------------------------------------------- statements

class Instead(Honest):
    """Asks the daemon for another thing than it was asked."""

    def __init__(self, change):
        self.change = change

    def request(self, request):
        self.change(request)


def prove(victim, sentence):
    path = victim.state + "/proof"
    evidence = victim.caught(sentence, "statement", "m0001", "--proof", path)
    assert not os.path.exists(path)
    return evidence


def proof_is_given(victim):
    victim.goes_on()
    path = victim.state + "/proof"
    victim.run("statement", "m0001", "--proof", path)
    victim.explains(path, 0, "complete and correct")


@test("the statement of another member")
def swapped_statement(story):
    victim = Victim(story)

    def state(request):
        if request.WhichOneof("body") == "account_state":
            request.account_state.code = "m0002"

    def lines(request):
        if request.WhichOneof("body") == "statement":
            request.statement.code = "m0002"

    def both(request):
        state(request)
        lines(request)

    victim.operator.trick = Instead(lines)
    evidence = prove(victim, "The statement is not complete.")
    victim.explains(evidence, 1)
    for change in (state, both):
        victim.operator.trick = Instead(change)
        evidence = prove(victim, "not told in the form that was asked for")
        victim.explains(evidence, 1, "proves nothing to others")
    proof_is_given(victim)


@test("another member's balance and statement, where no proof was asked for")
def swapped_reading(story):
    victim = Victim(story)

    def swap(request):
        body = request.WhichOneof("body")
        if body in ("balance", "statement"):
            getattr(request, body).code = "m0002"

    victim.operator.trick = Instead(swap)
    for words, sentence in ((("balance", "m0001"), "balance of another account"),
                            (("statement", "m0001"), "statement of another account")):
        victim.explains(victim.caught(sentence, *words), 1, "proves nothing to others")
    victim.goes_on()
    victim.run("statement", "m0001")


@test("a statement with a line left out, the first, the last or one between")
def line_left_out(story):
    victim = Victim(story)
    for place in (0, 1, -1):
        def leave_out(reply, _, place=place):
            del reply.statement.lines[place]

        victim.operator.trick = Forge("statement", leave_out)
        victim.explains(prove(victim, "The statement is not complete."), 1)
    proof_is_given(victim)


@test("a statement with another balance, and the running hash made to fit")
def cooked_statement(story):
    victim = Victim(story)

    class Cook(Honest):
        lines = []

        def request(self, request):
            """The lines are needed before the account is told, so they are asked for here."""
            if request.WhichOneof("body") == "account_state":
                asking = story.operator.client()
                page = asking.ask(statement=story.pb.AskStatement(code="m0001"))
                asking.close()
                self.lines = list(reversed(page.lines))

        def reply(self, request, reply):
            if reply.WhichOneof("body") == "account_state":
                reply.account_state.leaf = cook(reply.account_state.leaf, self.lines, 60)
            if reply.WhichOneof("body") == "statement":
                line = reply.statement.lines[0]
                line.minutes, line.after = line.minutes + 60, line.after + 60

    victim.operator.trick = Cook()
    victim.explains(prove(victim, "The statement is not complete."), 1)
    proof_is_given(victim)


def cook(leaf, lines, more):
    """The account's leaf with more minutes in its last line."""
    at = 4 + 8 + 3 + leaf[14] + 16
    running = bytes(32)
    for line in lines:
        if line.moved:
            after = line.after + (more if line is lines[-1] else 0)
            running = sha256(b"\x03" + running + leaf_hash(b"\x02" + line.order)
                             + struct.pack(">qq", after, line.held_after))
    assert lines[-1].moved
    balance = struct.unpack(">q", leaf[at:at + 8])[0]
    return leaf[:at] + struct.pack(">q", balance + more) + leaf[at + 8:-32] + running


@test("hashes of the tree that are not those between the statement's records")
def forged_ranges(story):
    victim = Victim(story)

    def turn(reply, _):
        hashes = bytearray(reply.ranges.hashes)
        hashes[-1] ^= 1
        reply.ranges.hashes = bytes(hashes)

    victim.operator.trick = Forge("ranges", turn)
    victim.explains(prove(victim, ""), 1)
    proof_is_given(victim)


@test("a published head that is older than what it is to prove, longer than the ledger, or another's")
def other_published(story):
    victim = Victim(story)
    books = story.books()

    def old(reply, _):
        reply.published.CopyFrom(story.pb.Published(size=3, checkpoint=books.head(3)))

    def ahead(reply, _):
        longer = Books(story.pb, story.books().records + [b"\x02more"], books.key, books.origin)
        reply.published.CopyFrom(story.pb.Published(size=len(longer.records), checkpoint=longer.head()))

    def forged(reply, _):
        reply.published.CopyFrom(story.pb.Published(size=len(books.records),
                                                    checkpoint=books.head(key=victim.operator.other_key)))

    for change, sentence in ((old, "older than the state of the account"), (ahead, "ahead of the ledger's own"),
                             (forged, "signature on the published head is not right")):
        victim.operator.trick = Forge("published", change)
        victim.explains(prove(victim, sentence), 1)
    proof_is_given(victim)


# ------------------------------------------------------------ what was said before, said again

@test("an old reply, an old welcome and an old greeting")
def replays(story):
    victim = Victim(story)
    keep = victim.operator.trick = Keep()
    victim.run("account", "show", "m0001")
    victim.run("log", "--giver", "m0002", "--time", "1h", "--on", story.new_day(), "--activity", "gardening")
    victim.run("account", "show", "m0001")
    old_reply, old_welcome, old_greeting = keep.kept("account"), keep.kept("welcome"), keep.greetings[0]

    def reply_again(reply, _):
        tag = reply.tag
        reply.CopyFrom(old_reply)
        reply.tag = tag

    victim.operator.trick = Forge("account", reply_again)
    evidence = victim.caught("The ledger went back", "account", "show", "m0001")
    victim.explains(evidence, 1)

    def welcome_again(reply, _):
        reply.welcome.CopyFrom(old_welcome.welcome)

    victim.operator.trick = Forge("welcome", welcome_again)
    evidence = victim.caught("did not prove that it holds the ledger's key", "balance", "m0001")
    victim.explains(evidence, 1, "proves nothing to others")

    class Greet(Honest):
        def greeting(self, greeting):
            greeting.CopyFrom(old_greeting)

    # The real daemon does not know the nonce of that greeting any more, so it refuses the hello.
    victim.operator.trick = Greet()
    done = victim.try_run("balance", "m0001")
    assert done.returncode == 1 and "signature" in done.stderr, done.stderr

    class GreetAndWelcome(Greet):
        def request(self, request):
            return story.pb.Response(welcome=old_welcome.welcome) if request.WhichOneof("body") == "hello" else None

    victim.operator.trick = GreetAndWelcome()
    victim.caught("did not prove that it holds the ledger's key", "balance", "m0001")
    victim.goes_on()


class Relay(Honest):
    """Has the hello signed for another bank's nonce, and takes it there."""

    def __init__(self, pb, path):
        self.pb, self.path, self.answers = pb, path, []

    def greeting(self, greeting):
        self.wire = Wire(self.pb, self.path)
        greeting.nonce = self.wire.receive().greeting.nonce

    def request(self, request):
        if request.WhichOneof("body") != "hello":
            return None
        self.hello = request
        return self.give(self.wire)

    def give(self, wire):
        wire.send(self.hello)
        answer = wire.receive()
        wire.close()
        self.answers.append(answer)
        return answer


@test("a hello made for this bank, taken to another one, and played again to this one")
def relayed_hello(story):
    victim = Victim(story)
    other = ServedBank()
    try:
        other.start()
        relay = victim.operator.trick = Relay(story.pb, other.path)
        assert victim.try_run("balance", "m0001").returncode != 0
        again = Wire(story.pb, story.bank.path)
        again.receive()
        relay.give(again)
    finally:
        other.end()
    # BAD_SIGNATURE, from both
    said = [answer.refused.refusals[0].message for answer in relay.answers]
    assert len(said) == 2 and all("signature" in one for one in said), said
    victim.goes_on()


# ---------------------------------------------------------------------- the ledger's key

def verifier_key(origin, key):
    public = b"\x01" + bytes(key.verify_key)
    return f"{origin}+{sha256(origin.encode() + chr(10).encode() + public)[:4].hex()}+{base64.b64encode(public).decode()}"


class NewKey(Honest):
    """Shows a key that follows the ledger's, with that signature by the old one."""

    def __init__(self, operator, by_old):
        self.operator, self.by_old = operator, by_old

    def greeting(self, greeting):
        old, new = self.operator.key, self.operator.other_key
        greeting.keys.extend([bytes(old.verify_key), bytes(new.verify_key)])
        greeting.by_old.append(self.by_old)
        greeting.verifier_key = verifier_key(self.operator.origin, new)


@test("another key than before, that the old key did not sign for")
def bad_rotation(story):
    victim = Victim(story)
    operator = victim.operator
    ledger_id = Ledger(story.bank.verifier_key).id
    old, new = bytes(operator.key.verify_key), bytes(operator.other_key.verify_key)
    for by_old in (sign_rotation(operator.other_key, ledger_id, old, new),
                   sign_rotation(operator.key, ledger_id, old, old), bytes(64)):
        operator.trick = NewKey(operator, by_old)
        evidence = victim.caught("earlier key did not sign for it", "balance", "m0001", status=1)
        victim.explains(evidence, 1, "proves nothing to others")
    # Nor does it help to leave the chain out.
    operator.trick = NewKey(operator, b"")
    operator.trick.greeting = lambda greeting: setattr(greeting, "verifier_key",
                                                       verifier_key(operator.origin, operator.other_key))
    done = victim.try_run("balance", "m0001")
    assert done.returncode == 1 and "not the one you trusted before" in done.stderr, done.stderr
    victim.goes_on()


class OtherKey(OtherHeads):
    """Shows a key that the ledger's own signed for, and signs all with it: what its log says nothing of."""

    def __init__(self, operator, books, ledger_id):
        super().__init__(books, key=operator.other_key)
        by_old = sign_rotation(operator.key, ledger_id, bytes(operator.key.verify_key),
                               bytes(operator.other_key.verify_key))
        self.chain, self.ledger_id = NewKey(operator, by_old), ledger_id

    def greeting(self, greeting):
        super().greeting(greeting)
        self.chain.greeting(greeting)
        self.nonce = greeting.nonce

    def reply(self, request, reply):
        super().reply(request, reply)
        if reply.WhichOneof("body") == "receipt":
            reply.receipt.checkpoint = self.books.head(key=self.key)
        if reply.WhichOneof("body") == "welcome":
            both = b"TBA1" + self.ledger_id + self.nonce + request.hello.nonce + bytes(32)
            reply.welcome.signature = sign(self.key, b"timebank-welcome", both)


@test("a key that the old one signed for, and the ledger's records do not know")
def secret_rotation(story):
    victim = Victim(story)
    entry = entry_of(story.exchange())
    operator, books = victim.operator, story.books()
    operator.trick = OtherKey(operator, books, Ledger(story.bank.verifier_key).id)
    done = victim.try_run("balance", "m0001")
    assert done.returncode == 0 and "The ledger's key was changed, by the old key's own signature" in done.stderr
    victim.caught("changes of the ledger's key shown do not lead", "receipt", str(entry))
    operator.trick = Honest()
    done = victim.try_run("balance", "m0001")
    assert done.returncode == 1 and "not the one you trusted before" in done.stderr, done.stderr
    Victim(story).goes_on()


@test("a head that somebody else was shown, of another history")
def head_of_others(story):
    victim = Victim(story)
    entry = entry_of(story.exchange())
    books = story.books()
    books.records[-1] = books.records[-1][:-1] + bytes([books.records[-1][-1] ^ 1])
    path = victim.state + "/their.head"
    with open(path, "wb") as f:
        f.write(books.head())
    victim.run("balance", "m0001")
    victim.proves(victim.caught("two histories", "receipt", str(entry), "--head", path))
    for _ in range(2):
        story.log()
    victim.run("balance", "m0001")
    victim.proves(victim.caught("", "receipt", str(entry), "--head", path))
    victim.goes_on()


@test("another first ledger id, so that a file would be recorded twice")
def other_first_id(story):
    victim = Victim(story)
    sheet = victim.state + "/one.csv"
    with open(sheet, "w", encoding="utf-8") as f:
        f.write("ref,kind,service_date,giver,receiver,minutes,activity\n"
                f"f1,exchange,{story.new_day()},m0001,m0002,60,gardening\n")
    victim.run("import", sheet)

    class OtherFirst(Honest):
        def greeting(self, greeting):
            greeting.first_ledger_id = bytes(range(32))

    n = story.books().records
    victim.operator.trick = OtherFirst()
    evidence = victim.caught("names another ledger than before", "import", sheet)
    victim.explains(evidence, 1, "proves nothing to others")
    assert story.books().records == n
    victim.goes_on()
    assert "Already in: 1" in victim.run("import", sheet)
    # Told so from the first day on, one finds it out when the truth is told.
    late = Victim.__new__(Victim)
    late.__dict__.update(victim.__dict__, state=victim.state + "/late")
    late.operator.trick = OtherFirst()
    late.run("balance", "m0001")
    late.run("balance", "m0001")
    late.operator.trick = Honest()
    late.caught("names another ledger than before", "balance", "m0001")


# ------------------------------------------------------------------------------- exports

@test("an export with hashes or records of another history")
def other_tiles(story):
    victim = Victim(story)
    place = victim.state + "/export"

    def other_leaf(reply, _):
        hashes = bytearray(reply.tiles.hashes)
        hashes[40] ^= 1
        reply.tiles.hashes = bytes(hashes)

    def other_record(reply, _):
        records = bytearray(reply.records.records)
        records[10] ^= 1
        reply.records.records = bytes(records)

    victim.operator.trick = Forge("tiles", other_leaf)
    evidence = victim.caught("do not lead to the heads that it signed", "ledger", "export", place)
    victim.explains(evidence, 1)
    assert not os.path.exists(place + "/checkpoint")
    victim.operator.trick = Forge("records", other_record)
    evidence = victim.caught("not the one in its ledger", "ledger", "export", "--entries", place + "2")
    victim.explains(evidence, 1, "proves nothing to others")
    assert not os.path.exists(place + "2/checkpoint")
    victim.goes_on()
    victim.run("ledger", "export", place)
    victim.run("ledger", "export", "--entries", place + "2")
    done = subprocess.run([TIMEBANK, "ledger", "verify", place, "--ledger", story.bank.verifier_key],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@test("another entry than the one that was asked for")
def other_entry(story):
    victim = Victim(story)
    first, entry = entry_of(story.exchange()), entry_of(story.exchange())

    def earlier(request):
        if request.WhichOneof("body") == "entry":
            request.entry.number = first

    victim.operator.trick = Instead(earlier)
    evidence = victim.caught("Another entry was shown", "entry", "show", str(entry))
    victim.explains(evidence, 1, "proves nothing to others")
    victim.goes_on()
    victim.run("entry", "show", str(entry))


# ---------------------------------------------------------------------------- reports

REPORT = ("report", "--from", "2025-01-01", "--to", "2025-03-31")


def signed_again(story, change, key=None):
    """Changes the report, and signs it as the bank would, or with another key."""
    key = key or story.operator.key

    def forge(reply, _):
        report = reply.report
        report.json = change(report.json)
        report.signature = sign(key, b"timebank-report", report.json + b"\n")
        report.key = bytes(key.verify_key)

    return Forge("report", forge)


def instead(old, new):
    def change(text):
        assert old in text, old
        return text.replace(old, new, 1)
    return change


@test("a report of another period, class, cut-off or bank than was asked for, signed by the ledger's key")
def other_report(story):
    victim = Victim(story)
    for change, sentence, *more in [
            (instead(b'"from":"2025-01-01"', b'"from":"2025-01-02"'), "of another period"),
            (instead(b'"to":"2025-03-31"', b'"to":"2025-03-30"'), "of another period"),
            (instead(b'"class":"internal"', b'"class":"funder"'), "of another class", "--class", "internal"),
            (instead(b'"as_known_at":"20', b'"as_known_at":"19'), "of another cut-off", "--as-known-at", "2030-01-01"),
            (instead(b'"bank":"test', b'"bank":"best'), "of another bank"),
            (instead(b'"givers":', b'"givers":9'), "checksum"),
            (instead(b'{"definition"', b'{"definition":"x","definition"'), "in a form that no bank sends"),
            (instead(b'"suppressed":0', b'"suppressed":NaN'), "in a form that no bank sends"),
            (lambda text: text + b" ", "in a form that no bank sends"),
            (lambda text: b'{"a":' * 3000 + b"1" + b"}" * 3000, "in a form that no bank sends"),
            (lambda text: b"[" * 100000, "in a form that no bank sends"),
            (lambda text: text[:-1], "in a form that no bank sends")]:
        victim.operator.trick = signed_again(story, change)
        victim.caught(sentence, *REPORT, *more)
    victim.goes_on()
    victim.run(*REPORT)


@test("a report on records that are not the ledger's, now or earlier")
def other_position(story):
    victim = Victim(story)
    books = story.books()
    books.records[3] = books.records[3][:-1] + b"\0"
    root, size = base64.b64encode(story.books().root()), len(books.records)
    forged = base64.b64encode(books.root())
    victim.operator.trick = signed_again(story, instead(root, forged))
    evidence = victim.caught("that are not the ledger's own", *REPORT)
    victim.explains(evidence, 1)
    story.exchange()
    at = ("--at", str(size))
    victim.caught("that are not the ledger's own", *REPORT, *at)
    victim.operator.trick = signed_again(story, instead(b'"size":%d' % size, b'"size":%d' % (size - 1)))
    victim.caught("of another position", *REPORT, *at)
    victim.operator.trick = signed_again(story, instead(b'"position":{"size":', b'"position":{"size":9'))
    victim.caught("that are not the ledger's own", *REPORT)
    victim.goes_on()
    victim.run(*REPORT, *at)


@test("a report that another key signed, or nobody, or that was signed for another question")
def other_signature(story):
    victim = Victim(story)
    victim.operator.trick = signed_again(story, lambda text: text, victim.operator.other_key)
    victim.caught("signed by another key", *REPORT)

    def unsigned(reply, _):
        reply.report.signature = b""

    victim.operator.trick = Forge("report", unsigned)
    victim.caught("without the ledger's signature", *REPORT)

    def changed(reply, _):
        reply.report.json = reply.report.json.replace(b'"givers":', b'"givers":1')

    victim.operator.trick = Forge("report", changed)
    victim.caught("signature on a report is not right", *REPORT)
    victim.operator.trick = keep = Keep()
    victim.run(*REPORT)
    kept = keep.kept("report").report
    story.exchange()

    def replay(reply, _):
        reply.report.CopyFrom(kept)

    victim.operator.trick = Forge("report", replay)
    victim.caught("of another period", "report", "--from", "2025-01-01", "--to", "2025-02-28")
    victim.goes_on()
    victim.run(*REPORT)


@test("what a figure is made of, told of another report")
def other_why(story):
    victim = Victim(story)
    why = (*REPORT, "--why", "givers")
    victim.operator.trick = signed_again(story, instead(b'"from":"2025-01-01"', b'"from":"2025-01-02"'))
    victim.caught("of another period", *why)
    victim.operator.trick = signed_again(story, lambda text: b'{"bank":"test.example/timebank"}')
    victim.caught("of another period", *why)
    kept = victim.state + "/old.json"
    victim.goes_on()
    victim.run(*REPORT, "--format", "json", "--out", kept)
    size = str(len(story.books().records)).encode()
    story.exchange()
    victim.operator.trick = signed_again(story, instead(b'"size":' + size, b'"size":1'))
    victim.caught("of another earlier position", "report", "--compare", kept)
    victim.goes_on()
    victim.run("report", "--compare", kept)
    victim.run(*why)


# ------------------------------------------------------------------------------ end

def main():
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="tb.") as place:
        story = Story(message_types(SOURCE, place))
        wanted = os.environ.get("TIMEBANK_TRICK", "")
        for sentence, function in TESTS:
            if wanted not in sentence:
                continue
            try:
                function(story)
                tap.ok(not story.operator.faults, sentence, *story.operator.faults)
            except Exception:  # pylint: disable=broad-except
                tap.ok(False, sentence, *traceback.format_exc().splitlines(), *story.operator.faults)
            story.operator.faults.clear()
            story.operator.trick, story.operator.behind = Honest(), story.bank.path
        fault = story.end()
    tap.ok(fault is None, "the ledger is whole afterwards", fault or "")
    tap.end()


if __name__ == "__main__":
    main()
