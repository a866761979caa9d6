#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a broker enters from paper: files with a control total, typed lines, and what happens while
# the daemon is away.

bats_require_minimum_version 1.5.0
load bank

DATA=$TREE/tests/data

setup() {
    bank_start
    local code
    for code in m0007 m0011 m0012 m0015 m0019 m0022 m0024 m0031; do
        timebank account open $code --kind member --joined 2025-01-01 >/dev/null 2>&1
    done
    timebank account open food-bank --kind organisation --joined 2025-01-01 >/dev/null
    timebank account open castle-museum --kind venue --joined 2025-01-01 >/dev/null
    for code in gardening food-bank transport shopping computers; do
        timebank activity add $code >/dev/null
    done
    timebank funder add council >/dev/null
    timebank issue --to food-bank --time 100 --funder council >/dev/null
}

teardown() {
    bank_end
}

count() {
    timebank status --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["entries"])'
}

# ---- files

@test "a good sheet with its control total records seven lines, and again nothing" {
    run -0 timebank sheet "$DATA/sheet-good.csv" --lines 7 --total 14h45 --json
    is 'x["recorded"] == 7 and x["already"] == 0 and x["minutes"] == 885 and x["refused"] == []'
    [ "$(count)" = 8 ]
    run -0 timebank sheet "$DATA/sheet-good.csv" --lines 7 --total 14h45 --json
    is 'x["recorded"] == 0 and x["already"] == 7'
    run -0 timebank sheet "$DATA/sheet-good.csv" --lines 7 --total 14h45
    says "Nothing new was recorded."
    says "Already in: 7 lines"
    [ "$(count)" = 8 ]
}

@test "a wrong control total is refused with both figures before anything is recorded" {
    run -1 timebank sheet "$DATA/sheet-good.csv" --lines 8 --json
    is 'x["refused"] == "CONTROL_TOTAL"'
    is '"8 lines" in x["message"] and "7 lines" in x["message"]'
    run -1 timebank sheet "$DATA/sheet-good.csv" --lines 7 --total 15h
    says "The paper says 7 lines, 15 h; the sheet has 7 lines, 14 h 45 in all"
    [ "$(count)" = 1 ]
    run -1 timebank sheet "$DATA/sheet-good.csv" --lines seven
    run -1 timebank sheet "$DATA/sheet-good.csv" --total 2.30
}

@test "a dry run of a sheet records nothing" {
    run -0 timebank sheet "$DATA/sheet-good.csv" --dry-run --lines 7
    says "Would record 7 lines, 14 h 45 in all."
    [ "$(count)" = 1 ]
}

@test "a bad sheet records nothing and names thirteen lines with column and reason" {
    run -1 timebank sheet "$DATA/sheet-bad.csv" --json
    is 'x["recorded"] == 0 and [r["line"] for r in x["refused"]] == list(range(3, 16))'
    is 'all(r["column"] and r["message"] for r in x["refused"])'
    [ "$(count)" = 1 ]
}

@test "--skip-bad records the one right line and lists thirteen" {
    run -1 timebank sheet "$DATA/sheet-bad.csv" --skip-bad --json
    is 'x["recorded"] == 1 and len(x["refused"]) == 13 and x["minutes"] == 150'
    [ "$(count)" = 2 ]
}

@test "the empty rows that a spreadsheet leaves at the end are no lines" {
    { cat "$DATA/sheet-good.csv" && printf ',,,,,,\r\n,,,,,,\r\n'; } >"$PLACE/good.csv"
    run -0 timebank sheet "$PLACE/good.csv" --lines 7 --total 14h45
    says "Recorded 7 lines"
}

@test "a file whose columns are parted by semicolons is told how to save it" {
    tr , ';' <"$DATA/sheet-good.csv" >"$PLACE/good.csv"
    run -1 timebank sheet "$PLACE/good.csv"
    says "not parted by commas"
}

@test "a sheet comes from standard input, and another file is told its own verb" {
    run -0 timebank sheet - --lines 7 --json <"$DATA/sheet-good.csv"
    is 'x["recorded"] == 7'
    run -1 timebank sheet "$DATA/two-years/accounts.csv"
    says "timebank import"
}

# ---- typed

