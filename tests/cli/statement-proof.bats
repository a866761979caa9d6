#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Statements that prove themselves complete: every account of a whole scheme, checked without the
# bank, and refused once anything in them is another.

load bank.bash

setup_file() {
    bank_start
    timebank import --history "$TREE"/tests/data/two-years/accounts.csv \
        "$TREE"/tests/data/two-years/entries.csv >/dev/null
    LEDGER=$(timebank --json status | /usr/bin/python3 -c \
        'import json, sys; print(json.load(sys.stdin)["verifier_key"])')
    export LEDGER
}

teardown_file() {
    bank_end
}

# The last of them is one of several thousand entries: many pages, and many requests for hashes.
@test "the proof of members, venues and the bank's own accounts is made and verifies" {
    for code in m0012 m0133 chest issued retired transit advances \
        $(timebank --json account list | /usr/bin/python3 -c \
            'import json, sys; print(*[a["code"] for a in map(json.loads, sys.stdin)
                if a["kind"] in ("venue", "organisation")][:6])'); do
        timebank statement "$code" --proof "$PLACE/$code.proof" >/dev/null
        run timebank verify "$PLACE/$code.proof" --ledger "$LEDGER"
        [ "$status" -eq 0 ] || { echo "$code: $output"; false; }
        [[ "$output" == *"The statement of $code in the ledger"*"is complete and correct as of record"* ]]
        rm "$PLACE/$code.proof"
    done
}

@test "it says the balance that the bank says, and every line of the statement" {
    timebank statement m0133 --proof "$PLACE/lines.proof" >/dev/null
    run timebank --json balance m0133
    minutes=$(json 'x["minutes"]')
    run timebank --json statement m0133
    n=$(json 'len(x["lines"])')
    run timebank --json verify "$PLACE/lines.proof" --ledger "$LEDGER"
    [ "$status" -eq 0 ]
    [ "$(json 'len(x["entries"])')" = "$n" ]
    [ "$(json 'x["account"]["minutes"]')" = "$minutes" ]
    rm "$PLACE/lines.proof"
}

@test "an account without entries, a frozen and a closed one are proven, too" {
    for code in m9001 m9002 m9003; do
        timebank account open "$code" --kind member >/dev/null
    done
    timebank account freeze m9002 "moved away" >/dev/null
    timebank account close m9003 >/dev/null
    for code in m9001 m9002 m9003; do
        timebank statement "$code" --proof "$PLACE/$code.proof" >/dev/null
        run timebank verify "$PLACE/$code.proof" --ledger "$LEDGER"
        [ "$status" -eq 0 ] || { echo "$code: $output"; false; }
        rm "$PLACE/$code.proof"
    done
}

@test "nothing is written over, and a proof is of the whole account" {
    echo mine >"$PLACE/there"
    run timebank statement m0012 --proof "$PLACE/there"
    [ "$status" -eq 1 ]
    [[ "$output" == *"is there already: name a file that is not."* ]]
    [ "$(cat "$PLACE/there")" = mine ]
    run timebank statement m0012 --proof "$PLACE/new" --from 2024-01-01
    [ "$status" -ne 0 ]
    [[ "$output" == *"without --from, --to and --csv"* ]]
    [ ! -e "$PLACE/new" ]
    rm "$PLACE/there"
}

@test "the file is its owner's, and the same bytes go to standard output" {
    timebank statement m0012 --proof "$PLACE/file" >/dev/null
    [ "$(stat -c %a "$PLACE/file")" = 600 ]
    timebank statement m0012 --proof - | cmp - "$PLACE/file"
    run timebank --json statement m0012 --proof "$PLACE/file2"
    [ "$(json 'x["account"]')" = m0012 ]
    cmp "$PLACE/file" "$PLACE/file2"
    rm "$PLACE/file" "$PLACE/file2"
}

@test "asking for proofs makes the ledger grow by a state record at most" {
    timebank statement m0012 --proof - >/dev/null
    run timebank --json status
    size=$(json 'x["position"]["size"]')
    for code in m0012 m0013 chest; do
        timebank statement "$code" --proof - >/dev/null
    done
    run timebank --json status
    [ "$(json 'x["position"]["size"]')" = "$size" ]
}

@test "a member has the proof of the own account only" {
    key_make proving-member --role member --account m0012
    export TIMEBANK_KEY=$PLACE/proving-member.key
    run timebank statement m0013 --proof "$PLACE/own"
    [ "$status" -eq 1 ]
    [[ "$output" == *"own statement"* ]]
    run timebank statement --proof "$PLACE/own"
    [ "$status" -eq 0 ]
    timebank verify "$PLACE/own" --ledger "$LEDGER"
    rm "$PLACE/own"
}

@test "a line left out, or changed, is found" {
    timebank statement m0012 --proof "$PLACE/whole" >/dev/null
    line=$(grep -n '^entry .* 1 ' "$PLACE/whole" | sed -n 3p | cut -d: -f1)
    sed "${line}d" "$PLACE/whole" >"$PLACE/less"
    run timebank verify "$PLACE/less" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    sed "${line}s/^\(entry [0-9]* 1\) \(-\?\)/\1 \21/" "$PLACE/whole" >"$PLACE/other"
    run timebank verify "$PLACE/other" --ledger "$LEDGER"
    [ "$status" -eq 1 ]
    [[ "$output" == *"does not follow from the one before"* ]]
    rm "$PLACE/whole" "$PLACE/less" "$PLACE/other"
}
