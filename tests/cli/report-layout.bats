#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A funder's own form of a report: filled in, refused with its line, and a directory of them.

bats_require_minimum_version 1.5.0
load bank

setup_file() {
    bank_start
    timebank import "$TREE"/tests/data/two-years/{accounts,entries}.csv --history >/dev/null
    timebank report --from 2024-04-01 --to 2025-03-31 --json >"$PLACE/internal.json"
}

teardown_file() {
    bank_end
}

# form LINE...: a layout of the bank's own year with these lines.
form() {
    printf '%s\n' '[layout]' 'title = A form' 'period = year 2024-04' 'class = internal' "$@" \
        >"$BATS_TEST_TMPDIR/a.layout"
}

# bad SENTENCE LINE...: that a layout of these lines is refused so, before the bank is asked.
bad() {
    local sentence=$1
    shift
    printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/bad.layout"
    run -1 timebank --bank unix:/nowhere report --layout "$BATS_TEST_TMPDIR/bad.layout"
    says "bad.layout, line"
    says "$sentence"
}

HEAD=('[layout]' 'title = A form' 'period = year 2024-04' 'class = internal')

@test "a line is filled in as it says" {
    form '[Who]' 'People: all of them; really = givers' 'New = new_givers as percent of givers' \
        '[What]' 'Time = minutes_given' 'Hours = minutes_given as hours' 'Minutes = minutes_given as minutes' \
        'a = b, or so = by_activity/gardening/minutes_given' 'March = by_month/2025-03/givers as count' \
        'Swims = by_offer/leisure-centre/swim/redeemers' 'Months = by_month' 'Ages = by_band'
    run -0 timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
    [ "${lines[0]}" = "A form" ]
    for line in 'People: all of them; really +309' 'New +33.7 % of 309' 'Time +7,939 h 15' 'Hours +7,939.25' \
        'Minutes +476,355' 'a = b, or so +884 h 15' 'March +165' 'Swims +[0-9]+' \
        '  March 2025: 736 h 15 time given, 165 people' '  Under 5 hours: '; do
        grep -qE "^  $line" <<<"$output" || {
            echo "nowhere: $line"
            echo "$output"
            false
        }
    done
}

@test "the same line in CSV, HTML and JSON" {
    form 'format = csv' '[Who]' 'New = new_givers as percent of givers' 'Hours = minutes_given as hours' \
        'Months = by_month'
    run -0 timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
    says '"Who","New","new_givers","33.7","percent of 309",""'
    says '"Who","Hours","minutes_given","7939.25","hours",""'
    says '"Who","Months: March 2025, people","by_month/2025-03/givers","165","persons",""'
    sed -i 's/csv/html/' "$BATS_TEST_TMPDIR/a.layout"
    run -0 timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
    says '<th scope="row">New</th><td class="figure">33.7 % of 309</td>'
    says '<th scope="row">March 2025</th>'
    [[ "$output" != *"<script"* ]]
    run -0 timebank --json report --layout "$BATS_TEST_TMPDIR/a.layout"
    is 'x["sections"][0]["lines"][1]["value"] == "7939.25"'
    is 'x["position"]["size"] == 9628 and x["class"] == "internal"'
}

@test "periods as people name them" {
    for period in "2024-04-01 to 2025-03-31" "year 2024-04" "quarter 2024-11" "month 2024-02" "month 2024-12"; do
        form '[Who]' 'People = givers'
        sed -i "s/^period.*/period = $period/" "$BATS_TEST_TMPDIR/a.layout"
        run -0 timebank --json report --layout "$BATS_TEST_TMPDIR/a.layout"
        case $period in
            quarter*) is 'x["from"] == "2024-11-01" and x["to"] == "2025-01-31"' ;;
            month*02) is 'x["to"] == "2024-02-29"' ;;
            month*) is 'x["to"] == "2024-12-31"' ;;
            *) is 'x["from"] == "2024-04-01" and x["to"] == "2025-03-31"' ;;
        esac
    done
    run -0 timebank --json report --layout "$BATS_TEST_TMPDIR/a.layout" --from 2023-04-01 --to 2024-03-31
    is 'x["from"] == "2023-04-01"'
    sed -i '/^period/d' "$BATS_TEST_TMPDIR/a.layout"
    run -1 timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
    says "names no period"
    for period in 2024 "year 2024" "year 2024-13" "month 2024-00" "quarter 24-07" "2024-02-30 to 2024-03-01" \
        "2025-01-01 to 2024-01-01" "today to today"; do
        bad "the period cannot be read" '[layout]' 'title = A' "period = $period"
    done
}

