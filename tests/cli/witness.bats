#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Witnesses: strangers cosign what goes on from what they saw, and a head without enough of them is
# not believed by whoever demands them.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start
    timebank account open m0001 --kind member --joined 2024-01-01 >/dev/null
    timebank account open m0002 --kind member --joined 2024-01-01 >/dev/null
    timebank activity add gardening >/dev/null
    VKEY=$(timebank status --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["verifier_key"])')
    EXPORT=$PLACE/export
    work_record 1h
    timebank ledger export "$EXPORT" >/dev/null
}

teardown() {
    local file
    for file in "$PLACE"/*.witness-pid; do
        [ ! -e "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
    done
    [ ! -e "$PLACE/second/socket" ] || kill "$(cat "$PLACE/second.pid")" 2>/dev/null || true
    bank_end
}

work_record() {
    timebank exchange --giver m0001 --receiver m0002 --time "$1" --activity gardening >/dev/null
}

# witness_start NAME [MODE]: one that listens, with its key and address in files.
witness_start() {
    rm -f "$PLACE/$1.url"
    /usr/bin/python3 -B "$TREE/tests/cli/witness.py" "$PLACE" "$1" "${2-honest}" ${3+"$3"} "$VKEY" \
        >"$PLACE/$1.log" 2>&1 3>&- &
    echo $! >"$PLACE/$1.witness-pid"
    for _ in {1..200}; do
        [ ! -e "$PLACE/$1.url" ] || return 0
        sleep 0.05
    done
    cat "$PLACE/$1.log" >&2
    return 1
}

witness_stop() {
    kill "$(cat "$PLACE/$1.witness-pid")"
    rm "$PLACE/$1.witness-pid"
}

# policy QUORUM-RULE NAME...: policy.txt of these, with a group of them all.
policy() {
    local rule=$1 name
    shift
    {
        echo "log $VKEY"
        for name; do
            echo "witness $name $(cat "$PLACE/$name.vkey") $(cat "$PLACE/$name.url")"
        done
        echo "group them $rule $*"
        echo "quorum them"
    } >"$PLACE/policy.txt"
}

witness() {
    timebank ledger witness "${1-$EXPORT}" --policy "$PLACE/policy.txt" --ledger "$VKEY"
}

lines_of() {
    grep -c "^— witness.example/$1 " "$EXPORT/checkpoint" || true
}

@test "an honest witness cosigns each head, and its line stands under the ledger's own" {
    witness_start w1
    policy all w1
    run -0 witness
    says "w1 cosigned the head of"
    says "Cosigned by w1, enough for the policy."
    [ "$(sed -n 5p "$EXPORT/checkpoint" | cut -d' ' -f2)" = test.example/timebank ]
    [ "$(sed -n 6p "$EXPORT/checkpoint" | cut -d' ' -f2)" = witness.example/w1 ]
    work_record 2h
    timebank ledger export "$EXPORT" >/dev/null
    [ "$(lines_of w1)" = 0 ]
    run -0 witness
    [ "$(lines_of w1)" = 1 ]
    run -0 witness
    [ "$(lines_of w1)" = 1 ]
}

@test "what a witness cosigned is asked of it anew when the hint is lost or wrong" {
    witness_start w1
    policy all w1
    run -0 witness
    work_record 2h
    timebank ledger export "$EXPORT" >/dev/null
    rm -r "$EXPORT/witness"
    run -0 witness
    work_record 3h
    timebank ledger export "$EXPORT" >/dev/null
    echo 2 >"$(echo "$EXPORT"/witness/*)"
    run -0 witness
    echo nonsense >"$(echo "$EXPORT"/witness/*)"
    run -0 witness
    [ "$(lines_of w1)" = 1 ]
}

@test "one of several, all of them, or two of three: as the policy says, with one that is down" {
    for name in w1 w2 w3; do
        witness_start $name
    done
    witness_stop w3
    policy all w1 w2 w3
    run -1 witness
    says "w3 could not be asked"
    says "only w1 and w2 cosigned"
    policy 2 w1 w2 w3
    run -0 witness
    says "Cosigned by w1 and w2, enough"
    policy any w3
    run -1 witness
    says "None of the policy's witnesses cosigned"
    policy any w3 w1
    run -0 witness
    [ "$(lines_of w1)" = 1 ]
    [ "$(lines_of w2)" = 1 ]
    witness_start w3
    policy all w1 w2 w3
    run -0 witness
    says "Cosigned by w1, w2 and w3, enough"
}

@test "for programs each outcome is a line, and the last says whether it is enough" {
    witness_start w1
    policy all w1
    run -0 --separate-stderr timebank ledger witness "$EXPORT" --policy "$PLACE/policy.txt" --ledger "$VKEY" --json
    is 'x["witness"] == "w1" and x["cosigned"]'
    output=${lines[1]} is 'x["quorum"]'
    witness_stop w1
    policy all w1
    sed -i '/^. witness/d' "$EXPORT/checkpoint"
    run -1 --separate-stderr timebank ledger witness "$EXPORT" --policy "$PLACE/policy.txt" --ledger "$VKEY" --json
    is 'not x["cosigned"]'
    output=${lines[1]} is 'x["refused"] == "NO_QUORUM"'
}

@test "a false cosignature is not taken, whatever is false about it" {
    cp "$EXPORT/checkpoint" "$PLACE/before"
    expect() {
        witness_start "$1" "$1"
        policy all "$1"
        run -1 witness
        says "$2"
        cmp "$EXPORT/checkpoint" "$PLACE/before"
        witness_stop "$1"
    }
    expect wrong-signature "a cosignature that is not good"
    expect wrong-time "a cosignature that is not good"
    expect other-key "without a cosignature by the key in the policy"
    expect old-time "more than an hour from now"
    expect garbage "without a cosignature by the key in the policy"
    expect empty "without a cosignature by the key in the policy"
    expect huge "longer than any of a witness"
    expect redirect "sends us to another address"
    expect out-of-order "out of order (HTTP 503)"
    expect too-often "asked too often"
    expect wanders "another head each time"
    expect nonsense-size "not of what size"
}

@test "a witness that takes too long is not waited for" {
    witness_start slow slow
    witness_start w1
    policy any slow w1
    SECONDS=0
    run -0 witness
    [ $SECONDS -lt 45 ]
    says "no whole answer within 10 seconds"
    says "Cosigned by w1"
}

@test "lines of other keys in a witness's answer are left where they are" {
    witness_start w1 more-lines
    policy all w1
    run -0 witness
    [ "$(lines_of w1)" = 1 ]
    [ "$(lines_of other)" = 0 ]
}

@test "a witness that knows neither the ledger nor its key says so" {
    local honest=$VKEY
    VKEY=$(/usr/bin/python3 - <<'P'
import base64, hashlib
from nacl.signing import SigningKey
key = bytes(SigningKey(b"7" * 32).verify_key)
name = "test.example/timebank"
tag = hashlib.sha256(name.encode() + b"\n\1" + key).hexdigest()[:8]
print(f"{name}+{tag}+" + base64.b64encode(b"\1" + key).decode())
P
)
    witness_start w1
    VKEY=$honest
    policy all w1
    run -1 witness
    says "does not take the key that signed this head"
    VKEY=other.example+${honest#*+}
    witness_start w2
    VKEY=$honest
    policy all w2
    run -1 witness
    says "does not know this ledger"
}

@test "an older export is not cosigned once the witness saw a newer one" {
    witness_start w1
    policy all w1
    cp -r "$EXPORT" "$PLACE/older"
    work_record 2h
    timebank ledger export "$EXPORT" >/dev/null
    run -0 witness
    run -1 witness "$PLACE/older"
    says "this one has only"
    says "it went back, or there are two of it"
    ! grep -q witness.example "$PLACE/older/checkpoint"
}

# second_run: a copy of the ledger that was adopted, beside the first, in SECOND.
second_run() {
    bank_stop
    cp -r "$PLACE/ledger" "$PLACE/second"
    rm -f "$PLACE/second/socket"
    timebankd adopt "$PLACE/second" >/dev/null 2>&1
    bank_run
    timebankd run "$PLACE/second" >"$PLACE/second.log" 2>&1 3>&- &
    echo $! >"$PLACE/second.pid"
    for _ in {1..100}; do
        [ ! -S "$PLACE/second/socket" ] || return 0
        sleep 0.05
    done
    return 1
}

# second COMMAND...: at the copy, by somebody who never saw the first.
second() {
    TIMEBANK=unix:$PLACE/second/socket XDG_STATE_HOME=$PLACE/other-state "$@"
}

@test "two histories of one ledger do not both get cosigned, and the verb says what that means" {
    witness_start w1
    policy all w1
    run -0 witness
    second_run
    work_record 2h
    second work_record 3h
    timebank ledger export "$EXPORT" >/dev/null
    second timebank ledger export "$PLACE/fork" >/dev/null
    run -0 witness
    run -1 witness "$PLACE/fork"
    says "two histories"
    second work_record 4h
    second timebank ledger export "$PLACE/fork" >/dev/null
    run -1 witness "$PLACE/fork"
    says "does not go on from the one it cosigned"
    says "tell a steward and an auditor"
    ! grep -q witness.example "$PLACE/fork/checkpoint"
    kill "$(cat "$PLACE/second.pid")"
}

@test "an export that was tampered with is not sent to anybody" {
    witness_start w1
    policy all w1
    cp "$EXPORT/checkpoint" "$PLACE/before"
    local tile
    tile=$(find "$EXPORT/tile/0" -type f | sort | head -n 1)
    /usr/bin/python3 - "$tile" <<'P'
import sys
with open(sys.argv[1], "r+b") as f:
    byte = f.read(1)[0]
    f.seek(0)
    f.write(bytes([byte ^ 1]))
P
    run -1 witness
    says "do not add up to its head"
    rm "$tile"
    run -1 witness
    says "do not add up to its head"
    sed -i '2s/.*/1/' "$EXPORT/checkpoint"
    run -1 witness
    says "not signed by that key"
    rm "$EXPORT/checkpoint"
    run -1 witness
    says "name a directory that timebank ledger export made"
    [ ! -e "$PLACE/w1.state" ]
}

