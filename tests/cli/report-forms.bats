#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The forms of a report where figures are hidden, an estimate in money beside the hours, and a report
# that was kept as JSON.

bats_require_minimum_version 1.5.0
load bank

YEAR=(--from 2024-04-01 --to 2025-03-31)

# Reports of two classes, and one that has every mark in every place that a figure can stand in.
setup_file() {
    bank_start
    timebank import "$TREE"/tests/data/two-years/{accounts,entries}.csv --history >/dev/null
    timebank report "${YEAR[@]}" --json >"$PLACE/internal.json"
    timebank report "${YEAR[@]}" --class funder --json >"$PLACE/funder.json"
    timebank report "${YEAR[@]}" --class public --json >"$PLACE/public.json"
    /usr/bin/python3 - "$PLACE" <<'PY'
import json, sys
def hide(object, marks):
    for name, value in object.items():
        if isinstance(value, dict):
            hide(value, marks)
        else:
            object[name] = marks[0]
            marks.append(marks.pop(0))
report = json.load(open(sys.argv[1] + "/funder.json"))
marks = ["[c]", "[z]", "[x]", "[k]"]
for group in ("measures", "further_measures", "register_measures"):
    hide(report[group], marks)
json.dump(report, open(sys.argv[1] + "/hidden.json", "w"))
PY
    printf '%s\n' 'name,rate,currency,year,source' \
        'living-wage,12.60,GBP,2024,"Living Wage Foundation, outside London"' \
        '=cheap,0.01,EUR,2023,=1+1' >"$PLACE/rates.csv"
}

teardown_file() {
    bank_end
}

kept() {
    local name=$1
    shift
    timebank report --read "$PLACE/$name.json" "$@"
}

# rates LINE...: that a table of these lines is refused, with what follows the lines of it.
rates() {
    printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/rates.csv"
    run -1 timebank report --read "$PLACE/internal.json" --rates "$BATS_TEST_TMPDIR/rates.csv"
}

@test "a report of another class says so, and explains the marks that stand in it" {
    run -0 kept funder
    says "Class funder: figures with fewer than 5 people behind them are hidden"
    says "[c] confidential:"
    run -0 kept public
    says "Class public: figures with fewer than 10 people"
    says "rounded to the nearest 5"
    run -0 kept internal
    says "For use inside the bank"
    [[ "$output" != *"[c]"* ]]
}

@test "where everything is hidden every form shows marks, and no sentence guesses" {
    run -0 kept hidden --all
    for mark in '[c] confidential' '[z] not applicable' '[x] not available' '[k] rounds to zero'; do
        says "$mark"
    done
    [ "$(sed -n '/^To paste/,$p' <<<"$output" | wc -l)" -eq 1 ]
    [[ "$output" != *" %"* ]]
    run -0 kept hidden --format html
    says '<abbr title="rounds to zero">[k]</abbr>'
    [[ "$output" != *" % of "* ]]
}

@test "every form says what is rounded although round_to is 1" {
    for format in text csv html; do
        kept funder --format $format >"$BATS_TEST_TMPDIR/page"
        tr -s ' \n' '  ' <"$BATS_TEST_TMPDIR/page" | grep -q \
            'Counts of members, of accounts below zero, of corrections and of unconfirmed entries are rounded to the nearest 5\.'
        kept internal --format $format >"$BATS_TEST_TMPDIR/page"
        run -1 grep -E 'rounded to the nearest|rule_in_words' "$BATS_TEST_TMPDIR/page"
    done
}

@test "a hidden figure has no value in the CSV, and its mark as its flag" {
    kept hidden --format csv >"$BATS_TEST_TMPDIR/hidden.csv"
    kept funder --format csv >"$BATS_TEST_TMPDIR/funder.csv"
    /usr/bin/python3 - "$PLACE/funder.json" "$BATS_TEST_TMPDIR"/{hidden,funder}.csv <<'PY'
import csv, json, sys
report = json.load(open(sys.argv[1]))
def leaves(object, path=""):
    for name, value in object.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}/{name}" if path else name)
        else:
            yield (name, path), value
wanted = {}
for group in ("measures", "further_measures", "register_measures"):
    wanted.update(leaves(report[group]))
hidden, funder = ({(r[0], r[1]): r for r in list(csv.reader(open(p, encoding="utf-8-sig", newline="")))[1:]}
                  for p in sys.argv[2:])
assert len(wanted) > 500
marks = {"[c]": "c", "[z]": "z", "[x]": "x", "[k]": "k"}
for place, value in wanted.items():
    row = funder[place]
    assert (row[2], row[4]) == (("", marks[value]) if value in marks else (str(value), "")), row
    assert hidden[place][2] == "" and hidden[place][4] in marks.values(), hidden[place]
assert sum(funder[place][4] == "c" for place in wanted) == report["suppressed"]
assert funder["register", ""][2:] == (["", "sha-256", "c"] if report["register"] == "[c]" else
                                      [report["register"], "sha-256", ""])
PY
}

@test "the text is short, and has every line with --all" {
    run -0 kept internal
    says "(--all has them)"
    [ "${#lines[@]}" -lt 130 ]
    run -0 kept internal --all
    [[ "$output" != *"--all has them"* ]]
    says "By offer"
    says "Between wards"
    says "Density" || says "Pairs there are, of all there could be"
    [ "${#lines[@]}" -gt 250 ]
}

