#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Vouchers from the printer to the desk: each thing that can be wrong with one has its own answer.

bats_require_minimum_version 1.5.0
load bank

setup() {
    bank_start
    timebank account open m0001 --kind member --joined 2024-01-01 >/dev/null
    timebank account open food-bank --kind organisation >/dev/null
    timebank account open pool --kind venue >/dev/null
    timebank account open gym --kind venue >/dev/null
    timebank offer set pool swim --price 1h >/dev/null
    timebank funder add council >/dev/null
    timebank issue --to food-bank --time 40h --funder council >/dev/null
    key_make pool --role venue --account pool
    key_make gym --role venue --account gym
    timebank voucher key new "$PLACE/vouchers.key" >/dev/null 2>&1
    timebank voucher key set "$PLACE/vouchers.key.pub" >/dev/null
    SLIPS=(--voucher-key "$PLACE/vouchers.key" --out "$PLACE/slips")
    TODAY=$(date -u +%F)
    TOMORROW=$(date -u -d tomorrow +%F)
    LATER=$(date -u -d '+90 days' +%F)
}

teardown() {
    bank_end
}

# mint [more options]: five of an hour.
mint() {
    timebank voucher mint --from food-bank --time 1h --count 5 --expires "$LATER" "${SLIPS[@]}" "$@"
}

# token N: as it is printed.
token() {
    sed -n "s/^$1,.*,//p" "$PLACE"/slips/vouchers-*.csv | tr -d '\r' | tail -n 1
}

# forge SERIAL MINUTES LAST-DAY TAG: a token by the bank's own key, of what it was never told.
forge() {
    /usr/bin/python3 - "$PLACE/vouchers.key" "$@" <<'P'
import base64, datetime, sys
from nacl.signing import SigningKey
blob = base64.b64decode("".join(open(sys.argv[1]).read().split("\n")[1:-2]))
seed = blob[blob.index(b"\0\0\0\x40", 100) + 4:][:32]
serial, minutes = int(sys.argv[2]), int(sys.argv[3])
last = (datetime.date.fromisoformat(sys.argv[4]) - datetime.date(1970, 1, 1)).days
claims = b"\1" + serial.to_bytes(6, "big") + bytes.fromhex(sys.argv[5]) + minutes.to_bytes(2, "big") \
    + bytes(2) + last.to_bytes(2, "big") + bytes(5)
data = claims + SigningKey(seed).sign(b"timebank-voucher/1\n" + claims).signature
n, signs = int.from_bytes(data, "big"), "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
print("".join(signs[n >> 5 * (137 - i) & 31] for i in range(138)) + signs[n % 37])
P
}

# The tag of this ledger: the digits in its verifier key.
tag() {
    grep -o '+[0-9a-f]\{8\}+' "$PLACE/init.txt" | head -n 1 | tr -d +
}

minutes() {
    timebank balance "$1" --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["minutes"])'
}

@test "vouchers are minted, printed, scanned and spent" {
    run -0 mint
    says "food-bank paid 5 h for 5 vouchers of 1 h"
    says "food-bank now has 35 h"
    says "to print: $PLACE/slips/slips-1-5.html"
    [ "$(stat -c %a "$PLACE/slips")" = 700 ]
    [ "$(stat -c %a "$PLACE/slips/voucher-3.png")" = 600 ]
    [ "$(grep -c '<svg' "$PLACE/slips/slips-1-5.html")" = 5 ]
    run -0 as pool timebank voucher redeem "$(token 3)"
    says "VALID: voucher 3, 1 h"
    [[ "$output" != *"now has"* ]]
    [ "$(minutes pool)" = 60 ]
    run -0 timebank voucher redeem "$(token 1)" --to m0001
    says "m0001 now has 1 h"
    run -0 timebank voucher list
    says "4-5             open"
    says "3               used"
    run -0 timebank voucher list --json
    is 'x["first"] == 4 and x["count"] == 2 and x["standing"] == "open" and x["from_account"] == "food-bank"'
}

@test "a token is read in small letters, in groups with spaces, and with O for 0" {
    mint
    run -0 as pool timebank voucher redeem $(token 2 | tr -- '-' ' ' | tr '[:upper:]0' '[:lower:]o')
    says "VALID: voucher 2"
}

