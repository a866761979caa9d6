#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Backups of a served ledger, what is made of them after a disaster, and everything that looks like
# the ledger and is not: each refuses to serve, says why and what to do.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start
    OLD=$(grep -o '^test.example/timebank+.*' "$PLACE/init.txt")
    timebank account open m0001 --kind member --ward riverside >/dev/null
    timebank account open m0002 --kind member >/dev/null
    timebank activity add gardening >/dev/null
}

teardown() {
    bank_end
}

helps() {
    timebank exchange --giver m0001 --receiver m0002 --activity gardening --time 1h "$@"
}

# put_back FILE COPY: the old bytes into the file that is there, whose inode stays.
put_back() {
    cat "$2" >"$1"
}

# does_not_serve DIR STATUS: that it ends by itself with that status.
does_not_serve() {
    run timeout 20 timebankd run "$1" --socket "$PLACE/other"
    [ "$status" -eq "$2" ] || {
        echo "status $status: $output"
        return 1
    }
}

# serve_restored [restore options]: the newest backup's ledger at the old address.
serve_restored() {
    run -0 timebankd restore "$PLACE/ledger/backups/one" "$PLACE/new" --name test.example/timebank/2 \
        --steward "$TIMEBANK_KEY.pub" "$@"
    NEW=$(grep -o '^test.example/timebank/2+.*' <<<"$output")
    mv "$PLACE/ledger" "$PLACE/lost"
    mv "$PLACE/new" "$PLACE/ledger"
    bank_run
}

# What a person does who was told of the new ledger.
trust_restored() {
    export TIMEBANK_LEDGER=$NEW
    timebank status >/dev/null 2>&1
}

# ---- making one

@test "a backup is made of a served ledger, is whole by itself and holds no key" {
    helps >/dev/null
    run -0 timebank backup one --json
    is 'x["path"].endswith("/ledger/backups/one") and x["size"] > 5 and not x["people"]'
    is 'x["file_bytes"] > 0 and len(x["root"]) == 44'
    [ "$(cd "$PLACE/ledger/backups/one" && find . -type f | sort | tr '\n' ' ')" = \
        "./head ./ledger/data.mdb " ]
    run -0 timebankd check "$PLACE/ledger/backups/one" --full
    says "the rules replayed from record 0 agree with every table"
    run -0 timebank backup two --people
    says "destroy it when somebody is erased"
    [ -f "$PLACE/ledger/backups/two/people/data.mdb" ]
    [ "$(stat -c %a "$PLACE/ledger/backups" "$PLACE/ledger/backups/two")" = $'700\n700' ]
}

@test "a backup is never overwritten, and its name stays in its place" {
    timebank backup one
    before=$(sha256sum "$PLACE/ledger/backups/one/head")
    run -1 timebank backup one
    says "never overwritten"
    [ "$before" = "$(sha256sum "$PLACE/ledger/backups/one/head")" ]
    for name in ../one .hidden Upper a/b x.part-1 "" -- "a b"; do
        run timebank backup -- "$name"
        [ "$status" -eq 1 ] || [ "$status" -eq 64 ]
    done
    run -1 timebank backup a/b --json
    is 'x["refused"] == "BACKUP_NAME"'
    [ "$(ls "$PLACE/ledger/backups")" = one ]
}

@test "a backup that cannot be written is refused, and the bank goes on" {
    touch "$PLACE/ledger/backups"
    run -1 timebank backup one --json
    is 'x["refused"] == "BACKUP_FAILED"'
    rm "$PLACE/ledger/backups"
    run -0 timebank backup one
}

@test "only a steward has a backup made" {
    key_make broker --role broker
    run -1 as broker timebank backup one --json
    is 'x["refused"] == "NO_AUTHORITY"'
    [ ! -e "$PLACE/ledger/backups" ]
}

@test "what a kill left of a backup goes with the next start" {
    timebank backup one
    bank_stop
    cp -r "$PLACE/ledger/backups/one" "$PLACE/ledger/backups/two.part-00ff"
    bank_run
    [ "$(ls "$PLACE/ledger/backups")" = one ]
}

@test "a daemon killed while it makes backups leaves whole ones and none in part" {
    for i in 1 2 3 4 5 6; do
        helps --on 2026-01-0$i >/dev/null
        timebank --deadline 1 backup "b$i" --people >/dev/null 2>&1 &
        client=$!
        sleep "0.0$i"
        kill -KILL "$(cat "$PLACE/pid")"
        wait "$client" || true
        rm -f "$PLACE/ledger/socket"
        # The child that checks a backup may outlive its parent by a moment, and hold the lock.
        flock -w 10 "$PLACE/ledger/lock" true
        bank_run
        [ -z "$(find "$PLACE/ledger/backups" -name '*.part-*' 2>/dev/null)" ]
    done
    for made in "$PLACE"/ledger/backups/b*; do
        [ ! -e "$made" ] || run -0 timebankd check "$made" --full
    done
}

# ---- after a disaster

