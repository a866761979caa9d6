#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Households, mandates, safeguarding, leaving, merging, transfers and being forgotten, as a broker
# types them. Every story ends with a check of the whole ledger.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start
    for code in m0001 m0002 m0003 m0004; do
        timebank account open $code --kind member --joined 2024-01-01 --ward riverside \
            --age-band 65-74 >/dev/null
    done
    timebank account open food-bank --kind organisation >/dev/null
    timebank account open pool --kind venue >/dev/null
    timebank activity add gardening >/dev/null
    timebank offer set pool swim --price 1h >/dev/null
    key_make broker --role broker
    key_make one --role member --account m0001
    key_make two --role member --account m0002
    key_make pool --role venue --account pool
}

teardown() {
    bank_end
}

minutes() {
    timebank balance "$1" --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["minutes"])'
}

refused() {
    is 'x["refused"] == "'"$1"'"'
}

helps() {
    timebank exchange --giver "$1" --receiver "$2" --time "$3" --activity gardening "${@:4}"
}

yesterday() {
    date -u -d "yesterday" +%F
}

tomorrow() {
    date -u -d "tomorrow" +%F
}

# ---- households

@test "every entry of a household names the person" {
    run -0 timebank person add m0001 2 --minor
    says "Person 2 of m0001 is set, under 18"
    run -1 helps m0001 m0002 1h
    says "Several persons share m0001: name the one, as m0001/2."
    run -1 helps m0001 m0002 1h --json
    refused NAME_THE_PERSON
    run -1 helps m0001/3 m0002 1h --json
    refused UNKNOWN_PERSON
    run -0 helps m0001/2 m0002 1h
    says "m0001/2 gave 1 h to m0002"
    says "m0001 now has 1 h"
    run -0 helps m0001/1 m0002 1h
    run -0 timebank redeem --from M0001/2 --to pool --offer swim --adults 1
    run -0 timebank person list m0001 --json
    [[ ${lines[0]} == *'"person":"1","minor":false,"standing":"there"'* ]]
    [[ ${lines[1]} == *'"person":"2","minor":true,"standing":"there"'* ]]
    run -0 timebank person leave m0001 2 "moved out"
    says "Person 2 of m0001 has gone"
    run -0 helps m0001 m0002 30m
    run -1 helps m0001/2 m0002 45m --json
    refused UNKNOWN_PERSON
    [ "$(minutes m0001)" = 90 ]
}

@test "a household's person is named on sheets and in files, too" {
    timebank person add m0001 2 >/dev/null
    cat >"$PLACE/march.csv" <<'CSV'
sheet,line,date,giver,receiver,time,activity
march,1,2025-03-05,m0001/2,m0002,1h,gardening
march,2,2025-03-05,M0003,m0001/1,30m,gardening
CSV
    run -0 timebank import "$PLACE/march.csv"
    [ "$(minutes m0001)" = 30 ]
    printf 'march,3,2025-03-05,m0001,m0002,1h,gardening\n' >"$PLACE/more.csv"
    sed -i '1i sheet,line,date,giver,receiver,time,activity' "$PLACE/more.csv"
    run -1 timebank import "$PLACE/more.csv"
    says "name the one, as m0001/2"
    run -0 timebank sheet --sheet april --on 2025-04-02 --lines 1 --total 1h --typed <<'TYPED'
m0001/2 m0002 1h gardening
end
TYPED
    [ "$(minutes m0001)" = 90 ]
    run -0 timebank statement m0001 --json
    says "m0001/2 gave to m0002: gardening"
    says "m0001/1 was helped by m0003"
}

@test "a name does not become a person of the ledger" {
    run -1 timebank person add m0001 anna --json
    refused BAD_TEXT
    says "Names do not belong in the ledger"
}

@test "somebody under 18 needs a guardian, whose mandate ends" {
    timebank policy set under-18 guardian >/dev/null
    timebank person add m0001 1 --minor >/dev/null
    run -1 as one timebank gift --to m0003 --time 1h --json
    refused NEEDS_GUARDIAN
    run -1 as two timebank gift --from m0001 --to m0003 --time 1h --json
    refused NO_AUTHORITY
    run -0 timebank mandate set m0002 --for m0001 --kind guardian --from "$(yesterday)" --to "$(tomorrow)"
    says "m0002 may act for m0001 as guardian"
    run -0 as two timebank gift --from m0001 --to m0003 --time 1h
    says "m0001 made m0003 a gift of 1 h"
    says "m0001 now has -1 h"
    run -0 as two timebank balance m0001 --json
    is 'x["minutes"] == -60'
    run -0 as two timebank statement m0001
    says "m0003"
    run -1 as two timebank balance m0003
    run -1 as two timebank gift --from m0001 --to m0002 --time 1h --json
    refused OWN_HOURS
    run -0 timebank mandate list m0001
    says "m0002 acts for m0001 as guardian, from $(yesterday) to $(tomorrow)"
    run -0 timebank mandate end m0002 --for m0001 "she is 18"
    run -1 as two timebank gift --from m0001 --to m0003 --time 30m --json
    refused MANDATE_OVER
    run -1 as two timebank balance m0001
    run -0 timebank mandate list m0001
    says "not in force"
    run -1 timebank mandate end m0003 --for m0001 --json
    refused MANDATE_OVER
}

