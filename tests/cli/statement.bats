#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Statements of a whole scheme: every member's lines add up to the balance.

load bank.bash

setup_file() {
    bank_start
    timebank import --history "$TREE"/tests/data/two-years/accounts.csv \
        "$TREE"/tests/data/two-years/entries.csv >/dev/null
}

teardown_file() {
    bank_end
}

@test "the statement of every member adds up to the balance, line by line" {
    run /usr/bin/python3 - <<'PY'
import json, subprocess
def ask(*words):
    out = subprocess.run(["timebank", "--json", *words], stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.decode().splitlines()]
members = [a for a in ask("account", "list") if a["kind"] == "member"]
assert len(members) == 425, len(members)
n_lines = 0
for member in members:
    statement = ask("statement", member["code"])[0]
    balance = statement["opening_minutes"]
    assert balance == 0
    last = ("", 0)
    for line in statement["lines"]:
        assert (line["service_date"], line["entry"]) > last, line
        last = (line["service_date"], line["entry"])
        balance += line["minutes"]
        assert line["balance_minutes"] == balance, (member, line)
        n_lines += 1
    assert balance == statement["closing_minutes"] == member["minutes"], (member, balance)
print(n_lines)
PY
    [ "$status" -eq 0 ] || { echo "$output"; false; }
    [ "$output" -gt 10000 ]
}

@test "two halves of a statement meet: one closes where the other opens" {
    run timebank --json statement m0012 --to 2024-03-31
    first=$(json 'x["closing_minutes"]')
    run timebank --json statement m0012 --from 2024-04-01
    [ "$(json 'x["opening_minutes"]')" = "$first" ]
    run timebank --json balance m0012
    last=$(json 'x["minutes"]')
    run timebank --json statement m0012 --from 2024-04-01
    [ "$(json 'x["closing_minutes"]')" = "$last" ]
}

@test "a statement asked with another member's key is refused, the own one is given" {
    key_make member --role member --account m0012
    run env TIMEBANK_KEY="$PLACE/member.key" timebank statement m0013
    [ "$status" -eq 1 ]
    [[ "$output" == *"own statement"* ]]
    run env TIMEBANK_KEY="$PLACE/member.key" timebank statement
    [ "$status" -eq 0 ]
    [[ "$output" == *"statement of m0012"*"closing balance"* ]]
}

@test "hours without credit and what was taken back stand in the statement" {
    run timebank statement m0133 --to 2023-05-01
    [[ "$output" == *"gave without credit: befriending, 30 min"* ]]
    run timebank --json statement m0133
    [ "$(json 'sum(l.get("minutes_without_credit", 0) for l in x["lines"]) > 0')" = True ]
}

@test "a statement for a spreadsheet is quoted and begins with a byte order mark" {
    run timebank statement m0012 --csv
    [ "$status" -eq 0 ]
    [ "${output:0:9}" = $'\xef\xbb\xbf"entry' ] || [[ "$output" == $'\xef\xbb\xbf"entry"'* ]]
}

@test "hours without credit stand in the spreadsheet, too" {
    run bash -c 'timebank statement m0133 --csv | /usr/bin/python3 -c "
import csv, io, sys
rows = list(csv.DictReader(io.StringIO(sys.stdin.read().lstrip(chr(0xfeff)))))
print(sum(int(row[\"minutes_without_credit\"]) for row in rows))"'
    [ "$output" -gt 0 ]
    hours=$output
    run timebank --json statement m0133
    [ "$(json 'sum(l.get("minutes_without_credit", 0) for l in x["lines"])')" = "$hours" ]
}

@test "a period that ends before it begins is refused in words" {
    run timebank statement m0012 --from 2024-04-01 --to 2024-03-01
    [ "$status" -eq 1 ]
    [[ "$output" == *"ends before it begins"* ]]
}
