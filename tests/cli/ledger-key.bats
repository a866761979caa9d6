#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An export of a ledger whose key was changed.

bats_require_minimum_version 1.5.0
load bank

setup_file() {
    bank_start
    OLD=$(grep -o 'test\.example/timebank+[^ ]*' "$PLACE/init.txt" | head -1)
    timebank ledger export "$PLACE/x" >/dev/null
    timebank ledger export --entries "$PLACE/y" >/dev/null
    timebank ledger rotate --overlap 0 "the machine was replaced" >/dev/null
    timebank account open m0001 --kind member >/dev/null
    NEW=$(timebank status --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["verifier_key"])')
    export OLD NEW
}

teardown_file() {
    bank_end
}

@test "an export goes on over a change of the ledger's key" {
    [ "$OLD" != "$NEW" ]
    run -0 timebank ledger export "$PLACE/x"
    says "holds"
    run -0 timebank ledger verify "$PLACE/x" --ledger "$NEW"
    run -0 timebank ledger export "$PLACE/x"
    says "is up to date"
}

@test "who trusts the old key follows where the records say so, and is told where they do not" {
    timebank ledger export --entries "$PLACE/y" >/dev/null
    run -0 timebank ledger verify "$PLACE/y" --ledger "$OLD"
    run -0 timebank ledger verify "$PLACE/y" --ledger "$NEW"
    timebank ledger export "$PLACE/x" >/dev/null
    run timebank ledger verify "$PLACE/x" --ledger "$OLD"
    [ "$status" -eq 1 ]
    says "not signed by the key"
}

@test "what goes on from the old key's head is compared with it" {
    timebank ledger export --entries "$PLACE/y" >/dev/null
    run -0 timebank ledger verify "$PLACE/y" --ledger "$OLD"
    says "goes on from the head"
}

@test "the export of a restored ledger goes on from the lost one's records, under the new name" {
    timebank backup one >/dev/null
    run -0 timebankd restore "$PLACE/ledger/backups/one" "$PLACE/new" \
        --name test.example/timebank/2 --steward "$TIMEBANK_KEY.pub"
    restored=$(grep -o '^test.example/timebank/2+.*' <<<"$output")
    timebankd run "$PLACE/new" >"$PLACE/new.log" 2>&1 3>&- &
    pid=$!
    for _ in {1..100}; do
        [ ! -S "$PLACE/new/socket" ] || break
        sleep 0.05
    done
    export TIMEBANK=unix:$PLACE/new/socket
    timebank account open m0002 --kind member >/dev/null
    run timebank ledger export "$PLACE/x"
    [ "$status" -eq 1 ]
    says "name another directory"
    timebank ledger export --entries "$PLACE/z" >/dev/null
    kill "$pid"
    wait "$pid" || true
    run -0 timebank ledger verify "$PLACE/z" --ledger "$restored"
    run timebank ledger verify "$PLACE/z" --ledger "$NEW"
    [ "$status" -eq 1 ]
    says "This is of the ledger test.example/timebank/2"
}
