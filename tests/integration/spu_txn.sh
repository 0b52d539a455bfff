#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the transactions' coordinator answers over the wire (spu_txn.c), when a sync fails, too. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-spu-txn-XXXXXX")
clean_up() {
    tests/support/spu kill "$work/spu" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
die() { echo "FAIL spu_txn/$1"; tail -n 20 "$work/log"; echo "0 passed, 1 failed"; exit 1; }
if [[ $build = *san* ]]; then # their library wants to be the first that is loaded
    echo "0 passed, 0 failed"
    exit 0
fi
cc -shared -fPIC -D_GNU_SOURCE -o "$work/fail_sync.so" tests/support/preload/fail_sync.c -ldl >"$work/log" 2>&1 || die "fail_sync is built"
SYNC_FAIL=$work/gate SYNC_FAIL_PATH=__transaction_state LD_PRELOAD=$work/fail_sync.so tests/support/spu start "$work/spu" >"$work/log" 2>&1 ||
    die "it starts"
. "$work/spu/env"
"$build/fluvio" topic create -q t -p 1000 --cluster "$BOOTSTRAP" >"$work/log" 2>&1 || die "a topic is created"
"$build/tests/integration/spu_txn" "${BOOTSTRAP##*:}" "$work/gate" "$DATA" >"$work/out" 2>&1
cat "$work/out"
