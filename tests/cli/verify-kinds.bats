#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The statements of all accounts are proven complete after entries of every kind that moves something:
# what waits, is confirmed, disputed, held, advanced, taken back and settled.

bats_require_minimum_version 1.5.0
load bank

setup_file() {
    bank_start --policy gift=pending --policy claims=on --policy second-person-above=600
    for code in m1 m2 m3 m4; do
        timebank account open $code --kind member --joined 2024-01-01 >/dev/null
        key_make $code --role member --account $code
    done
    timebank account open org --kind organisation >/dev/null
    timebank account open pool --kind venue >/dev/null
    timebank activity add garden >/dev/null
    timebank offer set pool swim --price 1h >/dev/null
    timebank funder add council >/dev/null
    key_make broker --role broker
    key_make second --role broker
    LEDGER=$(as broker timebank --json status | /usr/bin/python3 -c \
        'import json, sys; print(json.load(sys.stdin)["verifier_key"])')
    export LEDGER
}

teardown_file() {
    bank_end
}

# done_as WHO COMMAND...: must be recorded; ENTRY is its number.
done_as() {
    run as "$1" timebank "${@:2}" --json
    [ "$status" -eq 0 ] || { echo "$output"; false; }
    ENTRY=$(json 'x["entry"]')
}

proven() {
    for code in m1 m2 m3 m4 org pool chest issued transit advances vouchers expired retired write-offs; do
        run -0 timebank statement $code --proof "$PLACE/proof"
        run timebank verify "$PLACE/proof" --ledger "$LEDGER"
        [ "$status" -eq 0 ] || { echo "$code: $output"; false; }
        rm "$PLACE/proof"
    done
}

@test "credits, hours and what is taken back" {
    done_as broker issue --to org --time 8 --funder council
    done_as broker earn --giver m1 --receiver org --time 3 --activity garden
    done_as broker exchange --giver m1 --receiver m2 --time 2 --activity garden
    done_as broker reverse "$ENTRY" "half of it" --time 1
    done_as broker log --giver m1 --time 1 --activity garden
    done_as broker grant --to m2 --time 4 --why welcome
    done_as broker donate --from m1 --time 1
    done_as broker grant --to m3 --time 0.5 --from chest --why "for the start"
    done_as broker redeem --from m2 --to pool --offer swim --adults 1 --under16 0
    done_as broker session --giver m1=1h --receiver m2=30m --receiver m3=30m --activity garden
    proven
}

@test "what waits for a yes, and what was said" {
    done_as m1 gift --from m1 --to m2 --time 1 --propose
    proven
    done_as m2 accept "$ENTRY"
    done_as m1 gift --from m1 --to m3 --time 0.5 --propose
    done_as m3 decline "$ENTRY" "no need"
    done_as m1 exchange --receiver m2 --time 1 --activity garden --propose
    proven
    done_as m2 confirm "$ENTRY" --yes
    done_as broker issue --to org --time 20 --funder council --propose
    proven
    done_as second approve "$ENTRY" --yes
    done_as broker exchange --giver m4 --receiver m2 --time 1 --activity garden
    disputed=$ENTRY
    done_as m2 dispute "$disputed" "nobody came"
    proven
    done_as second decide "$disputed" --falls "asked both"
    proven
}

@test "what is advanced, and repaid by what is earned" {
    done_as broker advance --to m3 --time 2
    done_as broker exchange --giver m3 --receiver m1 --time 1 --activity garden
    done_as broker exchange --giver m3 --receiver m2 --time 1.5 --activity garden --on yesterday
    done_as broker earn --giver m3 --receiver org --time 1 --activity garden
    proven
}

@test "what is held, settled and merged" {
    done_as broker hold --from m3 --to pool --offer swim --adults 1
    proven
    done_as broker capture "$ENTRY"
    done_as broker hold --from m3 --to pool --offer swim --adults 1
    done_as broker release "$ENTRY"
    done_as broker account settle m4 --died --to chest
    done_as broker account merge m2 --into m1 "one person"
    proven
}
