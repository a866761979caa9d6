#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What waits for somebody's agreement, and disputes, as people meet them: who says what, what they
# read, and every refusal of this family.

bats_require_minimum_version 1.5.0
load bank

setup() {
    case $BATS_TEST_DESCRIPTION in
    *gift*) bank_start --policy gift=pending ;;
    *"second person"*) bank_start --policy second-person-above=600 ;;
    *) bank_start --policy claims=on ;;
    esac
    for code in m0001 m0002 m0003; do
        timebank account open $code --kind member --joined 2024-01-01 >/dev/null
        key_make $code --role member --account $code
    done
    timebank account open food-bank --kind organisation >/dev/null
    timebank account open pool --kind venue >/dev/null
    timebank activity add gardening >/dev/null
    timebank offer set pool swim --price 1h >/dev/null
    key_make broker --role broker
    key_make second --role broker
    key_make broker-m0001 --role broker --account m0001
    key_make food-bank --role organisation --account food-bank
}

teardown() {
    bank_end
}

minutes() {
    timebank balance "$1" --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["minutes"])'
}

held() {
    timebank balance "$1" --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["held_minutes"])'
}

# claims TIME: m0002 claims it of m0001; ENTRY is its number.
claims() {
    run -0 as m0002 timebank exchange --receiver m0001 --time "$1" --activity gardening --propose --json
    ENTRY=$(json 'x["entry"]')
}

helps() {
    run -0 as broker timebank exchange --giver m0002 --receiver m0001 --time "$1" --activity gardening --json
    ENTRY=$(json 'x["entry"]')
}

refused() {
    run -1 "${@:2}" --json
    is 'x["refused"] == "'"$1"'"'
}

@test "a giver claims an hour, and it counts once the receiver confirms it" {
    run -0 as m0002 timebank exchange --receiver m0001 --time 1h --activity gardening --propose
    says "Proposed: "
    says "m0002 gave 1 h to m0001"
    says "Warning: It waits for m0001 to confirm it, up to"
    [ "$(minutes m0002)" = 0 ]
    run -0 as m0001 timebank list pending
    says "m0002 claims 1 h of m0001: m0001 confirms or declines it, until"
    number=$(awk '{ print $1 }' <<<"$output")
    run -0 as m0001 timebank confirm "$number"
    says "Confirmed: entry $number ("
    says "m0001 now has -1 h"
    [ "$(minutes m0002)" = 60 ]
    run -0 as m0001 timebank list pending
    says "Nothing waits for anybody."
}

@test "a claim of somebody who was not asked to wait is refused with what to do" {
    run -1 as m0002 timebank exchange --receiver m0001 --time 1h --activity gardening
    says "propose it with --propose"
    refused NEEDS_CONFIRMATION as m0002 timebank exchange --receiver m0001 --time 1h --activity gardening
    refused NOT_A_PROPOSAL as m0001 timebank exchange --giver m0002 --time 1h --activity gardening --propose
    run -0 as m0002 timebank earn --receiver food-bank --time 1h --activity gardening --propose --json
    run -0 as food-bank timebank confirm "$(json 'x["entry"]')"
    [ "$(minutes food-bank)" = -60 ]
}

@test "nobody confirms their own hours" {
    claims 1h
    refused OWN_HOURS as m0002 timebank confirm "$ENTRY"
    helps 45m
    refused OWN_HOURS as m0002 timebank confirm "$ENTRY"
    refused OWN_HOURS as broker-m0001 timebank exchange --giver m0001 --receiver m0002 --time 1h --activity gardening
    run -0 as broker-m0001 timebank exchange --giver m0001 --receiver m0002 --time 1h --activity gardening --propose --json
    own=$(json 'x["entry"]')
    refused NEEDS_SECOND_PERSON as broker-m0001 timebank approve "$own"
    run -0 as broker timebank approve "$own"
    says "Approved: entry $own"
}

@test "a proposal is not booked at an old amount" {
    claims 1h
    old=$ENTRY
    run -0 as m0002 timebank withdraw "$old" "it was two"
    claims 2h
    refused NOT_WAITING as m0001 timebank confirm "$old"
    run -0 as m0001 timebank confirm "$ENTRY"
    [ "$(minutes m0002)" = 120 ]
}

