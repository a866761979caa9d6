#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The auditor beside the real bank: what falls due by itself, a key that is changed, a ledger that is
# restored, and the head and the author by tools that are nobody's.

bats_require_minimum_version 1.5.0
load bank

setup() {
    export PATH=$BUILT/clients/audit:$PATH
    command -v timebank-audit >/dev/null || skip "the auditor was not built"
    bank_start
    VKEY=$(grep -o '^test.example/timebank+.*' "$PLACE/init.txt")
    for code in m0001 m0002 m0003; do
        timebank account open $code --kind member >/dev/null
    done
    timebank activity add gardening >/dev/null
}

teardown() {
    [ -z "${PLACE-}" ] || bank_end
    unset LD_PRELOAD
}

helps() {
    timebank exchange --giver "$1" --receiver "$2" --time "$3" --activity gardening --again "${@:4}" >/dev/null
}

# audits VERIFIER-KEY: an export of the ledger as it is now, in which there is nothing to find.
audits() {
    timebank ledger export "$PLACE/export" --entries >/dev/null
    run -0 timebank-audit ledger "$PLACE/export" "$1" --json
    is "x['holds'] and x['replayed_records'] == x['records'] and x['states_compared'] > 2"
}

# The programs' clocks run ahead by so many days (other-clock.c).
days_pass() {
    echo "$(($1 * 86400)) $(($1 * 86400))" >"$PLACE/clock"
}

in_days() {
    date -u -d "+$1 days" +%F
}

with_other_clock() {
    bank_stop
    cc -shared -fPIC -O1 -o "$PLACE/other-clock.so" "$BATS_TEST_DIRNAME/other-clock.c" -ldl
    export OTHER_CLOCK=$PLACE/clock ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS-}
    export LD_PRELOAD=$PLACE/other-clock.so
    days_pass 0
    bank_run
}

@test "all that falls due by itself is replayed" {
    with_other_clock
    timebank policy set gift pending >/dev/null
    timebank policy set claims on >/dev/null
    timebank account open pool --kind venue >/dev/null
    timebank offer set pool swim --price 1h >/dev/null
    timebank account open food-bank --kind organisation >/dev/null
    timebank funder add council >/dev/null
    timebank issue --to food-bank --time 40h --funder council >/dev/null
    timebank voucher key new "$PLACE/vouchers.key" >/dev/null 2>&1
    timebank voucher key set "$PLACE/vouchers.key.pub" >/dev/null
    key_make m0001 --role member --account m0001
    helps m0001 m0002 5h
    timebank gift --from m0001 --to m0003 --time 1h --propose >/dev/null
    timebank hold --from m0001 --to pool --offer swim --adults 2 --on "$(in_days 5)" >/dev/null
    entry=$(timebank exchange --giver m0001 --receiver m0003 --time 2h --activity gardening --json |
        grep -o '"entry":[0-9]*' | head -n 1 | tr -dc 0-9)
    timebank dispute "$entry" "nobody came" >/dev/null
    timebank voucher mint --from food-bank --time 1h --count 3 --expires "$(in_days 20)" \
        --voucher-key "$PLACE/vouchers.key" --out "$PLACE/slips" >/dev/null
    as m0001 helps m0001 m0002 45m --propose
    timebank pledge --to m0003 --time 2h --until "$(in_days 10)" >/dev/null
    timebank account leave m0002 >/dev/null
    days_pass 40
    helps m0003 m0002 1h
    timebank policy set claim-lapse falls >/dev/null
    as m0001 helps m0001 m0002 30m --propose
    days_pass 200
    helps m0001 m0003 1h
    audits "$VKEY"
    is "x['events'] == 8"
}

@test "a ledger whose key was changed is audited with either key, and so is what was restored of it" {
    helps m0001 m0002 1h
    timebank ledger rotate --overlap 0 "a drill" >"$PLACE/rotated.txt" 2>/dev/null
    helps m0001 m0002 30m
    timebank receipt 15 --out "$PLACE/receipt" >/dev/null
    timebank-audit receipt "$PLACE/receipt" "$VKEY"
    timebank-audit receipt "$PLACE/receipt" "$(grep '^test.example/timebank+' "$PLACE/rotated.txt")"
    cp "$PLACE/receipt/chain-0.record" "$PLACE/receipt/chain-1.record"
    run -1 timebank-audit receipt "$PLACE/receipt" "$VKEY"
    audits "$VKEY"
    is "any(c.startswith('key:') for c in x['checks'])"
    audits "$(grep '^test.example/timebank+' "$PLACE/rotated.txt")"

    timebank backup one >/dev/null
    bank_stop
    timebankd restore "$PLACE/ledger/backups/one" "$PLACE/new" --name test.example/timebank/2 \
        --steward "$TIMEBANK_KEY.pub" >"$PLACE/restored.txt" 2>&1
    mv "$PLACE/ledger" "$PLACE/lost"
    mv "$PLACE/new" "$PLACE/ledger"
    TIMEBANK_LEDGER=$(grep -o '^test.example/timebank/2+.*' "$PLACE/restored.txt")
    export TIMEBANK_LEDGER
    bank_run
    helps m0001 m0002 45m
    rm -r "$PLACE/export"
    audits "$TIMEBANK_LEDGER"
    is "any(c.startswith('genesis:') for c in x['checks'])"
    run -1 timebank-audit ledger "$PLACE/export" "$VKEY"
    says "not signed by test.example/timebank"
}

@test "openssl agrees on the head of an export, and refuses it with a bit turned" {
    timebank ledger export "$PLACE/export" >/dev/null
    cd "$PLACE"
    head -n 3 export/checkpoint >text
    sed -n '5s/.* //p' export/checkpoint | base64 -d | tail -c 64 >signature
    local key=${VKEY#*+}
    { printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'; echo "${key#*+}" | base64 -d | tail -c 32; } >key.der
    run -0 openssl pkeyutl -verify -pubin -inkey key.der -keyform DER -rawin -in text -sigfile signature
    timebank-audit head export/checkpoint "$VKEY"
    sed 's/^\([0-9]\)/\1\1/' export/checkpoint >other
    run -1 timebank-audit head other "$VKEY"
    says "not signed"
    head -n 3 other >text
    run ! openssl pkeyutl -verify -pubin -inkey key.der -keyform DER -rawin -in text -sigfile signature
}

@test "an export extends every head seen before, and is told from one that does not" {
    timebank ledger export "$PLACE/export" >/dev/null
    cp "$PLACE/export/checkpoint" "$PLACE/seen"
    helps m0001 m0002 1h
    timebank ledger export "$PLACE/later" >/dev/null
    run -0 timebank-audit ledger "$PLACE/later" "$VKEY" --since "$PLACE/seen"
    says "it extends a head"
    run -1 timebank-audit ledger "$PLACE/export" "$VKEY" --since "$PLACE/later/checkpoint"
    says "went back"
    sed 2,3d "$PLACE/seen" >"$PLACE/forged"
    run -1 timebank-audit ledger "$PLACE/later" "$VKEY" --since "$PLACE/forged"
    says "not signed"
}

@test "wrong usage is told from what does not hold" {
    run -64 timebank-audit
    run -64 timebank-audit ledger "$PLACE" nonsense
    run -2 timebank-audit ledger "$PLACE/nowhere" "$VKEY"
    run -1 timebank-audit ledger "$PLACE" "$VKEY"
    says PROBLEM
    run -0 timebank-audit --help
    says Example
}