@test "a policy that is not right is refused with its line" {
    echo "quorum none" >"$PLACE/policy.txt"
    run -0 witness
    says "demands no witness"
    printf 'quorum none\nquorum none\n' >"$PLACE/policy.txt"
    run -1 witness
    says "line 2 is a second quorum"
    : >"$PLACE/policy.txt"
    run -1 witness
    says "it has no quorum line"
    rm "$PLACE/policy.txt"
    run -1 witness
    says "cannot be read"
    witness_start w1
    echo "witness w1 $(cat "$PLACE/w1.vkey")" >"$PLACE/policy.txt"
    echo "quorum w1" >>"$PLACE/policy.txt"
    run -1 witness
    says "gives no address of any witness"
    echo "witness w1 $(cat "$PLACE/w1.vkey") file:///etc/passwd" >"$PLACE/policy.txt"
    echo "quorum w1" >>"$PLACE/policy.txt"
    run -1 witness
    says "w1 could not be asked"
    printf 'log other.example+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\nquorum none\n' >"$PLACE/policy.txt"
    run -1 witness
    says "is no policy: line 1"
}

@test "whose policy and which ledger come from the environment, too" {
    witness_start w1
    policy all w1
    run -64 timebank ledger witness "$EXPORT"
    says "TIMEBANK_LEDGER"
    TIMEBANK_LEDGER=$VKEY run -64 timebank ledger witness "$EXPORT"
    says "TIMEBANK_POLICY"
    TIMEBANK_LEDGER=$VKEY TIMEBANK_POLICY=$PLACE/policy.txt run -0 timebank ledger witness "$EXPORT"
    says "enough for the policy"
}

