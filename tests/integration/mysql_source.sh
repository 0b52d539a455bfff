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

run_program() { # program kind
    local program=$1 kind=$2 status=0 name
    "$build/tests/integration/$program" "$plugin" "$work/$kind" tests/support/servers >"$work/out" 2>&1 || status=$?
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

for kind in "$@"; do
    started+=("$kind")
    tests/support/servers start "$kind" "$work/$kind" >/dev/null
    for program in mysql_stream mysql_snapshot mysql_types mysql_failures; do
        run_program "$program" "$kind"
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
