#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The embedded log serves Kafka clients while the capture writes it. BUILD=build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
connect=$build/fluvio-connect
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-listen-XXXXXX")
chmod 755 "$work"
passed=0 failed=0 runner=''

clean_up() {
    [ -z "$runner" ] || kill -9 "$runner" 2>/dev/null || true
    tests/support/servers stop "$work/mariadb" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

ok() { passed=$((passed + 1)) && echo "ok   listen/$1"; }
not_ok() {
    failed=$((failed + 1))
    echo "FAIL listen/$1"
    shift
    printf '    %s\n' "$@"
}
same() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted: $2" "got:    $3"; fi; }
wait_for() { # SECONDS COMMAND...: until it succeeds
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}
write_file() { # LISTEN
    cat >"$work/shop.yaml" <<YAML
apiVersion: 0.1.0
meta: { name: shop, type: mysql-source, topic: shop }
log: { embedded: { dir: $work/log, listen: "$1" } }
mysql: { socket: $SOCKET, user: root, tables: ["shop.*"] }
YAML
}
start_run() {
    "$connect" run "$work/shop.yaml" >"$work/diag" 2>&1 &
    runner=$!
    wait_for 30 kcat -q -b "$broker" -L
}
stop_run() {
    local code=0
    kill -TERM "$runner"
    wait "$runner" || code=$?
    runner=''
    return $code
}
records() { kcat -q -b "$broker" -C -t shop -e -f '%s\n'; }
count_is() { [ "$(records | grep -c '"op":"c"')" -eq "$1" ]; }

tests/support/servers start mariadb "$work/mariadb" >/dev/null
. "$work/mariadb/env"
$CLIENT -e "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, note TEXT); INSERT INTO shop.orders VALUES (1, 'first')"
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport')
broker=127.0.0.1:$port
write_file "$broker"

if start_run; then ok "a client connects while the capture runs"; else not_ok "a client connects while the capture runs" "$(cat "$work/diag")"; fi
wait_for 30 kcat -q -b "$broker" -L -t shop || true
$CLIENT -e "INSERT INTO shop.orders VALUES (2, 'second'), (3, 'third')"
if wait_for 30 count_is 2; then ok "it reads each change as it is captured"; else not_ok "it reads each change as it is captured" "$(records)"; fi
same "the snapshot is there, too" 1 "$(records | grep -c '"op":"r"')"
kcat -q -b "$broker" -X auto.offset.reset=earliest -G readers shop -e -f '%s\n' >"$work/group" 2>/dev/null
same "a consumer group reads it" 3 "$(wc -l <"$work/group")"
if echo 'a lie' | kcat -b "$broker" -P -t shop 2>"$work/err"; then
    not_ok "nobody else writes to the topic" "kcat was let"
else
    ok "nobody else writes to the topic"
fi
same "nothing of it got in" 3 "$(records | wc -l)"
"$connect" status "$work/shop.yaml" >"$work/status" 2>&1 && ok "status answers beside it" || not_ok "status answers beside it" "$(cat "$work/status")"
if stop_run; then ok "it ends cleanly with clients connected"; else not_ok "it ends cleanly with clients connected" "$(tail -n 3 "$work/diag")"; fi

start_run || true
$CLIENT -e "INSERT INTO shop.orders VALUES (4, 'fourth')"
wait_for 30 count_is 3 || true
kcat -q -b "$broker" -X auto.offset.reset=earliest -G readers shop -e -f '%s\n' >"$work/group" 2>/dev/null
same "after a restart the group goes on where it was" 1 "$(wc -l <"$work/group")"
stop_run || true

write_file 127.0.0.1
code=0
"$connect" run "$work/shop.yaml" >"$work/out" 2>&1 || code=$?
same "an address without a port is refused" "2 1" "$code $(grep -c 'listen. is host:port' "$work/out")"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
