#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The ledger as a directory that others can watch: exported, brought up to date, checked, damaged.

bats_require_minimum_version 1.5.0
load bank

setup_file() {
    bank_start
    VKEY=$(grep -o 'test\.example/timebank+[^ ]*' "$PLACE/init.txt" | head -1)
    export VKEY
    timebank account open pool --kind venue >/dev/null
    timebank account open m9001 --kind member >/dev/null
    key_make auditor --role auditor
    key_make venue --role venue --account pool
    key_make broker --role broker
    # An early export, so that there are older partial tiles.
    timebank ledger export "$PLACE/early" >/dev/null
    as auditor timebank ledger export --entries "$PLACE/early-entries" >/dev/null
    timebank import --history "$TREE"/tests/data/two-years/accounts.csv \
        "$TREE"/tests/data/two-years/entries.csv >/dev/null
    # After a load the last records are published by the next tick.
    for _ in {1..100}; do
        timebank ledger export "$PLACE/newest" >/dev/null
        output=$(timebank status --json)
        [ "$(sed -n 2p "$PLACE/newest/checkpoint")" != "$(json 'x["size"]')" ] || break
        sleep 0.05
    done
}

teardown_file() {
    bank_end
}

# Names, inodes and times of all files of a directory.
print() {
    (cd "$1" && find . -type f -printf '%p %i %T@\n' | sort)
}

check() {
    run timebank ledger verify "$1" --ledger "$VKEY"
}

@test "an export holds the tiles of its size, and is verified without the bank" {
    run -0 timebank ledger export "$PLACE/x" --json
    is 'x["old_size"] == 0 and x["size"] > 9000 and x["entries"] is False'
    size=$(json 'x["size"]')
    [ "$(sed -n 2p "$PLACE/x/checkpoint")" = "$size" ]
    [ "$(sed -n 1p "$PLACE/x/checkpoint")" = test.example/timebank ]
    [ "$(stat -c %s "$PLACE/x/tile/0/000")" = 8192 ]
    [ "$(stat -c %a "$PLACE/x/tile/0/000")" = 644 ]
    [ "$(find "$PLACE/x/tile/0" -maxdepth 1 -type f | wc -l)" = $((size / 256)) ]
    [ "$(stat -c %s "$PLACE/x/tile/1/000.p/$((size / 256))")" = $((size / 256 * 32)) ]
    [ ! -e "$PLACE/x/.new" ]
    [ "$(find "$PLACE/x" -type f | wc -l)" = "$(json 'x["files"]')" ]
    check "$PLACE/x"
    [ "$status" -eq 0 ]
    says "signed this head of $size records, and every tile leads to it"
    says "hashes only"
}

@test "an export that is up to date is left as it is" {
    timebank ledger export "$PLACE/same" >/dev/null
    print "$PLACE/same" >"$PLACE/before"
    run -0 timebank ledger export "$PLACE/same"
    says "is up to date"
    print "$PLACE/same" >"$PLACE/after"
    diff "$PLACE/before" "$PLACE/after"
}

@test "a later export writes only what is new, and keeps the tiles of earlier heads" {
    timebank ledger export "$PLACE/grows" >/dev/null
    print "$PLACE/grows" | grep -v ./checkpoint >"$PLACE/before"
    timebank log --giver m9001 --time 1h --activity gardening >/dev/null
    run -0 timebank ledger export "$PLACE/grows" --json
    is 'x["size"] > x["old_size"] > 9000 and 2 <= x["files"] <= 4'
    print "$PLACE/grows" | grep -v ./checkpoint >"$PLACE/after"
    run comm -23 "$PLACE/before" "$PLACE/after"
    [ "$output" = "" ]
    check "$PLACE/grows"
    [ "$status" -eq 0 ]
}

@test "an export begun when the ledger was small goes on to thousands of records" {
    run -0 timebank ledger export "$PLACE/early"
    check "$PLACE/early"
    [ "$status" -eq 0 ]
    [ "$(find "$PLACE/early/tile/0/000.p" -type f | wc -l)" = 1 ]
}