@test "a claim is declined by the receiver, withdrawn by the giver, and answered by no stranger" {
    claims 1h
    refused NO_AUTHORITY as m0003 timebank confirm "$ENTRY"
    refused NO_AUTHORITY as m0003 timebank decline "$ENTRY"
    refused NOT_THE_OTHER_SIDE as m0001 timebank withdraw "$ENTRY"
    refused NOT_THE_OTHER_SIDE as m0002 timebank decline "$ENTRY"
    run -0 as m0001 timebank decline "$ENTRY" "that was last week"
    says "Declined: entry $ENTRY"
    refused NOT_WAITING as m0002 timebank withdraw "$ENTRY"
    refused NO_SUCH_ENTRY as m0001 timebank confirm 999999
    [ "$(minutes m0002)" = 0 ]
}

@test "what a trusted giver claims counts at once" {
    run -0 as m0001 timebank trust m0002
    says "m0001 accepts at once what m0002 claims"
    run -0 as m0002 timebank list trusts
    says "m0001 trusts m0002"
    run -0 as m0002 timebank exchange --receiver m0001 --time 1h --activity gardening
    [ "$(minutes m0002)" = 60 ]
    run -0 as m0001 timebank trust m0002 --end
    refused NEEDS_CONFIRMATION as m0002 timebank exchange --receiver m0001 --time 2h --activity gardening
    run -0 as broker timebank list trusts --json
    [ -z "$output" ]
}

@test "what waits is not reversed, and what took effect is, by its own number" {
    claims 1h
    refused STILL_WAITING as broker timebank reverse "$ENTRY" "no"
    run -0 as m0001 timebank confirm "$ENTRY"
    run -0 as broker timebank reverse "$ENTRY" "it was another day" --time 15m
    run -0 as broker timebank correct "$ENTRY" --time 30m "half an hour"
    [ "$(minutes m0002)" = 30 ]
}

@test "a member confirms what a broker entered" {
    helps 1h
    refused NOT_THE_OTHER_SIDE as broker timebank confirm "$ENTRY"
    run -0 as broker timebank list unconfirmed
    says "m0002 gave 1 h to m0001: ask m0001 whether that is right"
    run -0 as m0001 timebank list unconfirmed --json
    is 'x["entry"] == '"$ENTRY"' and x["confirms"] == "m0001"'
    run -0 as m0002 timebank list unconfirmed --json
    [ -z "$output" ]
    run -0 as m0001 timebank confirm "$ENTRY"
    says "Confirmed"
    refused ALREADY_CONFIRMED as m0001 timebank confirm "$ENTRY"
    run -0 timebank entry show "$ENTRY"
    says "confirmed"
    run -0 timebank list unconfirmed
    says "Everything of late is confirmed"
}

@test "a gift waits until it is accepted, and goes back when it is not wanted" {
    refused NEEDS_CONFIRMATION as m0001 timebank gift --from m0001 --to m0002 --time 1h
    run -0 as m0001 timebank gift --to m0002 --time 1h --propose --json
    gift=$(json 'x["entry"]')
    [ "$(minutes m0001) $(held m0001) $(minutes m0002)" = "-60 60 0" ]
    refused NOT_THE_OTHER_SIDE as m0001 timebank accept "$gift"
    run -0 as m0002 timebank accept "$gift" --json
    is 'x["kind"] == "confirm" and x["target_entry"] == '"$gift"' and x["balances"] == {"m0002": 60}'
    [ "$(minutes m0001) $(held m0001) $(minutes m0002)" = "-60 0 60" ]
    run -0 as m0001 timebank gift --to m0002 --time 30m --propose --json
    gift=$(json 'x["entry"]')
    run -0 as m0002 timebank decline "$gift" "keep it"
    [ "$(minutes m0001)" = -60 ]
}

@test "a large entry needs a second person, who is not the first" {
    refused NEEDS_SECOND_PERSON as broker timebank grant --to m0001 --time 11h
    run -0 as broker timebank grant --to m0001 --time 11h --propose --json
    grant=$(json 'x["entry"]')
    refused NEEDS_SECOND_PERSON as broker timebank approve "$grant"
    refused PARTY as broker-m0001 timebank approve "$grant"
    refused NO_AUTHORITY as m0001 timebank approve "$grant"
    run -0 as second timebank list pending
    says "11 h from issued to m0001: another broker approves or declines it"
    run -0 as second timebank approve "$grant"
    [ "$(minutes m0001)" = 660 ]
    refused NOT_A_PROPOSAL as broker timebank grant --to m0001 --time 1h --propose
    run -0 as broker timebank issue --to food-bank --time 20 --funder council --propose
    says "Proposed: "
    helps 2h
    refused NEEDS_SECOND_PERSON as broker timebank correct "$ENTRY" --time 12h "the sheet says 12"
    run -0 as broker timebank correct "$ENTRY" --time 12h "the sheet says 12" --propose --json
    right=$(json 'x["entry"]')
    [ "$(minutes m0002)" = 0 ]
    run -0 as second timebank approve "$right"
    [ "$(minutes m0002)" = 720 ]
}

