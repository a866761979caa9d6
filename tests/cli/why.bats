#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a figure is made of, as a person asks for it; and reports kept as files. tests/cli/test-why.py
# adds every figure up.

bats_require_minimum_version 1.5.0
load bank

MARCH=(--from 2025-03-01 --to 2025-03-31)

setup_file() {
    bank_start
    timebank account open m0007 --kind member >/dev/null
    timebank account open m0012 --kind member >/dev/null
    timebank activity add gardening >/dev/null
    timebank exchange --giver m0007 --receiver m0012 --time 2h30 --on 2025-03-05 --activity gardening >/dev/null
    timebank exchange --giver m0012 --receiver m0007 --time 1h --on 2025-03-06 --activity gardening >/dev/null
    timebank account open pool --kind venue >/dev/null
    timebank offer set pool swim --price 30m >/dev/null
    timebank redeem --from m0007 --to pool --offer swim --adults 1 --on 2025-03-07 >/dev/null
    timebank exchange --giver m0012 --receiver m0007 --time 4h --on 2025-04-06 --activity gardening >/dev/null
}

teardown_file() {
    bank_end
}

@test "a figure's value, definition and entries are told" {
    run -0 timebank report "${MARCH[@]}" --why minutes_given
    says "Time given (minutes_given): 3 h 30"
    says "What it is: minutes of service"
    says "2 entries of 2 people count for it."
    says "exchange      m0012             m0007                 2 h 30       150"
    [[ "$output" != *"4 h"* ]]
    run -0 timebank report "${MARCH[@]}" --why by_month/2025-03/givers
    says "By month: Givers (by_month/2025-03/givers): 2"
    run -0 timebank report "${MARCH[@]}" --why density_per_million
    says "It is counted from the pairs of givers and receivers"
}

@test "a name with a stroke in it is found, and so is a figure by its object" {
    run -0 timebank report "${MARCH[@]}" --json --why by_activity/gardening/entries
    is 'x["value"] == 2 and x["sum"] == 2 and len(x["entries"]) == 2'
    run -0 timebank report "${MARCH[@]}" --json --why by_offer/pool/swim/redeemers
    is 'x["value"] == 1 and x["n_persons"] == 1 and x["entries"][0]["to"] == "pool"'
    run -0 timebank report "${MARCH[@]}" --json --why further_measures/by_band/under_5_h
    is 'x["value"] == {"givers": 2, "minutes_given": 210} and x["sum"] == 210'
}

@test "the list goes on behind an entry, and comes as CSV" {
    run -0 timebank report "${MARCH[@]}" --json --why minutes_given
    first=$(json 'x["entries"][0]["entry"]')
    run -0 timebank report "${MARCH[@]}" --json --why minutes_given --after "$first"
    is "len(x['entries']) == 1 and x['entries'][0]['entry'] > $first and x['sum'] == 210"
    run -0 timebank report "${MARCH[@]}" --why minutes_given --format csv
    [[ "${lines[0]}" == *'"entry","kind","on","entered","from","to","minutes","counts"'* ]]
    [ "${#lines[@]}" -eq 3 ]
    run -64 timebank report "${MARCH[@]}" --after "$first"
    run -1 timebank report "${MARCH[@]}" --why minutes_given --after soon
    run -64 timebank report "${MARCH[@]}" --why minutes_given --format html
    # nothing that was asked for is passed over in silence
    run -64 timebank report "${MARCH[@]}" --why minutes_given --out "$BATS_TEST_TMPDIR/why.txt"
    run -64 timebank report --layout some.layout --why minutes_given
    run -64 timebank report --compare old.json --out "$BATS_TEST_TMPDIR/compare.txt"
}

@test "an unknown figure gets those that are near, outside the bank nothing is listed" {
    run -1 timebank report "${MARCH[@]}" --json --why giver
    is 'x["refused"] == "NO_SUCH_MEASURE" and "givers" in x["message"]'
    run -0 timebank report "${MARCH[@]}" --json --class funder --why minutes_given
    is '"entries" not in x and "sum" not in x and x["class"] == "funder"'
}

@test "a report is kept in a file of any form, of JSON with its signature, and none is written over" {
    cd "$BATS_TEST_TMPDIR"
    for form in text csv html json; do
        timebank report "${MARCH[@]}" --format $form >"printed.$form"
        timebank report "${MARCH[@]}" --format $form --out "kept.$form"
        cmp "printed.$form" "kept.$form"
        run -1 timebank report "${MARCH[@]}" --format $form --out "kept.$form"
        says "not written over"
    done
    [ -e kept.json.sig ]
    [ ! -e kept.csv.sig ]
    rm kept.json.sig
    touch again.json
    run -1 timebank report "${MARCH[@]}" --json --out again.json
    [ ! -e again.json.sig ]
    run -1 timebank report "${MARCH[@]}" --json --out nowhere/report.json
    says "Choose another place"
}