# typed LINE...: a sitting with these lines, on 5 March 2025.
typed() {
    printf '%s\n' "$@" | timebank sheet --typed --sheet march --on 5/3/2025 "${OPTIONS[@]}"
}

# lines: the sheet as the ledger has it, from another state directory.
lines() {
    echo list | XDG_STATE_HOME=$BATS_TEST_TMPDIR/elsewhere timebank sheet --typed --sheet march 2>&1 | grep entry
}

@test "a line is two persons, a time and an activity, in any form of time and date" {
    run -0 typed '7 12 2h30 gard' '7 11 2,5 gard' 'm0015 7 1½ tran on 6 Mar 2025' '19 7 45 min shop' \
        '22 31 2:00 comp on 7/3/2025' '7 food 150m food'
    says "Wed 5 March 2025: m0007 gave 2 h 30 to m0012, gardening; entry"
    says "m0007 now has 2 h 30, m0012 has -2 h 30"
    says "Thu 6 March 2025: m0015 gave 1 h 30 to m0007, transport"
    says "m0019 gave 45 min to m0007, shopping"
    says "Fri 7 March 2025: m0022 gave 2 h to m0031, computers"
    says "m0007 gave 2 h 30 to food-bank, food-bank"
    says "Sheet march: 6 lines, 11 h 45."
    run -0 timebank entry show "$(lines | sed -n '6s/.*entry //p')" --json
    is 'x["kind"] == "earn" and x["sheet"] == "march" and x["line"] == 6'
}

@test "the help fits a screen of eighty columns" {
    run -0 typed '?'
    says "undo 3: line 3"
    [ "$(grep "^  [^ ]" <<<"$output" | wc -L)" -lt 80 ]
}

@test "another time or person for a line that is in is told in a sheet's own words" {
    printf '%s\n' date,giver,receiver,time,activity,sheet,line \
        2025-03-05,m0007,m0012,2,gardening,april,1 >"$PLACE/april.csv"
    run -0 timebank sheet "$PLACE/april.csv"
    sed -i s/m0012/m0011/ "$PLACE/april.csv"
    run -1 timebank sheet "$PLACE/april.csv"
    says "line 2, column receiver:"
    says "with another receiver: correct that entry instead"
    sed -i 's/m0011/m0012/; s/,2,g/,3,g/' "$PLACE/april.csv"
    run -1 timebank sheet "$PLACE/april.csv"
    says "with another time: correct that entry instead"
}

@test "what stays the same is said once" {
    run -0 typed 'a gard' 'r food' '7 2' '12 1h' 'g 7' '12 2' '7/3/2025' '11 1' 't 3' '15' 'g -' 't -' '7 12 1'
    says "[Wed 5 March 2025, receiver food-bank, gardening]"
    says "m0012 gave 1 h to food-bank, gardening"
    says "m0007 gave 2 h to m0012"
    says "Fri 7 March 2025: m0007 gave 1 h to m0011"
    says "m0007 gave 3 h to m0015"
    says "m0007 gave 1 h to m0012"
    says "6 lines, 10 h."
}

@test "an activity that nobody said is asked for, and stays" {
    run -0 typed '7 12 2' 'gard' '7 11 1'
    says "What was done?"
    says "m0007 gave 1 h to m0011, gardening"
}

@test "an activity of two words answers what was done" {
    timebank activity add "odd jobs" >/dev/null
    run -0 typed '7 12 2' 'odd jobs' '7 11 1'
    says "m0007 gave 2 h to m0012, odd jobs"
    says "m0007 gave 1 h to m0011, odd jobs"
}

@test "a key that may not keep sheets is refused, and nothing is said to be kept" {
    key_make desk --role evaluator
    run -1 env TIMEBANK_KEY="$PLACE/desk.key" timebank sheet --typed --sheet march </dev/null
    says "This key may not do that"
    [[ "$output" != *"is kept here"* ]]
}

@test "a slip whose question is passed over is told to be out" {
    run -0 typed '7 12 2' '7 11 1 gard'
    says "Not recorded: the question was left."
    says "m0007 gave 1 h to m0011, gardening"
    says "1 line, 1 h."
}

@test "several persons that match are numbered" {
    timebank account open x012 --kind member >/dev/null
    run -0 typed 'a gard' '7 12 2' '2' '12 7 1' '' '31 12 1' '7 11 2'
    says "1 m0012   2 x012"
    says "m0007 gave 2 h to x012"
    says "m0007 gave 2 h to m0011"
    says "2 lines"
}