@test "a dispute sets the hours aside until a broker who is no party decides" {
    helps 2h
    refused NO_AUTHORITY as m0003 timebank dispute "$ENTRY" "no"
    refused NOT_DISPUTED as broker timebank decide "$ENTRY" --stands "no"
    run -0 as m0001 timebank dispute "$ENTRY" "it was one hour"
    says "Disputed: entry $ENTRY"
    [ "$(minutes m0002) $(held m0002)" = "0 120" ]
    refused DISPUTED as broker timebank reverse "$ENTRY" "no"
    refused DISPUTED as m0001 timebank confirm "$ENTRY"
    refused DISPUTED as m0002 timebank dispute "$ENTRY" "no"
    run -0 timebank list pending
    says "2 h of m0002 is disputed, entry $ENTRY: a broker who is no party decides, else it stands"
    refused PARTY as broker-m0001 timebank decide "$ENTRY" --falls "mine"
    refused MORE_THAN_REMAINS as broker timebank decide "$ENTRY" --falls --time 3h "no"
    run -64 as broker timebank decide "$ENTRY" "no"
    run -0 as broker timebank decide "$ENTRY" --falls --time 1h "both say one hour"
    says "Decided, 1 h is taken back: entry $ENTRY"
    [ "$(minutes m0001) $(minutes m0002) $(held m0002)" = "-60 60 0" ]
    refused TOO_LATE_TO_DISPUTE as m0001 timebank dispute "$ENTRY" "again"
}

@test "a dispute always ends: the broker who opened it for a member leaves it to another or a steward" {
    helps 1h
    run -0 as broker timebank dispute "$ENTRY" "m0001 rang"
    refused PARTY as broker timebank decide "$ENTRY" --stands "no"
    run -0 timebank decide "$ENTRY" --stands "the sheet is signed"
    says "Decided, the entry stands: entry $ENTRY"
    [ "$(minutes m0002)" = 60 ]
}

@test "all of what is left falls where no time is given" {
    helps 2h
    run -0 timebank reverse "$ENTRY" "half an hour was the journey" --time 30m
    run -0 as m0001 timebank dispute "$ENTRY" "nobody came"
    run -0 as broker timebank decide "$ENTRY" --falls "nobody came"
    [ "$(minutes m0001) $(minutes m0002)" = "0 0" ]
}

@test "a programmer quotes the record that is agreed to, and no other is" {
    claims 1h
    first=$ENTRY
    claims 2h
    run -0 as m0001 timebank entry show "$first" --json
    is 'x["state"] == "waiting"'
    leaf=$(json 'x["leaf"]')
    refused OTHER_PROPOSAL as m0001 timebank confirm "$ENTRY" --quote "$leaf"
    run -64 as m0001 timebank confirm "$ENTRY" --quote "1234"
    run -0 as m0001 timebank confirm "$first" --quote "$leaf"
    [ "$(minutes m0002)" = 60 ]
}

@test "at a terminal the entry is shown, and asked for before it is agreed to" {
    claims 1h30
    run -1 as m0001 script -qec "timebank confirm $ENTRY" /dev/null <<<"n"
    says "m0002 gave 1 h 30 to m0001"
    says "activity gardening"
    says "Confirm it? y or n:"
    says "Nothing was recorded."
    run -0 as m0001 script -qec "timebank confirm $ENTRY" /dev/null <<<"y"
    says "Confirmed: entry $ENTRY"
    [ "$(minutes m0002)" = 90 ]
}

@test "who acts for a receiver confirms for them, and nobody acts on both sides" {
    timebank mandate set m0003 --for m0001 --kind carer --from today >/dev/null
    claims 1h
    run -0 as m0003 timebank confirm "$ENTRY"
    [ "$(minutes m0002)" = 60 ]
    run -0 as m0003 timebank exchange --receiver m0001 --time 1h --activity gardening --propose --json
    refused OWN_HOURS as m0003 timebank confirm "$(json 'x["entry"]')"
}
