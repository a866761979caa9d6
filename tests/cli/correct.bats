#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A correction is one batch of a reversal and the right entry, and both are told.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start
    for code in m0001 m0002 m0003; do
        timebank account open $code --kind member --joined 2024-01-01 >/dev/null
    done
    timebank account open food-bank --kind organisation >/dev/null
    timebank account open pool --kind venue >/dev/null
    timebank activity add gardening >/dev/null
    timebank activity add befriending >/dev/null
    timebank offer set pool swim --price 1h >/dev/null
    run -0 timebank exchange --giver m0001 --receiver m0002 --time 2 --on 2025-03-05 --activity gardening --json
    ENTRY=$(json 'x["entry"]')
}

teardown() {
    bank_end
}

minutes() {
    timebank balance "$1" --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["minutes"])'
}

size() {
    timebank status --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["size"])'
}

@test "the wrong person's hours go back, and everybody's balance is told" {
    run -0 timebank correct "$ENTRY" --giver m0003 "it was the other one"
    says "Entry $ENTRY is taken back by entry"
    says "Wed 5 March 2025: m0001 gave 2 h to m0002"
    says "In its place:"
    says "Wed 5 March 2025: m0003 gave 2 h to m0002"
    says "m0003 now has 2 h"
    says "m0002 now has -2 h"
    says "m0001 now has 0 min"
}

@test "programs learn of both entries and of every balance" {
    run -0 timebank correct "$ENTRY" --giver m0003 "it was the other one" --json
    is 'x["reverses"] == '"$ENTRY"' and x["reversal"] + 1 == x["entry"]'
    is 'x["balances"] == {"m0003": 120, "m0002": -120, "m0001": 0}'
}

@test "what was taken back before stays taken back" {
    timebank reverse "$ENTRY" "half an hour was the journey" --time 30m
    run -0 timebank correct "$ENTRY" --activity befriending "not in the garden"
    says "of which 1 h 30 was left. In its place:"
    says "m0001 gave 1 h 30 to m0002"
    [ "$(minutes m0001)" = 90 ]
    run -0 timebank statement m0001 --json
    is 'x["closing_minutes"] == 90 and len(x["lines"]) == 4'
}

@test "either both are recorded or nothing is" {
    before=$(size)
    run -1 timebank correct "$ENTRY" --activity juggling "a slip"
    [ "$(size)" = "$before" ]
    run -1 timebank correct "$ENTRY" --receiver food-bank "a slip"
    [ "$(size)" = "$before" ]
    [ "$(minutes m0001)" = 120 ]
}

@test "an entry is corrected once, and its correction can be corrected" {
    run -0 timebank correct "$ENTRY" --time 1h45 "the sheet says so" --json
    right=$(json 'x["entry"]')
    run -1 timebank correct "$ENTRY" --time 1h30 "again" --json
    is 'x["refused"] == "ALREADY_REVERSED"'
    run -0 timebank correct "$right" --time 1h30 "again"
    [ "$(minutes m0001)" = 90 ]
}

@test "the sides of credits are from and to, those of time giver and receiver" {
    run -0 timebank gift --from m0001 --to m0002 --time 1 --json
    gift=$(json 'x["entry"]')
    run -64 timebank correct "$gift" --giver m0003 "a slip"
    says "kind is gift, which has --from and --to"
    run -64 timebank correct "$ENTRY" --to m0003 "a slip"
    says "kind is exchange, which has --giver and --receiver"
    run -0 timebank correct "$gift" --to m0003 "it was for her"
    says "m0001 made m0003 a gift of 1 h"
    [ "$(minutes m0002) $(minutes m0003)" = "-120 60" ]
}

@test "a visit keeps the price that was insisted on" {
    run -0 timebank redeem --from m0001 --to pool --offer swim --adults 2 --time 30m --why "half price today" --json
    visit=$(json 'x["entry"]')
    run -0 timebank correct "$visit" --from m0002 "it was her card"
    says "m0002 spent 30 min at pool"
}

@test "a reversal is not corrected" {
    run -0 timebank reverse "$ENTRY" "typed twice" --json
    reversal=$(json 'x["entry"]')
    run -1 timebank correct "$reversal" --time 1 "no" --json
    is 'x["refused"] == "NOT_REVERSIBLE"'
}
