#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# timebank export as a person asks for it; test-exports.py has what other programs make of it.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start
    timebank account open m0001 --kind member >/dev/null
    timebank account open m0002 --kind member >/dev/null
    timebank activity add gardening >/dev/null
    timebank exchange --giver m0001 --receiver m0002 --activity gardening --time 2h30 --on yesterday >/dev/null
}

teardown() {
    bank_end
}

@test "books go to standard output, and say where they come from" {
    run -0 timebank export --format hledger
    [[ "${lines[0]}" == "; Books of the timebank test.example/timebank." ]]
    [[ "$output" == *"; Position: size "*", root "* ]]
    [[ "$output" == *"members:m0001  2.50 TC  ; side: to"* ]]
    [[ "$output" == *"members:m0002  -2.50 TC  ; side: from"* ]]
    [[ "$output" == *"; activity: gardening"* ]]
}

@test "a file is made new, and none is written over" {
    run -0 timebank export --format csv --out "$PLACE/all.csv"
    [ -z "$output" ]
    cp "$PLACE/all.csv" "$PLACE/kept.csv"
    run -2 timebank export --format csv --out "$PLACE/all.csv"
    says "That file is there already"
    cmp "$PLACE/all.csv" "$PLACE/kept.csv"
    run -2 timebank export --format csv --out "$PLACE/nowhere/all.csv"
    says "The file cannot be written"
}

@test "what is refused leaves no file" {
    run -1 timebank export --format csv --at 999999 --out "$PLACE/none.csv"
    [ ! -e "$PLACE/none.csv" ]
    run -1 timebank export --format csv --at 999999 --json
    is 'x["refused"] == "NO_SUCH_POSITION"'
}

@test "what cannot be exported is told in words" {
    run -64 timebank export
    says "Say which --format"
    run -64 timebank export --format xlsx
    says 'There is no format "xlsx"'
    run -64 timebank export --format edges
    says "give --from and --to"
    run -1 timebank export --format csv --from today --to yesterday
    says "ends before it begins"
    run -1 timebank export --format csv --at none
    says "is no position"
}

@test "a bank may be called nearly anything, and its network is well-formed" {
    bank_end
    bank_start --name $'a"<b>&amp;--\uffff\ufffe]]>'
    run -0 timebank export --format graphml --from 2024-01-01 --to today --out "$PLACE/network.graphml"
    run -0 xmllint --noout "$PLACE/network.graphml"
}

@test "an entry a line is told to programs" {
    run -0 timebank export --json
    is 'x["type"] == "exchange" and [l["minutes"] for l in x["legs"]] in ([-150, 150], [150, -150])'
}

@test "a table of nothing has its columns" {
    run -0 timebank export --format csv --from 2000-01-01 --to 2000-12-31
    [ "${#lines[@]}" -eq 1 ]
    [[ "$output" == *'"entry","date","entered"'* ]]
}

@test "an organisation's key exports nothing" {
    timebank account open shed --kind organisation >/dev/null
    timebank key new "$PLACE/shed.key" >/dev/null 2>&1
    timebank key grant "$PLACE/shed.key.pub" --role organisation --account shed >/dev/null
    TIMEBANK_KEY=$PLACE/shed.key run -1 timebank export --format csv --json
    is 'x["refused"] == "NO_AUTHORITY"'
    TIMEBANK_KEY=$PLACE/shed.key run -1 timebank export --format edges --from yesterday --to today --json
    is 'x["refused"] == "NO_AUTHORITY"'
}
