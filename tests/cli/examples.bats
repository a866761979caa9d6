#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The two example programs against a real daemon, and under valgrind where it is installed.

load bank.bash

setup() {
    bank_start
    timebank account open m0007 --kind member --joined 2025-01-14 >/dev/null
    timebank account open m0012 --kind member --joined 2025-02-03 >/dev/null
    timebank activity add gardening >/dev/null
    EXAMPLES=$BUILT/clients/examples
}

teardown() {
    bank_end
}

watched() {
    if command -v valgrind >/dev/null && ! grep -q __asan "$1"; then
        valgrind -q --leak-check=full --error-exitcode=99 "$@"
    else
        "$@"
    fi
}

@test "exchange records one and prints its receipt" {
    run watched "$EXAMPLES/example-exchange" "$TIMEBANK" "$TIMEBANK_KEY" m0012 m0007 2h30 gardening
    [ "$status" -eq 0 ]
    says "the giver holds 2 h 30 now"
    entry=$(grep -o 'receipt [0-9]*' <<<"$output" | cut -d' ' -f2)
    run timebank --json balance m0007
    is "x['balance_minutes'] == 150 if 'balance_minutes' in x else '150' in str(x)"
    run timebank entry show "$entry"
    says gardening
}

@test "exchange says why it is refused" {
    run watched "$EXAMPLES/example-exchange" "$TIMEBANK" "$TIMEBANK_KEY" m0012 m0099 2h30 gardening
    [ "$status" -eq 1 ]
    says m0099
    run "$EXAMPLES/example-exchange" unix:/nowhere/at/all "$TIMEBANK_KEY" m0012 m0007 1h gardening
    [ "$status" -eq 1 ]
    run "$EXAMPLES/example-exchange" "$TIMEBANK" "$TIMEBANK_KEY" m0012 m0007 soon gardening
    [ "$status" -eq 1 ]
}

@test "pipeline records every line once, and tells of the one that is refused" {
    for i in {1..8}; do
        echo "m0012 m0007 $((15 * i))m gardening"
        echo "m0007 m0012 $((15 * i))m gardening"
    done >"$PLACE/lines"
    run watched "$EXAMPLES/example-pipeline" "$TIMEBANK" "$TIMEBANK_KEY" <"$PLACE/lines"
    [ "$status" -eq 0 ]
    [ "$(grep -c ': receipt ' <<<"$output")" -eq 16 ]
    [ "$(grep -o 'receipt.*' <<<"$output" | sort -u | wc -l)" -eq 16 ]
    run timebank --json status
    is "x['entries'] == 16"
    echo "m0012 m0099 15m gardening" >"$PLACE/lines"
    run "$EXAMPLES/example-pipeline" "$TIMEBANK" "$TIMEBANK_KEY" <"$PLACE/lines"
    [ "$status" -eq 1 ]
    says m0099
}
