#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# That dev/bench runs and prints what it promises; how fast is none of a test's business.

bats_require_minimum_version 1.5.0
load bank

# No disk is measured here, so none is waited for.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm

small=(--built "$BUILT" --runs 1 --seconds 0.05 --accounts 100 --batch 500 --entries 2000 --years 2 --clients 4 --idle 20)

@test "the bench measures every goal with small counts" {
    run -0 --separate-stderr "$TREE/dev/bench" --json "${small[@]}"
    is '{goal["goal"].split()[0] for goal in x["goals"]} == {"P%d" % i for i in range(1, 11)}'
    is 'len(x["goals"]) == 20 and all(goal["met"] in (True, False, None) for goal in x["goals"])'
    is 'all(goal["figure"] > 0 and goal["unit"] and goal["target_words"] for goal in x["goals"])'
    is 'all(goal["least"] <= goal["figure"] <= goal["most"] for goal in x["goals"])'
    is 'all(goal["limit"] > 0 for goal in x["goals"] if goal["goal"].split()[0] in ("P1", "P2", "P3", "P4", "P8", "P10"))'
    is 'x["machine"]["cores"] >= 1 and x["runs"] == 1 and x["limits"]["append_64"] > 0'
}

@test "its table is a page wide and says what stands behind each figure" {
    run -0 --separate-stderr "$TREE/dev/bench" --only P1 "${small[@]}"
    grep -qE '^P1 .* no$' <<<"$output"
    grep -qF '500 a batch, 1/500 signature each' <<<"$output"
    grep -qE 'cores: daemon [0-9.]+, clients [0-9.]+' <<<"$output"
    [ -z "$(awk 'length > 100' <<<"$output")" ]
}

@test "the bench shows how a ledger scales, as figures and as a plot, and keeps both" {
    run -0 --separate-stderr "$TREE/dev/bench" --scale --json --scale-accounts 100,300 \
        --results "$BATS_TEST_TMPDIR/kept" "${small[@]}"
    is '[point["accounts"] for point in x["points"]] == [100, 300]'
    is 'all(point["orders_per_s"] > 0 and point["bytes_per_entry"] > 0 for point in x["points"])'
    run -0 cat "$BATS_TEST_TMPDIR/kept/scale.json"
    xmllint --noout "$BATS_TEST_TMPDIR/kept/scale.svg"
    [ "$(grep -c '<polyline' "$BATS_TEST_TMPDIR/kept/scale.svg")" -eq 6 ]
}

# told EXPRESSION: Python's, with the bench's own modules at hand.
told() {
    run -0 env PYTHONPATH="$TREE/tests/bench" /usr/bin/python3 -B -c "import goals, peers, plot, profiling, table; print($1)"
}

@test "a goal is met only when all is met that was measured" {
    told '[goals.GOALS["P1"].is_met({"figure": 2e6, "peer": peer}) for peer in (None, 30000, 90000)]'
    [ "$output" = "[True, True, False]" ]
    told '[goals.GOALS["P5"].is_met({"figure": 40, "peer": peer}) for peer in (None, 900, 700)]'
    [ "$output" = "[True, True, False]" ]
    told '[goals.GOALS["P3"].is_met({"figure": figure, "limit": 2}) for figure in (2.5, 2.7)]'
    [ "$output" = "[True, False]" ]
    told 'goals.GOALS["P2"].is_met({"figure": 9, "peer": None})'
    [ "$output" = "None" ]
}

@test "a goal's line has the medians of its runs, and the median of each run's ratio" {
    told '{k: v for k, v in goals.goal_told("P4", [{"figure": f, "limit": 10, "peer": p} for f, p in ((8, 2), (1, 1), (4, 4))], None).items()
        if k in ("figure", "least", "most", "ratio", "peer", "times_peer", "target", "met")}'
    [ "$output" = "{'figure': 4, 'least': 1, 'most': 8, 'ratio': 0.4, 'peer': 2, 'times_peer': 1.0, 'target': 2.0, 'met': True}" ]
}

@test "a flame graph counts what lies under each call" {
    told 'profiling.tree_of("load\n\tffff inner+0x1\n\tffff outer\n\nload\n\tffff outer\n\n").inner["outer"].n'
    [ "$output" = 2 ]
    told 'profiling.flame_of("load\n\tffff a<b>\n\tffff outer\n\n", "a & b")'
    xmllint --noout - <<<"$output"
    told 'profiling.flame_of("", "nothing")'
    [ "$output" = None ]
}

@test "peers that are not there are named" {
    run -0 env PATH=/nowhere PYTHONPATH="$TREE/tests/bench" /usr/bin/python3 -B -c "import peers; print(peers.missing())"
    [[ "$output" == *"Redis (redis-server, redis-benchmark)" ]]
}
