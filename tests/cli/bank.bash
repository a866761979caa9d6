# SPDX-License-Identifier: Apache-2.0
# For the tests that run the programs as a person would: a bank of their own, served in a temporary
# directory with a short path (a socket's path holds 107 bytes).

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILT=${TIMEBANK_BUILD:-$TREE/${BUILD:-build}}
export PATH=$BUILT/clients:$BUILT/daemon:$PATH
export LC_ALL=C.UTF-8

# bank_start [init options]: makes steward.key, a ledger, and serves it.
bank_start() {
    PLACE=$(mktemp -d /tmp/tb.XXXXXX)
    export PLACE XDG_STATE_HOME=$PLACE/state
    export TIMEBANK=unix:$PLACE/ledger/socket TIMEBANK_KEY=$PLACE/steward.key
    unset TIMEBANK_LEDGER
    timebank key new "$TIMEBANK_KEY" >/dev/null 2>&1
    timebankd init "$PLACE/ledger" --name test.example/timebank --steward "$TIMEBANK_KEY.pub" "$@" \
        >"$PLACE/init.txt" 2>&1
    bank_run
}

bank_run() {
    timebankd run "$PLACE/ledger" >"$PLACE/daemon.log" 2>&1 3>&- &
    echo $! >"$PLACE/pid"
    for _ in {1..100}; do
        [ ! -S "$PLACE/ledger/socket" ] || return 0
        sleep 0.05
    done
    cat "$PLACE/daemon.log" >&2
    return 1
}

bank_stop() {
    local pid
    [ -e "$PLACE/pid" ] || return 0
    pid=$(cat "$PLACE/pid")
    kill -TERM "$pid" 2>/dev/null || true
    for _ in {1..100}; do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.05
    done
    kill -KILL "$pid"
    return 1
}

# Stops it, and the offline check must agree with all that was done.
bank_end() {
    bank_stop
    timebankd check "$PLACE/ledger" --full
    rm -rf "$PLACE"
}

# json EXPRESSION: Python's, of x, the JSON object (or the first line's) that the last run printed.
json() {
    /usr/bin/python3 -c 'import json, sys
x = json.loads(sys.argv[2].split("\n")[0])
print(eval(sys.argv[1]))' "$1" "$output"
}

# is EXPRESSION: that it is true.
is() {
    local told
    told=$(json "$1") || return 1
    [ "$told" = True ] || {
        echo "not so: $1"
        echo "$output"
        return 1
    }
}

# says TEXT: that the last run printed it.
says() {
    [[ "$output" == *"$1"* ]] || {
        echo "nowhere: $1"
        echo "$output"
        return 1
    }
}

# as NAME COMMAND...: with NAME.key in place of the steward's.
as() {
    local name=$1
    shift
    TIMEBANK_KEY=$PLACE/$name.key "$@"
}

# key_make NAME grant options: a key with a role.
key_make() {
    local name=$1
    shift
    timebank key new "$PLACE/$name.key" >/dev/null 2>&1
    timebank key grant "$PLACE/$name.key.pub" "$@" >/dev/null
}
