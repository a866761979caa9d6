#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Periods that are closed, what comes late for them, and what they were and are: balances at a past
# date and figures restated. And the programmes under which credits are issued.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start
    for code in m0001 m0002 m0003; do
        timebank account open $code --kind member --joined 2024-01-01 >/dev/null
    done
    timebank account open food-bank --kind organisation >/dev/null
    timebank activity add gardening >/dev/null
    key_make broker --role broker
    key_make member --role member --account m0002
}

teardown() {
    bank_end
}

helps() {
    timebank exchange --giver "$1" --receiver "$2" --time "$3" --on "$4" --activity gardening "${@:5}"
}

entry_of() {
    run -0 "$@" --json
    json 'x["entry"]'
}

@test "a closed period takes no entry, but a late one with a reason" {
    helps m0001 m0002 2 2025-03-05
    run -0 as broker timebank period close 2025-03-31 "the year's report went out"
    says "The period to 2025-03-31 is closed"
    run -1 helps m0001 m0002 1 2025-03-31 --json
    is 'x["refused"] == "PERIOD_CLOSED"'
    is '"--late" in x["message"]'
    run -64 helps m0001 m0002 1 2025-03-31 --late
    says "--why"
    run -0 helps m0001 m0002 1 2025-03-31 --late --why "found in a drawer" --json
    is '"LATE_ENTRY" in [w["warning"] for w in x["warnings"]]'
    run -0 helps m0001 m0002 1 2025-04-01
}

@test "a member is sent to a broker with a late entry" {
    timebank period close 2025-03-31 >/dev/null
    run -1 as member timebank exchange --giver m0001 --receiver m0002 --time 1 --on 2025-03-31 --activity gardening
    says "ask a broker"
}

@test "a period is closed once, when it is over, by a broker, and stays closed" {
    run -1 timebank period close today --json
    is 'x["refused"] == "FUTURE_DATE"'
    run -1 as member timebank period close 2025-03-31 --json
    is 'x["refused"] == "NO_AUTHORITY"'
    timebank period close 2024-03-31 >/dev/null
    timebank period close 2025-03-31 >/dev/null
    run -1 timebank period close 2025-01-31 --json
    is 'x["refused"] == "PERIOD_CLOSED"'
    run -0 timebank period list
    says "up to 2024-03-31  closed on"
    says "up to 2025-03-31  closed on"
    run -0 timebank period list --json
    [ "${#lines[@]}" -eq 2 ]
    is 'x["to"] == "2024-03-31" and not x["last"]'
}

@test "late hours are not lost from frozen reports: the figures as closed stand beside those now" {
    helps m0001 m0002 2 2025-03-05
    wrong=$(entry_of helps m0002 m0003 1 2025-03-06)
    timebank period close 2025-03-31 >/dev/null
    run -0 timebank period restate --from 2025-03-01 --to 2025-03-31
    says "as they were closed"
    says "Came late: 0"
    late=$(entry_of helps m0003 m0001 1h30 2025-03-07 --late --why "found in a drawer")
    back=$(entry_of timebank reverse "$wrong" "never happened")
    helps m0001 m0002 5 2025-04-02
    run -0 timebank period restate --from 2025-03-01 --to 2025-03-31
    says "minutes given"
    says "entry $late: m0003 gave 1 h 30 to m0001"
    says "entry $back: taken back of entry $wrong: all of it"
    says "Came late: 2"
    at=$(grep -o -- '--at [0-9]*' <<<"$output")
    run -0 timebank report --from 2025-03-01 --to 2025-03-31 $at --json
    is 'x["measures"]["minutes_given"] == 180'
    run -0 timebank period restate --from 2025-03-01 --to 2025-03-31 --json
    is 'x["as_closed"]["measures"]["minutes_given"] == 180'
    is 'x["now"]["measures"]["minutes_given"] == 210'
    is '{"figure": "minutes_given", "closed": 180, "now": 210} in x["differences"]'
    is '[l["kind"] for l in x["late"]] == ["reverse", "exchange"]'
}

@test "what was late for an earlier close stands in a later one's figures" {
    timebank period close 2025-01-31 >/dev/null
    helps m0001 m0002 1 2025-01-15 --late --why "found" >/dev/null
    timebank period close 2025-03-31 >/dev/null
    run -0 timebank period restate --from 2025-01-01 --to 2025-03-31
    says "Came late: 0"
    run -0 timebank period restate --from 2025-01-01 --to 2025-01-31
    says "Came late: 1"
}

@test "a period that was never closed is not restated" {
    timebank period close 2025-01-31 >/dev/null
    run -1 timebank period restate --from 2025-02-01 --to 2025-02-28 --json
    is 'x["refused"] == "BAD_PERIOD"'
    run -64 timebank period restate --from 2025-02-01
}

