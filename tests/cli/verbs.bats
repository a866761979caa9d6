#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every verb as a person types it, and what it says when the bank says no.

bats_require_minimum_version 1.5.0
load bank

setup_file() {
    bank_start
    timebank account open m0007 --kind member --joined 2024-03-01
    timebank account open m0012 --kind member --joined 2024-03-01
    timebank account open food-bank --kind organisation
    timebank account open leisure-centre --kind venue
    timebank activity add gardening --tag outdoors
    timebank activity add befriending
    timebank offer set leisure-centre swim --price 1h
    key_make desk --role venue --account leisure-centre
    key_make member --role member --account m0007
    key_make broker --role broker
}

teardown_file() {
    bank_end
}

# ---- the program

@test "without a verb it lists the verbs and says wrong usage" {
    run -64 timebank
    says "Verbs (each has --help)"
}

@test "a verb that is none is told, with the way to the list" {
    run -64 timebank exchagne
    says 'There is no verb "exchagne"'
}

@test "half a verb lists what it could be" {
    run -64 timebank account
    says "account open"
    says "account limit"
}

@test "every verb's help leads with an example of itself" {
    timebank --help | sed -n 's/^  \([a-z][a-z-]*\( [a-z][a-z-]*\)\?\)  .*/\1/p' >"$BATS_TEST_TMPDIR/verbs"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/verbs")" -ge 34 ]
    while read -r verb; do
        # shellcheck disable=SC2086
        run -0 timebank $verb --help
        [[ "${lines[0]}" == "timebank $verb"* ]] || { echo "$verb: ${lines[0]}"; return 1; }
    done <"$BATS_TEST_TMPDIR/verbs"
}

@test "wrong usage says what to do, with an example" {
    run -64 timebank exchange --giver m0007 --receiver m0012 --activity gardening
    says "The time is missing"
    says "For example: timebank exchange --giver"
    run -64 timebank exchange --giver
    says "--giver needs a value"
    run -64 timebank exchange --who m0007
    says "no option --who"
    run -64 timebank balance m0007 m0012
    says "one word too many"
    run -64 timebank exchange --giver m0007 --giver m0012
    says "given twice"
}

@test "no bank named, or none there, is refused in words" {
    TIMEBANK='' run -1 timebank status
    says "No bank is named"
    run -1 timebank --bank unix:/nonexistent/socket --json status
    is 'x["refused"] == "NO_BANK"'
}

@test "a full disk is no success" {
    run -2 bash -c 'timebank account list >/dev/full'
    says "could not be written"
}

# ---- keys

@test "key new makes a secret file and a public one, and never writes over a file" {
    cd "$BATS_TEST_TMPDIR"
    run -0 timebank key new a.key
    says "ssh-ed25519 "
    [ "$(stat -c %a a.key)" = 600 ]
    ssh-keygen -l -f a.key.pub
    line=$(timebank key show a.key)
    [ "$line" = "$(timebank key show a.key.pub)" ]
    before=$(sha256sum a.key)
    run timebank key new a.key
    [ "$status" -ne 0 ]
    [ "$before" = "$(sha256sum a.key)" ]
}

@test "keys are granted, listed and revoked" {
    timebank key new "$BATS_TEST_TMPDIR/b.key" >/dev/null 2>&1
    run -0 timebank key grant "$BATS_TEST_TMPDIR/b.key.pub" --role broker
    says "role broker"
    TIMEBANK_KEY=$BATS_TEST_TMPDIR/b.key timebank account list >/dev/null
    run -1 timebank --json key grant "$BATS_TEST_TMPDIR/b.key.pub" --role broker
    is 'x["refused"] == "KEY_GRANTED"'
    run -0 timebank key revoke "$BATS_TEST_TMPDIR/b.key.pub" "a test is over"
    run -0 timebank key list
    says REVOKED
    TIMEBANK_KEY=$BATS_TEST_TMPDIR/b.key run -1 timebank account list
    run -64 timebank key grant "$BATS_TEST_TMPDIR/b.key.pub" --role king
    says 'no role "king"'
    run -1 timebank --json key revoke "$TIMEBANK_KEY.pub" "the last one"
    is 'x["refused"] == "LAST_STEWARD"'
}

@test "a key without a role may ask for the status and little else" {
    timebank key new "$BATS_TEST_TMPDIR/c.key" >/dev/null 2>&1
    TIMEBANK_KEY=$BATS_TEST_TMPDIR/c.key run -0 timebank status
    TIMEBANK_KEY=$BATS_TEST_TMPDIR/c.key run -1 timebank --json balance m0007
}

# ---- the register

