#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Files of TimeOverflow, komunitin and mutual_credit go in as exchanges, once, and what people wrote
# in them stays beside the ledger.

bats_require_minimum_version 1.5.0
load bank

FOREIGN=$TREE/tests/data/foreign

setup() {
    bank_start --policy quantum=1
    for code in m0007 m0012 m0031; do
        timebank account open $code --kind member --joined 2024-01-01 >/dev/null
    done
    timebank activity add gardening >/dev/null
    timebank activity add befriending >/dev/null
}

teardown() {
    bank_end
}

minutes() {
    timebank balance "$1" --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["minutes"])'
}

entries() {
    timebank status --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["entries"])'
}

# balances M0007 M0012 M0031
balances() {
    local told
    told="$(minutes m0007) $(minutes m0012) $(minutes m0031)"
    [ "$told" = "$*" ] || {
        echo "balances are $told"
        return 1
    }
}

# refusals EXPECTED: line, column and name of each.
refusals() {
    is '[(r["line"], r["column"], r["refused"]) for r in x["refused"]] == ['"$1"']'
}

@test "TimeOverflow's transfers go in without a header, the payer paying" {
    run -0 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-form m0000 --json
    is 'x["recorded"] == 4 and x["minutes"] == 60 + 90 + 90 + 15 and x["refused"] == []'
    balances -45 -120 165
    run -0 timebank statement m0007 --json
    is '[(l["service_date"], l["minutes"], l["other"], l["activity"]) for l in x["lines"]] == [
        ("2025-03-03", -60, "m0012", "befriending"), ("2025-03-05", 15, "m0031", "befriending")]'
}

@test "the same file again records nothing, and rows that are alike are each one entry" {
    run -0 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-map "$FOREIGN/codes.csv" --json
    is 'x["recorded"] == 4'
    run -0 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-map "$FOREIGN/codes.csv" --json
    is 'x["recorded"] == 0 and x["already"] == 4'
    # and by another rule with the same outcome
    run -0 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-form m0000 --json
    is 'x["recorded"] == 0 and x["already"] == 4'
}

@test "a file that grew, in any order, records only what is new" {
    run -0 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-form m0000 --json
    {
        echo '7,Member,31,Member,60,2025-03-09 08:00:00 UTC,new,'
        echo '12,Member,31,Member,5400,2025-03-04 18:00:02 UTC,,'
        cat "$FOREIGN/timeoverflow.csv"
    } >"$BATS_TEST_TMPDIR/grown.csv"
    run -0 timebank import "$BATS_TEST_TMPDIR/grown.csv" --activity befriending --code-form m0000 --json
    is 'x["recorded"] == 2 and x["already"] == 4 and x["minutes"] == 91'
}

@test "a row that stands in two files of one import is refused by name of the other" {
    head -1 "$FOREIGN/timeoverflow.csv" >"$BATS_TEST_TMPDIR/other.csv"
    run -1 timebank import "$FOREIGN/timeoverflow.csv" "$BATS_TEST_TMPDIR/other.csv" \
        --activity befriending --code-form m0000
    says "other.csv line 1: "
    says "timeoverflow.csv line 1 says the same"
    [ "$(entries)" = 0 ]
}

@test "what people wrote goes to the notes of those who may read them, and nowhere in clear" {
    timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-form m0000
    run -0 timebank statement m0007
    says "why: Help with the garden, for Ann"
    says "why: Shopping and a talk"
    timebank import "$FOREIGN/komunitin.csv" --activity befriending --code-map "$FOREIGN/codes.csv" --on 2025-03-09
    bank_stop
    for text in "Help with the garden" "Piano" "HYPERLINK"; do
        run -1 grep -q -a -r "$text" "$PLACE/ledger"
    done
    bank_run
}

@test "the bank's own hours in TimeOverflow need to be told whose they are here" {
    run -1 timebank import "$FOREIGN/timeoverflow-bank.csv" --activity befriending --code-form m0000 --json
    refusals '(1, "source_id", "NO_SUCH_ACCOUNT")'
    timebank account open office --kind organisation >/dev/null
    printf '%s\n' theirs,ours Organization,office 7,m0007 >"$BATS_TEST_TMPDIR/codes.csv"
    run -0 timebank import "$FOREIGN/timeoverflow-bank.csv" --activity befriending --code-map "$BATS_TEST_TMPDIR/codes.csv" --json
    is 'x["recorded"] == 1 and [w["warning"] for w in x["warnings"]].count("ALLOTMENT_SHORT") == 1'
    run -0 timebank statement m0007 --json
    is 'x["lines"][0]["kind"] == "earn" and x["closing_minutes"] == 120'
}