@test "a correction into a closed period says that it is late" {
    entry=$(entry_of helps m0001 m0002 2 2025-03-05)
    timebank period close 2025-03-31 >/dev/null
    run -1 timebank correct "$entry" --time 1h30 "the sheet says so" --json
    is 'x["refused"] == "PERIOD_CLOSED"'
    run -0 timebank correct "$entry" --time 1h30 --late "the sheet says so"
    run -0 timebank balance m0001 --json
    is 'x["minutes"] == 90'
}

@test "an import into a closed period is refused, history is late" {
    timebank period close 2025-03-31 >/dev/null
    printf 'ref,kind,service_date,entered_date,giver,receiver,minutes,activity\nx/1,exchange,2025-03-05,2025-03-06,m0001,m0002,60,gardening\n' >"$PLACE/old.csv"
    run -0 timebank import --history "$PLACE/old.csv"
    run -0 timebank period restate --from 2025-03-01 --to 2025-03-31
    says "Came late: 1"
}

@test "a balance at a past date is told as known now and as known then" {
    printf 'ref,kind,service_date,entered_date,giver,receiver,minutes,activity,reverses\nx/1,exchange,2025-03-05,2025-03-06,m0001,m0002,60,gardening,\nx/2,exchange,2025-03-20,2025-04-10,m0001,m0002,90,gardening,\nx/3,reverse,2025-03-05,2025-04-12,,,60,,x/1\nx/4,exchange,2025-04-01,2025-04-01,m0001,m0003,30,gardening,\n' >"$PLACE/old.csv"
    timebank import --history "$PLACE/old.csv" >/dev/null
    run -0 timebank balance m0001 --on 2025-03-31
    says "m0001 (member) had 1 h 30 at the end of Mon 31 March 2025, as known now"
    run -0 timebank balance m0001 --on 2025-03-31 --as-known-at 2025-03-31 --json
    is 'x["minutes"] == 60 and x["entries"] == 1 and x["as_known_at"] == "2025-03-31"'
    run -0 timebank balance m0001 --on 2025-03-31 --as-known-at 2025-04-11 --json
    is 'x["minutes"] == 150'
    run -0 timebank balance m0001 --on 2025-04-01 --json
    is 'x["minutes"] == 120 and x["as_known_at"] is None'
    run -0 timebank balance m0002 --on 2025-03-04 --json
    is 'x["minutes"] == 0'
    run -64 timebank balance m0001 --as-known-at 2025-03-31
    run -0 as member timebank balance --on 2025-04-01
    says "m0002 (member) had -1 h 30"
    run -1 as member timebank balance m0001 --on 2025-04-01
}

@test "a spreadsheet of a statement opens and closes with the balance" {
    helps m0001 m0002 2 2025-03-05 >/dev/null
    helps m0001 m0002 1 2025-04-05 >/dev/null
    timebank statement m0001 --from 2025-04-01 --to 2025-04-30 --csv >"$PLACE/s.csv"
    /usr/bin/python3 - "$PLACE/s.csv" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8-sig", newline="")))
assert [row["kind"] for row in rows] == ["opening balance", "exchange", "closing balance"], rows
assert [int(row["balance_minutes"]) for row in rows] == [120, 180, 180]
assert sum(int(row["minutes"]) for row in rows) == 60
PY
}

@test "no line of a statement is longer than a hundred columns" {
    helps m0001 m0002 2 2025-03-05 --why "a long story about a hedge, a ladder, a neighbour's cat and the rain that came in between" >/dev/null
    entry=$(entry_of helps m0001 m0002 1 2025-03-06)
    timebank reverse "$entry" "it was somebody else's hour after all, as the sheet of that week says in so many words" >/dev/null
    timebank statement m0001 >"$PLACE/s.txt"
    [ "$(wc -L <"$PLACE/s.txt")" -le 100 ] || { cat "$PLACE/s.txt"; false; }
}

@test "where programmes are listed, credits are issued under no other and under no other funder" {
    run -0 timebank issue --to food-bank --time 10 --funder council --programme "any name"
    run -1 timebank programme add "warm winter" --funder nobody --json
    is 'x["refused"] == "UNKNOWN_FUNDER"'
    run -0 timebank programme add "warm winter" --funder council
    timebank policy set programmes listed >/dev/null
    run -1 timebank issue --to food-bank --time 10 --funder council --programme "any name" --json
    is 'x["refused"] == "UNKNOWN_PROGRAMME"'
    is '"programme add" in x["message"]'
    run -1 timebank issue --to food-bank --time 10 --funder lottery --programme "warm winter" --json
    is '"funded by council" in x["message"]'
    run -0 timebank issue --to food-bank --time 10 --funder council --programme "warm winter"
    run -0 timebank programme list
    says "warm winter, funded by council"
}
