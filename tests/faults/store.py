# SPDX-License-Identifier: Apache-2.0
"""Reads a ledger's data.mdb and head file without the daemon's code: rows with the place of their
bytes in the file, runs, records, orders, roots. What it cannot read raises Damaged."""
import hashlib
import struct

HEAD_BYTES = 8192
SLOT_BYTES = 4096
TABLES = ("log", "tiles", "after", "meta", "accounts", "keys", "policies", "activities", "offers",
          "funders", "ids", "batches", "reversals", "days",
          "days_exact", "recents_few", "recents", "pendings", "marks",
          "vouchers", "transfers", "persons", "mandates", "trusts", "safeguards", "choices",
          "spans", "limits", "programmes", "periods", "voucher_keys", "offer_sums", "repayments",
          "ledger_keys", "releases")
SEAL, ORDER, EVENT = 1, 2, 3
_BRANCH, _LEAF, _OVERFLOW = 1, 2, 4
_BIG, _SUB = 1, 2


class Damaged(Exception):
    pass


def sha(data):
    return hashlib.sha256(data).digest()


def leaf_hash(record):
    return sha(b"\0" + record)


class Store:
    """One snapshot of LMDB 0.9's file: the newer of its two meta pages, or the older one."""

    def __init__(self, data, older=False):
        self.data = data
        try:
            self.psize = struct.unpack_from("<I", data, 16 + 24)[0]
            if self.psize != 4096:
                raise Damaged("page size")
            metas = [self._meta(i) for i in (0, 1)]
            newer = metas[1][0] > metas[0][0]
            self.txnid, self.main, self.last_page = metas[newer != older]
            self.tables = {}
            for key, value, _, _, flags in self._rows(self.main):
                if flags & _SUB:
                    self.tables[key.decode()] = struct.unpack_from("<Q", value, 40)[0]
        except (struct.error, IndexError, UnicodeDecodeError) as why:
            raise Damaged(str(why)) from why

    def _meta(self, i):
        at = i * self.psize + 16
        magic, version = struct.unpack_from("<II", self.data, at)
        if magic != 0xBEEFC0DE or version != 1:
            raise Damaged(f"meta page {i}")
        main = struct.unpack_from("<Q", self.data, at + 24 + 48 + 40)[0]
        last_page, txnid = struct.unpack_from("<QQ", self.data, at + 24 + 96)
        return txnid, main, last_page

    def _page(self, number):
        at = number * self.psize
        if number > self.last_page or at + self.psize > len(self.data):
            raise Damaged(f"page {number} is not there")
        flags, lower = struct.unpack_from("<HH", self.data, at + 10)
        return at, flags, (lower - 16) >> 1

    def _rows(self, root, depth=0, least=b"", below=None):
        """(key, value, place of the key, place of the value, flags), in the order of the tree. A key that the
        branches above do not lead to is Damaged: what is looked for by it is not found."""
        if root == 0xFFFFFFFFFFFFFFFF:
            return
        if depth > 32:
            raise Damaged("too deep")
        at, flags, n = self._page(root)
        if flags & (_BRANCH | _LEAF) not in (_BRANCH, _LEAF) or not 0 <= n <= 2040:
            raise Damaged(f"page {root} is of no kind")
        nodes = [at + struct.unpack_from("<H", self.data, at + 16 + 2 * i)[0] for i in range(n)]
        for i, node in enumerate(nodes):
            low, high, node_flags, n_key = struct.unpack_from("<HHHH", self.data, node)
            key = self.data[node + 8:node + 8 + n_key]
            if flags & _BRANCH:
                yield from self._rows(low | high << 16 | node_flags << 32, depth + 1, key if i else least,
                                      self._key(nodes[i + 1]) if i + 1 < n else below)
                continue
            if key < least or (below is not None and key >= below) or (i and key <= self._key(nodes[i - 1])):
                raise Damaged(f"a key of page {root} stands where it is not looked for")
            n_value = low | high << 16
            place = node + 8 + n_key
            if node_flags & _BIG:
                page = struct.unpack_from("<Q", self.data, place)[0]
                if not self._page(page)[1] & _OVERFLOW:
                    raise Damaged(f"page {page} is no overflow page")
                place = page * self.psize + 16
            if place + n_value > len(self.data):
                raise Damaged("a value beyond the end")
            yield key, self.data[place:place + n_value], node + 8, place, node_flags

    def _key(self, node):
        return self.data[node + 8:node + 8 + struct.unpack_from("<H", self.data, node + 6)[0]]

    def rows(self, table):
        """(key, value, place of the key, place of the value) of every row of a table."""
        try:
            return [row[:4] for row in self._rows(self.tables[table])]
        except (struct.error, KeyError, RecursionError) as why:
            raise Damaged(str(why)) from why

    def content(self, table):
        """A hash of all a table holds."""
        seen = hashlib.sha256()
        for key, value, _, _ in self.rows(table):
            seen.update(struct.pack(">II", len(key), len(value)) + key + value)
        return seen.digest()


def open_store(path, older=False):
    with open(path, "rb") as f:
        return Store(f.read(), older)


def run_parse(key, value):
    """(number of the first record, leaf hashes, records)."""
    first, n = struct.unpack(">Q", key)[0], struct.unpack_from(">I", value)[0]
    ends = struct.unpack_from(f">{n}I", value, 4)
    at = 4 + 4 * n
    leaves = [value[at + 32 * i:at + 32 * (i + 1)] for i in range(n)]
    at += 32 * n
    begins = (0,) + ends[:-1]
    return first, leaves, [value[at + b:at + e] for b, e in zip(begins, ends)]


def _varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at


def order_fields(record):
    """Fields of an order's record by number: integers, or bytes."""
    data, at, fields = record[1:], 0, {}
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            fields[tag >> 3], at = _varint(data, at)
        elif tag & 7 == 2:
            n, at = _varint(data, at)
            fields[tag >> 3], at = data[at:at + n], at + n
        else:
            raise Damaged("an order that cannot be read")
    return fields


class Tree:
    """RFC 6962's root, leaf by leaf, as a compact range."""

    def __init__(self):
        self.size = 0
        self.nodes = []

    def append(self, leaf):
        size = self.size
        while size & 1:
            leaf = sha(b"\1" + self.nodes.pop() + leaf)
            size >>= 1
        self.nodes.append(leaf)
        self.size += 1

    def root(self):
        if not self.nodes:
            return sha(b"")
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = sha(b"\1" + node + root)
        return root
