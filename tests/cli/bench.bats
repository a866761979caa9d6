#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# That dev/bench runs and prints what it promises; how fast is none of a test's business.

bats_require_minimum_version 1.5.0
load bank

@test "the bench runs with small counts and prints each goal" {
    run -0 --separate-stderr "$TREE/dev/bench" --json --built "$BUILT" --runs 1 --seconds 0.1 \
        --accounts 100 --batch 500 --entries 2000 --years 2
    is '[goal["goal"] for goal in x["goals"]] == ["P1", "P1 small", "P3", "P3 client in memory", "P3 loaded", "P5", "P5 beside", "P10"]'
    is 'all(goal["met"] in (True, False) and goal["figure"] > 0 and (goal["goal"] == "P5" or goal["limit"] > 0) for goal in x["goals"])'
    is 'x["machine"]["cores"] >= 1 and x["runs"] == 1'
}
