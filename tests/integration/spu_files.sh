#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU that runs out of descriptors: connections leave some to the log, and when there are none all the same, records wait and
# nothing fails for good. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
fluvio=$build/fluvio
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-spu-files-XXXXXX")
passed=0 failed=0 producer=''
clean_up() {
    [ -z "$producer" ] || kill "$producer" 2>/dev/null
    tests/support/spu kill "$work/spu" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1)) && echo "ok   spu_files/$name"
    else
        failed=$((failed + 1)) && echo "FAIL spu_files/$name"
        tail -n 5 "$work/out" "$work/spu/spu.log"
    fi
}
wait_for() { # COMMAND...: 60 seconds at most
    local deadline=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "in 60 s not: $*"; return 1; }
        sleep 0.05
    done
}
start() { (ulimit -n 200 && BUILD=$build tests/support/spu start "$work/spu") && . "$work/spu/env"; }
said() { grep -q "$1" "$work/spu/spu.log"; }
never_said() { ! said "$1"; }
limit_files() { prlimit --pid "$PID" --nofile="$1:200"; }
lines() { seq -f '%.0f' "$1" "$2" | awk '{ printf "%s %0500d\n", $1, 0 }'; }
flood() { # more connections than there are descriptors; they say nothing
    local index
    for index in $(seq 250); do
        exec {fd}<>"/dev/tcp/127.0.0.1/${BOOTSTRAP#*:}" && connections+=("$fd")
    done
}
end_flood() {
    for fd in "${connections[@]}"; do
        exec {fd}>&-
    done
}
all_there() { [ "$("$fluvio" consume t --cluster "$BOOTSTRAP" -B -d | sort -u | wc -l)" -eq "$1" ]; }
produced() { wait "$producer"; }

check "it starts with few descriptors" start
check "  and says how many connections that makes" said 'warn .*at most [0-9]* connections, not 20000'
check "a topic is made" "$fluvio" topic create t --cluster "$BOOTSTRAP" --config segment.bytes=20000
lines 1 2000 >"$work/first"
mkfifo "$work/lines"
"$fluvio" produce t --cluster "$BOOTSTRAP" -f "$work/lines" >"$work/produce.out" 2>&1 &
producer=$!
exec 9>"$work/lines"
cat "$work/first" >&9
check "records are stored" wait_for all_there 2000
declare -a connections=()
check "a flood of connections comes" flood
lines 2001 4000 >&9
check "  and some are refused" wait_for said 'connection refused: too many connections'
end_flood
check "with the flood over the records are there" wait_for all_there 4000
limit_files 1 # what is open stays so
lines 4001 6000 >&9
check "without any descriptor it says so" wait_for said "warn .*the log can open no more files; records are refused until there is room: .*Too many open files"
limit_files 200
exec 9>&-
check "with descriptors all records are taken" produced
producer=''
check "  and are there" wait_for all_there 6000
check "nothing has failed for good" never_said 'takes no more appends'
check "it ends cleanly" tests/support/spu stop "$work/spu"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