@test "an entry by mandate keeps the key and says by what right it came" {
    timebank mandate set m0002 --for m0001 --kind carer >/dev/null
    run -0 as two timebank donate --from m0001 --time 15m --json
    entry=$(json 'x["entry"]')
    run -0 timebank entry show "$entry" --json
    is 'x["authority"] == "guardian"'
    run -0 timebank entry show "$entry"
    says ", with a mandate"
    run -0 timebank statement m0001
    says "with a mandate"
}

# ---- safeguarding

@test "two who are kept apart are sent to the coordinator, and a venue sees CHECK" {
    run -0 timebank safeguard m0001 --with m0002
    says "The safeguarding hold on m0001 together with m0002 is set"
    run -1 helps m0001 m0002 1h
    [ "$output" = "CHECK: ask the member to speak to the coordinator." ]
    run -0 helps m0001 m0003 1h
    run -0 timebank safeguard m0001
    run -1 as pool timebank redeem --from m0001 --offer swim --adults 1
    says CHECK
    run -1 helps m0003 m0001 1h --json
    refused SEE_COORDINATOR
    run -0 timebank safeguard list
    says "m0001 with m0002"
    run -1 as one timebank safeguard list
    run -1 timebank safeguard m0003 --why "a rumour" --json
    refused REASON_NOT_KEPT
    run -0 timebank safeguard m0001 --lift
    run -0 timebank safeguard m0002 --with m0001 --lift
    run -1 timebank safeguard m0001 --lift --json
    refused NO_SUCH_ENTRY
    run -0 helps m0001 m0002 1h
}

# ---- leaving

@test "a leaver spends, and is then settled as they chose" {
    helps m0001 m0002 3h >/dev/null
    run -0 as one timebank account choice m0001 m0003
    says "What m0001 leaves goes to m0003"
    run -1 timebank account settle m0001 --left --json
    refused NOT_LEAVING
    run -0 timebank account leave m0001 --until "$(tomorrow)" "moving away"
    run -0 timebank list leaving
    says "m0001"
    says "until $(tomorrow)"
    says "what is left goes to m0003"
    run -1 timebank account settle m0001 --left --json
    refused SPEND_DOWN
    run -0 timebank redeem --from m0001 --to pool --offer swim --adults 1
    run -1 timebank account settle m0001 --died --to chest --json
    refused OTHER_CHOICE
    run -1 timebank account settle m0001 --died --balance 3h --json
    refused BALANCE_MOVED
    run -0 as one timebank account settle m0001 --left
    says "m0001 is settled: 2 h went to m0003"
    [ "$(minutes m0001) $(minutes m0003)" = "0 120" ]
    run -0 timebank list leaving
    says "Nobody is leaving"
    run -1 helps m0002 m0001 1h --json
    refused CLOSED
    run -1 timebank account settle m0001 --left --json
    refused ALREADY_CLOSED
}

@test "who stays after all is not settled" {
    timebank account leave m0001 >/dev/null
    run -0 timebank account leave m0001 --stay
    says "m0001 stays"
    run -1 timebank account leave m0001 --stay --json
    refused NOT_LEAVING
    run -1 timebank account leave m0001 --until "$(yesterday)" --json
    refused BAD_DATE
}

@test "a death is kept quiet, and settled once" {
    helps m0001 m0002 2h >/dev/null
    timebank account freeze m0001 "died on Sunday" >/dev/null
    run -0 timebank account settle m0001 --died
    says "2 h went to chest"
    run -1 timebank account settle m0001 --died --json
    refused ALREADY_CLOSED
    run -0 timebank account settle m0002 --died
    says "a debt of 2 h is written off"
    [ "$(minutes write-offs)" = -120 ]
}

@test "an account is not settled while something waits" {
    run -0 timebank exchange --giver m0001 --receiver m0002 --time 1h --activity gardening --propose --json
    entry=$(json 'x["entry"]')
    run -1 timebank account settle m0002 --died --json
    refused STILL_WAITING
    is 'x["entry"] == '"$entry"
    run -0 as two timebank decline "$entry"
    run -0 timebank account settle m0002 --died
}

@test "an allotment goes back and a closed venue's takings are retired" {
    timebank funder add council >/dev/null
    timebank issue --to food-bank --time 10h --funder council >/dev/null
    timebank redeem --from m0001 --to pool --offer swim --adults 1 >/dev/null
    run -1 timebank account settle food-bank --died --json
    refused WRONG_KIND
    run -0 timebank account settle food-bank --ended
    says "10 h went to issued"
    run -0 timebank account settle pool --ended
    says "1 h went to retired"
    [ "$(minutes issued)" = 0 ]
}

# ---- merging

