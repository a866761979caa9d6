#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Keys that are followed by others: the ledger's own, and its people's. Who trusted the old one goes
# on; what the old one signed stays good; nobody else gets in between.

bats_require_minimum_version 1.5.0
load bank.bash

setup() {
    bank_start
    first=$(grep -o 'test\.example/timebank+[^ ]*' "$PLACE/init.txt" | head -n 1)
    timebank account open m0001 --kind member
    timebank account open m0002 --kind member
}

teardown() {
    bank_end
}

# rotated DAYS: changes the ledger's key; $newest is its verifier key then.
rotated() {
    run --separate-stderr timebank ledger rotate --overlap "$1" "the machine was replaced"
    [ "$status" -eq 0 ]
    newest=${lines[1]}
}

@test "a pin follows the ledger's key, says so once, and goes on" {
    timebank balance m0001
    rotated 10
    [[ "$newest" == test.example/timebank+*+A* ]]
    [ "$newest" != "$first" ]
    export XDG_STATE_HOME=$PLACE/other
    TIMEBANK_LEDGER=$first run timebank balance m0001
    says "The ledger's key was changed, by the old key's own signature"
    TIMEBANK_LEDGER=$first run timebank balance m0001
    [ "$status" -eq 0 ]
    [[ "$output" != *changed* ]]
    run timebank --json status
    is "x['verifier_key'] == '$newest'"
}

@test "a head bears both signatures while the keys overlap, and one where they do not" {
    rotated 10
    bank_stop # both slots then hold one head
    [ "$(grep -a -c "^— test.example/timebank " "$PLACE/ledger/head")" -eq 4 ]
    bank_run
    rotated 0
    timebank gift --from m0001 --to m0002 --time 1
    bank_stop
    [ "$(grep -a -c "^— test.example/timebank " "$PLACE/ledger/head")" -eq 2 ]
    [ ! -e "$PLACE/ledger/ledger.key.old" ]
    [ ! -e "$PLACE/ledger/ledger.key.next" ]
    bank_run
    timebank balance m0001
}

@test "a receipt from after a change verifies by the key of genesis and by each later one" {
    rotated 0
    second=$newest
    entry=$(timebank --json gift --from m0001 --to m0002 --time 1 | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["entry"])')
    rotated 0
    timebank receipt "$entry" --out "$PLACE/receipt"
    [ -e "$PLACE/receipt/chain-2.proof" ]
    [ ! -e "$PLACE/receipt/chain-3.record" ]
    for key in "$first" "$second" "$newest"; do
        run timebank verify "$PLACE/receipt" --ledger "$key"
        [ "$status" -eq 0 ]
    done
    run timebank verify "$PLACE/receipt" --ledger "$first"
    says "by 2 changes of the ledger's key"
    timebankd init "$PLACE/elsewhere" --name test.example/timebank --steward "$TIMEBANK_KEY.pub" >"$PLACE/else.txt" 2>&1
    run timebank verify "$PLACE/receipt" --ledger "$(grep -o 'test\.example/timebank+[^ ]*' "$PLACE/else.txt" | head -n 1)"
    [ "$status" -eq 1 ]
    says "none that this ledger ever had"
    # The head with the newest key's signature alone: without the chain it is nobody's.
    cp -r "$PLACE/receipt" "$PLACE/cut"
    rm "$PLACE/cut/chain-2.record"
    run timebank verify "$PLACE/cut" --ledger "$first"
    [ "$status" -eq 1 ]
}

@test "each bit of a receipt's chain of keys is looked at" {
    rotated 0
    entry=$(timebank --json gift --from m0001 --to m0002 --time 1 | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["entry"])')
    timebank receipt "$entry" --out "$PLACE/receipt"
    for name in chain-0.record chain-0.proof chain-1.record chain-1.proof; do
        size=$(stat -c %s "$PLACE/receipt/$name")
        for at in 0 1 $((size / 3)) $((size / 2)) $((size - 2)) $((size - 1)); do
            /usr/bin/python3 - "$PLACE/receipt/$name" "$at" <<'X'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    byte = f.read(1)[0]
    f.seek(int(sys.argv[2]))
    f.write(bytes([byte ^ 4]))
X
            run timebank verify "$PLACE/receipt" --ledger "$first"
            [ "$status" -eq 1 ] || { echo "$name, byte $at"; false; }
            /usr/bin/python3 - "$PLACE/receipt/$name" "$at" <<'X'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    byte = f.read(1)[0]
    f.seek(int(sys.argv[2]))
    f.write(bytes([byte ^ 4]))
X
        done
    done
    timebank verify "$PLACE/receipt" --ledger "$first"
}

@test "a ledger whose key its old key did not sign for is another one" {
    timebank balance m0001
    bank_stop
    mv "$PLACE/ledger" "$PLACE/away"
    timebankd init "$PLACE/ledger" --name test.example/timebank --steward "$TIMEBANK_KEY.pub" >/dev/null 2>&1
    bank_run
    run timebank balance m0001
    [ "$status" -eq 1 ]
    says "not the one you trusted before"
}

@test "only so many days, and only a steward" {
    run timebank ledger rotate --overlap 3651 "why"
    [ "$status" -eq 64 ]
    timebank key new "$PLACE/broker.key"
    timebank key grant "$PLACE/broker.key.pub" --role broker
    TIMEBANK_KEY=$PLACE/broker.key run timebank ledger rotate "why"
    [ "$status" -eq 1 ]
    run --separate-stderr timebank --json ledger rotate "why"
    [ "$status" -eq 0 ]
    is "x['kind'] == 'rotate-key'"
}