@test "komunitin's transfers take their date and activity from the command" {
    run -1 timebank import "$FOREIGN/komunitin.csv" --activity befriending --code-map "$FOREIGN/codes.csv"
    says "holds no dates"
    run -1 timebank import "$FOREIGN/komunitin.csv" --on 2025-03-09 --code-map "$FOREIGN/codes.csv" --json
    is 'x["refused"] == "UNKNOWN_ACTIVITY"'
    run -1 timebank import "$FOREIGN/komunitin.csv" --on yesterday --activity befriending --code-map "$FOREIGN/codes.csv"
    says "means another day tomorrow"
    run -0 timebank import "$FOREIGN/komunitin.csv" --on 9/3/2025 --activity befriending --code-map "$FOREIGN/codes.csv" --json
    is 'x["recorded"] == 3 and x["minutes"] == 90 + 15 + 120'
    balances 30 75 -105
    run -0 timebank import "$FOREIGN/komunitin.csv" --on 2025-03-09 --activity befriending --code-map "$FOREIGN/codes.csv" --json
    is 'x["recorded"] == 0 and x["already"] == 3'
    # the next month's file may say the same of another day
    run -0 timebank import "$FOREIGN/komunitin.csv" --on 2025-04-09 --activity befriending --code-map "$FOREIGN/codes.csv" --json
    is 'x["recorded"] == 3 and x["already"] == 0'
}

@test "mutual_credit's transactions count when they are done, by their own categories" {
    run -1 timebank import "$FOREIGN/mutual-credit.csv" --code-map "$FOREIGN/codes.csv" --json
    refusals '(5, "state", "BAD_FILE")'
    [ "$(entries)" = 0 ]
    run -1 timebank import "$FOREIGN/mutual-credit.csv" --code-map "$FOREIGN/codes.csv" --skip-bad --json
    is 'x["recorded"] == 3 and x["minutes"] == 90 + 138 + 45'
    balances -45 -48 93
    run -0 timebank statement m0031 --json
    is '[(l["service_date"], l["minutes"], l["activity"]) for l in x["lines"]] == [
        ("2025-03-08", 138, "befriending"), ("2025-03-09", -45, "befriending")]'
}

@test "one activity for all rows goes before their categories" {
    run -1 timebank import "$FOREIGN/mutual-credit.csv" --code-map "$FOREIGN/codes.csv" --skip-bad --activity gardening --json
    is 'x["recorded"] == 3'
    run -0 timebank statement m0031 --json
    is '{l["activity"] for l in x["lines"]} == {"gardening"}'
}

@test "all three and their list of codes go in as one import, tried first" {
    grep -v pending "$FOREIGN/mutual-credit.csv" >"$BATS_TEST_TMPDIR/mc.csv"
    run -0 timebank import "$FOREIGN/komunitin.csv" "$BATS_TEST_TMPDIR/mc.csv" "$FOREIGN/timeoverflow.csv" \
        --code-map "$FOREIGN/codes.csv" --activity befriending --on 2025-03-09 --dry-run --json
    is 'x["dry_run"] and x["would_record"] == 10 and x["refused"] == []'
    [ "$(entries)" = 0 ]
    run -0 timebank import "$FOREIGN/komunitin.csv" "$BATS_TEST_TMPDIR/mc.csv" "$FOREIGN/timeoverflow.csv" \
        --code-map "$FOREIGN/codes.csv" --activity befriending --on 2025-03-09
    says "Recorded 0 accounts and 10 entries"
}

