#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A receipt is made of any order, by whoever may read it, and stands without the bank.

bats_require_minimum_version 1.5.0
load bank

setup_file() {
    bank_start
    for code in m0001 m0002 m0003; do
        timebank account open $code --kind member --joined 2024-01-01 >/dev/null
    done
    timebank account open pool --kind venue >/dev/null
    timebank activity add gardening >/dev/null
    timebank offer set pool swim --price 1h >/dev/null
    timebank exchange --giver m0001 --receiver m0002 --time 2 --on 2025-03-05 --activity gardening >/dev/null
    cat >"$PLACE/three.csv" <<'CSV'
ref,kind,service_date,giver,receiver,minutes,activity
a1,exchange,2025-04-01,m0001,m0002,60,gardening
a2,exchange,2025-04-02,m0002,m0003,150,gardening
a3,exchange,2025-04-03,m0001,m0003,45,gardening
CSV
    timebank import "$PLACE/three.csv" >/dev/null
    key_make member --role member --account m0003
    key_make pool --role venue --account pool
    VKEY=$(timebank status --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["verifier_key"])')
    export VKEY
}

teardown_file() {
    bank_end
}

setup() {
    HERE=$(mktemp -d "$PLACE/t.XXXXXX")
}

# entry_of TEXT: the number of the entry of m0001's or m0003's that was told so.
entry_of() {
    for code in m0001 m0003; do
        timebank statement $code --json
    done | /usr/bin/python3 -c 'import json, sys
print(next(line["entry"] for one in sys.stdin for line in json.loads(one)["lines"]
           if line["service_date"] == sys.argv[1]))' "$1"
}

# verified DIR: it proves itself, with no bank in reach.
verified() {
    run -0 env -u TIMEBANK -u TIMEBANK_KEY timebank verify "$1" --ledger "$VKEY"
}

@test "the receipt of the order in the middle of three verifies, and says which it is" {
    local entry
    entry=$(entry_of 2025-04-02)
    run -0 timebank receipt "$entry" --out "$HERE/r"
    says "The receipt of entry $entry is in $HERE/r"
    verified "$HERE/r"
    says "order 2 of 3"
    grep -q "^A receipt of entry $entry of the timebank ledger test.example/timebank" "$HERE/r/README"
    grep -q "Wed 2 April 2025: exchange of 2 h 30 (150 minutes) from m0003 to m0002, gardening" "$HERE/r/README"
    [ "$(sed -n 's/^index //p' "$HERE/r/batch.proof")" = 1 ]
}

@test "a receipt has its nine files and no other, and is never made over a directory" {
    local entry
    entry=$(entry_of 2025-03-05)
    run -0 timebank receipt "$entry" --out "$HERE/r/" --json
    is 'x["entry"] == '"$entry"' and x["directory"].endswith("/r/") and x["position"]["size"] > 0'
    run -0 ls "$HERE/r"
    [ "$(echo "$output" | tr '\n' ' ')" = "README author.pub batch.header batch.proof batch.sig entry.proof entry.record seal.proof seal.record " ]
    [ "$(wc -c <"$HERE/r/batch.header")" = 176 ]
    [ "$(wc -c <"$HERE/r/seal.record")" = 249 ]
    cp -r "$HERE/r" "$HERE/before"
    run -1 timebank receipt "$entry" --out "$HERE/r"
    says "is there already: name another directory."
    diff -r "$HERE/r" "$HERE/before"
    [ "$(ls "$HERE" | wc -l)" = 2 ]
}

@test "who may look into a receipt, the umask says" {
    (umask 077 && timebank receipt "$(entry_of 2025-03-05)" --out "$HERE/r")
    [ "$(stat -c %a "$HERE/r")" = 700 ]
}

@test "a batch of one has an empty path to its author" {
    run -0 timebank receipt "$(entry_of 2025-03-05)" --out "$HERE/r"
    [ "$(cat "$HERE/r/batch.proof")" = "$(printf 'timebank-batch-proof@v1\nindex 0')" ]
    verified "$HERE/r"
    says "order 1 of 1"
}

