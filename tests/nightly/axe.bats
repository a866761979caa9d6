#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The pages of HTML as a machine looks at them: axe-core in Debian's Chromium finds no violation of
# WCAG 2.2 AA, at a desk's and a phone's width and on paper. Fetches two packages, pinned.

bats_require_minimum_version 1.5.0
load ../cli/bank

setup_file() {
    bank_start
    timebank import "$TREE"/tests/data/two-years/{accounts,entries}.csv --history >/dev/null
}

teardown_file() {
    bank_end
}

modules_fetch() {
    command -v chromium >/dev/null || skip "chromium is not installed"
    command -v npm >/dev/null || skip "npm is not installed"
    cp "$TREE"/tests/nightly/package.json "$TREE"/tests/nightly/package-lock.json "$1"
    (cd "$1" && npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1) ||
        skip "npm cannot fetch playwright-core and axe-core"
}

@test "no page of a report violates WCAG 2.2 AA, fetches anything or scrolls sideways" {
    cd "$BATS_TEST_TMPDIR"
    modules_fetch .
    for class in internal funder public; do
        timebank report --from 2024-04-01 --to 2025-03-31 --class $class --format html \
            --rates "$TREE/clients/layouts/social-value-rates.csv" >$class.html
    done
    timebank report --layout "$TREE/clients/layouts" --out pack >/dev/null
    run -0 node "$TREE/tests/nightly/axe.mjs" . internal.html funder.html public.html pack/*.html
    echo "$output"
    says "ok 1 "
    [[ "$output" != *"not ok"* ]]
}
