#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How far an account may go: floors and ceilings, hard and soft, what may be spent in a day, a week,
# a month and a year, and credits that lapse because nobody spent them.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start
    for code in m0001 m0002 m0003; do
        timebank account open $code --kind member >/dev/null
    done
    timebank activity add gardening >/dev/null
    key_make broker --role broker
    key_make m0002 --role member --account m0002
}

teardown() {
    bank_end
    unset LD_PRELOAD
}

# The programs' clocks run ahead by so many days (other-clock.c), from a bank begun anew.
days_pass() {
    echo "$(($1 * 86400)) $(($1 * 86400))" >"$PLACE/clock"
}

with_other_clock() {
    bank_stop
    cc -shared -fPIC -O1 -o "$PLACE/other-clock.so" "$BATS_TEST_DIRNAME/other-clock.c" -ldl
    export OTHER_CLOCK=$PLACE/clock ASAN_OPTIONS=verify_asan_link_order=0:$ASAN_OPTIONS
    export LD_PRELOAD=$PLACE/other-clock.so
    days_pass 0
    bank_run
}

# helped CODE TIME [options]: m0002 is helped by CODE and pays.
helped() {
    as broker timebank exchange --giver "$1" --receiver m0002 --time "$2" --activity gardening "${@:3}"
}

# paid CODE GIVER TIME
paid() {
    timebank exchange --giver "$2" --receiver "$1" --time "$3" --activity gardening "${@:4}"
}

# refused NAME COMMAND...
refused() {
    local name=$1
    shift
    run -1 "$@" --json
    is "x['refused'] == '$name'"
}

warned() {
    is "'$1' in [w['warning'] for w in x['warnings']]"
}

minutes() {
    run -0 timebank balance "$1" --json
    json 'x["minutes"]'
}

@test "nobody goes below the floor, which a fresh bank puts at 20 hours" {
    helped m0001 19h45
    refused BELOW_FLOOR helped m0003 30m
    helped m0003 15m
    [ "$(minutes m0002)" = -1200 ]
}

@test "an account's own floor and ceiling take the place of the policies'" {
    timebank account limit m0002 --floor -1h
    timebank account limit m0001 --ceiling 2h
    refused BELOW_FLOOR helped m0003 1h15
    helped m0003 1h
    timebank account limit m0002 --floor none
    refused ABOVE_CEILING helped m0001 2h15
    helped m0001 2h
    timebank account limit m0001 --by-policy
    helped m0001 30m
    refused BAD_LIMIT timebank account limit m0001 --floor 1h
}

@test "below a lower floor than before an account still comes up" {
    helped m0001 5h
    timebank account limit m0002 --floor -2h
    refused BELOW_FLOOR helped m0003 15m
    run -0 timebank exchange --giver m0002 --receiver m0003 --time 1h --activity gardening
    [ "$(minutes m0002)" = -240 ]
}

@test "a broker passes a limit by saying so and why, a member is not offered it" {
    timebank account limit m0002 --floor -1h
    run -1 helped m0001 2h
    says "--over-limit"
    run -64 helped m0001 2h --over-limit
    says "--why"
    run -0 helped m0001 2h --over-limit --why "the coordinator agreed" --json
    warned BELOW_FLOOR
    run -1 as m0002 timebank gift --from m0002 --to m0003 --time 1h
    [[ "$output" != *"--over-limit"* ]] || return 1
    says "ask a broker"
}

@test "a soft limit warns in the same answer, and records" {
    timebank account limit m0002 --soft-floor -1h
    timebank account limit m0001 --soft-ceiling 1h
    run -0 helped m0001 1h --json
    is 'not x["warnings"]'
    run -0 helped m0001 15m --json
    warned SOFT_FLOOR
    warned SOFT_CEILING
    # It was said; once is enough.
    run -0 helped m0003 15m --json
    is 'not x["warnings"]'
}

@test "in words a soft limit reads: it is getting low" {
    timebank account limit m0002 --soft-floor -1h
    run -0 helped m0001 1h15
    says "it is getting low"
}

@test "policies set soft limits and spending for every member" {
    timebank policy set soft-floor-member -30
    timebank policy set spend-day 60
    run -0 helped m0001 45m --json
    warned SOFT_FLOOR
    refused DAILY_AMOUNT helped m0003 30m
    timebank account limit m0002 --spend day=none
    helped m0003 30m
}

@test "what is spent in a day, a week, a month and a year is bounded each for itself" {
    local span name code
    for span in "day DAILY m1001" "week WEEKLY m1002" "month MONTHLY m1003" "year YEARLY m1004"; do
        read -r span name code <<<"$span"
        timebank account open $code --kind member >/dev/null
        timebank account limit $code --spend "$span=1h" --entries "$span=2"
        paid $code m0001 45m
        refused "${name}_AMOUNT" paid $code m0003 30m
        paid $code m0003 15m
        timebank account limit $code --entries "$span=2"
        refused "${name}_COUNT" paid $code m0002 15m
        timebank account limit $code --by-policy
        paid $code m0002 15m
    done
}