@test "two accounts of one person become one, and two again" {
    helps m0001 m0003 2h >/dev/null
    run -1 timebank account merge m0001 --into m0002 "joined twice" --balance 1h --json
    refused BALANCE_MOVED
    run -0 timebank account merge m0001 --into m0002 "joined twice" --json
    entry=$(json 'x["entry"]')
    is 'x["balances"] == {"m0001": 0, "m0002": 120}'
    run -1 helps m0001 m0003 1h
    says "m0001 goes on as m0002: use that code."
    run -1 helps m0001 m0003 1h --json
    refused MERGED
    run -0 timebank account unmerge "$entry" "two people after all"
    [ "$(minutes m0001) $(minutes m0002)" = "120 0" ]
    run -1 timebank account unmerge "$entry" "again" --json
    refused NOT_MERGED
    run -0 helps m0001 m0003 1h
}

# ---- transfers

@test "credits go to another bank and come from one, each transfer once" {
    run -1 as broker timebank account open bank:riverside --kind bank --json
    refused NO_AUTHORITY
    run -0 timebank account open bank:riverside --kind bank
    run -0 timebank transfer --from m0001 --to bank:riverside --time 2h
    says "m0001 transferred 2 h to bank:riverside, transfer id "
    id=5f0c29e1-b7d8-4a6c-9e3d-12ab45cd67ef
    run -0 timebank transfer --from bank:riverside --to m0002 --time 1h --id $id --json
    is 'x["transfer_id"] == "5f0c29e1b7d84a6c9e3d12ab45cd67ef"'
    run -1 timebank transfer --from bank:riverside --to m0003 --time 1h --id $id --json
    refused TRANSFER_USED
    run -64 timebank transfer --from bank:riverside --to m0003 --time 1h
    run -1 timebank transfer --from m0001 --to m0002 --time 1h --json
    refused WRONG_KIND
    timebank policy set transfer-cap-year 240 >/dev/null
    run -1 timebank transfer --from m0001 --to bank:riverside --time 2h --json
    refused TRANSFER_CAP
    run -0 timebank account limit bank:riverside --ceiling 1h
    run -1 timebank transfer --from m0001 --to bank:riverside --time 15m --json
    refused ABOVE_CEILING
    [ "$(minutes bank:riverside)" = 60 ]
}

# ---- being forgotten

@test "who is erased is in no file, and every proof still holds" {
    helps m0001 m0002 1h --why "a long talk about her illness" >/dev/null
    helps m0003 m0004 1h --why "the hedge" >/dev/null
    timebank account freeze m0001 "her son rang" >/dev/null
    timebank account settle m0001 --died >/dev/null
    run -0 timebank account show m0001 --json
    is 'x["ward"] == "riverside"'
    run -1 as broker timebank erase m0001 --json
    refused NO_AUTHORITY
    run -1 timebank erase m0002 --json
    refused NOT_EMPTY
    before=$(stat -c %i "$PLACE/ledger/people/data.mdb")
    run -0 timebank erase m0001
    says "Account m0001 is erased"
    [ "$(stat -c %i "$PLACE/ledger/people/data.mdb")" != "$before" ]
    run -0 timebank account show m0001 --json
    is 'x["ward"] == "" and x["age_band"] == ""'
    run -0 timebank statement m0001 --json
    [[ "$output" != *illness* ]]
    run -0 timebank statement m0003 --json
    says "the hedge"
    run -1 timebank erase m0001 --json
    refused ERASED
    run -1 helps m0001 m0002 1h --json
    refused ERASED
    bank_stop
    ! grep -rl "illness\|her son" "$PLACE/ledger"
    run -0 timebankd check "$PLACE/ledger" --full
    bank_run
    run -0 timebank account show m0002 --json
    is 'x["ward"] == "riverside"'
}

@test "an erasure that a crash kept from the register is made up for at the start" {
    helps m0001 m0002 1h --why "a long talk about her illness" >/dev/null
    timebank account settle m0001 --died >/dev/null
    bank_stop
    cp -a "$PLACE/ledger/people" "$PLACE/people-before"
    bank_run
    timebank erase m0001 >/dev/null
    bank_stop
    # As if the power had gone once the order was durable.
    rm -r "$PLACE/ledger/people"
    mv "$PLACE/people-before" "$PLACE/ledger/people"
    : >"$PLACE/ledger/people/data.mdb.new"
    bank_run
    run -0 timebank account show m0001 --json
    is 'x["ward"] == ""'
    run -0 timebank statement m0002 --json
    [[ "$output" != *illness* ]]
    [ ! -e "$PLACE/ledger/people/data.mdb.new" ]
    inode=$(stat -c %i "$PLACE/ledger/people/data.mdb")
    bank_stop
    bank_run
    [ "$(stat -c %i "$PLACE/ledger/people/data.mdb")" = "$inode" ]
}

@test "one person of a household is forgotten, and the others are not" {
    timebank person add m0001 2 >/dev/null
    helps m0001/2 m0002 1h --why "about the second one" >/dev/null
    helps m0001/1 m0002 1h --why "about the first one" >/dev/null
    run -1 timebank erase m0001/2 --json
    refused NOT_EMPTY
    timebank person leave m0001 2 >/dev/null
    run -0 timebank erase m0001/2
    run -0 timebank statement m0001 --json
    [[ "$output" != *"the second one"* ]]
    says "about the first one"
    run -1 timebank person add m0001 2 --json
    refused ERASED
}