@test "what is not understood is refused with its line and what to do" {
    bad 'line 6: there is no measure "minuts_given"' "${HEAD[@]}" '[A]' 'Hours = minuts_given'
    bad 'line 6: "by_activity/gardening" is a line of by_activity, not a figure: add which, as in by_activity/gardening/minutes_given' \
        "${HEAD[@]}" '[A]' 'Gardening = by_activity/gardening'
    bad 'line 6: givers is no time' "${HEAD[@]}" '[A]' 'a = givers as hours'
    bad 'line 6: givers is no share of minutes_given' "${HEAD[@]}" '[A]' 'a = givers as percent of minutes_given'
    bad 'line 6: "by_month" is a whole table' "${HEAD[@]}" '[A]' 'a = by_month as hours'
    bad 'line 6: money needs rates' "${HEAD[@]}" '[A]' 'a = minutes_given as money living-wage'
    bad 'line 6: "as days" is not known' "${HEAD[@]}" '[A]' 'a = minutes_given as days'
    bad 'line 6: this is no "words = measure"' "${HEAD[@]}" '[A]' 'givers'
    bad 'line 6: this is no "words = measure"' "${HEAD[@]}" '[A]' '= givers'
    bad 'line 5: a heading stands between' "${HEAD[@]}" '[A' 'a = givers'
    bad '[layout] stands here twice' "${HEAD[@]}" '[layout]' 'a = givers'
    bad 'line 1: a layout begins with the section [layout]' 'title = A'
    bad 'line 1: a layout begins with the section [layout]' '[Who]'
    bad 'line 2: [layout] knows no "titel"' '[layout]' 'titel = A'
    bad 'line 3: title stands here twice' '[layout]' 'title = A' 'title = B'
    bad 'nothing follows title' '[layout]' 'title ='
    bad 'there is no class "secret"' '[layout]' 'class = secret'
    bad 'there is no format "pdf"' '[layout]' 'format = pdf'
    bad 'has no title' '[layout]' 'class = internal' '[A]' 'a = givers'
    bad 'does not say for whom' '[layout]' 'title = A' '[A]' 'a = givers'
    bad 'has no figures' "${HEAD[@]}"
    bad 'longer than 700 bytes' "${HEAD[@]}" '[A]' "$(printf '%0701d' 1)"
    bad 'longer than 299 bytes' "${HEAD[@]}" '[A]' "$(printf '%0400d' 1) = givers"
    bad 'save the file as UTF-8' "${HEAD[@]}" '[A]' $'\xff = givers'
    bad '400 lines at most' "${HEAD[@]}" '[A]' "$(yes 'a = givers' | head -n 400)"
    run -1 timebank report --layout "$BATS_TEST_TMPDIR/none.layout"
    says "cannot be read"
}

@test "the layout says what it is of, the command line only when" {
    form '[Who]' 'People = givers'
    run -64 timebank report --layout "$BATS_TEST_TMPDIR/a.layout" --class internal
    says "A layout says its class"
    run -64 timebank report --layout "$BATS_TEST_TMPDIR/a.layout" --from 2024-04-01
    says "give both"
    run -1 timebank report --layout "$BATS_TEST_TMPDIR/a.layout" --out "$BATS_TEST_TMPDIR/x"
    says "leave out --out"
    [ ! -e "$BATS_TEST_TMPDIR/x" ]
}

@test "a name of which the report has nothing is no zero, and is told" {
    form '[Who]' 'Gardning = by_activity/gardning/minutes_given'
    run -0 timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
    says "a.layout, line 6: the report has nothing under by_activity/gardning/minutes_given"
    grep -qE '^  Gardning +\[z\]$' <<<"$output"
}

@test "money is an estimate, at a rate from a file beside the layout" {
    cp "$TREE/clients/layouts/social-value-rates.csv" "$BATS_TEST_TMPDIR/r.csv"
    form 'rates = r.csv' '[Who]' 'Value = minutes_given as money living-wage'
    cd /
    run -0 timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
    says "GBP 100,034.55 (estimate, at GBP 12.60 an hour)"
    bad 'the table of rates has no "gold"' '[layout]' 'title = A' 'class = internal' \
        "rates = $BATS_TEST_TMPDIR/r.csv" '[A]' 'a = minutes_given as money gold'
}