@test "both orders of a correction have their receipts, which name the order that was wrong" {
    local entry wrong id
    timebank exchange --giver m0001 --receiver m0003 --time 30m --on 2025-05-06 --activity gardening >/dev/null
    wrong=$(entry_of 2025-05-06)
    timebank receipt "$wrong" --out "$HERE/wrong"
    run -0 timebank correct "$wrong" --giver m0002 "it was the other one" --json
    entry=$(json 'x["entry"]')
    for before in 1 0; do
        run -0 timebank receipt $((entry - before)) --out "$HERE/r$before"
        verified "$HERE/r$before"
        says "order $((2 - before)) of 2"
    done
    id=$(sed -n 's/^  id //p' "$HERE/wrong/README")
    grep -qx "  about the order with the id $id" "$HERE/r1/README"
    grep -qx "  in place of the order with the id $id" "$HERE/r0/README"
}

@test "without --out one proof is printed, with the order in its extra line" {
    local entry
    entry=$(entry_of 2025-04-02)
    timebank receipt "$entry" --out "$HERE/r"
    timebank receipt "$entry" >"$HERE/proof"
    [ "$(head -n 1 "$HERE/proof")" = "c2sp.org/tlog-proof@v1" ]
    sed -n '2s/^extra //p' "$HERE/proof" | base64 -d | cmp - "$HERE/r/entry.record"
    [ "$(sed -n 3p "$HERE/proof")" = "index $entry" ]
    verified "$HERE/proof"
    run -0 timebank receipt "$entry" --json
    is 'x["entry"] == '"$entry"' and x["proof"].startswith("c2sp.org/tlog-proof@v1\nextra ")'
}

@test "a receipt is made under an older head that is named, and says so" {
    local entry
    entry=$(entry_of 2025-03-05)
    timebank receipt "$entry" --out "$HERE/old"
    sed '1,/^$/d' "$HERE/old/entry.proof" >"$HERE/head"
    timebank exchange --giver m0001 --receiver m0002 --time 15m --on 2025-06-07 --activity gardening >/dev/null
    run -0 timebank receipt "$entry" --out "$HERE/again" --head "$HERE/head"
    diff -r "$HERE/old" "$HERE/again"
    timebank receipt "$entry" --out "$HERE/new"
    run diff -q "$HERE/old/entry.proof" "$HERE/new/entry.proof"
    [ "$status" -eq 1 ]
    run -1 timebank receipt "$(entry_of 2025-06-07)" --out "$HERE/none" --head "$HERE/head"
    says "older than the entry"
    [ ! -e "$HERE/none" ]
}

@test "a head of another ledger, or none, is refused" {
    echo nothing >"$HERE/head"
    run -1 timebank receipt "$(entry_of 2025-03-05)" --head "$HERE/head"
    says "no head signed by test.example/timebank"
    run -1 timebank receipt "$(entry_of 2025-03-05)" --head "$HERE/missing"
    says "cannot be read as a head"
}

@test "a member has a receipt of an own entry, and is refused another's" {
    run -0 as member timebank receipt "$(entry_of 2025-04-02)" --out "$HERE/r"
    verified "$HERE/r"
    run -1 as member timebank receipt "$(entry_of 2025-03-05)" --out "$HERE/no"
    says "own account only: ask a broker."
    [ ! -e "$HERE/no" ]
}

@test "a venue has receipts of what it accepted, and of nothing else" {
    run -0 as pool timebank redeem --from m0001 --offer swim --adults 1 --json
    run -0 as pool timebank receipt "$(json 'x["entry"]')" --out "$HERE/r"
    verified "$HERE/r"
    run -1 as pool timebank receipt "$(entry_of 2025-04-02)"
    says "own account only: ask a broker."
}

@test "what is no order has no receipt" {
    run -1 timebank receipt 0
    says "There is no such entry"
    run -1 timebank receipt 999999
    says "There is no such entry"
    run -1 timebank receipt x
    says "is not an entry number"
    run -64 timebank receipt
}
