#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A broker at a terminal: forty slips typed in at most five keys and a return each, with a duplicate,
# an unknown person, a wrong total and an undo on the way. All that was on the screen is compared
# with the kept one; GOLDEN=write keeps a new one, to be looked at.

bats_require_minimum_version 1.5.0
load bank

GOLDEN_SCREEN=$TREE/tests/golden/sheet-terminal.txt

setup() {
    command -v tmux >/dev/null || skip "tmux is missing"
    bank_start
    local i
    for i in {1..9} {11..40}; do
        timebank account open "$(printf 'm%04d' "$i")" --kind member --joined 2025-01-01 >/dev/null 2>&1
    done
    timebank account open food-bank --kind organisation >/dev/null
    timebank activity add gardening >/dev/null
    timebank activity add food-bank >/dev/null
    timebank funder add council >/dev/null
    timebank issue --to food-bank --time 200 --funder council >/dev/null
    TMUX_ON=(tmux -S "$PLACE/tmux" -f /dev/null)
    "${TMUX_ON[@]}" new-session -d -x 80 -y 24 "stty -echoctl; timebank sheet --sheet paper-7 --on 4/3/2025; echo status \$?; sleep 60" 3>&-
    "${TMUX_ON[@]}" set-option -g history-limit 5000
    N=0
}

teardown() {
    [ -z "${TMUX_ON-}" ] || "${TMUX_ON[@]}" kill-server || true
    bank_end
}

screen() {
    "${TMUX_ON[@]}" capture-pane -p -S - -E - | sed -e 's/ *$//' -e 's/was [0-9]* days before/was N days before/'
}

# Waits until the last thing on the screen is a prompt that begins so.
waits() {
    local last
    for _ in {1..200}; do
        last=$(screen | grep -v '^$' | tail -n 1)
        [[ "$last" != "$1"* ]] || return 0
        sleep 0.02
    done
    screen
    return 1
}

# keys TEXT PROMPT: types a line and waits for what is asked next.
keys() {
    "${TMUX_ON[@]}" send-keys -l -- "$1"
    "${TMUX_ON[@]}" send-keys Enter
    waits "$2"
}

# slip TEXT: the next of the forty, in at most five keys.
slip() {
    [ "${#1}" -le 5 ]
    N=$((N + 1))
    keys "$1" "${2-$(printf '%3d>' $((N + 1)))}"
}

@test "forty slips are typed, and the screen is the kept one" {
    local i
    waits '  1>'
    keys 'd 5/3/2025' '  1>'
    keys 'r food' '  1>'
    keys 'a food' '  1>'
    for i in {1..9}; do slip "$i 2"; done
    slip '7 2' '  ?' # typed twice: the earlier one is shown
    N=$((N - 1))
    keys '' ' 10>'
    slip '10 2' '  ?' # nobody has 10 yet
    keys 'm0010' ' 11>'
    for i in 11 12 13 14; do slip "$i 1h"; done
    for i in 15 16 17 18; do slip "$i ¾"; done
    slip '19 ½'
    slip '20 1½'
    keys undo ' 20>' # it was 2 h 30
    N=$((N - 1))
    slip '20 2½'
    keys 'd 6 Mar 2025' ' 21>'
    keys 'g 7' ' 21>'
    keys 'a gard' ' 21>'
    for i in 21 22 23 24 25; do slip "$i .5"; done
    for i in 26 27 28 29 30; do slip "$i ¼"; done
    keys 'g 8' ' 31>'
    keys 't .5' ' 31>'
    for i in 31 32 33 34 35 36 37 38 39; do slip "$i"; done
    slip '40 2'
    keys end '  ?'
    keys 40 '  ?'
    keys 41h15 '  ?' # a slip of the pen: the list is shown
    keys '' ' 41>'
    keys end '  ?'
    keys 40 '  ?'
    keys 40h15 'status'
    [ "$N" = 40 ]
    screen >"$BATS_TEST_TMPDIR/screen"
    [ "${GOLDEN-}" != write ] || cp "$BATS_TEST_TMPDIR/screen" "$GOLDEN_SCREEN"
    diff -u "$GOLDEN_SCREEN" "$BATS_TEST_TMPDIR/screen"
}