@test "without a key for vouchers nothing is minted" {
    timebank voucher key new "$PLACE/other.key" 2>/dev/null
    run -1 timebank voucher mint --from food-bank --time 1h --expires "$LATER" --voucher-key "$PLACE/other.key" --out "$PLACE/slips"
    says "is not the key the bank knows for vouchers"
    [ ! -e "$PLACE/slips" ]
    bank_end
    bank_start
    timebank account open food-bank --kind organisation >/dev/null
    timebank voucher key new "$PLACE/vouchers.key" 2>/dev/null
    SLIPS=(--voucher-key "$PLACE/vouchers.key" --out "$PLACE/slips")
    run -1 mint --json
    is 'x["refused"] == "NO_VOUCHER_KEY"'
}

@test "each thing that can be wrong has an answer of its own" {
    mint
    as pool timebank voucher redeem "$(token 1)"
    run -1 as pool timebank voucher redeem "$(token 1)"
    says "CHECK: The voucher was used before"
    timebank voucher void 2 "torn"
    run -1 as pool timebank voucher redeem "$(token 2)"
    says "CHECK: The voucher was made void"
    mint --venue pool --good-from "$TOMORROW"
    run -1 as gym timebank voucher redeem "$(token 6)"
    says "NO: The voucher is good at another place only"
    run -1 as pool timebank voucher redeem "$(token 6)"
    says "NO: The voucher is good from $TOMORROW"
    timebank voucher mint --from chest --time 1h --expires "$TODAY" "${SLIPS[@]}" && false
    timebank voucher mint --from food-bank --time 1h --expires "$TODAY" "${SLIPS[@]}"
    run -1 timebank voucher redeem "$(token 11)" --to pool --offline --on "$TOMORROW"
    says "The voucher was good until $TODAY"
    run -1 as pool timebank voucher redeem "$(forge 77 60 "$LATER" "$(tag)")"
    says "CHECK: This ledger never issued a voucher of that number"
    run -1 as pool timebank voucher redeem "$(forge 3 600 "$LATER" "$(tag)")"
    says "CHECK: The voucher does not say what was minted under its number"
    run -1 as pool timebank voucher redeem "$(forge 3 60 "$LATER" 00000000)" --json
    is 'x["refused"] == "VOUCHER_NOT_GENUINE" and x["answer"] == "CHECK"'
    run -1 as pool timebank voucher redeem "$(token 3 | sed 's,^0,1,')" --json
    is 'x["refused"] == "VOUCHER_MISTYPED"'
}

@test "a voucher is checked without a bank" {
    mint
    timebank voucher key >"$PLACE/vouchers.pub"
    ledger=$(grep -o 'test.example/timebank+[^ ]*' "$PLACE/init.txt" | head -n 1)
    bank_stop
    unset TIMEBANK TIMEBANK_KEY
    run -0 timebank voucher check "$(token 4)" --voucher-key "$PLACE/vouchers.pub" --ledger "$ledger"
    says "GENUINE and in date: voucher 4, 1 h"
    says "Only the bank knows whether it was used before"
    run -1 timebank voucher check "$(token 4)" --voucher-key "$PLACE/vouchers.pub" --on "$(date -u -d '+91 days' +%F)" --json
    is 'x["refused"] == "VOUCHER_EXPIRED"'
    run -1 timebank voucher check "$(forge 4 60 "$LATER" 12345678)" --voucher-key "$PLACE/vouchers.pub" --ledger "$ledger"
    says "another bank"
    timebank voucher key new "$PLACE/other.key" 2>/dev/null
    run -1 timebank voucher check "$(token 4)" --voucher-key "$PLACE/other.key.pub"
    says "The voucher is not genuine"
}

@test "a voucher taken twice without asking waits for a broker, and the chest may pay" {
    mint
    timebank donate --from m0001 --time 2h >/dev/null
    as pool timebank voucher redeem "$(token 1)" --offline --on "$TODAY"
    run -1 as pool timebank voucher redeem "$(token 1)" --offline --on "$TODAY"
    says "used before"
    run -0 as gym timebank voucher redeem "$(token 1)" --offline --on "$TODAY" --json
    is 'x["answer"] == "CHECK" and x["warnings"][0]["warning"] == "VOUCHER_CONFLICT"'
    entry=$(json 'x["entry"]')
    [ "$(minutes gym)" = 0 ]
    run -1 timebank reverse "$entry" "no" --json
    is 'x["refused"] == "NOT_REVERSIBLE"'
    run -0 timebank list pending
    says "taken twice by gym"
    run -0 timebank decide "$entry" --falls --time 1h "they could not know"
    says "Decided, the chest pays 1 h"
    [ "$(minutes gym)" = 60 ]
    [ "$(minutes chest)" = 60 ]
}