@test "a restore goes on under another name, with all that the backup held" {
    entry=$(helps --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["entry"])')
    timebank receipt "$entry" --out "$PLACE/receipt"
    timebank backup one --people
    helps --on yesterday >/dev/null
    bank_stop
    serve_restored
    says "goes on as test.example/timebank/2"

    # Whoever knew the old one is told, and nothing is recorded in a wrong belief.
    run -1 timebank balance m0001
    says "is not the one you trusted before"
    says "Stop, and ask a steward"
    run -1 env TIMEBANK_LEDGER="$OLD" timebank balance m0001
    says "is another one"

    # Who was told what happened says so, and finds the ledger as it was at the backup.
    trust_restored
    run -0 timebank balance m0001 --json
    is 'x["minutes"] == 60'
    run -0 timebank account show m0001
    says riverside
    run -0 helps --on yesterday
    run -0 timebank balance m0001 --json
    is 'x["minutes"] == 120'

    # An old entry has a receipt of the ledger that goes on, too, which says where it was signed.
    run -0 timebank receipt "$entry" --out "$PLACE/later"
    run -0 timebank verify "$PLACE/later" --ledger "$NEW"
    says "stands in the ledger test.example/timebank/2"
    says "restored from a backup of test.example/timebank."
    run -1 timebank verify "$PLACE/later" --ledger "$OLD"
    says "none that this ledger ever had"

    # An old receipt goes on to be true of the old ledger.
    run -0 timebank verify "$PLACE/receipt" --ledger "$OLD"
    bank_stop
    bank_run
    run -0 timebank balance m0001 --json
    is 'x["minutes"] == 120'
}

@test "a file that was imported before the backup counts nothing twice after the restore" {
    printf '%s\n' ref,kind,service_date,giver,receiver,minutes,activity \
        "a1,exchange,2026-01-05,m0001,m0002,60,gardening" \
        "a2,exchange,2026-01-06,m0002,m0001,30,gardening" >"$PLACE/entries.csv"
    run -0 timebank import "$PLACE/entries.csv" --history --json
    is 'x["recorded"] == 2'
    timebank backup one --people
    bank_stop
    serve_restored
    trust_restored
    run -0 timebank import "$PLACE/entries.csv" --history --json
    is 'x["recorded"] == 0 and x["already"] == 2'
}

@test "vouchers minted before the backup are good after the restore, and new ones, too" {
    timebank account open food-bank --kind organisation >/dev/null
    timebank account open pool --kind venue >/dev/null
    timebank funder add council >/dev/null
    timebank issue --to food-bank --time 40h --funder council >/dev/null
    timebank voucher key new "$PLACE/vouchers.key" >/dev/null 2>&1
    timebank voucher key set "$PLACE/vouchers.key.pub" >/dev/null
    later=$(date -u -d '+90 days' +%F)
    mint() {
        timebank voucher mint --from food-bank --time 1h --count 1 --expires "$later" \
            --voucher-key "$PLACE/vouchers.key" --out "$PLACE/$1" >/dev/null
        sed -n 's/^[0-9]*,.*,//p' "$PLACE/$1"/vouchers-*.csv | tr -d '\r' | tail -n 1
    }
    before=$(mint before)
    timebank backup one --people
    bank_stop
    serve_restored
    trust_restored
    after=$(mint after)
    run -0 timebank voucher redeem "$before" --to m0001
    run -0 timebank voucher redeem "$after" --to m0001
}

@test "a restore without the register of people has the balances and says what is gone" {
    helps >/dev/null
    timebank backup one
    bank_stop
    serve_restored
    says "the backup holds no register of people"
    trust_restored
    run -0 timebank balance m0001 --json
    is 'x["minutes"] == 60'
    run -0 timebank account show m0001
    [[ "$output" != *riverside* ]]
}

@test "a restored ledger is backed up and restored again" {
    timebank backup one
    bank_stop
    serve_restored
    trust_restored
    helps >/dev/null
    timebank backup again
    run -0 timebankd restore "$PLACE/ledger/backups/again" "$PLACE/third" \
        --name test.example/timebank/3 --steward "$TIMEBANK_KEY.pub"
    run -0 timebankd check "$PLACE/third" --full
    says "the rules replayed from record 0 agree with every table"
}

@test "a restore refuses what would make two of one ledger, or nothing sound" {
    timebank backup one
    restore() {
        run timebankd restore "$1" "$2" --name "$3" --steward "$TIMEBANK_KEY.pub"
    }
    restore "$PLACE/ledger/backups/one" "$PLACE/new" test.example/timebank
    [ "$status" -eq 1 ]
    says "never goes on as test.example/timebank"
    mkdir "$PLACE/there"
    restore "$PLACE/ledger/backups/one" "$PLACE/there" test.example/timebank/2
    [ "$status" -eq 1 ]
    says "is there already"
    restore "$PLACE/ledger" "$PLACE/new" test.example/timebank/2
    [ "$status" -eq 1 ]
    says "is being served"
    restore "$PLACE/nothing" "$PLACE/new" test.example/timebank/2
    [ "$status" -eq 1 ]
    says "is no backup of a ledger"
    restore "$PLACE/ledger/backups/one" "$PLACE/new" "two words"
    [ "$status" -eq 1 ]
    truncate -s 4096 "$PLACE/ledger/backups/one/head"
    restore "$PLACE/ledger/backups/one" "$PLACE/new" test.example/timebank/2
    [ "$status" -eq 2 ]
    says "head: "
    says "not sound"
    [ ! -e "$PLACE/new" ]
}

