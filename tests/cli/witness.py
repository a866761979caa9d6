#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A witness as C2SP tlog-witness describes it, for the tests: it remembers the last head of each
log, and cosigns what goes on from it.

  witness.py PLACE NAME MODE LOG-VKEY...

writes PLACE/NAME.vkey and PLACE/NAME.url once it listens, and keeps its heads in PLACE/NAME.state, so
that it may be stopped and started again. MODE is honest, or a way to misbehave."""
import base64
import hashlib
import http.server
import json
import os
import sys
import time

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

PLACE, NAME, MODE = sys.argv[1:4]
FULL_NAME = "witness.example/" + NAME
KEY = SigningKey(hashlib.sha256(NAME.encode()).digest())
STATE = os.path.join(PLACE, NAME + ".state")


def key_id(name, algorithm, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + key).digest()[:4]


def vkey(name, algorithm, key):
    return f"{name}+{key_id(name, algorithm, key).hex()}+" + \
        base64.b64encode(bytes([algorithm]) + key).decode()


LOGS = {}
for text in sys.argv[4:]:
    origin, _, encoded = text.split("+", 2)
    LOGS.setdefault(origin, []).append(base64.b64decode(encoded)[1:])


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def is_consistent(old, new, old_root, new_root, path):
    """RFC 9162, section 2.1.4.2."""
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path
    path = list(path)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


def is_signed(origin, text, lines):
    for line in lines:
        dash, name, encoded = line.split(" ")
        payload = base64.b64decode(encoded, validate=True)
        for key in LOGS[origin]:
            if dash == "\u2014" and name == origin and payload[:4] == key_id(origin, 1, key):
                try:
                    VerifyKey(key).verify(text.encode(), payload[4:])
                    return True
                except BadSignatureError:
                    return False
    return False


def cosign(text, key=KEY, name=FULL_NAME, seconds=None, signed_seconds=None):
    seconds = int(time.time()) if seconds is None else seconds
    signed = seconds if signed_seconds is None else signed_seconds
    signature = key.sign(f"cosignature/v1\ntime {signed}\n{text}".encode()).signature
    payload = key_id(name, 4, bytes(key.verify_key)) + seconds.to_bytes(8, "big") + signature
    return f"\u2014 {name} {base64.b64encode(payload).decode()}\n"


def heads():
    if not os.path.exists(STATE):
        return {}
    with open(STATE) as f:
        return json.load(f)


def add_checkpoint(body):
    """Status and answer."""
    request, _, checkpoint = body.partition("\n\n")
    old_line, *proof = request.split("\n")
    text, _, signatures = checkpoint.partition("\n\n")
    text += "\n"
    if not old_line.startswith("old ") or str(int(old_line[4:])) != old_line[4:] or len(proof) > 63:
        return 400, "bad request\n"
    old, path = int(old_line[4:]), [base64.b64decode(p, validate=True) for p in proof]
    origin, size, root = text.split("\n")[:3]
    size, root = int(size), base64.b64decode(root, validate=True)
    if origin not in LOGS:
        return 404, "unknown log\n"
    if not is_signed(origin, text, signatures.split("\n")[:-1]):
        return 403, "not signed by the log\n"
    if old > size:
        return 400, "old is larger than the head\n"
    known = heads()
    known_size, known_root = known.get(origin, [0, ""])
    if old != known_size or (old == size and size and base64.b64decode(known_root) != root):
        return 409, f"{known_size}\n"
    if not is_consistent(old, size, base64.b64decode(known_root), root, path):
        return 422, "not consistent\n"
    known[origin] = [size, base64.b64encode(root).decode()]
    with open(STATE + ".new", "w") as f:
        json.dump(known, f)
    os.rename(STATE + ".new", STATE)
    return 200, answer(text)


def answer(text):
    other = SigningKey(hashlib.sha256(b"other").digest())
    now = int(time.time())
    if MODE == "wrong-signature":
        return cosign(text + "x")
    if MODE == "wrong-time":
        return cosign(text, seconds=now, signed_seconds=now + 1)
    if MODE == "old-time":
        return cosign(text, seconds=now - 86400)
    if MODE == "other-key":
        return cosign(text, key=other)
    if MODE == "more-lines":
        return cosign(text, key=other, name="witness.example/other") + cosign(text)
    return cosign(text)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status == 409:
            self.send_header("Content-Type", "text/x.tlog.size")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path != "/sub/add-checkpoint":
            return self.reply(404, b"")
        if MODE == "garbage":
            return self.reply(200, bytes(range(256)))
        if MODE == "empty":
            return self.reply(200, b"")
        if MODE == "huge":
            return self.reply(200, b"x" * 1000000)
        if MODE == "redirect":
            return self.reply(308, b"", ("Location", self.path))
        if MODE == "slow":
            self.send_response(200)
            self.end_headers()
            return time.sleep(60)
        if MODE == "out-of-order":
            return self.reply(503, b"")
        if MODE == "too-often":
            return self.reply(429, b"")
        if MODE == "wanders":
            size = int(body.split("\n")[0][4:])
            return self.reply(409, b"%d\n" % (1 - size if size < 2 else 0))
        if MODE == "nonsense-size":
            return self.reply(409, b"0x10\n")
        status, text = add_checkpoint(body)
        self.reply(status, text.encode())


if __name__ == "__main__":
    with open(os.path.join(PLACE, NAME + ".vkey"), "w") as f:
        f.write(vkey(FULL_NAME, 4, bytes(KEY.verify_key)))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with open(os.path.join(PLACE, NAME + ".url.new"), "w") as f:
        f.write(f"http://127.0.0.1:{server.server_port}/sub")
    os.rename(os.path.join(PLACE, NAME + ".url.new"), os.path.join(PLACE, NAME + ".url"))
    server.serve_forever()