@test "the twentieth change still fits into a greeting, and there is no other" {
    for _ in {1..20}; do
        rotated 0
    done
    TIMEBANK_LEDGER=$first timebank balance m0001
    run --separate-stderr timebank --json ledger rotate --overlap 0 "once more"
    [ "$status" -eq 1 ]
    is "x['refused'] == 'BAD_ROTATION'"
    says "as often as it can be"
}

@test "a steward changes their own key, the last one's too" {
    timebank key new "$PLACE/next.key"
    run timebank key rotate "$TIMEBANK_KEY.pub" "$PLACE/next.key.pub" "a new laptop"
    [ "$status" -eq 0 ]
    run timebank policy set quantum 5
    [ "$status" -eq 1 ]
    TIMEBANK_KEY=$PLACE/next.key timebank policy set quantum 5
    TIMEBANK_KEY=$PLACE/next.key run timebank key list
    says REVOKED
    export TIMEBANK_KEY=$PLACE/next.key
}

@test "the venue's key is changed with its account" {
    timebank account open pool --kind venue
    timebank key new "$PLACE/desk.key"
    timebank key new "$PLACE/desk-2.key"
    timebank key grant "$PLACE/desk.key.pub" --role venue --account pool
    timebank key rotate "$PLACE/desk.key.pub" "$PLACE/desk-2.key.pub" "a new machine at the desk"
    run timebank --json key list
    [ "$(grep -c '"account": *"pool"' <<<"$output")" -eq 2 ]
    run timebank key rotate "$PLACE/desk.key.pub" "$PLACE/desk-2.key.pub" "again"
    [ "$status" -eq 1 ]
}

@test "vouchers carry the ledger's first key in mind: old and new ones are good after a change" {
    timebank account open pool --kind venue
    timebank offer set pool swim --price 1h
    timebank grant --to m0001 --time 5h
    timebank voucher key new "$PLACE/vouchers.key"
    timebank voucher key set "$PLACE/vouchers.key.pub"
    timebank voucher mint --from m0001 --time 1h --expires "$(date -d '+20 days' +%F)" --voucher-key "$PLACE/vouchers.key" --out "$PLACE/before"
    rotated 0
    timebank voucher mint --from m0001 --time 1h --expires "$(date -d '+20 days' +%F)" --voucher-key "$PLACE/vouchers.key" --out "$PLACE/after"
    for slips in before after; do
        token=$(grep -ohE '([0-9A-Z]{5}-){20,}[0-9A-Z*~$=]+' -r "$PLACE/$slips" | head -n 1)
        run timebank voucher check "$token" --voucher-key "$PLACE/vouchers.key.pub" --ledger "$first"
        [ "$status" -eq 0 ]
        timebank voucher redeem "$token" --to pool --offer swim --adults 1
    done
}

@test "a report is signed by the newest key, and verifies by an older one with an export that shows how it followed" {
    timebank gift --from m0001 --to m0002 --time 1
    cd "$PLACE"
    timebank report --from 2025-01-01 --to 2030-12-31 --format json --out before.json
    rotated 10
    timebank report --from 2025-01-01 --to 2030-12-31 --format json --out after.json
    timebank ledger export --entries export
    bank_stop
    timebank verify before.json --ledger "$first"
    timebank verify after.json --ledger "$newest"
    run timebank verify before.json --ledger "$newest"
    [ "$status" -eq 1 ]
    says "give the key of then"
    run timebank verify after.json --ledger "$first"
    [ "$status" -eq 1 ]
    timebank verify after.json --ledger "$first" --export export
    timebank verify before.json --ledger "$first" --export export
}

@test "a program that was greeted under the old key takes a report under the new one" {
    cat >"$PLACE/other.py" <<'PY'
import ctypes, os, subprocess, sys
class Ask(ctypes.Structure):
    _fields_ = [("from_day", ctypes.c_uint32), ("to_day", ctypes.c_uint32), ("known_day", ctypes.c_uint32),
                ("at_size", ctypes.c_uint64), ("rest", ctypes.c_uint64 * 16)]
lib = ctypes.CDLL(sys.argv[1])
for name in ("tb_bank_message", "tb_bank_verifier_key"):
    getattr(lib, name).restype = ctypes.c_char_p
bank, json = ctypes.c_void_p(), ctypes.c_char_p()
assert lib.tb_bank_new(ctypes.byref(bank)) == 0
assert lib.tb_bank_set_key_file(bank, os.environ["TIMEBANK_KEY"].encode()) == 0
assert lib.tb_bank_open(bank, os.environ["TIMEBANK"].encode()) == 0, lib.tb_bank_message(bank)
before = lib.tb_bank_verifier_key(bank)
own = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
subprocess.run(["timebank", "ledger", "rotate", "--overlap", "10", "while somebody is connected"], env=own, check=True, capture_output=True)
r = lib.tb_report_get(bank, ctypes.byref(Ask(20000, 22000)), ctypes.byref(json))
assert r == 0, (r, lib.tb_bank_message(bank))
assert lib.tb_bank_verifier_key(bank) != before and json.value.startswith(b"{")
PY
    # Under the sanitizers the library wants their runtime, which python does not have; nor does it free all.
    local runtime=
    if [ -n "${ASAN_OPTIONS-}" ]; then
        runtime=$(clang -print-file-name="libclang_rt.asan-$(uname -m).so")
    fi
    env -u UBSAN_OPTIONS LD_PRELOAD="$runtime" ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" \
        /usr/bin/python3 "$PLACE/other.py" "$BUILT/libtimebank/libtimebank.so"
}
