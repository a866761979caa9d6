#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A real scheme's two years go in, the right totals come out, and nothing goes in twice.

bats_require_minimum_version 1.5.0
load bank

DATA=$TREE/tests/data
YEARS=$DATA/two-years
HEADER=ref,kind,service_date,entered_date,giver,receiver,from,to,minutes,activity,offer,adults,under16,funder,reverses

setup_file() {
    bank_start
    key_make broker --role broker
    timebank import "$YEARS/entries.csv" "$YEARS/accounts.csv" --history --json >"$PLACE/first.json"
}

teardown_file() {
    bank_end
}

# entries ROW...: a file of entries, without dates of entry.
entries() {
    FILE=$BATS_TEST_TMPDIR/entries.csv
    printf '%s\n' "$HEADER" "$@" >"$FILE"
}

# The number of recorded entries, to see that nothing was.
count() {
    timebank status --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["entries"])'
}

# compare EXPECTED report options: every figure of the separate program, and the balances.
compare() {
    local expected=$YEARS/$1
    shift
    timebank report "$@" --json >"$BATS_TEST_TMPDIR/report.json"
    timebank account list --json >"$BATS_TEST_TMPDIR/accounts.json"
    /usr/bin/python3 "$TREE/dev/compare-report" "$expected" "$BATS_TEST_TMPDIR/report.json" \
        "$BATS_TEST_TMPDIR/accounts.json"
}

# ---- two years of a real scheme

@test "two years go in as one import, whatever the order of the files" {
    output=$(cat "$PLACE/first.json")
    is 'x["recorded"] == 489 + 9073'
    is 'x["already"] == 0 and x["refused"] == []'
    is 'len([d for d in x["declared"] if d["kind"] == "activity"]) == 16'
    is 'len([d for d in x["declared"] if d["kind"] == "funder"]) == 4'
    is 'len([d for d in x["declared"] if d["kind"] == "offer"]) == 36'
    is '{"kind": "offer", "venue": "theatre", "name": "matinee", "price_minutes": 120} in x["declared"]'
    run -0 timebank status --json
    is 'x["entries"] == 9073'
}

@test "the year's report and the balances are those of a separate program" {
    run -0 compare expected-2024-04-01_2025-03-31.json --from 2024-04-01 --to 2025-03-31
}

@test "the quarter's report as known a week later is that of a separate program" {
    run -0 compare expected-2024-07-01_2024-09-30_known-2024-10-07.json \
        --from 2024-07-01 --to 2024-09-30 --as-known-at 2024-10-07
}

@test "a second import records nothing and says how many were in" {
    run -0 timebank status --json
    before=$(json 'x["root"]')
    run -0 timebank import "$YEARS/accounts.csv" "$YEARS/entries.csv" --history --json
    is 'x["recorded"] == 0 and x["already"] == 9562 and x["declared"] == [] and x["minutes"] == 0'
    run -0 timebank import "$YEARS/accounts.csv" "$YEARS/entries.csv" --history
    says "Already in: 9562 rows"
    run -0 timebank status --json
    [ "$(json 'x["root"]')" = "$before" ]
}

@test "a file that grew records only what is new" {
    cp "$YEARS/entries.csv" "$BATS_TEST_TMPDIR/entries.csv"
    echo "grown/1,log,2025-03-31,2025-03-31,m0007,,,,45,befriending,,,,," >>"$BATS_TEST_TMPDIR/entries.csv"
    run -0 timebank import "$BATS_TEST_TMPDIR/entries.csv" --history --json
    is 'x["recorded"] == 1 and x["already"] == 9073 and x["minutes"] == 45'
    # and it goes out again, so that what follows finds the scheme as it was
    entries "grown/2,reverse,,,,,,,,,,,,,grown/1"
    run -0 timebank import "$FILE" --json
    is 'x["recorded"] == 1'
}

@test "an account is the same with --history and without" {
    run -0 timebank import "$YEARS/accounts.csv" --json
    is 'x["recorded"] == 0 and x["already"] == 489'
}

@test "history is for stewards" {
    run -1 as broker timebank import "$YEARS/entries.csv" --history --json
    is 'x["refused"] == "HISTORY_STEWARD"'
}

@test "a date of entry without --history is refused by the name of its column" {
    head -3 "$YEARS/entries.csv" >"$BATS_TEST_TMPDIR/old.csv"
    run -1 timebank import "$BATS_TEST_TMPDIR/old.csv" --json
    is '[(r["line"], r["column"], r["refused"]) for r in x["refused"]] == [(2, "entered_date", "HISTORY_ONLY"), (3, "entered_date", "HISTORY_ONLY")]'
    run -1 timebank import "$BATS_TEST_TMPDIR/old.csv"
    says "line 2, column entered_date: The column entered_date claims a date of entry"
    run -1 timebank import "$YEARS/entries.csv"
    says "column entered_date, likewise (HISTORY_ONLY): lines 22 to 9074"
    says "9073 rows were refused; nothing was recorded"
}

# ---- the report in words

