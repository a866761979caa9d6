#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Sessions, advances and pledges as a broker types them.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start --policy advance-max=300
    for code in m0001 m0002 m0003 m0004 m0005; do
        timebank account open $code --kind member --joined 2024-03-01
    done
    timebank account open food-bank --kind organisation
    timebank account open leisure-centre --kind venue
    timebank activity add yoga
    timebank activity add allotment
}

teardown() {
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

@test "a class is one entry, and what is over goes to the chest" {
    run -0 timebank session --on today --activity yoga --giver m0001=1h \
        --receiver m0002=1h --receiver m0003=1h --heads 4 --head-time 1h
    says "m0001 (1 h) gave 1 h to m0002 (1 h), m0003 (1 h) and 4 others"
    says "m0001 now has 1 h"
    says "m0002 now has -1 h"
    says "chest now has 1 h"
    run -0 timebank --json session --activity yoga --time 30m --giver m0004 --receiver m0005
    is 'x["kind"] == "session"'
    is 'x["balances"]["m0004"] == 30 and x["balances"]["m0005"] == -30'
}

@test "the split is shown before it is recorded, and is the one that is recorded" {
    run -0 timebank session --activity yoga --giver m0001=1h45 --time 1h \
        --receiver m0002 --receiver m0003 --receiver m0004=30m --rest share --dry-run
    says "Nothing is recorded yet"
    says "m0002 pays 42 min and would have -42 min"
    says "m0004 pays 21 min"
    has m0001 0
    run -0 timebank --json session --activity yoga --giver m0001=1h45 --time 1h \
        --receiver m0002 --receiver m0003 --receiver m0004=30m --rest share --dry-run
    is 'x["dry_run"] and x["moves"] == {"m0001": 105, "m0002": -42, "m0003": -42, "m0004": -21}'
    run -0 timebank session --activity yoga --giver m0001=1h45 --time 1h \
        --receiver m0002 --receiver m0003 --receiver m0004=30m --rest share
    says "who share it"
    has m0002 -42
    has m0003 -42
    has m0004 -21
}

@test "half an hour shared by two is not floored to nothing" {
    timebank session --activity yoga --giver m0001=30m --time 1h --receiver m0002 --receiver m0003 --rest share
    has m0002 -15
    has m0003 -15
    has m0001 30
}

@test "the chest pays what the receivers do not, down to its floor" {
    run -1 timebank --json session --activity yoga --giver m0001=2h --receiver m0002=30m --rest by-chest
    is 'x["refused"] == "CHEST_EMPTY" and "share it" in x["message"]'
    timebank donate --from m0005 --time 3h
    run -0 timebank session --activity yoga --giver m0001=2h --receiver m0002=30m --rest by-chest
    has chest 90
    has m0002 -30
    run -1 timebank --json session --activity yoga --giver m0001=30m --receiver m0003=1h --rest by-chest
    is 'x["refused"] == "SESSION_LINES" and "only 30 min" in x["message"]'
}

@test "an organisation pays, and records with its own key" {
    timebank issue --to food-bank --time 10h --funder council
    key_make food --role organisation --account food-bank
    run -0 as food timebank session --activity allotment --time 2h --giver m0001 --giver m0002 --heads 12
    says "food-bank now has 6 h"
    has m0002 120
    run -1 as food timebank --json session --activity allotment --time 1h --giver m0003 --receiver m0004
    is 'x["refused"] == "SESSION_LINES"'
    run -1 as food timebank --json session --activity allotment --time 1h --giver m0003 --from m0004
    [ "$status" -eq 1 ]
}

@test "a session is all or nothing, and says which line is wrong" {
    run -1 timebank --json session --activity yoga --giver m0001=1h --receiver m0002=1h --receiver m0099=1h
    is 'x["refused"] == "NO_SUCH_ACCOUNT"'
    is 'x["message"].startswith("Receiver 2: There is no account m0099")'
    has m0001 0
    run -1 timebank --json session --activity yoga --giver m0001=2h --receiver m0002=1h
    is 'x["refused"] == "SESSION_SHORT"'
    run -1 timebank --json session --activity yoga --giver m0001=1h --receiver m0001=1h
    is 'x["refused"] == "SESSION_LINES"'
    run -1 timebank --json session --activity yoga --giver m0001=1h --receiver leisure-centre=1h
    is 'x["refused"] == "WRONG_KIND"'
    run -1 timebank --json session --activity yoga --giver m0001=50m --receiver m0002=1h
    is 'x["refused"] == "NOT_IN_QUANTUM"'
    run -1 timebank --json session --activity knitting --giver m0001=1h --receiver m0002=1h
    is 'x["refused"] == "UNKNOWN_ACTIVITY"'
    has m0001 0
}

@test "wrong usage of session says what is missing" {
    run -64 timebank session --activity yoga --receiver m0002=1h
    says "Who gave the time is missing"
    run -64 timebank session --activity yoga --giver m0001 --receiver m0002=1h
    says "m0001 has no time"
    run -64 timebank session --activity yoga --giver m0001=1h --receiver m0002=1h --rest nowhere
    says "is no rest"
    run -1 timebank session --activity yoga --giver m0001=1h --receiver m0002=1h --heads few
    says "not a number of people"
}

@test "the same session typed again is told as a duplicate" {
    timebank session --activity yoga --giver m0001=1h --receiver m0002=1h
    run -1 timebank --json session --activity yoga --giver m0001=1h --receiver m0003=1h
    is 'x["refused"] == "LOOKS_LIKE" and x["entry"] > 0'
    run -0 timebank session --activity yoga --giver m0001=1h --receiver m0003=1h --again
    says "Warning: This looks like entry"
}

@test "a session is taken back whole, and corrected in one batch" {
    run -0 timebank --json session --activity yoga --giver m0001=1h --receiver m0002=1h --receiver m0003=1h
    entry=$(json 'x["entry"]')
    run -1 timebank --json reverse "$entry" --time 30m "half of it"
    is 'x["refused"] == "NOT_REVERSIBLE" and "taken back whole" in x["message"]'
    run -1 timebank --json correct "$entry" --time 30m "half of it"
    is '"--corrects" in x["message"]'
    run -0 timebank session --corrects "$entry" --why "m0004 was there, not m0003" --activity yoga \
        --giver m0001=1h --receiver m0002=1h --receiver m0004=1h
    has m0003 0
    has m0004 -60
    has chest 60
    run -0 timebank --json session --activity allotment --giver m0001=1h --receiver m0002=1h
    entry=$(json 'x["entry"]')
    run -0 timebank reverse "$entry" "never happened"
    says "Taken back: 1 h of entry $entry"
    has m0001 60
    has m0002 -60
}

@test "a register is read from a file, and the same file counts once" {
    cat >"$BATS_TEST_TMPDIR/roll.csv" <<'END'
side,member,time,person
giver,M0001,2h,
receiver,m0002,1h,

receiver,m0003,1 h 30,
others,7,45m,
END
    run -64 timebank session "$BATS_TEST_TMPDIR/roll.csv" --activity yoga
    says "give the date with --on"
    run -0 timebank session "$BATS_TEST_TMPDIR/roll.csv" --activity yoga --on today
    says "and 7 others"
    has chest 30
    run -0 timebank session "$BATS_TEST_TMPDIR/roll.csv" --activity yoga --on today
    says "recorded before"
    has chest 30
    printf 'side,member,time\ngiver,m0001,1h\nreceiver,m0002,2.30\n' >"$BATS_TEST_TMPDIR/bad.csv"
    run -1 timebank session "$BATS_TEST_TMPDIR/bad.csv" --activity yoga --on today
    says "bad.csv, line 3"
    printf 'side,member,time\nhelper,m0001,1h\n' >"$BATS_TEST_TMPDIR/bad.csv"
    run -1 timebank session "$BATS_TEST_TMPDIR/bad.csv" --activity yoga --on today
    says "giver, receiver or others"
    printf 'name,hours\nann,1\n' >"$BATS_TEST_TMPDIR/bad.csv"
    run -1 timebank session "$BATS_TEST_TMPDIR/bad.csv" --activity yoga --on today
    says "side,member,time"
}

@test "four hundred lines go in at once, one more does not" {
    for i in {1000..1400}; do echo "m$i,member"; done | sed '1i code,kind' >"$BATS_TEST_TMPDIR/a.csv"
    timebank import "$BATS_TEST_TMPDIR/a.csv" >/dev/null
    { echo side,member,time; echo giver,m0001,3h
      for i in {1000..1398}; do echo "receiver,m$i,1h"; done; } >"$BATS_TEST_TMPDIR/roll.csv"
    run -0 timebank --json session "$BATS_TEST_TMPDIR/roll.csv" --activity yoga --on today --rest share
    is 'len(x["balances"]) == 400 and sum(x["balances"].values()) == 0'
    echo receiver,m1399,1h >>"$BATS_TEST_TMPDIR/roll.csv"
    run -1 timebank --json session "$BATS_TEST_TMPDIR/roll.csv" --activity yoga --on today --rest share
    is 'x["refused"] == "SESSION_LINES" and "several" in x["message"]'
}

@test "an advance is owed, and what is earned repays it first" {
    run -0 timebank advance --to m0001 --time 2h --why "the link worker asked"
    says "m0001 was advanced 2 h"
    says "m0001 now has 2 h"
    run -0 timebank exchange --giver m0001 --receiver m0002 --time 45m --activity yoga
    says "45 min of it repaid what was advanced to m0001, who still owes 1 h 15"
    has m0001 120
    run -0 timebank balance m0001
    says "of what was advanced, still to earn: 1 h 15"
    run -0 timebank --json balance m0001
    is 'x["owed_minutes"] == 75'
    run -1 timebank --json advance --to m0001 --time 4h
    is 'x["refused"] == "ADVANCE_CAP" and "advance less" in x["message"]'
    has advances -75
}

@test "an advance is taken back while it is owed" {
    run -0 timebank --json advance --to m0001 --time 2h
    entry=$(json 'x["entry"]')
    run -0 timebank --json exchange --giver m0001 --receiver m0002 --time 1h --activity yoga
    earned=$(json 'x["entry"]')
    run -1 timebank --json reverse "$entry" "a mistake"
    is 'x["refused"] == "MORE_THAN_REMAINS" and "--time" in x["message"]'
    run -0 timebank reverse "$earned" "not done"
    says "1 h of it had repaid what was advanced to m0001, and is owed again"
    run -0 timebank reverse "$entry" "a mistake"
    has m0001 0
    has advances 0
}

@test "a pledge is listed until nothing is owed any more" {
    run -0 timebank list pledges
    says "No pledge is open"
    day=$(date -u -d '+30 days' +%F)
    run -0 timebank pledge --to m0001 --time 2h --until "$day"
    says "m0001 was advanced 2 h, to be earned until $day"
    run -1 timebank --json pledge --to m0001 --time 2h --until yesterday
    is 'x["refused"] == "BAD_DATE"'
    run -64 timebank pledge --to m0001 --time 2h
    says "--until"
    timebank exchange --giver m0001 --receiver m0002 --time 30m --activity yoga
    run -0 timebank list pledges
    says "until $day (30 days), owes 1 h 30 in all"
    run -0 timebank --json list pledges
    is 'x["code"] == "m0001" and x["owed_minutes"] == 90 and not x["overdue"]'
    timebank exchange --giver m0001 --receiver m0002 --time 1h30 --activity yoga
    run -0 timebank list pledges
    says "No pledge is open"
}

@test "who is no broker advances nothing" {
    key_make member --role member --account m0001
    run -1 as member timebank --json advance --to m0001 --time 1h
    is 'x["refused"] == "NO_AUTHORITY"'
    run -1 as member timebank --json session --activity yoga --giver m0001=1h --receiver m0002=1h
    is 'x["refused"] == "NO_AUTHORITY"'
}

@test "a file is entered anew in place of a session, or with --again" {
    printf 'side,member,time\ngiver,m0001,1h\nreceiver,m0002,1h\n' >"$BATS_TEST_TMPDIR/roll.csv"
    run -0 timebank --json session "$BATS_TEST_TMPDIR/roll.csv" --activity yoga --on today
    entry=$(json 'x["entry"]')
    run -0 timebank session "$BATS_TEST_TMPDIR/roll.csv" --activity yoga --on today --heads 3 \
        --corrects "$entry" --why "three more were there"
    says "and 3 others"
    has m0001 60
    run -0 timebank session "$BATS_TEST_TMPDIR/roll.csv" --activity yoga --on today --again
    has m0001 120
}