# verifies WHAT: by the policy, with nothing but files.
verifies() {
    env -u TIMEBANK timebank verify "$1" --ledger "$VKEY" --policy "$PLACE/policy.txt"
}

@test "whoever demands witnesses believes a head, an export and a receipt that carry them, and no other" {
    witness_start w1
    witness_start w2
    policy all w1 w2
    run -1 verifies "$EXPORT/checkpoint"
    says "None of the policy's witnesses cosigned this head"
    run -0 witness
    run -0 verifies "$EXPORT/checkpoint"
    says "Cosigned by w1 and w2, enough for the policy."
    run -0 timebank ledger verify "$EXPORT" --ledger "$VKEY" --policy "$PLACE/policy.txt"
    says "Cosigned by w1 and w2"

    local entry
    entry=$(timebank statement m0001 --json | grep -o '"entry":[0-9]*' | head -n 1 | cut -d: -f2)
    timebank receipt "$entry" --head "$EXPORT/checkpoint" --out "$PLACE/cosigned"
    timebank receipt "$entry" --out "$PLACE/plain"
    run -0 verifies "$PLACE/cosigned"
    says "Cosigned by w1 and w2"
    run -1 verifies "$PLACE/plain"
    says "None of the policy's witnesses cosigned"

    # The environment's policy is demanded where none is said.
    export TIMEBANK_POLICY=$PLACE/policy.txt
    run -1 timebank verify "$PLACE/plain" --ledger "$VKEY"
    run -0 timebank verify "$PLACE/cosigned" --ledger "$VKEY"
    unset TIMEBANK_POLICY
    run -0 timebank verify "$PLACE/plain" --ledger "$VKEY"
}

@test "a head with a false, a second or a missing witness's line is not believed" {
    witness_start w1
    witness_start w2
    policy all w1 w2
    run -0 witness
    cp "$EXPORT/checkpoint" "$PLACE/head"
    sed '\#/w2 #d' "$PLACE/head" >"$PLACE/less"
    run -1 verifies "$PLACE/less"
    says "only w1 cosigned this head, too few"
    { cat "$PLACE/head"; grep '/w1 ' "$PLACE/head"; } >"$PLACE/twice"
    run -1 verifies "$PLACE/twice"
    says "is false, or there twice"
    { cat "$PLACE/head"; echo; } >"$PLACE/more"
    run -1 verifies "$PLACE/more"
    run -0 /usr/bin/python3 - "$PLACE/head" "$PLACE/false" <<'P'
import base64, sys
lines = open(sys.argv[1]).read().split("\n")
dash, name, encoded = lines[5].split(" ")
data = bytearray(base64.b64decode(encoded))
data[20] ^= 1
lines[5] = f"{dash} {name} {base64.b64encode(data).decode()}"
open(sys.argv[2], "w").write("\n".join(lines))
P
    run -1 verifies "$PLACE/false"
    says "is false, or there twice"
}