@test "an unknown person may be a new member" {
    run -0 typed 'a gard' '99 12 1' 'y' '7 m0500 1' 'y' '88 7 2' 'm0888' '77 7 1' '' '6 7 1' 'm0007 m0011 1'
    says 'There is no "99". A new member? y opens m0032, or type the code to open'
    says "m0032 gave 1 h to m0012"
    says "m0007 gave 1 h to m0500"
    says "m0888 gave 2 h to m0007"
    says "m0007 gave 1 h to m0011"
    says "4 lines"
}

@test "a venue and an organisation that gives are told" {
    run -0 typed '7 castle 1 gard' 'food 7 1 gard' '7 7 1 gard' '7 zebra 1 gard'
    says "castle-museum is a venue"
    says "food-bank is an organisation: only members give time"
    says "Both sides are the same account"
    says "0 lines"
}

@test "what can be read in two ways, or not at all, is told and not recorded" {
    run -0 typed 'a gard' '7 12 2.30' '7 12 1h07' '7 12 26h' '7 12 0' '7 12' 'nonsense' 'd 5/3' 'd 1/1/2099' 'd 13/13/2025' '7 12 1 dancing'
    says "2.30 could be 2 h 30 or 2 h 18"
    says "1 h 07 is not a multiple of 15 min"
    says "m0007 would have given 26 h on 2025-03-05"
    says "The date of service has not come yet"
    says 'There is no activity "dancing"'
    says "0 lines"
}

@test "a duplicate shows the earlier entry and asks" {
    run -0 typed 'a gard' '7 12 2' '7 12 2' '' '7 12 2h' 'y' '7 12 2:00' '7 11 1'
    says "This looks like entry"
    says "Wed 5 March 2025: m0007 gave 2 h to m0012, gardening (sheet march, line 1)"
    says "Not recorded."
    says "m0007 gave 1 h to m0011"
    says "3 lines, 5 h."
}

@test "undo takes back the last line, and again the one before, and the lines can be typed anew" {
    run -0 typed 'a gard' '7 12 2' '7 11 1' 'undo' 'undo' 'undo' '7 12 2' 'undo' '7 12 2' '7 11 3' 'list'
    says "Line 2 is taken back: Wed 5 March 2025: m0007 gave 1 h to m0011, gardening"
    says "stays readable"
    says "Type line 2 anew, or undo again for line 1 (Wed 5 March 2025: m0007 gave 2 h to m0012, gardening)."
    says "m0007 now has 0 min, m0012 has 0 min"
    says "This sheet has no line to take back."
    says "2 lines, 5 h."
    run -0 timebank balance m0007 --json
    is 'x["minutes"] == 300'
}

@test "any line can be taken back by its number, and the sheet goes on where it was" {
    run -0 typed 'a gard' '7 12 2' '7 11 1' '7 15 1' 'undo 2' '7 11 1h30' '7 19 1' 'undo 9' 'list'
    says "Line 2 is taken back: Wed 5 March 2025: m0007 gave 1 h to m0011"
    says "   2 2025-03-05  m0007        to m0011          1 h 30  gardening"
    says "   4 2025-03-05  m0007        to m0019"
    says "This sheet has no line 9"
    says "4 lines, 5 h 30."
}

@test "the control total is asked at the end, and a mismatch lists the lines" {
    run -0 typed 'a gard' '7 12 2' '7 11 1' 'end' '3' '6h' 'n' '7 15 3' 'end' '3' '6h'
    says "How many lines has the sheet on paper?"
    says "   2 2025-03-05  m0007        to m0011             1 h  gardening    entry"
    says "The paper says 3 lines, 6 h; the sheet has 2 lines, 3 h in all."
    says "The control total is right."
    run -1 typed 'end' '3' '7h' 'y'
    run -1 typed 'end' '4' '' 'y'
    OPTIONS=(--lines 3 --total 6h)
    run -0 typed 'end'
    says "The control total is right."
    OPTIONS=(--lines 3 --total 8h)
    run -1 typed 'total'
}