@test "what a funder wrote stands in the page as text, and in the CSV as no formula" {
    form 'format = html' '[=A & <b>]' '<script>alert(1)</script> = givers' '"onload = by_month'
    sed -i 's/^title.*/title = <i>A<\/i>/' "$BATS_TEST_TMPDIR/a.layout"
    run -0 timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
    says "&lt;script&gt;alert(1)&lt;/script&gt;"
    [[ "$output" != *"<script"* && "$output" != *"<i>A"* && "$output" != *"<b>"* ]]
    sed -i 's/html/csv/' "$BATS_TEST_TMPDIR/a.layout"
    run -0 timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
    says "\"'=A & <b>\""
}

@test "a directory of layouts is one file each, of one position" {
    local out=$BATS_TEST_TMPDIR/pack
    run -0 timebank --json report --layout "$TREE/clients/layouts" --out "$out"
    [ "${#lines[@]}" -eq 5 ]
    [ "$(printf '%s\n' "${lines[@]}" | grep -o '"size":[0-9]*' | sort -u | wc -l)" -eq 1 ]
    [ "$(cd "$out" && echo *)" = "board-pack.txt county-lottery.csv fenland-wellbeing-fund.html social-value.html town-council.txt" ]
    grep -q "Class public: figures with fewer than 10" "$out/town-council.txt"
    grep -q "Fenland Wellbeing Fund" "$out/fenland-wellbeing-fund.html"
    run -1 timebank report --layout "$TREE/clients/layouts" --out "$out"
    says "is there already, and nothing was written"
    timebank report --layout "$TREE/clients/layouts" --out "$out-again" >/dev/null
    diff -r "$out" "$out-again"
}

@test "of a directory nothing is written where one file cannot be made" {
    local from=$BATS_TEST_TMPDIR/from out=$BATS_TEST_TMPDIR/out
    mkdir "$from"
    run -1 timebank report --layout "$from" --out "$out"
    says "holds no file whose name ends in .layout"
    form '[Who]' 'People = givers'
    cp "$BATS_TEST_TMPDIR/a.layout" "$from/a.layout"
    printf '%s\n' "${HEAD[@]}" '[A]' 'a = nothing' >"$from/b.layout"
    run -1 timebank report --layout "$from" --out "$out"
    says "b.layout, line 6"
    [ ! -e "$out" ]
    cp "$from/a.layout" "$from/b.layout"
    mkdir "$out"
    echo mine >"$out/b.txt"
    run -1 timebank report --layout "$from" --out "$out"
    says "b.txt is there already"
    [ "$(ls "$out")" = b.txt ] && [ "$(cat "$out/b.txt")" = mine ]
}

@test "what an evaluator has filled in is on record as having left the bank" {
    key_make council --role evaluator --class funder
    form '[Who]' 'People = givers'
    sed -i 's/internal/funder/' "$BATS_TEST_TMPDIR/a.layout"
    run -0 as council timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
    says "Released as entry"
    grep -qE '^  People +309$' <<<"$output"
    mkdir "$BATS_TEST_TMPDIR/council"
    sed 's/year/month/' "$BATS_TEST_TMPDIR/a.layout" >"$BATS_TEST_TMPDIR/council/month.layout"
    cp "$BATS_TEST_TMPDIR/a.layout" "$BATS_TEST_TMPDIR/council/year.layout"
    cp "$BATS_TEST_TMPDIR/a.layout" "$BATS_TEST_TMPDIR/council/year-again.layout"
    run -0 as council timebank report --layout "$BATS_TEST_TMPDIR/council" --out "$BATS_TEST_TMPDIR/out"
    cmp "$BATS_TEST_TMPDIR/out/year.txt" "$BATS_TEST_TMPDIR/out/year-again.txt"
    sed -i 's/funder/internal/' "$BATS_TEST_TMPDIR/a.layout"
    run -1 as council timebank report --layout "$BATS_TEST_TMPDIR/a.layout"
}

@test "a kept report fills in a layout of its class and period, and no other" {
    form '[Who]' 'People = givers'
    run -0 timebank --bank unix:/nowhere report --layout "$BATS_TEST_TMPDIR/a.layout" --read "$PLACE/internal.json"
    says "309"
    sed -i 's/internal/funder/' "$BATS_TEST_TMPDIR/a.layout"
    run -1 timebank report --layout "$BATS_TEST_TMPDIR/a.layout" --read "$PLACE/internal.json"
    says "of another class or period"
    form '[Who]' 'People = givers'
    sed -i 's/year 2024-04/year 2023-04/' "$BATS_TEST_TMPDIR/a.layout"
    run -1 timebank report --layout "$BATS_TEST_TMPDIR/a.layout" --read "$PLACE/internal.json"
    says "of another class or period"
}
