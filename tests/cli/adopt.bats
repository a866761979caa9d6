#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A ledger that moved house: refused until a person says that this copy is the one.

load bank.bash

setup() {
    bank_start
}

teardown() {
    bank_end
}

@test "a copied ledger is refused until it is adopted, and then goes on where it was" {
    timebank account open m0001 --kind member
    bank_stop
    cp -r "$PLACE/ledger" "$PLACE/copy"
    run timebankd run "$PLACE/copy"
    [ "$status" -eq 1 ]
    [[ "$output" == *"copied or moved"*"timebankd adopt"* ]]
    run timebankd adopt "$PLACE/copy"
    [ "$status" -eq 0 ]
    mv "$PLACE/ledger" "$PLACE/lost"
    mv "$PLACE/copy" "$PLACE/ledger"
    bank_run
    run timebank account show m0001
    [ "$status" -eq 0 ]
}

@test "a damaged copy is not adopted" {
    bank_stop
    cp -r "$PLACE/ledger" "$PLACE/copy"
    # A byte of the root in base64, made another for certain: "x" may stand there already.
    byte=$(dd if="$PLACE/copy/head" bs=1 skip=100 count=1 status=none)
    [ "$byte" = x ] && other=y || other=x
    printf "$other" | dd of="$PLACE/copy/head" bs=1 seek=100 conv=notrunc status=none
    run timebankd adopt "$PLACE/copy"
    [ "$status" -eq 2 ]
    [[ "$output" == *"slot 0"* ]]
}

@test "a served ledger is not adopted" {
    run timebankd adopt "$PLACE/ledger"
    [ "$status" -eq 1 ]
    [[ "$output" == *"stop timebankd first"* ]]
}

@test "a socket on which another ledger's daemon answers is left to it" {
    timebankd init "$PLACE/second" --name second.example/timebank --steward "$TIMEBANK_KEY.pub" 2>/dev/null
    run timebankd run "$PLACE/second" --socket "$PLACE/ledger/socket"
    [ "$status" -ne 0 ]
    [[ "$output" == *"another daemon answers there"* ]]
    run timebank status
    [ "$status" -eq 0 ]
}