@test "status tells the ledger's name, position and verifier key" {
    run -0 timebank status
    says test.example/timebank
    run -0 timebank status --json
    is 'x["origin"] == "test.example/timebank" and x["size"] > 0 and len(x["root"]) == 44'
    is 'x["verifier_key"].startswith("test.example/timebank+") and x["uptime_s"] >= 0'
    is 'x["accounts"] >= 4 and x["entries"] >= 0 and x["version"] != ""'
}

@test "an account is opened once, shown, frozen, thawed and closed" {
    run -0 timebank --json account open M0100 --kind member --ward north
    is 'x["kind"] == "open-account" and x["code"] == "m0100" and x["entry"] > 0'
    run -1 timebank account open m0100 --kind member --json
    is 'x["refused"] == "CODE_TAKEN"'
    run -0 timebank account show m0100
    says "ward north"
    run -0 timebank account freeze m0100 "away"
    says "frozen"
    run -1 timebank --json grant --to m0100 --time 1 --why welcome
    is 'x["refused"] == "FROZEN"'
    run -0 timebank account thaw m0100
    run -0 timebank account close m0100
    run -1 timebank --json grant --to m0100 --time 1 --why welcome
    is 'x["refused"] == "CLOSED"'
}

@test "a name cannot become a member's code" {
    run -1 timebank account open anna-schmidt --kind member
    says "use --next"
}

@test "--next gives the next free code" {
    run -0 timebank --json account open --next --kind member
    first=$(json 'x["code"]')
    run -0 timebank --json account open --next --kind member
    [ "$(json 'x["code"]')" != "$first" ]
    run -64 timebank account open m0500 --next --kind member
}

