#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# LibreOffice opens our CSV with numbers as numbers, dates as dates, and nothing as a formula.

bats_require_minimum_version 1.5.0
load ../cli/bank

setup_file() {
    bank_start
    timebank import "$TREE"/tests/data/two-years/{accounts,entries}.csv --history >/dev/null
}

teardown_file() {
    bank_end
}

# sheet_check FILE.csv NAME...: each cell as LibreOffice has it against what it should be.
sheets_check() {
    command -v soffice >/dev/null || skip "libreoffice-calc-nogui is not installed"
    HOME=$BATS_TEST_TMPDIR soffice --headless --infilter='CSV:44,34,UTF8,1' --convert-to fods \
        "$@" >soffice.log 2>&1
    /usr/bin/python3 - "$@" <<'PY'
import csv, re, sys
import xml.etree.ElementTree as tree

OFFICE, TABLE, TEXT = (f"{{urn:oasis:names:tc:opendocument:xmlns:{n}:1.0}}" for n in ("office", "table", "text"))
for path in sys.argv[1:]:
    rows = list(csv.reader(open(path, encoding="utf-8-sig", newline="")))
    numbers = checked = 0
    root = tree.parse(re.sub(r"\.csv$", ".fods", path)).getroot()
    opened = []
    for row in root.iter(f"{TABLE}table-row"):
        cells = []
        for cell in row.iter(f"{TABLE}table-cell"):
            assert f"{TABLE}formula" not in cell.attrib, (path, cell.attrib)
            again = int(cell.get(f"{TABLE}number-columns-repeated", 1))
            kind, value = cell.get(f"{OFFICE}value-type"), cell.get(f"{OFFICE}value")
            text = "\n".join("".join(p.itertext()) for p in cell.iter(f"{TEXT}p"))
            cells += [(kind, value, text)] * min(again, 20)
        opened += [cells] * min(int(row.get(f"{TABLE}number-rows-repeated", 1)), 2)
    for line, (wanted, cells) in enumerate(zip(rows, opened), 1):
        for text, (kind, value, shown) in zip(wanted, cells + [(None, None, "")] * 20):
            checked += 1
            if re.fullmatch(r"-?\d+(\.\d+)?", text):
                assert kind == "float" and float(value) == float(text), (path, line, text, kind, value)
                numbers += 1
            elif re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                assert kind == "date", (path, line, text, kind)
            elif text:
                assert kind == "string" and shown == text, (path, line, text, kind, shown)
    assert len(opened) >= len(rows) and numbers > 3, (path, numbers)
    print(f"{path}: {checked} cells as they should be, {numbers} of them numbers, no formula")
PY
}

@test "a report, a layout and a statement open with numbers as numbers" {
    cd "$BATS_TEST_TMPDIR"
    timebank report --from 2024-04-01 --to 2025-03-31 --format csv \
        --rates "$TREE/clients/layouts/social-value-rates.csv" >report.csv
    timebank report --from 2024-04-01 --to 2025-03-31 --class funder --format csv >funder.csv
    timebank report --layout "$TREE/clients/layouts/county-lottery.layout" >layout.csv
    timebank statement m0012 --csv >statement.csv
    sheets_check report.csv funder.csv layout.csv statement.csv
}

@test "what looks like a formula is text: in a note, a name, a title and a heading" {
    cd "$BATS_TEST_TMPDIR"
    timebank exchange --giver m0007 --receiver m0012 --time 1 --on 2025-03-30 --activity gardening \
        --why '=HYPERLINK("http://evil.example","pay")' --again >/dev/null
    timebank statement m0012 --from 2025-03-01 --csv >statement.csv
    timebank report --from 2024-04-01 --to 2025-03-31 --json |
        sed 's/"bank":"[^"]*"/"bank":"=1+1"/; s/"gardening":/"=cmd|'"' \/C calc'"'!A0":/' >hostile.json
    timebank report --read hostile.json --format csv >report.csv
    printf '%s\n' '[layout]' 'title = =1+1' 'class = internal' 'format = csv' '[@SUM(A1)]' \
        '-2+3 = givers' '+4 = minutes_given as hours' 'Activities = by_activity' >hostile.layout
    timebank report --layout hostile.layout --read hostile.json >layout.csv
    grep -q "'=1+1" report.csv
    grep -q "'@SUM(A1)" layout.csv
    sheets_check report.csv layout.csv statement.csv
}