@test "a share names what it is a share of" {
    run -0 kept internal
    says "(33.9 % of 7,939 h 15)"
    says "(80.1 % of 256)"
    ! grep -E '\([0-9.]+ %\)' <<<"$output"
}

@test "the page draws what goes between wards, beside a table that says the same" {
    kept funder --format html >"$BATS_TEST_TMPDIR/page.html"
    /usr/bin/python3 - "$PLACE/funder.json" "$BATS_TEST_TMPDIR/page.html" <<'PY'
import json, re, sys
report, page = json.load(open(sys.argv[1])), open(sys.argv[2], encoding="utf-8").read()
assert page.count("<svg") == page.count('role="img"') >= 8 and "<script" not in page
lines = dict(re.findall(r'<circle class="bar"[^>]*><title>([^:<]+): ([^<]+)</title>', page))
shown = {f"{a} to {b}": cells["minutes_given"] for key in ("between_wards", "between_age_bands")
         for a, row in report["register_measures"][key].items() for b, cells in row.items()
         if isinstance(cells["minutes_given"], int) and cells["minutes_given"] > 0}
assert lines.keys() == shown.keys(), lines.keys() ^ shown.keys()
ids = re.findall(r' id="([^"]+)"', page)
assert len(ids) == len(set(ids)) and all(f'aria-labelledby="{i}"' in page for i in ids)
PY
}

@test "rates put an estimate beside the hours, exactly, in every form but JSON" {
    run -0 kept internal --rates "$PLACE/rates.csv"
    says "7,939 h 15 of service at GBP 12.60 an hour: GBP 100,034.55"
    says 'by the rate "living-wage" of Living Wage Foundation, outside London, 2024'
    run -0 kept internal --rates "$PLACE/rates.csv" --format html
    says "GBP 100,034.55"
    says "GBP 12.60 an hour"
    run -0 kept internal --rates "$PLACE/rates.csv" --format csv
    says '"estimate_of_minutes_given","living-wage","100034.55","GBP","e"'
    says '"estimate_of_minutes_given","'"'"'=cheap","79.39","EUR","e"'
    says '"rate_source","'"'"'=cheap","'"'"'=1+1","text",""'
    run -0 kept hidden --rates "$PLACE/rates.csv" --format csv
    says '"estimate_of_minutes_given","living-wage","","GBP","c"'
    run -64 kept internal --rates "$PLACE/rates.csv" --json
    says "bank's own bytes"
}

@test "a table of rates is refused with its line" {
    rates 'name,rate,currency,year'
    says "rates.csv, line 1: a table of rates begins with"
    rates 'name,rate,currency,year,name'
    says "line 1"
    local head='name,rate,currency,year,source'
    rates "$head" 'a,12.60,GBP,2024,x' 'a,13,GBP,2024,x'
    says "line 3: a rate of this name stands above"
    for rate in 0 0.00 -1 1e3 12,60 '12.' .5 12.345 '£12' 1234567 ' '; do
        rates "$head" "a,\"$rate\",GBP,2024,x"
        says "line 2: the rate is no amount an hour: write it as 12.60"
    done
    for currency in gbp £ POUND ''; do
        rates "$head" "a,1,$currency,2024,x"
        says "line 2: the currency is no code"
    done
    rates "$head" 'a,1,GBP,24,x'
    says "line 2: the year"
    rates "$head" 'a,1,GBP,2024,'
    says "names no source"
    rates "$head" ',1,GBP,2024,x'
    says "no name"
    rates "$head" 'a,1,GBP,2024'
    says "five cells"
    rates "$head"
    says "a rate below it"
    rates "$head" 'a,1,GBP,2024,"x'
    says "save it as CSV"
    rates "$head" "a,1,GBP,2024,$(printf '%0300d' 1)"
    says "too long"
    rates "$head" $'a,1,GBP,2024,\xff'
    says "names no source"
    run -1 timebank report --read "$PLACE/internal.json" --rates "$BATS_TEST_TMPDIR/none.csv"
    says "cannot be read"
}

@test "a kept report gives the bytes that the bank gives, in every form" {
    for format in text csv html json; do
        timebank report "${YEAR[@]}" --class funder --format $format >"$BATS_TEST_TMPDIR/asked"
        kept funder --format $format >"$BATS_TEST_TMPDIR/kept"
        cmp "$BATS_TEST_TMPDIR/asked" "$BATS_TEST_TMPDIR/kept"
    done
}

@test "what is no report is not read as one" {
    for text in '' '[]' '{}' '{"class":"funder"}' 'no' '{"class":"secret","position":{},"rule":{},"measures":{},"register_measures":{}}'; do
        echo "$text" >"$BATS_TEST_TMPDIR/none.json"
        run -1 timebank report --read "$BATS_TEST_TMPDIR/none.json"
        says "is no report"
    done
    echo '{"class":"funder","position":{},"rule":{},"measures":{"givers":[],"minutes_given":9223372036854775807,"by_month":7,"by_activity":{"x":3},"by_venue":{"y":{"z":{}}}},"register_measures":{"between_wards":{"a":1,"b":{"c":2}}},"further_measures":{"by_tag":{"t":5}}}' \
        >"$BATS_TEST_TMPDIR/odd.json"
    for format in text csv html; do
        run -0 timebank report --read "$BATS_TEST_TMPDIR/odd.json" --format $format --all --rates "$PLACE/rates.csv"
    done
    run -64 timebank report --read "$PLACE/funder.json" --class internal
    says "leave out what would be asked"
}
