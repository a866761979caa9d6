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

@test "a sheet comes from standard input, and another file is told its own verb" {
    run -0 timebank sheet - --lines 7 --json <"$DATA/sheet-good.csv"
    is 'x["recorded"] == 7'
    run -1 timebank sheet "$DATA/two-years/accounts.csv"
    says "timebank import"
}
