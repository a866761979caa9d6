# SPDX-License-Identifier: Apache-2.0
"""A client of a timebank in Python, written from timebank-ledger(5), timebank-protocol(7) and
timebank.proto alone: it shares no line with the programs that it talks to. Whatever does not verify
raises Lie; a refusal raises Refused. Messages are compiled at run time, by message_types()."""
import base64
import hashlib
import os
import socket
import struct
import subprocess
import sys
import time

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

ZERO = bytes(32)


class Lie(Exception):
    """What the daemon said does not verify, or is against the protocol."""


class Refused(Exception):
    def __init__(self, refusals):
        self.refusals = list(refusals)
        super().__init__("; ".join(f"{r.refusal} at {r.place}: {r.message}" for r in self.refusals))

    @property
    def number(self):
        return self.refusals[0].refusal


class Gone(Exception):
    """The daemon closed the connection."""


def insist(true, what):
    if not true:
        raise Lie(what)


def message_types(source, place):
    """timebank.proto as a Python module, compiled into place."""
    subprocess.run(["protoc", "-I", source + "/proto", "--python_out", place, "timebank.proto"], check=True)
    sys.path.insert(0, place)
    import timebank_pb2
    return timebank_pb2


# ---------------------------------------------------------------- bytes and hashes

def sha256(data):
    return hashlib.sha256(data).digest()


def lengthed(data):
    return struct.pack(">I", len(data)) + data


