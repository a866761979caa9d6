#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The broker's three lists of whom to speak to.

bats_require_minimum_version 1.5.0
load bank

ago() {
    date -u -d "$1 days ago" +%F
}

member() {
    timebank account open "$1" --kind member --joined "$(ago "$2")" >/dev/null
}

# helps GIVER RECEIVER TIME DAYS-AGO
helps() {
    timebank exchange --giver "$1" --receiver "$2" --time "$3" --on "$(ago "$4")" \
        --activity gardening --over-limit --why "a test" >/dev/null
}

codes() {
    /usr/bin/python3 -c 'import json, sys
print(*[json.loads(line)["code"] for line in sys.argv[1].splitlines()])' "$output"
}

setup_file() {
    bank_start
    timebank activity add gardening >/dev/null
    member m0001 400 # gave long ago, and has what was given
    member m0002 400 # received then, and gave lately
    member m0003 400 # never had an entry
    member m0004 10  # new
    member m0005 400 # zero, but busy
    member m0006 400 # deep
    member m0007 400 # at the limit and past it
    member m0008 400 # quiet and frozen
    timebank account freeze m0008 "away" >/dev/null
    helps m0001 m0002 2 100
    helps m0002 m0006 11 20
    helps m0005 m0002 1 3
    helps m0002 m0005 1 3
    helps m0002 m0007 21 5
}

teardown_file() {
    bank_end
}

@test "quiet members are those with no entry since, or since they joined" {
    run -0 timebank list quiet --json
    [ "$(codes)" = "m0001 m0003" ]
    is 'x["minutes"] == 120 and x["days"] == 100 and x["last_date"] == "'"$(ago 100)"'"'
    is 'x["list"] == "quiet" and x["position"]["size"] > 0'
    run -0 timebank list quiet
    says "what the 2 h could do"
    says "m0003               0 min  never       joined on"
}

@test "a zero balance is no sign of being quiet, and frozen accounts are not listed" {
    run -0 timebank list quiet --json
    [[ "$(codes)" != *m0005* ]]
    [[ "$(codes)" != *m0008* ]]
}

@test "the days of quiet are the broker's to choose" {
    run -0 timebank list quiet --days 101 --json
    [ "$(codes)" = m0003 ]
    run -0 timebank list quiet --days 100 --json
    [ "$(codes)" = "m0001 m0003" ]
    run -0 timebank list quiet --days 10 --json
    [ "$(codes)" = "m0001 m0003 m0004 m0006" ]
    run -0 timebank list quiet --days 500
    says "Nobody is quiet: every open member has an entry of the last 500 days"
    run -1 timebank list quiet --days 0
    says "no number of days"
    run -1 timebank list quiet --days soon --json
    is 'x["refused"] == "BAD_NUMBER"'
}

@test "deep members are below half their limit, or below a time" {
    run -0 timebank list deep --json
    [ "$(codes)" = "m0006 m0007" ]
    is 'x["minutes"] == -660 and x["floor_minutes"] == -1200 and x["list"] == "deep"'
    run -0 timebank list deep
    says "9 h above the limit of -20 h: ask what they would like to give"
    says "1 h below the limit of -20 h and can receive no more"
    run -0 timebank list deep --below -12h --json
    [ "$(codes)" = m0007 ]
    run -0 timebank list deep --below -21h
    says "Nobody is below that."
    run -1 timebank list deep --below far --json
    is 'x["refused"] == "BAD_TIME"'
}

@test "half the limit is of the member's own limit" {
    timebank account limit m0006 --floor -30h >/dev/null
    run -0 timebank list deep --json
    [ "$(codes)" = m0007 ]
    timebank account limit m0006 --by-policy >/dev/null
}

@test "what a broker entered awaits its receiver's word, and not what is older than the days asked for" {
    run -0 timebank list unconfirmed
    says "ask m0002 whether that is right"
    run -0 timebank list unconfirmed m0003
    says "Everything of late is confirmed"
    run -0 timebank list unconfirmed --json
    is 'x["kind"] == "exchange" and x["confirms"] == x["from"]'
    run -1 timebank list unconfirmed --days soon --json
    is 'x["refused"] == "BAD_NUMBER"'
}

@test "the lists are for brokers" {
    key_make member --role member --account m0001
    run -1 as member timebank list quiet --json
    is 'x["refused"] == "NO_AUTHORITY"'
    run -64 timebank list
    says "list quiet"
}
