#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A byte of the SPU's own topics is damaged: it does not start, says why, and starts again as docs/spu.md tells. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-spu-damage-XXXXXX")
passed=0 failed=0
clean_up() {
    tests/support/spu kill "$work/spu" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1)) && echo "ok   spu_damage/$name"
    else
        failed=$((failed + 1)) && echo "FAIL spu_damage/$name" && tail -n 20 "$work/log"
    fi
}

set_up() {
    tests/support/spu start "$work/spu" || return 1
    . "$work/spu/env"
    printf '%s\n' a b c | kcat -P -b "$BOOTSTRAP" -t read || return 1
    timeout 30 kcat -q -b "$BOOTSTRAP" -G group -X auto.offset.reset=earliest -e read && tests/support/spu stop "$work/spu" || return 1
    log=$(find "$work/spu/data" -path '*/__consumer_offsets-*/*.log' -size +0)
    [ "$(wc -l <<<"$log")" -eq 1 ]
}
flip() { # the byte of the file's place 80
    local byte
    byte=$(od -An -tu1 -j80 -N1 "$log")
    printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$log" bs=1 seek=80 conv=notrunc status=none
}
refused() {
    local code=0
    "$build/fluvio-spu" --config "$work/spu/spu.yaml" >"$work/out" 2>&1 || code=$?
    cat "$work/out"
    [ $code -eq 1 ] && tail -n 1 "$work/out" | grep -q "$log: .* at byte 0.*; docs/spu.md, Damage, says how to go on$"
}
reads() { [ "$(timeout 30 kcat -q -b "$BOOTSTRAP" -G group -X auto.offset.reset=earliest -e read | xargs)" = "$1" ]; }

check "a group has committed" set_up
flip
check "one damaged byte of it, and the SPU does not start and says where and what helps" refused
flip
check "with the copy put back it starts" tests/support/spu again "$work/spu"
check "  and knows the offsets" reads ''
check "  stops" tests/support/spu stop "$work/spu"
flip
check "damaged again, it does not start" refused
rm -f "${log%/*}"/*
check "with the partition's directory emptied it starts" tests/support/spu again "$work/spu"
check "  and the group begins anew" reads 'a b c'
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