@test "a restore takes no steward whose key had another role" {
    key_make broker --role broker
    timebank backup one
    run -1 timebankd restore "$PLACE/ledger/backups/one" "$PLACE/new" \
        --name test.example/timebank/2 --steward "$PLACE/broker.key.pub"
    says "has another role"
    [ ! -e "$PLACE/new" ]
    [ -z "$(ls -d "$PLACE"/new.* 2>/dev/null)" ]
}

# ---- what is not the one ledger

@test "a backup is neither served nor adopted, not even with the key put in" {
    timebank backup one --people
    bank_stop
    does_not_serve "$PLACE/ledger/backups/one" 1
    says "timebankd restore"
    cp "$PLACE/ledger/ledger.key" "$PLACE/ledger/backups/one/"
    does_not_serve "$PLACE/ledger/backups/one" 1
    says "timebankd restore"
    run -1 timebankd adopt "$PLACE/ledger/backups/one"
    says "timebankd restore"
}

@test "a directory that came from another disk is refused until it is adopted" {
    bank_stop
    cp -a "$PLACE/ledger" "$PLACE/moved"
    does_not_serve "$PLACE/moved" 1
    says "copied or moved"
    says "timebankd adopt"
}

@test "an old store under a newer head is refused" {
    bank_stop
    cp "$PLACE/ledger/ledger/data.mdb" "$PLACE/old.mdb"
    bank_run
    helps >/dev/null
    bank_stop
    cp "$PLACE/ledger/ledger/data.mdb" "$PLACE/new.mdb"
    put_back "$PLACE/ledger/ledger/data.mdb" "$PLACE/old.mdb"
    does_not_serve "$PLACE/ledger" 2
    says "it was put back from a copy, or lost records"
    says "timebankd restore"
    put_back "$PLACE/ledger/ledger/data.mdb" "$PLACE/new.mdb"
}

@test "an old head over a newer store is refused" {
    bank_stop
    cp "$PLACE/ledger/head" "$PLACE/old.head"
    bank_run
    helps >/dev/null
    bank_stop
    cp "$PLACE/ledger/head" "$PLACE/new.head"
    put_back "$PLACE/ledger/head" "$PLACE/old.head"
    does_not_serve "$PLACE/ledger" 2
    says "put back from a copy"
    put_back "$PLACE/ledger/head" "$PLACE/new.head"
}

@test "a whole directory put back in its place is caught by whoever saw more of it" {
    bank_stop
    cp "$PLACE/ledger/head" "$PLACE/old.head"
    cp "$PLACE/ledger/ledger/data.mdb" "$PLACE/old.mdb"
    bank_run
    helps >/dev/null
    bank_stop
    put_back "$PLACE/ledger/head" "$PLACE/old.head"
    put_back "$PLACE/ledger/ledger/data.mdb" "$PLACE/old.mdb"
    bank_run
    run timebank balance m0001
    [ "$status" -eq 2 ]
    says "went back from"
    says "Evidence: "
    [ -f "$(sed -n "s/.*Evidence: //p" <<<"$output" | head -1)" ]
    run helps
    [ "$status" -eq 2 ]
    # Who saw nothing of it yet cannot know.
    run -0 env XDG_STATE_HOME="$PLACE/nobody" timebank balance m0001
}

@test "another ledger's key, another ledger's store, and none are refused" {
    timebankd init "$PLACE/second" --name second.example/timebank --steward "$TIMEBANK_KEY.pub" \
        >/dev/null 2>&1
    bank_stop
    cp "$PLACE/ledger/ledger.key" "$PLACE/own.key"
    put_back "$PLACE/ledger/ledger.key" "$PLACE/second/ledger.key"
    does_not_serve "$PLACE/ledger" 2
    says "ledger.key"
    says "put back"
    rm "$PLACE/ledger/ledger.key"
    does_not_serve "$PLACE/ledger" 1
    says "timebankd restore"
    cp -p "$PLACE/own.key" "$PLACE/ledger/ledger.key"
    cp "$PLACE/ledger/ledger/data.mdb" "$PLACE/own.mdb"
    put_back "$PLACE/ledger/ledger/data.mdb" "$PLACE/second/ledger/data.mdb"
    does_not_serve "$PLACE/ledger" 2
    says "restore"
    put_back "$PLACE/ledger/ledger/data.mdb" "$PLACE/own.mdb"
    mv "$PLACE/ledger/head" "$PLACE/own.head"
    does_not_serve "$PLACE/ledger" 2
    says "head: the file is missing"
    says "restore"
    mv "$PLACE/own.head" "$PLACE/ledger/head"
}
