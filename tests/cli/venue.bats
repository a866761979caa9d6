#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Venues' offers with their rules, bookings and monthly returns, as brokers, members and desks type
# them. Each refusal of a rule is met here, with what it says to do next.

bats_require_minimum_version 1.5.0
load bank

setup_file() {
    bank_start
    for code in m0001 m0002 m0003 m0004 m0005 m0006; do
        timebank account open $code --kind member --joined 2024-03-01
    done
    timebank account open leisure-centre --kind venue
    timebank account open theatre --kind venue
    timebank offer set leisure-centre swim --price 1h
    timebank offer set theatre matinee --price 2h
    key_make desk --role venue --account leisure-centre
    key_make member --role member --account m0001
    key_make broker --role broker
}

teardown_file() {
    bank_end
}

minutes() {
    timebank --json balance "$1" | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["minutes"])'
}

has() {
    [ "$(minutes "$1")" = "$2" ] || {
        echo "$1 has $(minutes "$1"), not $2"
        return 1
    }
}

# A day from now, as date(1) says it: day -3.
day() {
    date -u -d "$1 days" +%F
}

# The weekday of a day from now: mon.
weekday() {
    LC_ALL=C date -u -d "$1 days" +%a | tr '[:upper:]' '[:lower:]'
}

# The first month that is wholly over, and a day in it.
last_month() {
    date -u -d "$(date -u +%Y-%m-01) -1 day" +%Y-%m
}

# ---- offers

@test "an offer is set with its rules, shown, and changed one by one" {
    run -0 timebank offer set leisure-centre gym --price 30m --days mon-fri,sun --hours 9:00-12:00 \
        --from 2025-01-01 --to 2035-12-31 --ages adults --party 6 --per-day 40 --per-month 2 --budget 20h
    says "leisure-centre offers gym for 30 min a head, on Mon Tue Wed Thu Fri Sun, 09:00 to 12:00, from 2025-01-01 to 2035-12-31, adults only, at most 6 at once, at most 40 heads a day, at most 2 times a month for one member, at most 20 h a month in all"
    run -0 timebank offer set leisure-centre gym --price 45m --days any --hours 18-24
    says "gym for 45 min a head, 18:00 to 24:00, from 2025-01-01"
    run -0 timebank offer set leisure-centre gym --hours any --from any --to any --ages any --party any --per-day any --per-month any --budget any
    says "leisure-centre offers gym for 45 min a head; entry"
    run -0 timebank offer set leisure-centre gym --days sat-mon
    run -0 timebank --json offer show leisure-centre gym
    is 'x["days"] == ["mon", "sat", "sun"] and x["price_minutes"] == 45 and x["ages"] is None'
    is 'x["rules"] == "on Mon Sat Sun" and x["month_heads"] == 0 and not x["withdrawn"]'
    run -0 timebank offer show leisure-centre gym
    says "gym at leisure-centre: 45 min a head, on Mon Sat Sun"
    says "this month so far: 0 heads, 0 min"
    run -0 timebank offer list leisure-centre
    says "on Mon Sat Sun"
    as desk run -0 timebank offer show leisure-centre gym
    as member run -1 timebank offer show leisure-centre gym
}

@test "rules that make no sense are told before anything is recorded" {
    run -1 timebank offer set leisure-centre gym --days mondays-
    says "write mon-fri,sun, or any"
    run -1 timebank offer set leisure-centre gym --days some
    run -1 timebank offer set leisure-centre gym --hours 9:00
    says "write 9:00-12:00, or any"
    run -1 timebank offer set leisure-centre gym --hours 9:00-25:00
    run -1 timebank offer set leisure-centre gym --hours 9:00-9:00
    run -1 timebank offer set leisure-centre gym --ages old
    says "say adults, under16, with-adult or any"
    run -1 timebank --json offer set leisure-centre gym --party none
    is 'x["refused"] == "BAD_NUMBER"'
    run -1 timebank offer set leisure-centre gym --budget 2.30
    run -1 timebank --json offer set leisure-centre gym --from 2025-02-01 --to 2025-01-01
    is 'x["refused"] == "BAD_DATE" and "before it begins" in x["message"]'
    run -64 timebank offer set leisure-centre spa --days mon
    says "what it costs a head with --price"
    run -1 timebank --json offer set leisure-centre spa --withdraw
    is 'x["refused"] == "UNKNOWN_OFFER"'
}