@test "a venue undoes what it took last, and the voucher is good again" {
    mint
    run -0 as pool timebank voucher redeem "$(token 1)" --offer swim --adults 1 --json
    run -0 as pool timebank reverse "$(json 'x["entry"]')" "the wrong slip"
    [ "$(minutes pool)" = 0 ]
    run -0 as gym timebank voucher redeem "$(token 1)"
    says "VALID"
}

@test "a lost voucher is reissued and the old one is void" {
    mint
    lost=$(token 2)
    run -0 timebank voucher reissue 2 "lost in the wash" "${SLIPS[@]}"
    says "Voucher 2 goes on as 6"
    run -1 as pool timebank voucher redeem "$lost"
    says "void"
    run -0 as pool timebank voucher redeem "$(token 6)"
    says "VALID: voucher 6"
}

@test "void takes the open ones and tells of the others" {
    mint
    as pool timebank voucher redeem "$(token 3)"
    run -0 timebank voucher void 1-5 "the box was stolen" --json
    is 'x["vouchers"] == 4 and x["minutes"] == 240 and x["left"] == [{"first": 3, "count": 1, "standing": "used"}]'
    [ "$(minutes food-bank)" = 2340 ]
    run -1 timebank voucher void 1-5 "again"
    says "None of these vouchers is open"
}

@test "slips are printed again from the ledger and the key, byte for byte" {
    mint
    mv "$PLACE/slips" "$PLACE/before"
    run -0 timebank voucher print 1-5 "${SLIPS[@]}"
    diff -r "$PLACE/before" "$PLACE/slips"
    run -0 timebank voucher show "$(token 1)"
    says "█"
    run -0 timebank voucher show "$(token 1)" --png "$PLACE/one.png" --svg "$PLACE/one.svg"
    [ "$(head -c 4 "$PLACE/one.png" | tail -c 3)" = PNG ]
}

@test "what cannot be meant is refused before anything is recorded" {
    run -1 timebank voucher mint --from food-bank --time 1h --count 1001 --expires "$LATER" "${SLIPS[@]}"
    says "1 to 1000"
    run -1 timebank voucher mint --from food-bank --time 1h --expires "$(date -u -d '+400 days' +%F)" "${SLIPS[@]}"
    says "365 days at most"
    run -64 timebank voucher redeem x --offline
    run -1 timebank voucher void 60-41 "no"
    says "41-60"
    run -64 timebank voucher mint --from food-bank --time 1h --expires "$LATER" --voucher-key "$PLACE/vouchers.key"
    run -2 timebank voucher mint --from food-bank --time 1h --expires "$LATER" --voucher-key "$PLACE/vouchers.key" --out "$PLACE/vouchers.key/x"
    says "choose another directory"
    run -0 timebank voucher list --json
    [ -z "$output" ]
}

@test "vouchers above a set size are approved by a second broker, and printed then" {
    timebank policy set second-person-above 120 >/dev/null
    key_make broker --role broker
    run -1 as broker timebank voucher mint --from food-bank --time 1h --count 5 --expires "$LATER" "${SLIPS[@]}"
    says "--propose"
    run -0 as broker timebank voucher mint --from food-bank --time 1h --count 5 --expires "$LATER" "${SLIPS[@]}" --propose
    says "once it is approved, print: timebank voucher print 1-5"
    entry=$(sed -n 's/.*; entry \([0-9]*\).*/\1/p' <<<"$output")
    run -1 timebank voucher print 1-5 "${SLIPS[@]}"
    says "no voucher of that number"
    timebank approve "$entry"
    timebank voucher print 1-5 "${SLIPS[@]}"
    run -0 as pool timebank voucher redeem "$(token 5)"
    says "VALID: voucher 5"
}

@test "a proposal whose numbers were taken meanwhile is entered again" {
    timebank policy set second-person-above 120 >/dev/null
    key_make broker --role broker
    run -0 as broker timebank voucher mint --from food-bank --time 1h --count 5 --expires "$LATER" "${SLIPS[@]}" --propose
    entry=$(sed -n 's/.*; entry \([0-9]*\).*/\1/p' <<<"$output")
    timebank voucher mint --from food-bank --time 1h --expires "$LATER" "${SLIPS[@]}"
    run -1 timebank approve "$entry" --json
    is 'x["refused"] == "VOUCHER_SERIAL"'
    says "The next voucher is number 2, not 1"
    timebank decline "$entry"
}
