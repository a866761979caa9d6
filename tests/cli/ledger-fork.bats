#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A steward who keeps two copies of the ledger going, and whoever holds an export of the one.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start
    VKEY=$(grep -o 'test\.example/timebank+[^ ]*' "$PLACE/init.txt" | head -1)
    timebank account open m0001 --kind member >/dev/null
    timebank activity add gardening >/dev/null
    bank_stop
    cp -a "$PLACE/ledger" "$PLACE/fork"
    timebankd adopt "$PLACE/fork" >/dev/null 2>&1
    bank_run
    timebank log --giver m0001 --time 1h --activity gardening >/dev/null
    timebank ledger export "$PLACE/x" >/dev/null
    (cd "$PLACE/x" && find . -type f -exec sha256sum {} + | sort) >"$PLACE/before"
    timebankd run "$PLACE/fork" >"$PLACE/fork.log" 2>&1 3>&- &
    FORK=$!
    for _ in {1..100}; do
        [ ! -S "$PLACE/fork/socket" ] || break
        sleep 0.05
    done
}

teardown() {
    kill "$FORK"
    wait "$FORK" || true
    bank_end
}

# The fork as somebody sees it who never saw the other.
forked() {
    TIMEBANK=unix:$PLACE/fork/socket XDG_STATE_HOME=$PLACE/state2 "$@"
}

# The bank's evidence is left, the directory is as it was, and still a good export.
caught() {
    [ "$status" -ne 0 ]
    says "$1"
    says "Evidence: "
    [ -s "${output##*Evidence: }" ]
    (cd "$PLACE/x" && find . -type f -exec sha256sum {} + | sort) >"$PLACE/after"
    diff "$PLACE/before" "$PLACE/after"
    run -0 timebank ledger verify "$PLACE/x" --ledger "$VKEY"
}

@test "an export does not go on from another history of the same size" {
    forked timebank log --giver m0001 --time 2h --activity gardening >/dev/null
    run forked timebank ledger export "$PLACE/x"
    evidence=${output##*Evidence: }
    caught "the ledger has two histories"
    run -0 timebank verify "$evidence" --ledger "$VKEY"
    says "signed two histories"
}

@test "an export does not go on from another history that is longer" {
    for i in 1 2 3; do
        forked timebank log --giver m0001 --time "${i}h" --activity gardening >/dev/null
    done
    run forked timebank ledger export "$PLACE/x"
    evidence=${output##*Evidence: }
    caught "does not extend the one exported before"
    run -0 timebank verify "$evidence" --ledger "$VKEY"
    says "signed two histories"
}

@test "an export does not follow a ledger that went back" {
    run forked timebank ledger export "$PLACE/x"
    caught "The ledger went back"
}

@test "an export of another history than one saw is found by the check" {
    for i in 1 2 3; do
        forked timebank log --giver m0001 --time "${i}h" --activity gardening >/dev/null
    done
    forked timebank ledger export "$PLACE/y" >/dev/null
    run -0 forked timebank ledger verify "$PLACE/y" --ledger "$VKEY"
    run timebank ledger verify "$PLACE/y" --ledger "$VKEY"
    [ "$status" -eq 1 ]
    says "it signed two"
    run -0 timebank verify "${output##*Evidence: }" --ledger "$VKEY"
    says "signed two histories"
}
