#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A receipt's README, followed to the letter in an empty directory: its commands, and no others, must
give the answers that it promises. Then single bits of what is signed and hashed are turned, and
openssl and ssh-keygen themselves must stop giving them."""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from served_bank import BUILT, TIMEBANK, ServedBank

SIGNED = "Signature Verified Successfully"
GOOD = 'Good "timebank-batch" signature for author'
PATH = os.pathsep.join([os.path.join(BUILT, "clients"), os.path.join(BUILT, "clients", "audit"),
                        os.environ["PATH"]])


# ------------------------------------------------------------------------------ the README

def steps_of(readme):
    """[(commands, answers)]: what stands together, with what it must answer."""
    steps, commands, answers = [], [], []
    for line in readme.splitlines():
        if line.startswith("    => "):
            answers.append(line[7:])
        elif line.startswith("    "):
            if answers:
                steps.append((commands, answers))
                commands, answers = [], []
            commands.append(line[4:])
    steps.append((commands, answers))
    return steps


def follow(place, steps):
    """What each step answers, in one shell in that directory."""
    script = []
    for i, (commands, _) in enumerate(steps):
        script += commands + [f"printf '@@%d\\n' {i}"]
    done = subprocess.run(["sh"], input="\n".join(script) + "\n", cwd=place, text=True, errors="replace",
                          env={"PATH": PATH, "LC_ALL": "C.UTF-8", "TMPDIR": place + "/../tmp"},
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [part.splitlines() for part in re.split(r"@@\d+\n", done.stdout)[:len(steps)]]


def is_ours(step):
    return any("timebank" in command.split()[0] for command in step[0] if command.strip())


# ------------------------------------------------------------------------------ turned bits

def turn(data, bit):
    data = bytearray(data)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def spread(n_bytes, n):
    """n bits, from the first to the last."""
    return [i * (8 * n_bytes - 1) // (n - 1) for i in range(n)]


class Copy:
    """A receipt of the test's own, to be changed."""

    def __init__(self, receipt):
        self.top = tempfile.mkdtemp(prefix="tb.", dir="/tmp")
        os.mkdir(self.top + "/tmp")
        self.place = shutil.copytree(receipt, self.top + "/receipt")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)

    def read(self, name):
        with open(f"{self.place}/{name}", "rb") as f:
            return f.read()

    def write(self, name, data):
        with open(f"{self.place}/{name}", "wb") as f:
            f.write(data)

    def turn_in_file(self, name, bit):
        self.write(name, turn(self.read(name), bit))

    def turn_in_hash(self, name, i, bit):
        lines = self.read(name).split(b"\n")
        at = next(j for j, line in enumerate(lines) if line.startswith(b"index ")) + 1 + i
        lines[at] = base64.b64encode(turn(base64.b64decode(lines[at]), bit))
        self.write(name, b"\n".join(lines))

    def turn_in_signature(self, bit):
        lines = self.read("batch.sig").decode().splitlines()
        blob = base64.b64decode("".join(lines[1:-1]))
        text = base64.b64encode(blob[:-64] + turn(blob[-64:], bit)).decode()
        body = [text[i:i + 70] for i in range(0, len(text), 70)]
        self.write("batch.sig", "\n".join([lines[0], *body, lines[-1], ""]).encode())

    def turn_in_note(self, bit):
        """In the text that the ledger signed, of both proofs."""
        for name in ("entry.proof", "seal.proof"):
            proof, text, rest = self.read(name).split(b"\n\n", 2)
            self.write(name, b"\n\n".join([proof, turn(text, bit), rest]))

    def turn_in_head_signature(self, bit):
        for name in ("entry.proof", "seal.proof"):
            data = self.read(name)
            begin, _, last = data.rstrip(b"\n").rpartition(b" ")
            blob = base64.b64decode(last)
            self.write(name, begin + b" " + base64.b64encode(blob[:4] + turn(blob[4:], bit)) + b"\n")


def turned_bits_are_noticed(receipt, sentence, answer, changes):
    """answer: what the stock tools do not say any more, for each of the changes."""
    missed = []
    for name, change in changes:
        with Copy(receipt) as copy:
            steps = [step for step in steps_of(copy.read("README").decode()) if not is_ours(step)]
            change(copy)
            told = [line for lines in follow(copy.place, steps) for line in lines]
            wanted = sum(line.startswith(answer) for _, answers in steps for line in answers)
            if sum(line.startswith(answer) for line in told) >= wanted:
                missed.append(name)
    tap.ok(not missed, f"{sentence} ({len(changes)} bits)", *missed)


# ------------------------------------------------------------------------------ the bank