@test "an offer of other days is refused, with its days" {
    timebank offer set leisure-centre tuesdays --price 1h --days "$(weekday +2)"
    as desk run -1 timebank redeem --from m0001 --offer tuesdays --adults 1
    [[ "$output" == "NO: tuesdays is on "* ]]
    says "choose another day or offer"
    run -1 timebank --json redeem --from m0001 --to leisure-centre --offer tuesdays --adults 1
    is 'x["refused"] == "OFFER_NOT_TODAY" and x["field"] == "service_day"'
    run -0 timebank redeem --from m0001 --to leisure-centre --offer tuesdays --adults 1 --on "$(day -5)"
    timebank offer set leisure-centre summer --price 1h --from "$(day +1)"
    run -1 timebank --json redeem --from m0001 --to leisure-centre --offer summer --adults 1
    is '"summer only begins on" in x["message"]'
    timebank offer set leisure-centre summer --from any --to "$(day -1)"
    run -1 timebank --json redeem --from m0001 --to leisure-centre --offer summer --adults 1
    is '"summer ended on" in x["message"]'
}

@test "an offer of other hours is refused when it is typed as it happens" {
    local now later
    now=$(date -u +%H)
    later=$(((10#$now + 4) % 24))
    timebank offer set leisure-centre evening --price 1h --hours "$later:00-$(((later + 1) % 24)):00"
    as desk run -1 timebank --json redeem --from m0001 --offer evening --adults 1
    is 'x["refused"] == "OFFER_NOT_NOW" and x["answer"] == "NO"'
    is '"and it is" in x["message"] and "come back in its hours" in x["message"]'
    run -0 timebank redeem --from m0001 --to leisure-centre --offer evening --adults 1 --on yesterday
}

@test "an offer for some ages is refused to others" {
    timebank offer set leisure-centre sauna --price 15m --ages adults
    timebank offer set leisure-centre splash --price 15m --ages under16
    timebank offer set leisure-centre pool --price 15m --ages with-adult
    as desk run -1 timebank --json redeem --from m0001 --offer sauna --adults 1 --under16 1
    is 'x["refused"] == "OFFER_NOT_AT_THIS_AGE" and "adults only" in x["message"]'
    as desk run -1 timebank redeem --from m0001 --offer splash --adults 1
    says "NO: splash is for those under 16 only: choose another offer for adults."
    as desk run -1 timebank redeem --from m0001 --offer pool --under16 2
    says "NO: At pool those under 16 need an adult with them: ask for one"
    as desk run -0 timebank redeem --from m0001 --offer pool --under16 2 --adults 1
    says "VALID: pool, 1 adult and 2 under 16"
}

@test "a party, a day, a member's month and a budget have their ends" {
    timebank offer set leisure-centre class --price 15m --party 2 --per-day 3 --per-month 2
    as desk run -1 timebank --json redeem --from m0002 --offer class --adults 3
    is 'x["refused"] == "PARTY_TOO_LARGE"'
    as desk run -0 timebank redeem --from m0002 --offer class --adults 2
    as desk run -1 timebank --json redeem --from m0003 --offer class --adults 2
    is 'x["refused"] == "OFFER_FULL" and "2 of 3 places are taken" in x["message"]'
    timebank offer set leisure-centre class --per-day any
    as desk run -0 timebank redeem --from m0002 --offer class --adults 1
    as desk run -1 timebank --json redeem --from m0002 --offer class --adults 1
    is 'x["refused"] == "PER_PERSON_USED_UP" and "2 times a month" in x["message"]'
    timebank offer set leisure-centre class --budget 1h
    as desk run -0 timebank redeem --from m0003 --offer class --adults 1
    as desk run -1 timebank redeem --from m0004 --offer class --adults 1
    says "NO: class has used up its budget of that month: choose another month or offer."
    run -1 timebank --json redeem --from m0004 --to leisure-centre --offer class --adults 1
    is 'x["refused"] == "OFFER_BUDGET"'
}

@test "a withdrawn offer is refused until it is set again" {
    timebank offer set leisure-centre yoga --price 15m
    run -0 timebank offer set leisure-centre yoga --withdraw
    says "no longer offers yoga"
    run -1 timebank --json redeem --from m0001 --to leisure-centre --offer yoga --adults 1
    is 'x["refused"] == "OFFER_WITHDRAWN"'
    run -0 timebank offer set leisure-centre yoga
    run -0 timebank redeem --from m0001 --to leisure-centre --offer yoga --adults 1
}

@test "a broker insists against a venue's rules with a reason" {
    timebank offer set leisure-centre evening2 --price 15m --ages under16 --party 1
    run -64 timebank redeem --from m0001 --to leisure-centre --offer evening2 --adults 2 --over-rules
    says "with --why"
    run -0 timebank redeem --from m0001 --to leisure-centre --offer evening2 --adults 2 --over-rules --why "a carer's day"
    says "Warning: evening2 is for those under 16 only."
    says "Warning: evening2 takes parties of up to 1."
    as desk run -1 timebank --json redeem --from m0001 --offer evening2 --adults 2 --over-rules --why "please"
    is 'x["refused"] == "NO_AUTHORITY"'
}

@test "a venue's key takes what goes by the day today and yesterday, and sends the rest to a broker" {
    timebank offer set leisure-centre lanes --price 1h --per-day 100
    as desk run -0 timebank redeem --from m0001 --offer lanes --adults 1 --on yesterday
    as desk run -1 timebank redeem --from m0001 --offer lanes --adults 1 --on "$(day -3)"
    says "check the date, or ask a broker to enter it"
}

# ---- bookings

@test "a booking sets credits aside until the venue takes them" {
    run -0 timebank --json hold --from m0005 --to leisure-centre --offer swim --adults 1 --under16 1 --on today
    is 'x["kind"] == "hold" and x["balances"]["m0005"] == -120'
    local entry
    entry=$(json 'x["entry"]')
    run -0 timebank --json balance m0005
    is 'x["minutes"] == -120 and x["held_minutes"] == 120'
    run -0 timebank list pending
    says "2 h of m0005 is held for leisure-centre"
    as desk run -0 timebank capture "$entry" --time 30m
    says "VALID: swim, 1 adult and 1 under 16"
    as desk run -1 timebank capture "$entry" --time 3h
    says "NO: Only 1 h 30 is held: capture that or less."
    run -0 timebank capture "$entry" --time 30m --release-rest --why "one did not come"
    says "Taken, 30 min: entry $entry"
    has m0005 -60
    run -1 timebank --json capture "$entry"
    is 'x["refused"] == "HOLD_ENDED"'
    run -1 timebank --json release "$entry"
    is 'x["refused"] == "HOLD_ENDED"'
    run -1 timebank --json reverse "$entry" "typed wrong"
    is 'x["refused"] == "NOT_REVERSIBLE" and "timebank release" in x["message"]'
}

@test "a booking of another day is not taken before" {
    run -0 timebank --json hold --from m0005 --to leisure-centre --offer swim --adults 1 --on "$(day +9)"
    local entry
    entry=$(json 'x["entry"]')
    run -1 timebank capture "$entry"
    says "capture it on that day, or release it"
    run -0 timebank release "$entry" "cannot come"
    says "Released: entry $entry"
    has m0005 -60
}

@test "a member books for themselves, and nobody else" {
    as member run -0 timebank --json hold --to leisure-centre --offer swim --adults 1 --on "$(day +3)"
    is 'x["balances"].keys() >= {"m0001"}'
    local entry
    entry=$(json 'x["entry"]')
    as member run -1 timebank --json hold --from m0002 --to leisure-centre --offer swim --adults 1
    is 'x["refused"] == "NO_AUTHORITY"'
    as member run -1 timebank --json capture "$entry"
    is 'x["refused"] == "NO_AUTHORITY"'
    as member run -0 timebank release "$entry"
    as desk run -0 timebank hold --from m0002 --offer swim --adults 1 --on "$(day +3)"
    says "VALID: swim, 1 adult and 0 under 16"
}

@test "a booking is for a day to come, and not for ever" {
    run -1 timebank --json hold --from m0005 --to leisure-centre --offer swim --adults 1 --on yesterday
    is 'x["refused"] == "BAD_DATE"'
    run -1 timebank hold --from m0005 --to leisure-centre --offer swim --adults 1 --on "$(day +200)"
    says "Credits are held for 60 days at most, by the policy hold-days"
    run -1 timebank hold --from m0005 --to leisure-centre --offer swim --adults 1 --on "$(day +5)" --until "$(day +4)"
    says "hold it until that day or later"
    run -0 timebank hold --from m0005 --to leisure-centre --offer swim --adults 1 --on "$(day +5)" --until "$(day +6)"
    run -1 timebank --json capture 0
    run -1 timebank --json release nothing
    is 'x["refused"] == "BAD_NUMBER"'
}

@test "a redemption that is no hold is told apart" {
    run -0 timebank --json redeem --from m0006 --to theatre --offer matinee --adults 1
    local entry
    entry=$(json 'x["entry"]')
    run -1 timebank --json capture "$entry"
    is 'x["refused"] == "NOT_WAITING"'
}

@test "what was taken of a booking is taken back from the venue" {
    run -0 timebank --json hold --from m0006 --to leisure-centre --offer swim --adults 2 --on today
    local entry
    entry=$(json 'x["entry"]')
    as desk run -0 timebank --json capture "$entry"
    is 'x["kind"] == "capture" and x["answer"] == "VALID"'
    entry=$(json 'x["entry"]')
    as desk run -0 timebank reverse "$entry" "wrong door"
    has m0006 -120
}

# ---- returns

@test "a return that agrees is recorded, and one that differs names every line" {
    local month
    month=$(last_month)
    timebank redeem --from m0005 --to theatre --offer matinee --adults 2 --on "$month-11" >/dev/null
    timebank offer set theatre opera --price 30m >/dev/null
    timebank redeem --from m0005 --to theatre --offer opera --adults 1 --on "$month-12" >/dev/null
    key_make stage --role venue --account theatre
    printf 'offer,time,heads\nmatinee,4h,2\nopera,1h,2\n' >"$PLACE/wrong.csv"
    as stage run -1 timebank venue return theatre --month "$month" "$PLACE/wrong.csv"
    says "opera: 1 head and 30 min in the ledger, 2 heads and 1 h in the return: check these lines, or ask a broker."
    run -1 timebank --json venue return theatre --month "$month" "$PLACE/wrong.csv"
    is 'x["refused"] == "RETURN_DIFFERS" and "insist with --why" in x["message"]'
    printf 'offer,time,heads\nopera,30m,1\n\nmatinee,4h,2\n' >"$PLACE/right.csv"
    as stage run -0 timebank --json venue return theatre --month "$month" "$PLACE/right.csv"
    is 'x["kind"] == "return" and len(x["lines"]) == 2 and x["venue"] == "theatre" and x["balances"] == {}'
    run -0 timebank venue return theatre --month "$month" "$PLACE/wrong.csv" --why "their till was down"
    says "Warning: opera: 1 head and 30 min in the ledger"
}

@test "without a file the ledger's figures are taken and shown; --retire takes them out of circulation" {
    local month
    month=$(last_month)
    run -0 timebank venue return theatre --month "$month" --dry-run
    says "theatre, $month, by the ledger:"
    [[ "$output" =~ matinee\ +2\ heads\ +4\ h ]]
    [[ "$output" =~ in\ all\ +3\ heads\ +4\ h\ 30 ]]
    run -0 timebank --json venue return theatre --month "$month" --dry-run
    is 'x["lines"][0] == {"offer": "matinee", "heads": 2, "minutes": 240}'
    has theatre 390
    run -0 timebank venue return theatre --month "$month" --retire
    says "theatre handed in 4 h 30, taken out of circulation"
    has theatre 120
    has retired 270
    run -1 timebank --json venue return theatre --month "$month" --retire
    is 'x["refused"] == "BELOW_FLOOR"'
    as stage run -1 timebank --json venue return theatre --month "$month" --retire
    is 'x["refused"] == "NO_AUTHORITY"'
}

@test "a month that is not over, or is none, is refused" {
    run -64 timebank venue return theatre
    says "--month 2025-03"
    run -1 timebank venue return theatre --month 2025-13
    says "write it as 2025-03"
    run -1 timebank --json venue return theatre --month "$(date -u -d '+40 days' +%Y-%m)"
    is 'x["refused"] == "FUTURE_DATE"'
    run -1 timebank --json venue return m0001 --month 2025-03
}

@test "a file that is no return is told with its line" {
    printf 'offer,heads\nswim,1\n' >"$PLACE/bad.csv"
    run -1 timebank venue return theatre --month 2025-03 "$PLACE/bad.csv"
    says "bad.csv, line 1: a return has the columns offer, heads and time"
    printf 'offer,heads,time\nswim,one,1h\n' >"$PLACE/bad.csv"
    run -1 timebank venue return theatre --month 2025-03 "$PLACE/bad.csv"
    says "bad.csv, line 2: the heads are no number"
    printf 'offer,heads,time\nswim,1,2.30\n' >"$PLACE/bad.csv"
    run -1 timebank --json venue return theatre --month 2025-03 "$PLACE/bad.csv"
    is 'x["refused"] == "AMBIGUOUS_TIME"'
    printf 'offer,heads,time\nswim,0,0\nswim,0,0\n' >"$PLACE/bad.csv"
    run -1 timebank --json venue return theatre --month 2025-03 "$PLACE/bad.csv"
    is 'x["refused"] == "DUPLICATE_ROW"'
    run -1 timebank venue return theatre --month 2025-03 "$PLACE/none.csv"
    says "cannot be read"
}