def leaf_hash(record):
    return sha256(b"\x00" + record)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def tree_root(leaves):
    """By the definition of RFC 6962, section 2.1."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(tree_root(leaves[:k]), tree_root(leaves[k:]))


def compact_levels(begin, end):
    """Levels of the compact range [begin, end): timebank-ledger(5), THE TREE."""
    at, levels = begin, []
    while at < end:
        k = 0
        while at % (2 << k) == 0 and at + (2 << k) <= end:
            k += 1
        levels.append(k)
        at += 1 << k
    return levels


def fold(pieces):
    """The root over (level, hash) laid in line from leaf 0 on: timebank-protocol(7), The range proof."""
    stack = []
    for level, piece in pieces:
        while stack and stack[-1][0] == level:
            piece, level = node_hash(stack.pop()[1], piece), level + 1
        stack.append((level, piece))
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


def range_root(leaves, begin, size, left, right):
    levels_left, levels_right = compact_levels(0, begin), compact_levels(begin + len(leaves), size)
    insist(begin + len(leaves) <= size, "the range lies behind the head")
    insist(len(left) == len(levels_left) and len(right) == len(levels_right), "the range proof has another shape")
    return fold([*zip(levels_left, left), *((0, leaf) for leaf in leaves), *zip(levels_right, right)])


def inclusion_root(index, size, leaf, path):
    """RFC 9162, section 2.1.3.2."""
    insist(index < size, "the leaf lies behind the tree")
    fn, sn, r = index, size - 1, leaf
    for p in path:
        insist(sn != 0, "the path is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    insist(sn == 0, "the path is too short")
    return r


def check_consistency(first, first_root, second, second_root, path):
    """RFC 9162, section 2.1.4.2, and the cases that need no proof."""
    insist(first <= second, "the ledger went back")
    if first in (0, second):
        insist(not path, "a proof where none is needed")
        insist(first == 0 or first_root == second_root, "two roots of one size")
        return
    path = list(path)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    insist(path, "no consistency proof")
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        insist(sn != 0, "the consistency proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    insist(sn == 0 and fr == first_root and sr == second_root, "one head is no beginning of the other")


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def uuid7():
    b = bytearray(struct.pack(">Q", time.time_ns() // 1000000)[2:] + os.urandom(10))
    b[6] = b[6] & 0x0F | 0x70
    b[8] = b[8] & 0x3F | 0x80
    return bytes(b)


# ---------------------------------------------------------------- keys and signatures

def read_secret_key(path):
    """An unencrypted Ed25519 key as ssh-keygen writes it (OpenSSH's PROTOCOL.key)."""
    with open(path) as f:
        lines = f.read().split("\n")
    begin, end = lines.index("-----BEGIN OPENSSH PRIVATE KEY-----"), lines.index("-----END OPENSSH PRIVATE KEY-----")
    blob = base64.b64decode("".join(lines[begin + 1:end]))
    assert blob.startswith(b"openssh-key-v1\x00")
    rest = blob[15:]

    def take():
        nonlocal rest
        n = struct.unpack(">I", rest[:4])[0]
        taken, rest = rest[4:4 + n], rest[4 + n:]
        return taken

    assert take() == b"none" and take() == b"none" and take() == b"" and rest[:4] == b"\x00\x00\x00\x01"
    rest = rest[4:]
    take()
    rest = take()
    assert rest[:4] == rest[4:8]
    rest = rest[8:]
    assert take() == b"ssh-ed25519"
    public, secret = take(), take()
    key = SigningKey(secret[:32])
    assert bytes(key.verify_key) == public == secret[32:]
    return key


def sshsig_message(namespace, message):
    return (b"SSHSIG" + lengthed(namespace) + lengthed(b"") + lengthed(b"sha512")
            + lengthed(hashlib.sha512(message).digest()))


def sign(key, namespace, message):
    return key.sign(sshsig_message(namespace, message)).signature


class Ledger:
    """What a verifier key says, and what can be checked with it."""

    def __init__(self, verifier_key):
        name, short, coded = verifier_key.split("+", 2)
        public = base64.b64decode(coded, validate=True)
        insist(len(public) == 33 and public[0] == 1, "no verifier key of an Ed25519 key")
        self.origin, self.key = name, VerifyKey(public[1:])
        self.id = sha256(name.encode() + b"\n" + public)
        insist(self.id[:4].hex() == short, "the verifier key does not agree with itself")

    def verify(self, message, signature, what):
        try:
            self.key.verify(message, signature)
        except (BadSignatureError, ValueError) as bad:
            raise Lie(f"the ledger's signature of {what}") from bad

    def read_head(self, note):
        """(size, root) of a signed head."""
        text, blank, lines = note.partition(b"\n\n")
        insist(blank and lines.endswith(b"\n"), "no signed note")
        text += b"\n"
        n_ours = 0
        for line in lines[:-1].split(b"\n"):
            dash, name, coded = line.split(b" ")
            insist(dash == b"\xe2\x80\x94", "no signature line")
            signature = base64.b64decode(coded, validate=True)
            if name.decode() == self.origin and signature[:4] == self.id[:4]:
                self.verify(text, signature[4:], "a head")
                n_ours += 1
        insist(n_ours == 1, "not exactly one signature by the ledger's key")
        origin, size, root = text[:-1].split(b"\n")
        insist(origin.decode() == self.origin and str(int(size)).encode() == size, "no head of this ledger")
        root = base64.b64decode(root, validate=True)
        insist(len(root) == 32, "no root")
        return int(size), root


# ---------------------------------------------------------------- the connection

class Wire:
    """Frames on a socket."""

    def __init__(self, pb, path, timeout_s=20):
        self.pb = pb
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        self.socket.connect(path)
        self.got = bytearray()

    def close(self):
        self.socket.close()

    def send(self, message):
        self.socket.sendall(lengthed(message.SerializeToString()))

    def need(self, n):
        while len(self.got) < n:
            try:
                more = self.socket.recv(65536)
            except (ConnectionResetError, BrokenPipeError) as reset:
                raise Gone() from reset
            if not more:
                raise Gone()
            self.got += more

    def receive_frame(self):
        self.need(4)
        n = struct.unpack(">I", self.got[:4])[0]
        insist(n > 0, "an empty frame")
        self.need(4 + n)
        frame = bytes(self.got[4:4 + n])
        del self.got[:4 + n]
        return frame

    def receive(self):
        """The next whole response, its parts put together."""
        first = self.pb.Response.FromString(self.receive_frame())
        self.n_parts = 1
        if not first.part:
            insist(not first.more, "more of what is no part")
            return first
        whole, reply = first.part, first
        while reply.more:
            reply = self.pb.Response.FromString(self.receive_frame())
            insist(reply.tag == first.tag and reply.part, "a part of something else")
            whole += reply.part
            self.n_parts += 1
        reply = self.pb.Response.FromString(whole)
        insist(reply.tag == first.tag and not reply.part, "parts of another reply")
        return reply


class Client:
    """A session whose every answer is verified. `memory` is [size, root] of the last head, which
    outlives a session."""

    def __init__(self, pb, path, key, verifier_key, memory=None, timeout_s=20):
        self.pb, self.key, self.ledger = pb, key, Ledger(verifier_key)
        self.public = bytes(key.verify_key)
        self.memory = [0, ZERO] if memory is None else memory
        self.tag = 0
        self.wire = Wire(pb, path, timeout_s)
        greeting = self.wire.receive()
        insist(greeting.tag == 0 and greeting.WhichOneof("body") == "greeting", "no greeting")
        self.greeting = greeting.greeting
        insist(self.greeting.protocol == 1 and len(self.greeting.nonce) == 32, "another protocol")
        insist(self.greeting.verifier_key == verifier_key, "another ledger")
        insist(self.greeting.origin == self.ledger.origin, "another origin")
        self.ledger.read_head(self.greeting.checkpoint)
        self.say_hello()

    def close(self):
        self.wire.close()

    def say_hello(self):
        nonce = os.urandom(32)
        both = b"TBA1" + self.ledger.id + self.greeting.nonce + nonce + ZERO
        hello = self.pb.Hello(key=self.public, nonce=nonce, signature=sign(self.key, b"timebank-hello", both))
        reply = self.receive(self.send(hello=hello))
        insist(reply.WhichOneof("body") == "welcome", "no welcome")
        self.welcome = reply.welcome
        self.ledger.verify(sshsig_message(b"timebank-welcome", both), self.welcome.signature, "the welcome")

    def send(self, **body):
        self.tag += 1
        self.known_size = self.memory[0]
        self.wire.send(self.pb.Request(tag=self.tag, known_size=self.known_size, **body))
        return self.tag

    def receive(self, tag):
        reply = self.wire.receive()
        if reply.WhichOneof("body") == "refused":
            insist(reply.tag in (tag, 0), "an answer to something else")
            if reply.HasField("position"):
                self.take_position(reply.position)
            raise Refused(reply.refused.refusals)
        insist(reply.tag == tag, "an answer to something else")
        return reply

    def ask(self, **body):
        """The member of the reply that answers, after its position was verified."""
        reply = self.receive(self.send(**body))
        insist(reply.HasField("position"), "no position")
        self.take_position(reply.position)
        return getattr(reply, reply.WhichOneof("body"))

    def take_position(self, position):
        if not position.checkpoint:
            insist(position.size == self.memory[0] and not position.consistency, "a size without its head")
            return
        size, root = self.ledger.read_head(position.checkpoint)
        insist(size == position.size, "a head of another size")
        check_consistency(self.memory[0], self.memory[1], size, root, position.consistency)
        self.memory[:] = [size, root]

    # ------------------------------------------------------------ batches

    def make_batch(self, orders, batch_id=None, now_ms=None, not_after_ms=900000, pin=None):
        """A signed Submit of orders that are bytes already."""
        now = time.time_ns() // 1000000 if now_ms is None else now_ms
        size, root = self.memory if pin is None else pin
        header = (b"TBB1" + struct.pack(">I", len(orders)) + self.ledger.id + self.public
                  + (batch_id or uuid7()) + struct.pack(">QQQ", now, now + not_after_ms, size) + root
                  + tree_root([leaf_hash(b"\x02" + order) for order in orders]))
        assert len(header) == 176
        return self.pb.Submit(header=header, signature=sign(self.key, b"timebank-batch", header),
                              orders=b"".join(varint(len(o)) + o for o in orders))

    def submit(self, batch, orders):
        """The answer, proven where it wrote or had written something."""
        answer = self.ask(submit=batch)
        insist(len(answer.entries) == len(orders), "an answer to other orders")
        if answer.seal == 0 and answer.already:
            return answer
        insist(len(answer.readable) == len(answer.from_after) == len(answer.to_after) == len(orders),
               "balances of other orders")
        if answer.seal == 0:
            insist(answer.dry_run, "nothing was written")
            return answer
        seal = b"\x01" + batch.header + batch.signature + struct.pack(">Q", answer.received_at_ms)
        leaves = [leaf_hash(seal)] + [leaf_hash(b"\x02" + order) for order in orders]
        root = range_root(leaves, answer.seal, self.memory[0], answer.left, answer.right)
        insist(root == self.memory[1], "the batch is not in the head's tree")
        insist(list(answer.entries) == [answer.seal + 1 + i for i in range(len(orders))], "other entry numbers")
        return answer

    def check_inclusion(self, index, record):
        proof = self.ask(inclusion=self.pb.AskInclusion(index=index))
        insist(proof.size == self.memory[0] and proof.index == index, "a proof of something else")
        insist(proof.leaf_hash == leaf_hash(record), "another record stands there")
        insist(inclusion_root(index, proof.size, proof.leaf_hash, proof.path) == self.memory[1], "not in the tree")


def make_order(pb, kind, day=None, parts=None, **fields):
    """The canonical bytes of an order; `parts` are the members of the kind's own message."""
    if "source_account" in fields:
        fields["from"] = fields.pop("source_account")
    if kind in ("exchange", "earn", "log", "gift", "donate", "grant", "issue", "redeem"):
        fields.setdefault("service_day", int(time.time()) // 86400 if day is None else day)
        fields.setdefault("authority", pb.BY_BROKER)
    fields.setdefault("id", uuid7())
    order = pb.Order(**fields)
    member = getattr(order, kind)
    member.SetInParent()
    for name, value in (parts or {}).items():
        setattr(member, name, value)
    return order.SerializeToString(deterministic=True)