@test "the report ends with sentences ready to paste" {
    run -0 timebank report --from 2024-04-01 --to 2025-03-31 --as-known-at 2025-03-31
    says "In 2024–25, 309 people gave 7,939 hours; 104 for the first time; half gave 15 h 45 or more."
    says "All service                                       7,939 h 15"
    says "= at the closing                                  18,570 h"
}

@test "the same question gives the same bytes" {
    run -0 timebank report --from 2024-04-01 --to 2025-03-31 --as-known-at 2025-03-31 --json
    first=$output
    at=$(json 'x["position"]["size"]')
    entries "same/1,log,2025-03-30,,m0007,,,,15,befriending,,,,," "same/2,reverse,,,,,,,,,,,,,same/1"
    timebank import "$FILE"
    run -0 timebank report --from 2024-04-01 --to 2025-03-31 --as-known-at 2025-03-31 --at "$at" --format json
    [ "$output" = "$first" ]
}

@test "a report that this version cannot make is refused in words" {
    run -64 timebank report --from 2024-04-01 --to 2025-03-31 --class secret
    says "it is internal, funder or public"
    run -1 timebank report --from 2025-04-01 --to 2025-03-31 --json
    is 'x["refused"] == "BAD_PERIOD"'
    run -64 timebank report --from 2025-04-01
}

# ---- sheets

@test "a dry run records nothing" {
    before=$(count)
    run -0 timebank import "$DATA/sheet-good.csv" --dry-run --json
    is 'x["dry_run"] and x["recorded"] == 0 and x["would_record"] == 7 and x["minutes"] == 885'
    run -0 timebank import "$DATA/sheet-good.csv" --dry-run
    says "nothing was recorded"
    [ "$(count)" = "$before" ]
}

@test "no number is told of an entry that only a dry run counted" {
    printf '%s\n' date,giver,receiver,time,activity,sheet,line \
        2025-01-07,m0003,m0009,1h30,gardening,twin,1 \
        2025-01-07,m0003,m0009,1h30,gardening,twin,2 >"$BATS_TEST_TMPDIR/twin.csv"
    run -0 timebank import "$BATS_TEST_TMPDIR/twin.csv" --dry-run --json
    is '[(w["line"], w["entry"]) for w in x["warnings"] if w["warning"] == "LOOKS_LIKE"] == [(3, 0)]'
    is 'not any("4611686" in w["message"] for w in x["warnings"])'

    printf '%s\n' ref,kind,service_date,giver,receiver,minutes,activity,reverses \
        twin/a,exchange,2025-01-08,m0003,m0009,60,gardening, \
        twin/b,reverse,2025-01-08,,,,,twin/a twin/c,reverse,2025-01-08,,,,,twin/a \
        >"$BATS_TEST_TMPDIR/taken.csv"
    run -1 timebank import "$BATS_TEST_TMPDIR/taken.csv" --json
    is '[(r["line"], r["refused"]) for r in x["refused"]] == [(4, "ALREADY_REVERSED")]'
    is 'x["refused"][0]["message"].startswith("The entry was taken back")'
}

@test "a sheet goes in, and its kinds follow the receivers" {
    run -0 timebank import "$DATA/sheet-good.csv" --json
    is 'x["recorded"] == 7 and x["minutes"] == 885'
    run -0 timebank import "$DATA/sheet-good.csv" --json
    is 'x["recorded"] == 0 and x["already"] == 7'
}

@test "of a bad sheet every bad row is named with its column and reason, and nothing recorded" {
    before=$(count)
    run -1 timebank import "$DATA/sheet-bad.csv" --json
    is 'x["recorded"] == 0 and x["already"] == 0'
    is '[(r["line"], r["column"], r["refused"]) for r in x["refused"]] == [
        (3, "date", "BAD_DATE"), (4, "giver", "NO_SUCH_ACCOUNT"), (5, "receiver", "SAME_ACCOUNT"),
        (6, "time", "ZERO"), (7, "time", "NEGATIVE"), (8, "time", "TOO_LONG"), (9, "time", "BAD_TIME"),
        (10, "date", "FUTURE_DATE"), (11, "receiver", "WRONG_KIND"), (12, "activity", "UNKNOWN_ACTIVITY"),
        (13, "date", "BAD_DATE"), (14, "time", "MISSING_COLUMN"), (15, "time", "NOT_IN_QUANTUM")]'
    run -1 timebank import "$DATA/sheet-bad.csv"
    says "13 rows were refused; nothing was recorded"
    [ "$(count)" = "$before" ]
}

@test "--skip-bad leaves the bad rows out, lists them, and records the rest" {
    before=$(count)
    run -1 timebank import "$DATA/sheet-bad.csv" --skip-bad --json
    is 'x["recorded"] == 1 and len(x["refused"]) == 13 and x["minutes"] == 150'
    [ "$(count)" = $((before + 1)) ]
    run -1 timebank import "$DATA/sheet-bad.csv" --skip-bad --json
    is 'x["recorded"] == 0 and x["already"] == 1 and len(x["refused"]) == 13'
}

# ---- entries

