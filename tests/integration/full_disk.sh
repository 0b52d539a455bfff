#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A full disk under a running capture, on a real small file system: it must say so, keep its place, go on when there is room, and in the
# end the log must hold each change exactly once: full_disk.sh [mariadb] [mysql]. BUILD=build/release
# The file system is a tmpfs in a mount namespace of this script's own (without root: in a user namespace, too).
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
connect=$build/fluvio-connect

if [ "${1:-}" != --inside ]; then
    [ $# -gt 0 ] || set -- mariadb mysql
    work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-full-XXXXXX")
    chmod 755 "$work"
    passed=0 failed=0
    clean_up() {
        for kind in mariadb mysql; do
            tests/support/servers stop "$work/$kind" 2>/dev/null || true
        done
        rm -rf "$work"
    }
    trap clean_up EXIT
    namespace=(--mount)
    [ "$(id -u)" -eq 0 ] || namespace=(--user --map-root-user --mount)
    for kind in "$@"; do
        tests/support/servers start "$kind" "$work/$kind" --innodb-flush-log-at-trx-commit=2 --sync-binlog=0 --local-infile=1 >/dev/null
        unshare "${namespace[@]}" "$0" --inside "$kind" "$work" | tee "$work/counts" | grep -v ' passed, ' || true
        counts=$(tail -n 1 "$work/counts")
        if [[ $counts =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
            passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
        else
            echo "FAIL full_disk/$kind ended early"
            failed=$((failed + 1))
        fi
        tests/support/servers stop "$work/$kind"
    done
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
fi

# --- within the namespace -----------------------------------------------------------------------------------------------------

kind=$2 work=$3
. "$work/$kind/env"
disk=$work/$kind-disk yaml=$work/$kind.yaml diag=$work/$kind.diag
passed=0 failed=0 runner='' load=''

clean_up() {
    [ -z "$runner" ] || kill -9 "$runner" 2>/dev/null || true
    [ -z "$load" ] || kill -9 "$load" 2>/dev/null || true
}
trap clean_up EXIT

ok() { passed=$((passed + 1)) && echo "ok   full_disk/$kind: $1"; }
not_ok() {
    failed=$((failed + 1))
    echo "FAIL full_disk/$kind: $1"
    shift
    printf '    %s\n' "$@"
}
# check NAME COMMAND...
check() {
    local name=$1 code=0
    shift
    "$@" >"$work/out" 2>&1 || code=$?
    if [ $code -eq 0 ]; then ok "$name"; else not_ok "$name" "exit code $code" "$(tail -n 5 "$work/out")" "$(tail -n 5 "$diag")"; fi
}
wait_for() { # COMMAND...: 60 seconds at most
    local deadline=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "in 60 s not: $*"; return 1; }
        sleep 0.05
    done
}
said() { [ "$(grep -c -- "$2" "$diag")" -ge "$1" ]; }
says_full() { said "$1" "warn .*the log's disk is full; capture waits until there is room: .*No space left on device"; }
full_in_status() { "$connect" status "$yaml" -o json | grep -qF "the log's disk is full"; }
lives() { kill -0 "$runner"; }
size() { mount -o "remount,size=$1" "$disk"; }
start() {
    "$connect" run "$yaml" >>"$diag" 2>&1 &
    runner=$!
}
ended_with() { # EXIT: within 10 seconds
    local got=0
    timeout 10 tail --pid="$runner" -f /dev/null || { echo "still running after 10 s"; return 1; }
    wait "$runner" || got=$?
    runner=''
    [ "$got" -eq "$1" ] || { echo "exit $got instead of $1"; return 1; }
}
caught_up() { "$connect" run -q "$yaml" --until-end; }
exactly_once() {
    "$build/tests/crash/check_log" "$disk/log" crash | sort >"$work/counters" &&
        $CLIENT -N -e 'SELECT worker, version, n FROM crash.counter' | sort | diff - "$work/counters" && [ -s "$work/counters" ]
}

mkdir "$disk"
mount -t tmpfs -o size=12m "fluvio-$kind" "$disk"
$CLIENT <tests/crash/schema.sql
$CLIENT -e 'CREATE DATABASE copy'
cat >"$yaml" <<YAML
apiVersion: 0.1.0
meta:
  name: crash
  type: mysql-source
  topic: crash
  producer: { compression: none, segment-bytes: 1MiB }
log: { embedded: { dir: $disk/log } }
mysql: { socket: $SOCKET, user: root, tables: ["crash.*"], snapshot-chunk-rows: 500 }
YAML
# Not even a topic fits at the first start.
head -c 12M /dev/zero >"$disk/filler" 2>"$work/filled" || true
: >"$diag"
start
check "a first start on a full disk waits" wait_for says_full 1
kill "$runner"
check "  and ends when it is told to" ended_with 0
start
check "  and does so again" wait_for says_full 2
# Not before: what it would write meanwhile might not fit beside the snapshot.
"$build/tests/crash/workload" "$SOCKET" 4 4711 >"$work/committed" 2>"$work/load" &
load=$!
rm "$disk/filler"
check "  and begins by itself once there is room" wait_for said 1 'there is room on the log.s disk again'
check "  with the snapshot" wait_for said 1 'snapshot complete'
: >"$diag"

check "a disk that fills up is told of" wait_for says_full 1
check "  once" test "$(grep -c 'disk is full' "$diag")" -eq 1
check "  and stands in the status" wait_for full_in_status
check "  and the capture goes on living" lives
check "  and what is in the log can be read" "$connect" restore -q "$yaml" --table crash.acct --into copy.acct
size 16m
check "with more room it goes on" wait_for said 1 'there is room on the log.s disk again'
check "  until that is full, too" wait_for says_full 2
kill "$runner"
check "SIGTERM ends it on a full disk" ended_with 0
start
check "a start on a full disk waits, too" wait_for says_full 3
kill -9 "$runner"
wait "$runner" 2>/dev/null || true
start
check "  and after kill -9" wait_for says_full 4
size 20m
check "  and goes on with more room" wait_for said 2 'there is room on the log.s disk again'
check "  until that is full, too" wait_for says_full 5
kill "$load" && wait "$load"
load=''
size 1g
check "with room for all it catches up" wait_for said 3 'there is room on the log.s disk again'
kill "$runner"
check "  and ends cleanly" ended_with 0
check "  and so does the next start" caught_up
check "the log holds each change exactly once, in order" exactly_once
check "a verify of all tables finds no difference" "$connect" verify -q "$yaml"
check "a restore of all tables works" "$connect" restore -q "$yaml" --into 'copy.*' --replace
echo "$passed passed, $failed failed"
