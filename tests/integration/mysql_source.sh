#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the MySQL connector's source reads from real servers: mysql_source.sh [mariadb] [mysql]. BUILD=build/release
# The programs are cmocka's; each of their tests is a line here.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
[ $# -gt 0 ] || set -- mariadb mysql
plugin=${PLUGIN:-$build/connectors/mysql.so}
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-source-XXXXXX")
chmod 755 "$work"
passed=0 failed=0 started=()

clean_up() {
    local kind
    for kind in "${started[@]}"; do
        tests/support/servers stop "$work/$kind" || true
    done
    rm -rf "$work"
}
trap clean_up EXIT

run_program() { # program kind more...
    local program=$1 kind=$2 status=0 name
    "$build/tests/integration/$program" "$plugin" "$work/$kind" tests/support/servers "${@:3}" >"$work/out" 2>&1 || status=$?
    while read -r name; do
        passed=$((passed + 1))
        echo "ok   $program/$kind: ${name//_/ }"
    done < <(sed -n 's/^\[       OK \] //p' "$work/out")
    # A program that is killed has no line for the test that it died in.
    if [ "$status" -ne 0 ]; then
        failed=$((failed + 1))
        name=$(sed -n 's/^\[ RUN      \] //p' "$work/out" | tail -n 1)
        echo "FAIL $program/$kind (exit $status; the last test was $name)"
        sed 's/^/    /' "$work/out"
    fi
}

start() { # kind directory option...
    started+=("$2")
    tests/support/servers start "$1" "$work/$2" "${@:3}" >/dev/null
}

for kind in "$@"; do
    start "$kind" "$kind"
    for program in mysql_stream mysql_snapshot mysql_types mysql_forms mysql_failures; do
        run_program "$program" "$kind"
    done
    updates=--log-slave-updates
    [ "$kind" = mariadb ] || updates=--log-replica-updates
    start "$kind" "$kind-source" --server-id=11 "$updates"
    start "$kind" "$kind-replica" --server-id=12 "$updates"
    run_program mysql_failover "$kind-source" "$work/$kind-replica"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
