# SPDX-License-Identifier: Apache-2.0
"""An operator who cheats: holds the ledger's key, keeps books of any number, and stands in front of
the real daemon on a socket of its own, where it reads, changes, keeps back, plays again and makes up
whatever passes. What it can be caught at, test-malicious.py says."""
import base64
import os
import socket
import struct
import threading

from nacl.signing import SigningKey
from other_language import (Client, Gone, Lie, Wire, compact_levels, leaf_hash, lengthed, read_secret_key, sha256,
                            sign, sshsig_message, tree_root)

PART_BYTES = 65536  # timebank-protocol(7): longer replies go in parts


def sign_head(key, origin, text):
    """A signed note by that key, under the origin's name."""
    public = bytes(key.verify_key)
    key_id = sha256(origin.encode() + b"\n\x01" + public)[:4]
    line = base64.b64encode(key_id + key.sign(text).signature)
    return text + b"\n\xe2\x80\x94 " + origin.encode() + b" " + line + b"\n"


class Books:
    """Records of the operator's choice, and all that follows from them: heads, proofs, answers."""

    def __init__(self, pb, records, key, origin):
        self.pb, self.records, self.key, self.origin = pb, list(records), key, origin

    def leaves(self, size=None):
        return [leaf_hash(record) for record in self.records[:size]]

    def root(self, size=None):
        return tree_root(self.leaves(size))

    def head(self, size=None, key=None, root=None):
        size = len(self.records) if size is None else size
        coded = base64.b64encode(root or self.root(size)).decode()
        return sign_head(key or self.key, self.origin, f"{self.origin}\n{size}\n{coded}\n".encode())

    def path(self, index, leaves):
        """RFC 6962, section 2.1.1."""
        if len(leaves) == 1:
            return []
        k = 1 << (len(leaves) - 1).bit_length() - 1
        if index < k:
            return self.path(index, leaves[:k]) + [tree_root(leaves[k:])]
        return self.path(index - k, leaves[k:]) + [tree_root(leaves[:k])]

    def consistency(self, first, size):
        """RFC 6962, section 2.1.2."""
        def below(m, leaves, is_whole):
            n = len(leaves)
            if m == n:
                return [] if is_whole else [tree_root(leaves)]
            k = 1 << (n - 1).bit_length() - 1
            if m <= k:
                return below(m, leaves[:k], is_whole) + [tree_root(leaves[k:])]
            return below(m - k, leaves[k:], False) + [tree_root(leaves[:k])]
        return [] if first in (0, size) or first > size else below(first, self.leaves(size), True)

    def range(self, begin, end):
        """The compact range [begin, end)."""
        leaves, at, hashes = self.leaves(), begin, []
        for level in compact_levels(begin, end):
            hashes.append(tree_root(leaves[at:at + (1 << level)]))
            at += 1 << level
        return hashes

    def position(self, known_size, size=None, head=None):
        size = len(self.records) if size is None else size
        position = self.pb.Position(size=size)
        if size != known_size or head:
            position.checkpoint = head or self.head(size)
            position.consistency.extend(self.consistency(known_size, size))
        return position

    def record(self, submit, now_ms):
        """The answer to a batch that these books take, and no others."""
        seal = len(self.records)
        self.records.append(b"\x01" + submit.header + submit.signature + struct.pack(">Q", now_ms))
        orders, at = submit.orders, 0
        while at < len(orders):
            n = shift = 0
            while True:
                byte = orders[at]
                n, at, shift = n | (byte & 127) << shift, at + 1, shift + 7
                if byte < 128:
                    break
            self.records.append(b"\x02" + orders[at:at + n])
            at += n
        return self.pb.Answer(seal=seal, received_at_ms=now_ms, entries=range(seal + 1, len(self.records)),
                              left=self.range(0, seal))

    def receipt(self, number, seal, place, n_orders):
        """Of that record under that seal, shown as the order at that place of the batch."""
        leaves = self.leaves()
        batch = leaves[seal + 1:seal + 1 + n_orders]
        return self.pb.Receipt(number=number, record=self.records[number], path=self.path(number, leaves), seal=seal,
                               seal_record=self.records[seal], seal_path=self.path(seal, leaves),
                               batch_path=self.path(place, batch), size=len(leaves), checkpoint=self.head())


class Honest:
    """Passes everything on. Tricks override what they need."""

    def greeting(self, greeting):
        pass

    def request(self, request):
        """A Response of the operator's own, or None: the daemon is asked."""

    def reply(self, request, reply):
        pass


