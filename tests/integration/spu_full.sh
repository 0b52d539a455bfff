#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A full disk under an SPU, on a real small file system (a tmpfs in a mount namespace of this script's own): clients are refused,
# the SPU says why in one line, what it acknowledged can be read, it goes on by itself when there is room. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
fluvio=$build/fluvio
if [ "${1:-}" != --inside ]; then
    namespace=(--mount)
    [ "$(id -u)" -eq 0 ] || namespace=(--user --map-root-user --mount)
    exec unshare "${namespace[@]}" "$0" --inside
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-spu-full-XXXXXX")
passed=0 failed=0 spu=''
clean_up() {
    [ -z "$spu" ] || { kill -9 "$spu" && wait "$spu"; } 2>/dev/null
    umount "$work/disk" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1)) && echo "ok   spu_full/$name"
    else
        failed=$((failed + 1)) && echo "FAIL spu_full/$name"
        tail -n 5 "$work/out" "$work/log"
    fi
}
wait_for() { # COMMAND...: 60 seconds at most
    local deadline=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "in 60 s not: $*"; return 1; }
        sleep 0.05
    done
}
produce() { "$fluvio" produce t --cluster "$bootstrap" "$@"; }
# Lines of 1,000 bytes and a number, a megabyte a round, until one is refused.
fill() {
    local round code=0
    for round in $(seq 40); do
        seq -f '%.0f' $((round * 1000)) $((round * 1000 + 999)) | awk '{ printf "%s %01000d\n", $1, 0 }' >"$work/lines"
        produce -X message.timeout.ms=2000 -f "$work/lines" || code=$?
        [ $code -eq 0 ] || break
        cat "$work/lines" >>"$work/acknowledged"
    done
    [ $code -ne 0 ]
}
refused() {
    ! produce -X message.timeout.ms=3000 --timeout 1s -f "$work/lines" && grep -qF 'were not delivered' "$work/out" &&
        [ "$(grep -c 'records wait for `t`: the cluster has taken none for [0-9]* s' "$work/out")" -eq 1 ]
}
told() { [ "$(grep -c "warn .*the log's disk is full; records are refused until there is room: .*No space left on device" "$work/log")" -eq "$1" ]; }
room() { grep -q "info .*there is room on the log's disk again" "$work/log"; }
# A round that was refused may be there in part; what was acknowledged is there, in order.
nothing_is_lost() {
    "$fluvio" consume t --cluster "$bootstrap" -B -d >"$work/there" && [ -s "$work/acknowledged" ] &&
        head -n "$(wc -l <"$work/acknowledged")" "$work/there" | cmp - "$work/acknowledged"
}

mkdir "$work/disk"
mount -t tmpfs -o size=16m fluvio-spu-full "$work/disk" || { echo "FAIL spu_full/a small file system"; echo "0 passed, 1 failed"; exit 1; }
printf 'data-dir: %s/disk/data\nlisteners:\n  - port: 0\n' "$work" >"$work/spu.yaml"
start() {
    "$build/fluvio-spu" --config "$work/spu.yaml" 2>"$work/log" &
    spu=$!
    wait_for grep -q ' serving ' "$work/log" || return 1
    bootstrap=127.0.0.1:$(sed -n 's/.*listening .*port=\([0-9]*\).*/\1/p' "$work/log" | head -n 1)
}
check "it starts" start
check "a topic is made" "$fluvio" topic create t --cluster "$bootstrap"
head -c 8M /dev/zero >"$work/disk/filler"
check "producing ends when the disk is full" fill
check "  and again at once, in time saying that records wait" refused
check "  which the SPU says" told 1
check "what was acknowledged can be read" nothing_is_lost
rm "$work/disk/filler"
check "with room it takes records again" produce -f "$work/lines"
check "  and says so" room
check "nothing is lost" nothing_is_lost
kill "$spu"
check "it ends cleanly" wait "$spu"
check "it starts again" start
check "  with all that it had" nothing_is_lost
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
