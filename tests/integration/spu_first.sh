#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The first append to a partition holds nobody else up (spu_first.c). BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-spu-first-XXXXXX")
clean_up() {
    rm -f "$work/gate"
    tests/support/spu kill "$work/spu" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
die() { echo "FAIL spu_first/$1"; tail -n 20 "$work/log"; echo "0 passed, 1 failed"; exit 1; }
if [[ $build = *san* ]]; then # their library wants to be the first that is loaded
    echo "0 passed, 0 failed"
    exit 0
fi
cc -shared -fPIC -D_GNU_SOURCE -o "$work/slow_sync.so" tests/support/preload/slow_sync.c -ldl >"$work/log" 2>&1 || die "slow_sync is built"
SYNC_GATE=$work/gate LD_PRELOAD=$work/slow_sync.so tests/support/spu start "$work/spu" 'threads: 1' >"$work/log" 2>&1 || die "it starts"
. "$work/spu/env"
"$build/fluvio" topic create -q first -p 2 --cluster "$BOOTSTRAP" >"$work/log" 2>&1 || die "a topic is created"
"$build/tests/integration/spu_first" "${BOOTSTRAP##*:}" "$work/gate" >"$work/out" 2>&1
cat "$work/out"