@test "of eight programs that spend the last hour at once one is let, every time" {
    timebank account limit m0002 --floor 0h
    local try n won pids
    for try in {1..8}; do
        timebank grant --to m0002 --time 1h --again >/dev/null
        pids=()
        for n in {1..8}; do
            helped "m000$((n % 2 * 2 + 1))" 1h --on "$(date -u -d "$((try * 8 + n)) days ago" +%F)" --json \
                >"$PLACE/race-$n" 2>&1 3>&- &
            pids+=($!)
        done
        won=0
        for n in {0..7}; do
            ! wait "${pids[n]}" || won=$((won + 1))
        done
        [ "$won" = 1 ] || { cat "$PLACE"/race-*; return 1; }
        [ "$(grep -l BELOW_FLOOR "$PLACE"/race-* | wc -l)" = 7 ] || { cat "$PLACE"/race-*; return 1; }
        [ "$(minutes m0002)" = 0 ]
    done
}

@test "what is given back may be spent again on that day" {
    timebank account limit m0002 --spend day=1h --entries day=1
    run -0 helped m0001 1h --json
    entry=$(json 'x["entry"]')
    refused DAILY_AMOUNT helped m0003 15m
    timebank reverse "$entry" "typed for the wrong person"
    helped m0003 1h
}

@test "the limits of an account are told since it was opened, with who and why" {
    timebank account limit m0002 --floor -30h --why "a hard year"
    as broker timebank account limit m0002 --ceiling 40h --spend week=8h --entries month=3
    run -0 timebank account limits m0002
    says "-30 h"
    says "40 h"
    says "8 h"
    run -0 timebank account limits m0002 --json
    [ "${#lines[@]}" -eq 2 ]
    is 'x["code"] == "m0002" and x["limit"].startswith("floor -30 h")'
}

@test "a span is named once, with a time or a number" {
    run -64 timebank account limit m0002 --spend fortnight=2h
    run -64 timebank account limit m0002 --spend day=2h --spend day=3h
    refused BAD_NUMBER timebank account limit m0002 --entries day=some
    refused BAD_TIME timebank account limit m0002 --spend day=some
}

@test "what nobody spent in time is told first, and lapses only for as many as were told" {
    refused NOTHING_TO_EXPIRE timebank expire --dry-run
    with_other_clock
    timebank policy set expiry-days 10
    timebank grant --to m0001 --time 3h --why welcome
    timebank grant --to m0003 --time 1h --why welcome
    helped m0001 30m
    run -0 timebank expire --dry-run --json
    is 'x["accounts"] == 0'
    days_pass 9
    helped m0001 45m
    days_pass 12
    run -0 timebank expire --dry-run
    says "4 h 30 in 2 accounts may expire"
    refused CONTROL_TOTAL timebank expire --accounts 3 "as announced"
    [ "$(minutes m0001)" = 255 ]
    run -0 timebank expire --accounts 2 "as announced"
    [ "$(minutes m0001)" = 45 ]
    [ "$(minutes m0003)" = 0 ]
    [ "$(minutes expired)" = 270 ]
    run -0 timebank expire --dry-run --json
    is 'x["accounts"] == 0'
}

@test "credits spent are the oldest ones" {
    with_other_clock
    timebank policy set expiry-days 10
    timebank grant --to m0001 --time 2h --why welcome
    days_pass 9
    timebank grant --to m0001 --time 1h --why thanks
    timebank gift --from m0001 --to m0003 --time 1h30
    days_pass 12
    run -0 timebank expire --dry-run --json
    is '[(e["code"], e["minutes"]) for e in x["expired"]] == [("m0001", 30)]'
}

@test "an expiry is taken back like any entry, and no more expires in a day than the cap" {
    with_other_clock
    timebank policy set expiry-days 10
    timebank policy set expiry-cap 60
    timebank grant --to m0001 --time 1h --why welcome
    days_pass 12
    run -0 timebank expire --accounts 1 "as announced"
    run -0 timebank statement m0001 --json
    entry=$(json 'x["lines"][-1]["entry"]')
    run -0 timebank reverse "$entry" "she was in hospital"
    [ "$(minutes m0001)" = 60 ]
    timebank grant --to m0003 --time 1h --why welcome
    timebank policy set expiry-cap 30
    run -0 timebank expire --dry-run --json
    days_pass 24
    refused EXPIRY_CAP timebank expire --accounts 2 "as announced"
    [ "$(minutes m0003)" = 60 ]
}