class Operator:
    """The socket that people are told to use."""

    def __init__(self, bank, pb):
        self.bank, self.pb = bank, pb
        self.path = bank.place + "/front"
        self.behind = bank.path
        self.trick = Honest()
        self.origin = bank.verifier_key.split("+")[0]
        self.key = read_secret_key(bank.directory + "/ledger.key")
        self.other_key = SigningKey.generate()
        self.faults = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def end(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.thread.join(10)
        os.unlink(self.path)

    def client(self, behind=None):
        """The steward's own connection to a daemon."""
        return Client(self.pb, behind or self.behind, read_secret_key(self.bank.key_path), self.bank.verifier_key)

    def books(self, behind=None):
        """All records of a daemon, as its steward reads them."""
        client = self.client(behind)
        client.ask(status=self.pb.Empty())
        records = []
        while len(records) < client.memory[0]:
            page = client.ask(records=self.pb.AskRecords(first=len(records)))
            at = 0
            while at < len(page.records):
                n = struct.unpack(">H", page.records[at:at + 2])[0]
                records.append(page.records[at + 2:at + 2 + n])
                at += 2 + n
        client.close()
        return Books(self.pb, records, self.key, self.origin)

    # ------------------------------------------------------------ one connection

    def listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            self.talk(connection)
        except (Gone, OSError):
            pass
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(repr(fault))
        finally:
            connection.close()

    def talk(self, connection):
        trick = self.trick
        behind = Wire(self.pb, self.behind)
        front = Wire.__new__(Wire)
        front.pb, front.socket, front.got = self.pb, connection, bytearray()
        try:
            greeting = behind.receive()
            if greeting.WhichOneof("body") == "greeting":
                trick.greeting(greeting.greeting)
            self.send(connection, greeting)
            while True:
                request = self.pb.Request.FromString(front.receive_frame())
                reply = trick.request(request)
                if reply is None:
                    behind.send(request)
                    reply = behind.receive()
                    trick.reply(request, reply)
                else:
                    reply.tag = request.tag
                self.send(connection, reply)
        finally:
            behind.close()

    def send(self, connection, reply):
        whole = reply.SerializeToString()
        if len(whole) <= PART_BYTES:
            connection.sendall(lengthed(whole))
            return
        for at in range(0, len(whole), PART_BYTES):
            part = self.pb.Response(tag=reply.tag, part=whole[at:at + PART_BYTES], more=at + PART_BYTES < len(whole))
            connection.sendall(lengthed(part.SerializeToString()))


# ---------------------------------------------------------------- tricks

class Forge(Honest):
    """Changes every reply of one kind: change(reply, request)."""

    def __init__(self, body, change):
        self.body, self.change = body, change

    def reply(self, request, reply):
        if reply.WhichOneof("body") == self.body:
            self.change(reply, request)


class OtherHeads(Honest):
    """Every reply shows the head of other books, with their own proof; the greeting, too."""

    def __init__(self, books, size=None, key=None):
        self.books, self.size, self.key = books, size, key

    def head(self):
        return self.books.head(self.size, key=self.key)

    def greeting(self, greeting):
        greeting.checkpoint = self.head()

    def reply(self, request, reply):
        if reply.HasField("position"):
            reply.position.CopyFrom(self.books.position(request.known_size, self.size, self.head()))


class Record(OtherHeads):
    """Takes batches into books of its own, which the daemon never hears of."""

    def request(self, request):
        if request.WhichOneof("body") != "submit" or request.submit.dry_run:
            return None
        answer = self.books.record(request.submit, 1700000000000)
        return self.books.pb.Response(position=self.books.position(request.known_size), answer=answer)


class Answer(Honest):
    """Says of a batch what it likes, and passes nothing on: make(request) is the Response."""

    def __init__(self, body, make):
        self.body, self.make = body, make

    def request(self, request):
        return self.make(request) if request.WhichOneof("body") == self.body else None


class Keep(Honest):
    """Remembers what passed: greetings, requests and replies."""

    def __init__(self):
        self.greetings, self.exchanges = [], []

    def greeting(self, greeting):
        kept = type(greeting)()
        kept.CopyFrom(greeting)
        self.greetings.append(kept)

    def reply(self, request, reply):
        kept = type(reply)()
        kept.CopyFrom(reply)
        self.exchanges.append((request, kept))

    def kept(self, body):
        return next(reply for _, reply in self.exchanges if reply.WhichOneof("body") == body)


class Welcome(Honest):
    """Signs welcomes itself, for a greeting that it made up: the key is all it takes."""

    def __init__(self, ledger_id, key, greeting):
        self.ledger_id, self.key, self.made = ledger_id, key, greeting

    def greeting(self, greeting):
        self.made(greeting)
        self.nonce = greeting.nonce

    def reply(self, request, reply):
        if request.WhichOneof("body") == "hello" and reply.WhichOneof("body") == "welcome":
            both = b"TBA1" + self.ledger_id + self.nonce + request.hello.nonce + bytes(32)
            reply.welcome.signature = self.key.sign(sshsig_message(b"timebank-welcome", both)).signature


def sign_rotation(key, ledger_id, old, new):
    """What the old key signs for the one that follows it: timebank-ledger(5)."""
    return sign(key, b"timebank-key", b"TBK1" + ledger_id + old + new)


__all__ = ["Answer", "Books", "Forge", "Honest", "Keep", "Lie", "Operator", "OtherHeads", "Record", "Welcome",
           "sign_head", "sign_rotation"]
