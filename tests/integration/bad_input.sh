#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What bad input gets from the program, on real servers: a one-line error that names the cause and the fix, a fixed exit code, nothing
# lost and nothing half-done: bad_input.sh [mariadb] [mysql]. BUILD=build/release
# (runner.sh has what needs no server, restore.sh bad cuts and targets, full_disk.sh the disk.)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
connect=$build/fluvio-connect
[ $# -gt 0 ] || set -- mariadb mysql
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-bad-XXXXXX")
chmod 755 "$work"
passed=0 failed=0 kind=''

clean_up() {
    for kind in mariadb mysql; do
        tests/support/servers stop "$work/$kind" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT

ok() { passed=$((passed + 1)) && echo "ok   bad_input/$kind: $1"; }
not_ok() {
    failed=$((failed + 1))
    echo "FAIL bad_input/$kind: $1"
    shift
    printf '    %s\n' "$@"
}
sql() { $CLIENT -N -e "$1" "${2:-shop}"; }
same() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted: $2" "got:    $3"; fi; }
# works NAME COMMAND...
works() {
    local name=$1 code=0
    shift
    "$@" >"$work/out" 2>&1 || code=$?
    if [ $code -eq 0 ]; then ok "$name"; else not_ok "$name" "exit code $code" "$(tail -n 5 "$work/out")"; fi
}
# refused NAME EXIT-CODE PATTERN COMMAND...: it ends so, with one line of error that has the pattern (warnings may come before).
refused() {
    local name=$1 wanted=$2 pattern=$3 code=0
    shift 3
    "$@" >"$work/results" 2>"$work/out" || code=$?
    sed -i '/^[-0-9:.TZ]* warn /d' "$work/out"
    if [ $code -eq "$wanted" ] && [ "$(wc -l <"$work/out")" -eq 1 ] && grep -qE -- "$pattern" "$work/out"; then
        ok "$name"
    else
        not_ok "$name" "exit code $code, wanted $wanted and one line with /$pattern/" "$(cat "$work/out")"
    fi
}
# warned NAME PATTERN: the last command said so.
warned() { if grep -qE -- "$2" "$work/out"; then ok "$1"; else not_ok "$1" "not said: $2" "$(cat "$work/out")"; fi; }
end_of_binlog() { sql "SHOW $([ "$kind" = mysql ] && echo 'BINARY LOG' || echo MASTER) STATUS" | cut -f1; }

# file NAME DATABASE [LINE...]: a connector file of its own with its own log; MYSQL more options in the mysql block.
file() {
    local name=$1 db=$2
    shift 2
    {
        printf 'apiVersion: 0.1.0\nmeta:\n  name: %s\n  type: mysql-source\n  topic: %s\n%s' "$name" "$name" "${META:+  $META$'\n'}"
        printf 'log: { embedded: { dir: ./%s-%s-log } }\n' "$kind" "$name"
        [ $# -eq 0 ] || printf '%s\n' "$@"
        printf 'mysql: { socket: %s, user: root, tables: ["%s"]%s }\n' "$SOCKET" "$db" "${MYSQL:+, $MYSQL}"
    } >"$work/$kind-$name.yaml"
    yaml=$work/$kind-$name.yaml log=$work/$kind-$name-log
}
run() { timeout 60 "$connect" run -q --until-end "$yaml"; }
# whole NAME TABLE: the capture goes on to the end, and the log is what the table is.
whole() {
    works "$1" run
    works "  and the log is what the table is" "$connect" verify -q "$yaml" --table "$2"
    same "    of which -q says nothing" '' "$(cat "$work/out")"
}

set_up() {
    tests/support/servers start "$kind" "$work/$kind" --innodb-flush-log-at-trx-commit=2 --local-infile=1 --binlog-checksum=NONE >/dev/null
    . "$work/$kind/env"
    $CLIENT <<'SQL'
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE copy CHARACTER SET utf8mb4;
USE shop;
CREATE TABLE stock (id INT AUTO_INCREMENT PRIMARY KEY, n INT, note LONGTEXT);
CREATE TABLE keyless (page VARCHAR(20), n INT);
INSERT INTO stock (n, note) VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO keyless VALUES ('a', 1), ('a', 1), (NULL, NULL);
SQL
}

tables() {
    file unknown shop.stok
    refused "an unknown table" 2 'tables: there is no table "shop.stok" that can be captured' run
    works "  leaves no topic behind" test ! -e "$log/unknown-0"
    "$connect" check "$yaml" >"$work/out" 2>&1 || true
    warned "  which the pre-flight says, too, with its fix" 'FAIL +tables +there is no table "shop.stok"'
    sed -i 's/shop.stok/shop.stock/' "$yaml"
    whole "  and corrected, it is captured" shop.stock
    file keyless shop.keyless
    works "a table without key passes the pre-flight" "$connect" check "$yaml"
    warned "  with a warning that names table and fix" 'tables without key +shop.keyless'
    warned "  " 'ALTER TABLE \.\.\. ADD PRIMARY KEY'
    works "  is captured" run
    sql "DELETE FROM keyless WHERE page = 'a' LIMIT 1; INSERT INTO keyless VALUES (NULL, NULL)"
    whole "  with its changes" shop.keyless
}

settings() {
    local setting good bad
    file settings 'shop.stock'
    works "a capture" run
    sql "INSERT INTO stock (n) VALUES (10)"
    while read -r setting good bad; do
        sql "SET GLOBAL $setting = '$bad'"
        refused "$setting=$bad" 2 "$setting is $bad, must be $good; .*SET GLOBAL $setting='$good'" run
        "$connect" check "$yaml" >"$work/out" 2>&1 || true
        warned "  which the pre-flight says, too, with its fix" "fix: SET GLOBAL $setting = '$good'"
        sql "SET GLOBAL $setting = '$good'"
    done <<<'binlog_row_image FULL MINIMAL
binlog_format ROW STATEMENT'
    whole "  and nothing is lost once it is mended" shop.stock
    sql "SET SESSION binlog_format = 'STATEMENT'; INSERT INTO stock (n) VALUES (11)"
    refused "a statement without its rows in the binlog" 2 "binlog\.[0-9]+:[0-9]+ without the rows; SET GLOBAL binlog_format='ROW'" run
    refused "  stops again at the same place" 2 "binlog\.[0-9]+:[0-9]+ without the rows" run
}

purged() {
    local before
    file purged 'shop.stock'
    works "a capture" run
    before=$(sql 'SELECT * FROM stock ORDER BY id' | md5sum)
    sql "INSERT INTO stock (n) VALUES (20); FLUSH BINARY LOGS; INSERT INTO stock (n) VALUES (21); FLUSH BINARY LOGS"
    local deadline=$((SECONDS + 30))
    until [ "$(sql 'SHOW BINARY LOGS' | wc -l)" -eq 1 ]; do # a dump that has just ended may still hold a file
        [ $SECONDS -lt $deadline ] || { not_ok "PURGE BINARY LOGS" && return; }
        sql "PURGE BINARY LOGS TO '$(end_of_binlog)'"
    done
    refused "a purged binlog" 3 'purged|no longer|not have.*snapshot' run
    warned "  names the fix" 'start a new snapshot'
    "$connect" check "$yaml" >"$work/out" 2>&1 || true
    warned "  which the pre-flight says, too, with its fix" 'FAIL +position'
    works "  and what was captured can be restored" "$connect" restore -q "$yaml" --table shop.stock --into copy.purged
    same "    as it was" "$before" "$(sql 'SELECT * FROM purged ORDER BY id' copy | md5sum)"
    file again 'shop.stock'
    whole "  under another name the tables are read again" shop.stock
}

# The type of an event is changed in the server's file: nothing knows type 120.
unreadable() {
    local binlog position rows
    file event 'shop.stock'
    works "a capture" run
    sql "FLUSH BINARY LOGS; INSERT INTO stock (n) VALUES (30)"
    binlog=$(end_of_binlog)
    sql "INSERT INTO stock (n) VALUES (31); FLUSH BINARY LOGS; INSERT INTO stock (n) VALUES (32)"
    position=$(sql "SHOW BINLOG EVENTS IN '$binlog'" | awk -F'\t' '$3 ~ /^Write_rows/ { at = $2 } END { print at }')
    dd if="$work/$kind/data/$binlog" of="$work/type" bs=1 skip=$((position + 4)) count=1 status=none
    printf '\x78' | dd of="$work/$kind/data/$binlog" bs=1 seek=$((position + 4)) conv=notrunc status=none
    refused "an event that cannot be read" 1 'unknown type 120 that ends at position [0-9]+: it must not be left out' run
    refused "  stops it again, at the same place" 1 'unknown type 120' run
    rows=$("$connect" verify -q "$yaml" --table shop.stock 2>/dev/null | grep -c '"id"' || true)
    same "  with all before it in the log" 2 "$rows"
    dd if="$work/type" of="$work/$kind/data/$binlog" bs=1 seek=$((position + 4)) conv=notrunc status=none
    whole "  and once it can be read the capture goes on" shop.stock
}

scripts() {
    local script=$work/$kind.lua
    file script 'shop.stock' 'transforms:' "  - uses: $script"
    echo 'function transform(change) if change.after.id == 2 then while true do end end end' >"$script"
    refused "a script that loops" 1 "$script:1: ran for more than 1000000 instructions" run
    warned "  names the row's place" 'offset|position|stock|binlog|transaction'
    echo 'function transform(change) if change.after.id == 2 then local t = {} for i = 1, 1e9 do t[i] = string.rep("x", 1e6) .. i end end end' >"$script"
    refused "a script that eats memory" 1 "$script:1: .*memory" run
    echo 'function transform(change) end' >"$script"
    whole "  and nothing is lost once it is mended" shop.stock
}

too_large() {
    sql "INSERT INTO stock (n, note) VALUES (40, REPEAT('x', 100000)), (41, 'small')"
    META='producer: { record-bytes-max: 64KiB }' file large 'shop.stock'
    refused "a record over the limit" 1 'shop.stock .*record .* 65536.*; raise meta.producer.record-bytes-max' run
    sed -i 's/64KiB/64MiB/' "$yaml"
    whole "  and with a higher limit nothing is lost" shop.stock
    META='producer: { record-bytes-max: 64KiB }' file dead 'shop.stock' 'on-error: dead-letter'
    works "  on-error: dead-letter goes on" run
    refused "    and a restore says so" 3 'shop.stock.*dead-letter' "$connect" restore -q "$yaml" --table shop.stock --into copy.dead
}

damaged() {
    local segment
    file damage 'shop.stock'
    works "a capture" run
    segment=$(find "$log/damage-0" -name '*.log' | head -n 1)
    cp "$segment" "$work/kept"
    printf 'XXXX' | dd of="$segment" bs=1 seek=100 conv=notrunc status=none
    cp "$segment" "$work/damaged"
    sql "INSERT INTO stock (n) VALUES (50)"
    refused "a damaged segment stops a capture" 1 '\.log: .*byte [0-9]+.*put back a copy' run
    works "  which does not touch it" cmp "$segment" "$work/damaged"
    refused "  and a restore" 1 '\.log.*byte [0-9]+' "$connect" restore -q "$yaml" --table shop.stock --into copy.damaged
    same "    which leaves nothing" "" "$(sql "SHOW TABLES LIKE 'damaged%'" copy)"
    cp "$work/kept" "$segment"
    whole "  and put back the capture goes on" shop.stock
}

cuts() {
    refused "a cut before the first captured position" 2 "2001.* is before .*captured are .* to " "$connect" restore -q "$yaml" --to '2001-01-01 00:00:00' --table shop.stock --into copy.cut
    refused "a cut after the last captured position" 2 "2099.* is after .*captured are .* to " "$connect" restore -q "$yaml" --to '2099-01-01 00:00:00' --table shop.stock --into copy.cut
    sql "CREATE TABLE cut (id INT PRIMARY KEY); INSERT INTO cut VALUES (1)" copy
    refused "a target that is not empty" 3 'copy.cut .*--replace' "$connect" restore -q "$yaml" --table shop.stock --into copy.cut
    same "  and it is as it was" 1 "$(sql 'SELECT * FROM cut' copy)"
}

no_binlog() {
    tests/support/servers stop "$work/$kind"
    tests/support/servers again "$work/$kind" --skip-log-bin >/dev/null
    file none 'shop.stock'
    refused "a server without binlog" 2 'log_bin is 0, must be 1; start the server with log_bin' run
    tests/support/servers stop "$work/$kind"
}

for kind in "$@"; do
    set_up
    tables
    settings
    purged
    unreadable
    scripts
    too_large
    damaged
    cuts
    no_binlog
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