@test "the list of accounts holds the bank's own and sums to zero" {
    run -0 timebank --json account list
    is 'set(x) == {"code", "kind", "minutes", "held_minutes", "floor_minutes", "position"}'
    sum=$(/usr/bin/python3 -c 'import json, sys
rows = [json.loads(line) for line in sys.stdin]
assert {"issued", "chest"} <= {row["code"] for row in rows}
print(sum(row["minutes"] for row in rows))' <<<"$output")
    [ "$sum" = 0 ]
}

@test "one account's limit is set and follows the policy again" {
    timebank account open m0200 --kind member
    run -0 timebank account limit m0200 --floor -30h
    run -0 timebank --json balance m0200
    is 'x["floor_minutes"] == -1800'
    timebank account limit m0200 --by-policy
    run -0 timebank --json balance m0200
    is 'x["floor_minutes"] == -1200'
    run -1 timebank --json account limit m0200 --floor 30h
    is 'x["refused"] == "BAD_LIMIT"'
}

@test "activities, offers, funders and policies are set and listed" {
    run -0 timebank --json activity list
    is 'x["name"] == "befriending" and x["tags"] == []'
    run -0 timebank offer list leisure-centre
    says swim
    timebank funder add lottery
    run -0 timebank funder list
    says lottery
    run -0 timebank policy list
    says quantum
    run -0 timebank policy set venue-undo 20
    run -1 timebank --json policy set quantum 7
    is 'x["refused"] == "BAD_POLICY_VALUE"'
    run -1 timebank --json policy set no-such-policy 7
    is 'x["refused"] == "UNKNOWN_POLICY"'
    timebank policy set venue-undo 15
    run -0 timebank policy set floor-member -1200
    run -64 timebank policy set floor-member --1200
}

# ---- entries

@test "an exchange is echoed in words with both balances" {
    run -0 timebank exchange --giver M0007 --receiver m0012 --time 2h30 --on yesterday --activity gardening
    says ": m0007 gave 2 h 30 to m0012; entry "
    says "m0007 now has 2 h 30"
    says "m0012 now has -2 h 30"
}

@test "--json tells entry, kind, balances, warnings and position" {
    run -0 timebank exchange --giver m0012 --receiver m0007 --time 1 --on 2025-03-05 --activity gardening --json
    is 'set(x) == {"entry", "kind", "balances", "warnings", "position"}'
    is 'x["kind"] == "exchange" and x["balances"] == {"m0007": 90, "m0012": -90}'
    is '[w["warning"] for w in x["warnings"]] == ["OLD_SERVICE_DATE"] and set(x["warnings"][0]) == {"warning", "message", "entry"}'
    is 'set(x["position"]) == {"size", "root"}'
}

@test "what looks like an earlier entry is refused unless one insists" {
    run -0 timebank --json exchange --giver m0007 --receiver m0012 --time 45m --activity gardening
    first=$(json 'x["entry"]')
    run -1 timebank --json exchange --giver m0007 --receiver m0012 --time 45m --activity gardening
    is 'x["refused"] == "LOOKS_LIKE" and x["entry"] == '"$first"
    run -0 timebank exchange --giver m0007 --receiver m0012 --time 45m --activity gardening --again
}

@test "time that cannot be read, has two readings, is nothing or no step is refused" {
    run -1 timebank --json log --giver m0007 --time soon --activity gardening
    is 'x["refused"] == "BAD_TIME"'
    run -1 timebank --json log --giver m0007 --time 2.30 --activity gardening
    is 'x["refused"] == "AMBIGUOUS_TIME"'
    run -1 timebank --json log --giver m0007 --time 0 --activity gardening
    is 'x["refused"] == "ZERO"'
    run -1 timebank --json log --giver m0007 --time -2 --activity gardening
    is 'x["refused"] == "NEGATIVE"'
    run -1 timebank log --giver m0007 --time 2h20 --activity gardening
    says "enter 2 h 15 or 2 h 30"
    run -1 timebank --json log --giver m0007 --time 1 --on 5/3/25 --activity gardening
    is 'x["refused"] in ("AMBIGUOUS_DATE", "BAD_DATE")'
    run -1 timebank --json log --giver m0007 --time 1 --on 2099-01-01 --activity gardening
    is 'x["refused"] == "FUTURE_DATE"'
}

@test "rounding follows the policy, and what was typed is kept" {
    timebank policy set rounding nearest
    run -0 timebank log --giver m0007 --time 2h20 --activity befriending
    says "2 h 15 (typed as 2 h 20)"
    timebank policy set rounding refuse
}

@test "wrong kinds, unknown accounts and activities name the way out" {
    run -1 timebank exchange --giver m0007 --receiver food-bank --time 1 --activity gardening
    says "earn"
    run -1 timebank --json exchange --giver m0007 --receiver m0999 --time 1 --activity gardening
    is 'x["refused"] == "NO_SUCH_ACCOUNT"'
    run -1 timebank --json exchange --giver m0007 --receiver m0012 --time 1 --activity gardning
    is 'x["refused"] == "UNKNOWN_ACTIVITY"'
    run -1 timebank --json exchange --giver m0007 --receiver m0007 --time 1 --activity gardening
    is 'x["refused"] == "SAME_ACCOUNT"'
}

@test "the floor holds, unless a broker insists and says why" {
    timebank account open m0300 --kind member
    run -1 timebank --json gift --from m0300 --to m0012 --time 21
    is 'x["refused"] == "BELOW_FLOOR"'
    run -64 timebank gift --from m0300 --to m0012 --time 21 --over-limit
    run -0 timebank --json gift --from m0300 --to m0012 --time 21 --over-limit --why "agreed with the coordinator"
    is 'x["balances"]["m0300"] == -1260 and "BELOW_FLOOR" in [w["warning"] for w in x["warnings"]]'
}

@test "more than a day in a day needs a reason" {
    run -1 timebank --json log --giver m0012 --time 25 --activity befriending
    is 'x["refused"] == "TOO_LONG"'
    run -0 timebank --json log --giver m0012 --time 25 --activity befriending --why "a night watch over two dates"
    is '"VERY_LONG_DAY" in [w["warning"] for w in x["warnings"]]'
}

@test "issue declares a new funder, earn draws on it, log moves nothing" {
    run -0 timebank issue --to food-bank --time 120 --funder council
    says "Funder council is new here"
    run -0 timebank --json issue --to food-bank --time 10 --funder council
    is 'x["kind"] == "issue" and x["balances"] == {"food-bank": 7800, "issued": -7800}'
    is 'x["warnings"] == []'
    run -0 timebank --json earn --giver m0012 --receiver food-bank --time 2.5 --on yesterday --activity befriending
    is 'x["kind"] == "earn" and x["balances"]["food-bank"] == 7650'
    before=$(timebank balance m0007)
    run -0 timebank log --giver m0007 --time 1 --activity gardening
    says "without credit"
    [ "$before" = "$(timebank balance m0007)" ]
}

@test "gift, donate and grant move credits" {
    timebank account open m0400 --kind member
    run -0 timebank --json grant --to m0400 --time 2 --why welcome
    is 'x["balances"]["m0400"] == 120'
    run -0 timebank gift --from m0400 --to m0012 --time 0.5
    says "m0400 made m0012 a gift of 30 min"
    run -0 timebank --json donate --from m0400 --time 1
    is 'x["balances"] == {"chest": 60, "m0400": 30}'
    run -0 timebank grant --to m0012 --time 45m --from chest --why "from all of us"
    run -1 timebank --json grant --to m0012 --time 1 --from chest --why more
    is 'x["refused"] in ("CHEST_EMPTY", "BELOW_FLOOR")'
}

@test "a redemption costs price times heads" {
    run -0 timebank --json redeem --from m0012 --to leisure-centre --offer swim --adults 1 --under16 1
    is 'x["kind"] == "redeem" and x["balances"]["leisure-centre"] == 120'
    run -1 timebank --json redeem --from m0012 --to leisure-centre --offer sauna --adults 1
    is 'x["refused"] == "UNKNOWN_OFFER"'
    run -1 timebank --json redeem --from m0012 --to leisure-centre --offer swim
    is 'x["refused"] == "NO_HEADS"'
    run -1 timebank --json redeem --from m0012 --to leisure-centre --offer swim --adults two
    is 'x["refused"] == "BAD_NUMBER"'
    run -1 timebank --json redeem --from m0012 --to leisure-centre --offer swim --adults 1 --time 30m
    is 'x["refused"] == "NOT_THE_PRICE"'
    run -0 timebank --json redeem --from m0012 --to leisure-centre --offer swim --adults 1 --time 30m --why "half a lane"
    is '[w["warning"] for w in x["warnings"]] == ["NOT_THE_PRICE"]'
}

@test "a venue's desk reads VALID, NO or CHECK, and no balance" {
    as desk run -0 timebank redeem --from m0012 --offer swim --adults 2
    [[ "${lines[0]}" == "VALID: "* ]]
    [[ "$output" != *"now has"* ]]
    as desk run -0 timebank --json redeem --from m0012 --offer swim --adults 3
    is 'x["answer"] == "VALID" and x["balances"] == {}'
    entry=$(json 'x["entry"]')
    as desk run -0 timebank reverse "$entry" "rung up wrongly"
    [[ "$output" != *"now has"* ]]
    timebank account open m0600 --kind member
    as desk run -1 timebank redeem --from m0600 --offer swim --adults 30
    [[ "${lines[0]}" == "NO: "* ]]
    timebank account freeze m0600 away
    as desk run -1 timebank redeem --from m0600 --offer swim --adults 1
    [[ "${lines[0]}" == "CHECK: "* ]]
    as desk run -1 timebank --json redeem --from m0601 --offer swim --adults 1
    is 'x["answer"] == "CHECK" and x["refused"] == "NO_SUCH_ACCOUNT"'
}

@test "a member's key gives from its own account only" {
    as member run -0 timebank gift --to m0012 --time 15m
    as member run -0 timebank balance
    says "m0007"
    as member run -1 timebank --json gift --from m0012 --to m0007 --time 15m
    is 'x["refused"] == "NO_AUTHORITY"'
}

# ---- taking back

@test "a reversal tells both sides and is done once" {
    run -0 timebank --json exchange --giver m0007 --receiver m0012 --time 1h15 --activity befriending
    entry=$(json 'x["entry"]')
    before=$(json 'x["balances"]["m0007"]')
    run -0 timebank --json reverse "$entry" "typed for the wrong member" --time 15m
    is 'x["kind"] == "reverse" and set(x["balances"]) == {"m0007", "m0012"}'
    is 'x["balances"]["m0007"] == '$((before - 15))
    run -0 timebank reverse "$entry" "typed for the wrong member"
    says "Taken back: 1 h of entry $entry"
    run -1 timebank --json reverse "$entry" "once more"
    is 'x["refused"] == "ALREADY_REVERSED"'
    run -1 timebank --json reverse 999999 "no such"
    is 'x["refused"] == "NO_SUCH_ENTRY"'
    run -1 timebank --json reverse twelve "no such"
    is 'x["refused"] == "BAD_NUMBER"'
    run -64 timebank reverse "$entry"
}

@test "a correction takes back and enters anew, linked" {
    run -0 timebank --json exchange --giver m0007 --receiver m0012 --time 2h15 --activity befriending
    entry=$(json 'x["entry"]')
    before=$(json 'x["balances"]["m0007"]')
    run -0 timebank --json correct "$entry" --time 1h45 "the sheet says 1 h 45"
    is 'x["kind"] == "exchange" and x["reverses"] == '"$entry"' and x["balances"]["m0007"] == '$((before - 30))
    right=$(json 'x["entry"]')
    run -0 timebank --json entry show "$right"
    is 'x["minutes"] == 105 and x["corrects"] and x["why"] == "the sheet says 1 h 45"'
    run -0 timebank entry show "$entry"
    says "of which taken back: 2 h 15"
    run -64 timebank correct "$entry" "nothing is named"
}

# ---- reading

@test "a balance has the keys that programs rely on" {
    run -0 timebank --json balance chest
    is 'set(x) == {"code", "kind", "minutes", "held_minutes", "floor_minutes", "position"}'
    run -0 timebank --json balance issued
    is 'x["floor_minutes"] is None'
    run -1 timebank --json balance nobody-here
    is 'x["refused"] == "NO_SUCH_ACCOUNT"'
}

@test "control bytes in what others wrote do not reach the terminal" {
    run -0 timebank log --giver m0007 --time 15m --activity gardening --why $'a note'
    run timebank balance $'m\e[31m7'
    [[ "$output" != *$'\e'* ]]
}

@test "each command of the daemon has its help" {
    for command in init run check adopt settings; do
        run -0 timebankd $command --help
        [[ "${lines[0]}" == "timebankd $command"* ]]
    done
}