@test "the same sheet goes on where it was left, and a file with it counts nothing twice" {
    run -0 typed 'a gard' '7 12 2' '7 11 1'
    run -0 typed 'a gard' '7 15 3'
    says "Sheet march: 2 lines, 3 h."
    says "line 3 is next"
    says "3 lines, 6 h."
    printf '%s\n' date,giver,receiver,time,activity,sheet,line 2025-03-05,m0007,m0012,2,gardening,march,1 \
        2025-03-05,m0007,m0011,1,gardening,march,2 2025-03-05,m0007,m0011,2,gardening,march,5 >"$PLACE/march.csv"
    run -0 timebank sheet "$PLACE/march.csv" --json
    is 'x["recorded"] == 1 and x["already"] == 2'
    run -0 typed 'a gard' 'l 3' '7 15 1' 'total'
    says "Line 3 is in already: Wed 5 March 2025: m0007 gave 3 h to m0015"
    says "Line 5 is in already"
    says "5 lines, 9 h."
}

@test "a sitting answers programs with one object" {
    OPTIONS=(--json)
    run -0 --separate-stderr typed 'a gard' '7 12 2' '7 11 26h'
    is 'x["recorded"] == 1 and x["minutes"] == 120 and x["already"] == 0 and x["kept"] == 0'
    is 'x["refused"][0]["line"] == 2 and x["refused"][0]["column"] == "time" and x["refused"][0]["refused"] == "TOO_LONG"'
    is 'x["declared"] == [] and x["position"]["size"] > 0'
}

@test "what is typed wrong before the first line is wrong usage" {
    run -64 timebank sheet </dev/null
    run -64 timebank sheet --typed "$DATA/sheet-good.csv"
    run -64 timebank sheet --typed --dry-run
    run -64 timebank sheet "$DATA/sheet-good.csv" --on today
    TIMEBANK='' run -1 timebank sheet --typed
}

# ---- away

@test "ten lines typed while the daemon is stopped are all in, in order, once, when it is back" {
    bank_stop
    run -3 typed 'a gard' 'm0007 m0012 1' 'm0007 m0012 2' 'm0007 m0012 3' 'm0007 m0012 4' 'm0007 m0012 5' \
        'm0011 m0007 1' 'm0011 m0007 2' 'm0011 m0007 3' 'm0011 m0007 4' 'm0011 m0007 5' 'undo' 'm0011 m0007 45m'
    [ "${#lines[@]}" -gt 5 ]
    says "The bank does not answer. What you type is kept here"
    says "Kept here: Wed 5 March 2025: m0007 gave 1 h to m0012"
    says "never went to the bank: it is gone"
    says "10 lines are kept here"
    [ "$(stat -c %a "$XDG_STATE_HOME"/timebank/sheets/*.kept)" = 600 ]
    bank_run
    timebank activity add gard >/dev/null
    run -0 typed total
    says "Posting 10 lines that were kept here:"
    says "Sheet march: 10 lines, 25 h 45."
    run -0 typed total
    [[ "$output" != *Posting* ]]
    [ "$(count)" = 11 ]
    run -0 lines
    [ "$(awk '{print $1 "," $3 "," $6 $7}' <<<"$output" | sed 's/m00//; s/[a-z].*//' | paste -sd' ')" = \
        "1,07,1 2,07,2 3,07,3 4,07,4 5,07,5 6,11,1 7,11,2 8,11,3 9,11,4 10,11,45" ]
}

@test "with what was learnt earlier, parts of codes serve while the daemon is away" {
    run -0 typed 'a gard' '7 12 2' 'undo'
    bank_stop
    run -3 typed 'a gard' '7 12 2' '11 12 1'
    says "Kept here: Wed 5 March 2025: m0007 gave 2 h to m0012, gardening"
    bank_run
    run -0 timebank sheet "$DATA/sheet-good.csv" --json
    run -0 typed list
    says "Sheet march: 2 lines, 3 h."
    run -0 timebank balance m0012 --json
    is 'x["minutes"] == -330'
}

