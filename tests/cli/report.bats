#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The evaluator's report: at an earlier position, and as tidy CSV.

bats_require_minimum_version 1.5.0
load bank

YEAR=(--from 2024-04-01 --to 2025-03-31 --as-known-at 2025-03-31)

setup_file() {
    bank_start
    timebank import "$TREE"/tests/data/two-years/{accounts,entries}.csv --history >/dev/null
    timebank status --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["size"])' >"$PLACE/size"
}

teardown_file() {
    bank_end
}

@test "a report at an earlier position is the same bytes in every format after new entries" {
    at=$(timebank report "${YEAR[@]}" --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["position"]["size"])')
    for format in json csv text; do
        timebank report "${YEAR[@]}" --format $format >"$BATS_TEST_TMPDIR/before.$format"
    done
    timebank exchange --giver m0007 --receiver m0012 --time 2h30 --on 2025-03-30 --activity gardening
    timebank gift --from m0012 --to m0007 --time 1 --on 2025-03-31
    timebank account open --next --kind member
    for format in json csv text; do
        timebank report "${YEAR[@]}" --at "$at" --format $format >"$BATS_TEST_TMPDIR/after.$format"
        cmp "$BATS_TEST_TMPDIR/before.$format" "$BATS_TEST_TMPDIR/after.$format"
    done
    timebank report "${YEAR[@]:0:4}" --json >"$BATS_TEST_TMPDIR/now.json"
    ! cmp -s "$BATS_TEST_TMPDIR/before.json" "$BATS_TEST_TMPDIR/now.json"
}

@test "without a cut-off nothing is left out: it is the day of the latest entry, as old books claim it" {
    run -0 timebank report "${YEAR[@]:0:4}" --as-recorded --json
    is 'x["as_known_at"] > "2025-12-31"'
    import_at=$(cat "$PLACE/size")
    run -0 timebank report "${YEAR[@]:0:4}" --at "$import_at" --json
    is 'x["as_known_at"] == "2025-03-31"'
    echo "$output" >"$BATS_TEST_TMPDIR/default.json"
    "$TREE"/dev/compare-report "$TREE"/tests/data/two-years/expected-2024-04-01_2025-03-31.json "$BATS_TEST_TMPDIR/default.json"
}

@test "a position that is none yet is refused" {
    run -1 timebank report "${YEAR[@]}" --at 99999999 --json
    is 'x["refused"] == "NO_SUCH_POSITION"'
    run -1 timebank report "${YEAR[@]}" --at latest
    says "no position"
}

@test "the CSV has every figure of the JSON, once, and nothing else" {
    timebank report "${YEAR[@]}" --json >"$BATS_TEST_TMPDIR/r.json"
    timebank report "${YEAR[@]}" --format csv >"$BATS_TEST_TMPDIR/r.csv"
    /usr/bin/python3 - "$BATS_TEST_TMPDIR/r.json" "$BATS_TEST_TMPDIR/r.csv" <<'PY'
import csv, json, sys
report = json.load(open(sys.argv[1]))
rows = list(csv.reader(open(sys.argv[2], encoding="utf-8-sig", newline="")))
assert rows[0] == ["measure", "breakdown", "value", "unit", "flag"]
assert all(len(row) == 5 and row[3] and row[4] == "" for row in rows[1:])
found = {(row[0], row[1]): row[2] for row in rows[1:]}
assert len(found) == len(rows) - 1, "a figure stands twice"
wanted = {}
def want(path, object):
    for name, value in object.items():
        if isinstance(value, int):
            wanted[name, path] = str(value)
        else:
            want(f"{path}/{name}" if path else name, value)
for group in ("measures", "further_measures", "register_measures"):
    want("", report[group])
for name in ("definition", "bank", "from", "to", "as_known_at", "class", "register", "checksum", "suppressed",
             "further_checksum", "register_age_bands"):
    wanted[name, ""] = str(report[name])
wanted["position_size", ""] = str(report["position"]["size"])
wanted["rule_threshold", ""], wanted["rule_round_to", ""] = "0", "1"
assert len(wanted) > 500, len(wanted)
root = found.pop(("position_root", ""))
assert root.lstrip("'") == report["position"]["root"]
assert found == wanted, set(found.items()) ^ set(wanted.items())
units = {row[0]: row[3] for row in rows[1:]}
assert units["minutes_given"] == units["outstanding_closing"] == units["median_minutes_per_giver"] == "minutes"
assert units["givers"] == units["two_way"] == units["lapsed_givers"] == "persons"
assert units["ties"] == "pairs" and units["lag_median_days"] == "days" and units["corrections"] == "entries"
PY
}