@test "every bad row is named with its line, its column and its reason" {
    run -1 timebank import "$FOREIGN/bad.csv" --activity befriending --code-map "$FOREIGN/codes.csv" --json
    refusals '(2, "destination_id", "NO_SUCH_ACCOUNT"), (3, "amount", "NOT_IN_QUANTUM"), (4, "amount", "ZERO"),
        (5, "amount", "NEGATIVE"), (6, "amount", "BAD_NUMBER"), (7, "created_at", "BAD_DATE"),
        (8, "source_id", "SAME_ACCOUNT"), (9, "source_id", "NO_SUCH_ACCOUNT"), (10, "reason", "MISSING_COLUMN")'
    [ "$(entries)" = 0 ]
    run -1 timebank import "$FOREIGN/bad.csv" --activity befriending --code-map "$FOREIGN/codes.csv"
    says "line 2, column destination_id: Nothing says which account \"99\" is: add it to "
    says "3630 seconds are 60 min and 30 s"
    says "9 rows were refused; nothing was recorded"
    run -1 timebank import "$FOREIGN/bad.csv" --activity befriending --code-map "$FOREIGN/codes.csv" --skip-bad --json
    is 'x["recorded"] == 1'
}

@test "a number of theirs is no number of ours unless that is said" {
    run -1 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending
    says "--code-map, or for numbers their form with --code-form m0000"
    # without a list, what has the form of a member's code here is one
    printf '%s\n' Source,Destination,Description,Amount M0007,m0012,,1 m0007,m0999,,1 >"$BATS_TEST_TMPDIR/k.csv"
    run -1 timebank import "$BATS_TEST_TMPDIR/k.csv" --activity befriending --on 2025-03-09 --skip-bad --json
    is 'x["recorded"] == 1'
    refusals '(3, "destination", "NO_SUCH_ACCOUNT")'
}

@test "hours that are no whole minutes are refused, decimals of a program are no clock" {
    printf '%s\n' Source,Destination,Description,Amount m0007,m0012,,0.33 m0007,m0012,,1.10 m0007,m0012,,-1 \
        m0007,m0012,,0.00 m0007,m0012,,1e3 >"$BATS_TEST_TMPDIR/k.csv"
    run -1 timebank import "$BATS_TEST_TMPDIR/k.csv" --activity befriending --on 2025-03-09 --skip-bad --json
    is 'x["recorded"] == 1 and x["minutes"] == 66'
    refusals '(2, "amount", "NOT_IN_QUANTUM"), (4, "amount", "NEGATIVE"), (5, "amount", "ZERO"), (6, "amount", "BAD_TIME")'
}

@test "the bank's step binds these files, and only warns in history" {
    timebank policy set quantum 30
    run -1 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-form m0000 --json
    refusals '(4, "amount", "NOT_IN_QUANTUM")'
    run -0 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-form m0000 --history --json
    is 'x["recorded"] == 4 and [w["line"] for w in x["warnings"] if w["warning"] == "NOT_IN_QUANTUM"] == [4]'
}

@test "as history the day of each row is its claimed date of entry, and the activity is declared" {
    run -0 timebank import "$FOREIGN/timeoverflow.csv" --activity unknown --code-form m0000 --history --json
    is 'x["recorded"] == 4 and x["declared"] == [{"kind": "activity", "name": "unknown"}]'
    run -0 timebank statement m0007 --json
    is '[l["entry_date"] for l in x["lines"]] == ["2025-03-03", "2025-03-05"]'
    run -0 timebank import "$FOREIGN/timeoverflow.csv" --activity unknown --code-form m0000 --history --json
    is 'x["recorded"] == 0 and x["already"] == 4'
}

@test "a list of codes that says two things is refused, and options that fit no file are" {
    printf '%s\n' theirs,ours 7,m0007 7,m0012 31, >"$BATS_TEST_TMPDIR/codes.csv"
    run -1 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-map "$BATS_TEST_TMPDIR/codes.csv"
    says "codes.csv line 3, column theirs: 7 stands in the list with m0007 already"
    says "codes.csv line 4, column ours: "
    run -1 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-map "$TREE/tests/data/sheet-good.csv"
    says "is no list of codes"
    run -64 timebank import "$TREE/tests/data/sheet-good.csv" --activity befriending
    says "for the files of other systems"
    run -64 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --on 2025-03-09
    says "files without dates"
    run -64 timebank import "$FOREIGN/timeoverflow.csv" --activity befriending --code-form 0007
    says "small letters and then noughts"
}