def timebank(bank, *words):
    env = dict(os.environ, TIMEBANK="unix:" + bank.path, XDG_STATE_HOME=bank.place + "/state")
    done = subprocess.run([TIMEBANK, "--key", bank.key_path, "--json", *words], env=env,
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stdout} {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def receipt_make(bank):
    """Of the order in the middle of three; and once more, when the ledger's key was changed."""
    for code in ("m0007", "m0012"):
        timebank(bank, "account", "open", code, "--kind", "member", "--joined", "2024-01-01")
    timebank(bank, "activity", "add", "gardening")
    with open(bank.place + "/entries.csv", "w") as f:
        f.write("ref,kind,service_date,giver,receiver,minutes,activity\n"
                "a1,exchange,2025-03-04,m0007,m0012,60,gardening\n"
                "a2,exchange,2025-03-05,m0007,m0012,150,gardening\n"
                "a3,exchange,2025-03-06,m0012,m0007,45,gardening\n")
    size = timebank(bank, "status")[0]["size"]
    timebank(bank, "import", bank.place + "/entries.csv")
    timebank(bank, "receipt", str(size + 2), "--out", bank.place + "/receipt")
    timebank(bank, "ledger", "rotate", "--overlap", "7", "the machine was replaced")
    timebank(bank, "receipt", str(size + 2), "--out", bank.place + "/later")
    return bank.place + "/receipt", bank.place + "/later"


def readme_is_true(receipt, when):
    has_go = os.path.exists(os.path.join(BUILT, "clients", "audit", "timebank-audit"))
    with Copy(receipt) as copy:
        before = {name: copy.read(name) for name in os.listdir(copy.place)}
        steps = steps_of(before["README"].decode())
        told = follow(copy.place, steps)
        wrong = []
        n_answers = 0
        for (commands, answers), lines in zip(steps, told):
            if not has_go and any("timebank-audit" in command for command in commands):
                print("# there is no Go here: the auditor's answer is not asked for")
                continue
            n_answers += len(answers)
            if lines != answers:
                wrong += [*commands[-1:], f"  promised {answers}", f"  answered {lines}"]
        tap.ok(not wrong and n_answers >= 14, f"the README's commands give its {n_answers} answers, {when}", *wrong)
        tap.ok(before == {name: copy.read(name) for name in os.listdir(copy.place)} and
               not os.listdir(copy.top + "/tmp"), f"nothing is changed or left by following it, {when}")


def main():
    bank = ServedBank()
    try:
        bank.start()
        receipt, later = receipt_make(bank)
        bank.stop()
        size = {name: os.path.getsize(f"{receipt}/{name}") for name in os.listdir(receipt)}
        readme_is_true(receipt, "with the ledger's first key")
        readme_is_true(later, "after a change of the ledger's key")
        with Copy(receipt) as copy:
            root = steps_of(copy.read("README").decode())
            n_note = len(copy.read("entry.proof").split(b"\n\n")[1])
            n_path = len(copy.read("entry.proof").split(b"\n\n")[0].split(b"\n")) - 2
            head_root = copy.read("entry.proof").split(b"\n\n")[1].split(b"\n")[2].decode()
        orders_root = next(answers[0] for commands, answers in root if "tail -c 32 batch.header | base64" in commands)
        turned_bits_are_noticed(
            receipt, "openssl refuses the head when its text was changed", SIGNED,
            [(f"text {bit}", lambda copy, bit=bit: copy.turn_in_note(bit)) for bit in spread(n_note, 6)])
        turned_bits_are_noticed(
            receipt, "openssl refuses the head when its signature was changed", SIGNED,
            [(f"signature {bit}", lambda copy, bit=bit: copy.turn_in_head_signature(bit)) for bit in spread(64, 5)])
        turned_bits_are_noticed(
            receipt, "ssh-keygen refuses the batch when its header was changed", GOOD,
            [(f"header {bit}", lambda copy, bit=bit: copy.turn_in_file("batch.header", bit))
             for bit in spread(size["batch.header"], 6)])
        turned_bits_are_noticed(
            receipt, "ssh-keygen refuses the batch when its signature was changed", GOOD,
            [(f"signature {bit}", lambda copy, bit=bit: copy.turn_in_signature(bit)) for bit in spread(64, 5)])
        turned_bits_are_noticed(
            receipt, "the hashes do not lead to the root when order, seal or a hash was changed", head_root,
            [(f"{name} {bit}", lambda copy, name=name, bit=bit: copy.turn_in_file(name, bit))
             for name in ("entry.record", "seal.record") for bit in spread(size[name], 4)] +
            [(f"hash {i}", lambda copy, i=i: copy.turn_in_hash("entry.proof", i, 37 * i)) for i in range(n_path)])
        turned_bits_are_noticed(
            receipt, "the order is none of those signed when it or a hash of the batch was changed", orders_root,
            [("entry.record", lambda copy: copy.turn_in_file("entry.record", 77))] +
            [(f"hash {i}", lambda copy, i=i: copy.turn_in_hash("batch.proof", i, 255)) for i in range(2)])
    finally:
        said = bank.check() if bank.stop() is not None else "the daemon had to be killed"
        bank.end()
    tap.ok(said is None, "the ledger is whole afterwards", said or "")
    tap.end()


if __name__ == "__main__":
    main()