@test "the daemon goes and comes within a sitting" {
    mkfifo "$PLACE/keys"
    timebank sheet --typed --sheet march --on 5/3/2025 <"$PLACE/keys" >"$PLACE/screen" 2>&1 3>&- &
    local sitting=$! i
    exec 8>"$PLACE/keys"
    printf '%s\n' 'a gard' '7 12 1' >&8
    screen_waits "now has 1 h,"
    bank_stop
    printf '%s\n' '7 12 2' '7 12 3' >&8
    screen_waits "gave 3 h"
    bank_run
    printf '%s\n' '7 12 4' end '4' '10h' >&8
    exec 8>&-
    wait $sitting
    run -0 cat "$PLACE/screen"
    says "The bank is back."
    says "Line 2: Wed 5 March 2025: m0007 gave 2 h to m0012, gardening; entry"
    says "The control total is right."
    [ "$(lines | wc -l)" = 4 ]
}

# Waits until the sitting has printed it.
screen_waits() {
    local i
    for i in {1..100}; do
        ! grep -qF "$1" "$PLACE/screen" || return 0
        sleep 0.05
    done
    cat "$PLACE/screen"
    return 1
}

@test "what the bank refuses later is told with its line and kept in a sheet of its own" {
    run -0 typed total
    bank_stop
    run -3 typed 'a gard' '7 12 1' '7 12 26h' '555 12 1' '7 11 2'
    says '"555" is not known here'
    bank_run
    run -1 typed total
    says "Sheet march, line 2: Not recorded: m0007 would have given"
    says "Sheet march, line 3: Not recorded: There is no account 555"
    says "Sheet march, line 4: Wed 5 March 2025: m0007 gave 2 h to m0011"
    says "Sheet march: 2 lines, 3 h."
    says "line 2 is next"
    run -0 cat "$XDG_STATE_HOME"/timebank/sheets/*.refused.csv
    says 'date,giver,receiver,time,activity,sheet,line'
    says '"2025-03-05","m0007","m0012",1560m,"gardening","march",2'
    says '"555"'
    [ "$(count)" = 3 ]
}

@test "a line that was posted and not crossed out is counted once" {
    run -0 typed total
    bank_stop
    run -3 typed 'a gard' '7 12 1' '7 11 2'
    cp "$XDG_STATE_HOME"/timebank/sheets/*.kept "$BATS_TEST_TMPDIR/kept"
    bank_run
    run -0 typed total
    cp "$BATS_TEST_TMPDIR/kept" "$(echo "$XDG_STATE_HOME"/timebank/sheets/*.kept)"
    printf '{"sheet":"mar' >>"$(echo "$XDG_STATE_HOME"/timebank/sheets/*.kept)"
    run -0 typed total
    says "which was in already"
    says "2 lines, 3 h."
    [ "$(count)" = 3 ]
}

@test "a daemon that hangs holds typing up once, and every line is in once when it goes on" {
    run -0 typed total
    mkfifo "$PLACE/keys"
    timebank --deadline 1 sheet --typed --sheet march --on 5/3/2025 <"$PLACE/keys" >"$PLACE/screen" 2>&1 3>&- &
    local sitting=$!
    exec 8>"$PLACE/keys"
    printf '%s\n' 'a gard' '7 12 1' >&8
    screen_waits "now has 1 h,"
    kill -STOP "$(cat "$PLACE/pid")"
    printf '%s\n' '7 12 2' '7 12 3' '7 12 4' >&8
    screen_waits "gave 4 h"
    kill -CONT "$(cat "$PLACE/pid")"
    printf '%s\n' end '4' '10h' >&8
    exec 8>&-
    wait $sitting
    run -0 cat "$PLACE/screen"
    says "The bank does not answer"
    says "Kept here: Wed 5 March 2025: m0007 gave 2 h to m0012"
    says "The control total is right."
    [ "$(lines | wc -l)" = 4 ]
    [ "$(count)" = 5 ]
}

@test "a sheet from a file takes along what was kept here, and its dry run does not" {
    run -0 typed total
    bank_stop
    run -3 typed 'a gard' '7 12 1'
    bank_run
    run -0 --separate-stderr timebank sheet "$DATA/sheet-good.csv" --dry-run --json
    [ "$(count)" = 1 ]
    run -0 --separate-stderr timebank sheet "$DATA/sheet-good.csv" --json
    is 'x["recorded"] == 7'
    [[ "$stderr" == *"Sheet march, line 1: Wed 5 March 2025: m0007 gave 1 h to m0012"* ]]
    [ "$(count)" = 9 ]
}