@test "the CSV is as spreadsheets take it: byte order mark, CRLF, all quoted" {
    timebank report "${YEAR[@]}" --format csv >"$BATS_TEST_TMPDIR/r.csv"
    /usr/bin/python3 - "$BATS_TEST_TMPDIR/r.csv" <<'PY'
import re, sys
data = open(sys.argv[1], "rb").read()
assert data.startswith(b"\xef\xbb\xbf\"measure\",") and data.endswith(b"\r\n")
for line in data[3:].decode().split("\r\n")[:-1]:
    assert re.fullmatch(r'"([^"\r\n]|"")*"(,"([^"\r\n]|"")*"){4}', line), line
PY
}

@test "a text that a spreadsheet would compute is made inert, a number below zero stays one" {
    timebank exchange --giver m0007 --receiver m0012 --time 1 --on 2025-03-30 \
        --activity gardening --why '=1+1' --again >/dev/null
    run -0 timebank statement m0012 --from 2025-03-30 --csv
    says "\"'=1+1\""
    says '"-60"'
}

@test "a format that there is not is said to be none" {
    run -64 timebank report "${YEAR[@]}" --format pdf
    says "it is text, csv, json or html"
}

@test "the page is one whole of HTML without a script, and says what the JSON says" {
    timebank report "${YEAR[@]}" --json >"$BATS_TEST_TMPDIR/r.json"
    timebank report "${YEAR[@]}" --format html >"$BATS_TEST_TMPDIR/r.html"
    /usr/bin/python3 - "$BATS_TEST_TMPDIR/r.json" "$BATS_TEST_TMPDIR/r.html" <<'PY'
import html.parser, json, sys

class Page(html.parser.HTMLParser):
    """Checks that elements nest, and keeps the table cells and the ranks of headings."""
    def __init__(self):
        super().__init__()
        self.open, self.cells, self.ranks, self.seen, self.ids = [], [], [], set(), []
    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.seen.add(tag)
        assert not any(name.startswith("on") for name in attributes), attributes
        assert "src" not in attributes and "href" not in attributes, "nothing is fetched"
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "th":
            assert attributes["scope"] in ("row", "col")
        if tag in ("h1", "h2", "h3"):
            assert int(tag[1]) <= (self.ranks[-1] if self.ranks else 0) + 1, "a rank is left out"
            self.ranks.append(int(tag[1]))
        if tag in ("td", "th"):
            self.cells.append("")
        if tag not in ("meta", "br"):
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        pass
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())
    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th", "code"):
            self.cells[-1] += data

page, report = Page(), json.load(open(sys.argv[1]))
source = open(sys.argv[2], encoding="utf-8").read()
page.feed(source)
assert page.open == [] and "script" not in page.seen and "svg" in page.seen
assert page.ranks.count(1) == 1 and len(page.ids) == len(set(page.ids))
assert source.count("<table") == source.count("<caption")
time = lambda m: (f"{m // 60:,} h {m % 60}" if m % 60 else f"{m // 60:,} h") if m >= 60 else f"{m} min"
for name, value in report["measures"].items():
    if not isinstance(value, dict):
        shown = time(value) if "minutes" in name or "outstanding" in name else f"{value:,}"
        assert value == 0 or any(cell.startswith(shown) for cell in page.cells), name
        continue
    for group, figures in value.items():
        for figure, n in figures.items():
            assert (time(n) if "minutes" in figure else f"{n:,}") in page.cells, (name, group, figure)
shown = "".join(page.cells)
for group in ("further_measures", "register_measures"):
    for name in report[group]:
        assert f"{name}: " in shown, f"{name} is not explained"
assert report["position"]["root"] in page.cells and report["checksum"] in page.cells
PY
}

@test "what people typed stands on the page as text" {
    local socket=$BATS_TEST_TMPDIR/s
    timebankd init "$BATS_TEST_TMPDIR/other" --name 'tea&<b>cake</b>' --steward "$TIMEBANK_KEY.pub" >/dev/null 2>&1
    timebankd run "$BATS_TEST_TMPDIR/other" --socket "$socket" 3>&- >/dev/null 2>&1 &
    local pid=$!
    for _ in {1..100}; do
        [ ! -S "$socket" ] || break
        sleep 0.05
    done
    run --separate-stderr timebank --bank "unix:$socket" report "${YEAR[@]}" --format html
    kill -TERM $pid
    [ "$status" -eq 0 ]
    says "tea&amp;&lt;b&gt;cake&lt;/b&gt;: report for"
    [[ "$output" != *"<b>cake"* ]]
}