@test "the records of an auditor's export are those of the ledger, by another program" {
    as auditor timebank ledger export --entries "$PLACE/early-entries" >/dev/null
    check "$PLACE/early-entries"
    [ "$status" -eq 0 ]
    says "each batch ("
    [ "$(stat -c %a "$PLACE/early-entries")" = 700 ]
    [ "$(stat -c %a "$PLACE/early-entries/tile/entries/000")" = 600 ]
    run -0 /usr/bin/python3 - "$PLACE/early-entries" <<'PY'
import base64, hashlib, os, sys
place = sys.argv[1]
lines = open(place + "/checkpoint").read().split("\n")
size, root = int(lines[1]), base64.b64decode(lines[2])
def h(data):
    return hashlib.sha256(data).digest()
leaves = []
for number in range((size + 255) // 256):
    width = min(256, size - 256 * number)
    name = f"{number:03d}" if width == 256 else f"{number:03d}.p/{width}"
    data, here = open(f"{place}/tile/entries/{name}", "rb").read(), []
    while data:
        n = int.from_bytes(data[:2], "big")
        here.append(h(b"\0" + data[2:2 + n]))
        data = data[2 + n:]
    assert len(here) == width
    assert b"".join(here) == open(f"{place}/tile/0/{name}", "rb").read()
    leaves += here
def tree(d):
    if len(d) == 1:
        return d[0]
    k = 1
    while 2 * k < len(d):
        k *= 2
    return h(b"\1" + tree(d[:k]) + tree(d[k:]))
assert len(leaves) == size and tree(leaves) == root
for number in range(size // 256):
    upper = open(f"{place}/tile/1/000.p/{size // 256}", "rb").read()
    assert upper[32 * number:32 * number + 32] == tree(leaves[256 * number:256 * number + 256])
PY
}

@test "records are refused to a venue and to a broker, and hashes are for everybody" {
    run as venue timebank ledger export --entries "$PLACE/not-for-venues"
    [ "$status" -eq 1 ]
    [ ! -e "$PLACE/not-for-venues/tile/entries" ]
    run as broker timebank ledger export --entries "$PLACE/not-for-brokers"
    [ "$status" -eq 1 ]
    run -0 as venue timebank ledger export "$PLACE/for-venues"
    timebank key new "$PLACE/unknown.key" >/dev/null 2>&1
    run -0 as unknown timebank ledger export "$PLACE/for-strangers"
    check "$PLACE/for-strangers"
    [ "$status" -eq 0 ]
}

@test "entries never go where others can read them, nor are they mixed with none" {
    timebank ledger export "$PLACE/open" >/dev/null
    run timebank ledger export --entries "$PLACE/open"
    [ "$status" -eq 1 ]
    says "Others can read"
    chmod 700 "$PLACE/open"
    run -0 timebank ledger export --entries "$PLACE/open"
    check "$PLACE/open"
    [ "$status" -eq 0 ]
    run timebank ledger export "$PLACE/open"
    [ "$status" -eq 1 ]
    says "go on with --entries"
}

@test "an export that was cut short is run again" {
    timebank ledger export "$PLACE/cut" >/dev/null
    rm "$PLACE/cut/checkpoint" "$PLACE/cut/tile/0/003"
    mkdir -p "$PLACE/cut/.new/tile/0"
    echo stray >"$PLACE/cut/.new/tile/0/004"
    run timebank ledger verify "$PLACE/cut" --ledger "$VKEY"
    [ "$status" -eq 1 ]
    run -0 timebank ledger export "$PLACE/cut"
    [ ! -e "$PLACE/cut/.new" ]
    check "$PLACE/cut"
    [ "$status" -eq 0 ]
}

@test "another ledger's directory is refused, by the export and by the check" {
    timebank ledger export "$PLACE/other" >/dev/null
    run timebank ledger verify "$PLACE/other" --ledger \
        other.example/timebank+59bf78c3+AfVwjtp4w5/98o+cT6PYOw4DjhxWjkoVQ6hthpxmoVxc
    [ "$status" -eq 1 ]
    sed -i '1s/test/best/' "$PLACE/other/checkpoint"
    run timebank ledger export "$PLACE/other"
    [ "$status" -eq 1 ]
    says "name another directory"
    check "$PLACE/other"
    [ "$status" -eq 1 ]
    says "best.example"
}

@test "damage of any file is found, and named" {
    as auditor timebank ledger export --entries "$PLACE/early-entries" >/dev/null
    run -0 /usr/bin/python3 - "$PLACE/early-entries" "$VKEY" <<'PY'
import os, subprocess, sys
place, key = sys.argv[1:]
def verify():
    done = subprocess.run(["timebank", "ledger", "verify", place, "--ledger", key], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr
assert verify()[0] == 0
names = []
for folder, _, files in os.walk(place):
    names += [os.path.relpath(os.path.join(folder, f), place) for f in files]
kinds = {}
for name in sorted(names):
    kinds.setdefault((name.split("/")[1] if "/" in name else name, ".p/" in name), []).append(name)
assert len(kinds) >= 6, kinds
chosen = [name for group in kinds.values() for name in {*group[:2], *group[-2:]}]
def older(name):
    whole, width = name.split(".p/")
    return any(n == whole or n.startswith(whole + ".p/") and int(n.split(".p/")[1]) > int(width) for n in names)
def damaged(name, data):
    path = os.path.join(place, name)
    kept = open(path, "rb").read()
    if data is None:
        os.rename(path, path + ".away")
    else:
        open(path, "wb").write(data)
    status, said = verify()
    if data is None:
        os.rename(path + ".away", path)
    else:
        open(path, "wb").write(kept)
    assert status == 1, (name, said)
    assert name in said or name == "checkpoint" or "Record" in said, (name, said)
for name in chosen:
    data = open(os.path.join(place, name), "rb").read()
    for at in {0, 1, len(data) // 2, len(data) - 1}:
        damaged(name, data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    damaged(name, data[:-1])
    damaged(name, data + b"\0")
    # An older partial tile may be gone: what it became is there.
    if ".p/" not in name or not older(name):
        damaged(name, None)
data = open(place + "/checkpoint", "rb").read()
for at in range(len(data)):
    damaged("checkpoint", data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:])
assert verify()[0] == 0
print(len(chosen))
PY
    [ "$output" -ge 10 ]
}

@test "what is no export is refused in words" {
    mkdir "$PLACE/empty"
    check "$PLACE/empty"
    [ "$status" -eq 1 ]
    run timebank ledger export
    [ "$status" -eq 64 ]
    run timebank ledger verify "$PLACE/empty"
    [ "$status" -eq 64 ]
    says "--ledger"
}