@test "every bad row of a file is listed, those that cannot be read and those that the bank refuses" {
    entries "b/1,exchange,2025-01-06,,m0007,m0012,,,60,gardening,,,,," \
        "b/1,exchange,2025-01-06,,m0007,m0012,,,60,gardening,,,,," \
        "b/2,exchange,yesterday,,m0007,m0012,,,60,gardening,,,,," \
        "b/3,exchange,2025-01-06,,m0007,nobody,,,60,gardening,,,,," \
        "b/4,gift,2025-01-06,,m0007,,m0007,m0012,60,,,,,," \
        "b/5,gift,2025-01-06,,,,m0007,m0012,1h,,,,,," \
        "b/6,party,2025-01-06,,,,m0007,m0012,60,,,,,," \
        "b/7,redeem,2025-01-06,,,,m0007,theatre,120,,opera,1,0,," \
        "b/8,gift,2025-01-06,,,,m0007,,60,,,,,," \
        "b/9,reverse,,,,,,,,,,,,,nowhere"
    before=$(count)
    run -1 timebank import "$FILE" --json
    is '[(r["line"], r["column"], r["refused"]) for r in x["refused"]] == [
        (3, "ref", "DUPLICATE_ROW"), (4, "service_date", "BAD_DATE"), (5, "receiver", "NO_SUCH_ACCOUNT"),
        (6, "giver", "BAD_FILE"), (7, "minutes", "BAD_NUMBER"), (8, "kind", "WRONG_KIND"),
        (9, "offer", "UNKNOWN_OFFER"), (10, "to", "MISSING_COLUMN"), (11, "reverses", "NO_SUCH_ENTRY")]'
    [ "$(count)" = "$before" ]
}

@test "lines are those of the file: quotes, empty lines, CRLF and a byte order mark" {
    FILE=$BATS_TEST_TMPDIR/excel.csv
    printf '\xef\xbb\xbf%s\r\n\r\nl/1,log,2025-01-07,,"m0007",,,,60,"befriending",,,,,\r\nl/2,log,2025-01-07,,m0007,,,,60,"be\r\nfriending",,,,,\r\nl/3,log,2025-01-07,,m0007,,,,x,befriending,,,,,\r\n' \
        "$HEADER" >"$FILE"
    run -1 timebank import "$FILE" --skip-bad --json
    is 'x["recorded"] == 1 and [r["line"] for r in x["refused"]] == [4, 6]'
}

@test "columns may stand in any order and optional ones may be missing; others are refused" {
    FILE=$BATS_TEST_TMPDIR/columns.csv
    printf '%s\n' "minutes,giver,activity,kind,ref,service_date" "30,m0007,befriending,log,o/1,2025-01-08" >"$FILE"
    run -0 timebank import "$FILE" --json
    is 'x["recorded"] == 1 and x["minutes"] == 30'
    printf '%s\n' "code,kind,name" "m0990,member,Ann" >"$FILE"
    run -1 timebank import "$FILE" --json
    is '[(r["line"], r["column"], r["refused"]) for r in x["refused"]] == [(1, "name", "BAD_FILE")]'
    printf '%s\n' "ref,kind,minutes" "o/2,log,60" >"$FILE"
    run -1 timebank import "$FILE" --json
    is '[(r["line"], r["column"], r["refused"]) for r in x["refused"]] == [(1, "service_date", "MISSING_COLUMN")]'
    run -1 timebank import "$BATS_TEST_TMPDIR/nowhere.csv"
    says "cannot be opened"
}

@test "a reference that is in with other figures is refused by the column ref" {
    entries "d/1,log,2025-01-09,,m0007,,,,60,befriending,,,,,"
    run -0 timebank import "$FILE"
    entries "d/1,log,2025-01-09,,m0007,,,,75,befriending,,,,,"
    run -1 timebank import "$FILE" --json
    is '[(r["line"], r["refused"]) for r in x["refused"]] == [(2, "ID_DIFFERS")]'
}

@test "a reversal may stand before what it takes back" {
    entries "v/2,reverse,,,,,,,,,,,,,v/1" "v/1,log,2025-01-10,,m0007,,,,60,befriending,,,,,"
    run -0 timebank import "$FILE" --json
    is 'x["recorded"] == 2 and x["minutes"] == 60'
    run -0 timebank import "$FILE" --json
    is 'x["already"] == 2'
}

@test "what old books would have declared is unknown without --history" {
    entries "u/1,log,2025-01-11,,m0007,,,,60,juggling,,,,," "u/2,issue,2025-01-11,,,,,food-bank,60,,,,,nobody,"
    run -1 timebank import "$FILE" --json
    is '[(r["column"], r["refused"]) for r in x["refused"]] == [("activity", "UNKNOWN_ACTIVITY"), ("funder", "UNKNOWN_FUNDER")]'
    run -0 timebank import "$FILE" --history --json
    is 'x["recorded"] == 2 and len(x["declared"]) == 2'
    run -0 timebank import "$FILE" --history --json
    is 'x["recorded"] == 0 and x["already"] == 2'
}
