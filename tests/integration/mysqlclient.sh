#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The MySQL connector as it is built with libmysqlclient instead of MariaDB's library, under load against a MySQL 9. BUILD=build/release
# Debian 12 has no libmysqlclient: it and the libc that it needs are unpacked beside the system, and the program runs with their loader.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
plugins=${MYSQLCLIENT_PLUGINS:-build/mysqlclient/connectors}
root=$(tests/support/mysql9-fetch)
lib=$root/usr/lib/x86_64-linux-gnu
connect=("$lib/ld-linux-x86-64.so.2" --library-path "$lib:/usr/lib/x86_64-linux-gnu" "$build/fluvio-connect")
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-mysqlclient-XXXXXX")
chmod 755 "$work"
passed=0 failed=0 runner='' load=''

clean_up() {
    [ -z "$runner" ] || kill -9 "$runner" 2>/dev/null || true
    [ -z "$load" ] || kill -9 "$load" 2>/dev/null || true
    tests/support/servers stop "$work/mysql" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

# check NAME COMMAND...
check() {
    local name=$1 code=0
    shift
    "$@" >"$work/out" 2>&1 || code=$?
    if [ $code -eq 0 ]; then
        passed=$((passed + 1)) && echo "ok   mysqlclient/$name"
    else
        failed=$((failed + 1)) && echo "FAIL mysqlclient/$name" && echo "    exit code $code" && tail -n 10 "$work/out"
    fi
}
fluvio() { # COMMAND FLAGS...
    local command=$1
    shift
    "${connect[@]}" "$command" --plugin-dir "$plugins" "$@"
}
start() {
    "${connect[@]}" run --plugin-dir "$plugins" "$yaml" >>"$work/diag" 2>&1 &
    runner=$!
    wait_for 'source open' $((1 + $(grep -c 'source open' "$work/diag")))
}
wait_for() { # TEXT COUNT: 60 seconds at most
    local deadline=$((SECONDS + 60))
    until [ "$(grep -c -- "$1" "$work/diag")" -ge "$2" ]; do
        [ $SECONDS -lt $deadline ] || { echo "in 60 s not: $1" && tail -n 5 "$work/diag" && return 1; }
        sleep 0.05
    done
}
ended() { # within 20 seconds, with 0
    local got=0
    timeout 20 tail --pid="$runner" -f /dev/null || return 1
    wait "$runner" || got=$?
    runner=''
    [ $got -eq 0 ]
}
exactly_once() {
    "$build/tests/crash/check_log" "$work/log" crash | sort >"$work/counters" &&
        $CLIENT -N -e 'SELECT worker, version, n FROM crash.counter' | sort | diff - "$work/counters" && [ -s "$work/counters" ]
}
refused() { # EXIT PATTERN COMMAND...
    local wanted=$1 pattern=$2 code=0
    shift 2
    "$@" >"$work/refused" 2>&1 || code=$?
    cat "$work/refused"
    [ $code -eq "$wanted" ] && grep -qE -- "$pattern" "$work/refused"
}
says_library() { ldd_of=$(objdump -p "$plugins/mysql.so") && grep -q 'NEEDED *libmysqlclient' <<<"$ldd_of" && ! grep -q 'NEEDED *libmariadb' <<<"$ldd_of"; }

tests/support/servers start mysql "$work/mysql" --innodb-flush-log-at-trx-commit=2 --sync-binlog=0 --local-infile=1 >/dev/null
. "$work/mysql/env"
$CLIENT <tests/crash/schema.sql
$CLIENT -e "CREATE DATABASE copy; CREATE USER sha2@'127.0.0.1' IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO sha2@'127.0.0.1'"
yaml=$work/crash.yaml
cat >"$yaml" <<YAML
apiVersion: 0.1.0
meta: { name: crash, type: mysql-source, topic: crash }
log: { embedded: { dir: ./log } }
mysql: { host: 127.0.0.1, port: $PORT, user: sha2, password: secret, tls: required, tables: ["crash.*"], snapshot-chunk-rows: 500 }
YAML
chmod 600 "$yaml"
: >"$work/diag"

check "the plugin needs libmysqlclient and not MariaDB's library" says_library
check "the pre-flight passes, by TLS and caching_sha2_password" fluvio check "$yaml"
"$build/tests/crash/workload" "$SOCKET" 4 4711 >"$work/committed" 2>"$work/load" &
load=$!
check "a capture starts" start
check "  and takes its snapshot under load" wait_for 'snapshot complete' 1
kill -9 "$runner"
wait "$runner" 2>/dev/null || true
check "it goes on after kill -9" start
tests/support/servers kill "$work/mysql"
tests/support/servers again "$work/mysql" >/dev/null
check "  and after the server was killed" wait_for 'trying again until it works' 1
check "  which it finds again by itself" wait_for 'source open' 3
kill "$load" && wait "$load"
load=''
kill "$runner"
check "SIGTERM ends it cleanly" ended
check "the next start catches up" fluvio run -q --until-end "$yaml"
check "the log holds each change exactly once, in order" exactly_once
check "a restore by LOAD DATA works" fluvio restore -q "$yaml" --into 'copy.*'
check "  and a verify finds no difference" fluvio verify -q "$yaml"
$CLIENT -e "INSERT INTO crash.journal VALUES (99, 1, 'x'); FLUSH BINARY LOGS; FLUSH BINARY LOGS"
$CLIENT -e "PURGE BINARY LOGS TO '$($CLIENT -N -e 'SHOW BINARY LOG STATUS' | cut -f1)'"
check "a purged binlog is refused" refused 3 'purged .* were not captured; start a new snapshot' fluvio run -q --until-end "$yaml"
sed -i 's/password: secret/password: wrong/' "$yaml"
check "a wrong password is named, and not shown" refused 2 'Access denied.*sha2' fluvio run -q --until-end "$yaml"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
