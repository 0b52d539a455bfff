#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every API that an SPU serves, asked for by users with and without ACLs (spu_access.c). BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-spu-access-XXXXXX")
clean_up() {
    tests/support/spu kill "$work/spu" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
die() { echo "FAIL spu_access/$1"; [ ! -e "$work/out" ] || tail -n 20 "$work/out"; echo "0 passed, 1 failed"; exit 1; }

tests/support/spu start "$work/spu" 'auto-create-topics: false' \
    'listeners: [{ port: 0, auth: sasl, mechanisms: [PLAIN], plain-without-tls: true }]' \
    'authorization: { enabled: true, super-users: [User:root] }' >/dev/null || die "it starts"
tests/support/spu stop "$work/spu" || die "it stops"
add() { echo "$1-secret" | "$build/fluvio-spu" --config "$work/spu/spu.yaml" --add-user "$@" >>"$work/out" 2>&1 || die "user $1 is added"; }
add root
add nobody
add half
add user --role user
add admin --role admin
tests/support/spu again "$work/spu" || die "it starts again"
. "$work/spu/env"
as_root=(-b "$BOOTSTRAP" -X security.protocol=sasl_plaintext -X sasl.mechanism=PLAIN -X sasl.username=root -X sasl.password=root-secret)
kcat "${as_root[@]}" -L >"$work/out" 2>&1 || die "root logs in"
"$build/tests/integration/spu_access" "${BOOTSTRAP##*:}" "$work/spu/start.log"
