#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Capture, mistake, restore, verify by the commands a person uses, on real servers: restore.sh [mariadb] [mysql]. BUILD=build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
connect=$build/fluvio-connect
[ $# -gt 0 ] || set -- mariadb mysql
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-restore-XXXXXX")
chmod 755 "$work"
passed=0 failed=0 runner='' kind=''

clean_up() {
    [ -z "$runner" ] || kill -9 "$runner" 2>/dev/null || true
    for kind in mariadb mysql; do
        tests/support/servers stop "$work/$kind" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT

ok() { passed=$((passed + 1)) && echo "ok   restore/$kind: $1"; }
not_ok() {
    failed=$((failed + 1))
    echo "FAIL restore/$kind: $1"
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
# refused NAME EXIT-CODE PATTERN COMMAND...: fails so, in one line that says so.
refused() {
    local name=$1 wanted=$2 pattern=$3 code=0
    shift 3
    "$@" >"$work/out" 2>"$work/err" || code=$?
    if [ $code -eq "$wanted" ] && tail -n 1 "$work/err" | grep -qE -- "$pattern"; then
        ok "$name"
    else
        not_ok "$name" "exit code $code, wanted $wanted and /$pattern/" "$(cat "$work/err")"
    fi
}
state() { sql "SELECT * FROM $1 ORDER BY 1, 2" "${2:-shop}" | md5sum; }
now_tx() {
    if [ "$kind" = mariadb ]; then sql 'SELECT @@gtid_binlog_pos'; else sql 'SELECT @@gtid_executed' | sed 's/:.*-/:/'; fi
}
capture() { "$connect" run -q "$work/$kind.yaml" --until-end >"$work/run" 2>&1 || { cat "$work/run" && return 1; }; }
restore() { "$connect" restore -q "$work/$kind.yaml" "$@"; }

set_up() {
    tests/support/servers start "$kind" "$work/$kind" --innodb-flush-log-at-trx-commit=2 --local-infile=1 >/dev/null
    . "$work/$kind/env"
    $CLIENT <<'SQL'
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE copy CHARACTER SET utf8mb4;
USE shop;
CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer INT, status VARCHAR(16) DEFAULT 'new', amount DECIMAL(10,2), note TEXT, at DATETIME(6), KEY (customer));
CREATE TABLE visits (page VARCHAR(20), n INT);
CREATE TABLE gone (id INT PRIMARY KEY, v INT);
INSERT INTO orders (customer, amount, note, at) VALUES (1, 1.50, 'first', '2026-01-01 00:00:00.123456'), (2, -3.25, NULL, NULL), (3, 0, 'tab\tnew\nline \\ "quote" ä€😀', '2026-02-28 23:59:59');
INSERT INTO visits VALUES ('a', 1), ('a', 1), ('b', 2), (NULL, NULL);
INSERT INTO gone VALUES (1, 1), (2, 2);
SQL
    cat >"$work/$kind.yaml" <<YAML
apiVersion: 0.1.0
meta: { name: shop, type: mysql-source, topic: shop }
log: { embedded: { dir: ./$kind-log } }
mysql: { socket: $SOCKET, user: root, tables: ["shop.*"] }
YAML
    capture
}

to_any_point() {
    local good bad before_drop orders visits offset
    sql "UPDATE orders SET status = 'paid' WHERE id < 3; INSERT INTO visits VALUES ('c', 3); DELETE FROM visits WHERE page = 'b'"
    good=$(now_tx) orders=$(state orders) visits=$(state visits)
    sql "UPDATE orders SET status = 'wrecked', amount = 0"
    bad=$(now_tx)
    sql "INSERT INTO orders (id, customer) VALUES (0, 9); DELETE FROM orders WHERE id = 1; UPDATE orders SET id = 100 WHERE id = 2"
    capture
    works "up to a transaction, under another name" restore --to "$good" --table shop.orders --into copy.orders
    same "  it is what was there" "$orders" "$(state orders copy)"
    same "  with its definition" "$(sql 'SHOW CREATE TABLE orders' | sed 's/AUTO_INCREMENT=[0-9]* //')" "$(sql 'SHOW CREATE TABLE orders' copy | sed 's/AUTO_INCREMENT=[0-9]* //')"
    works "to just before one, a table without a key" restore --before "$bad" --table shop.visits --into copy.visits
    same "  it is what was there" "$(sql 'SELECT * FROM visits ORDER BY 1, 2' | md5sum)" "$(sql 'SELECT * FROM visits ORDER BY 1, 2' copy | md5sum)"
    [ "$visits" = "$(state visits copy)" ] || not_ok "  it is what was there then"
    works "to the end, all tables into another database" restore --into 'copy.*' --replace
    same "  it is what is there" "$(state orders)" "$(state orders copy)"
    works "a dry run" restore --before "$bad" --table shop.orders --replace --dry-run
    same "  changes nothing" "$(state orders)" "$(state orders copy)"
    refused "a table that holds rows, without --replace" 3 'replace' restore --to "$good" --table shop.orders
    works "in place" restore --before "$bad" --table shop.orders --replace
    same "  it is what was there" "$orders" "$(state orders)"
    works "verify says it is the same" "$connect" verify -q "$work/$kind.yaml" --table shop.orders
    sql "SET sql_log_bin = 0; UPDATE orders SET note = 'secretly' WHERE id = 1"
    if "$connect" verify -q "$work/$kind.yaml" --table shop.orders >"$work/out"; then not_ok "verify fails when a row differs"; else ok "verify fails when a row differs"; fi
    if grep -q '"id":1' "$work/out"; then ok "  and names it by its key"; else not_ok "  and names it by its key" "$(cat "$work/out")"; fi
    sql "SET sql_log_bin = 0; UPDATE orders SET note = 'first' WHERE id = 1"
    sql "UPDATE orders SET note = 'after the restore' WHERE id = 1"
    capture
    works "a restore later goes on from the restored table" restore --table shop.orders --into copy.later
    same "  it is what is there" "$(state orders)" "$(state later copy)"
    before_drop=$(now_tx)
    sql "DROP TABLE gone"
    capture
    refused "a table that was dropped at the point" 2 'dropped by transaction' restore --table shop.gone --into copy.gone_again
    works "a dropped table" restore --to "$before_drop" --table shop.gone
    same "  it is back" "1	1 2	2" "$(sql 'SELECT * FROM gone ORDER BY id' | tr '\n' ' ' | sed 's/ $//')"
}

through_ddl() {
    local before after
    sql "CREATE TABLE grow (id INT PRIMARY KEY, a INT); INSERT INTO grow VALUES (1, 10), (2, 20), (3, 30)"
    before=$(now_tx)
    sql "ALTER TABLE grow ADD COLUMN b VARCHAR(10) NOT NULL DEFAULT 'dflt'; UPDATE grow SET a = 11 WHERE id = 1; ALTER TABLE grow RENAME COLUMN a TO c; UPDATE grow SET c = 21 WHERE id = 2"
    after=$(state grow)
    capture
    works "through ADD COLUMN with a default and RENAME COLUMN" restore --table shop.grow --into copy.grow
    same "  it is what is there" "$after" "$(state grow copy)"
    works "to before the ALTER" restore --to "$before" --table shop.grow --into copy.grow0
    same "  it has the old columns" "1	10 2	20 3	30" "$(sql 'SELECT * FROM grow0 ORDER BY id' copy | tr '\n' ' ' | sed 's/ $//')"
    sql "RENAME TABLE grow TO grown; INSERT INTO grown VALUES (4, 40, 'x')"
    capture
    works "through RENAME TABLE" restore --table shop.grown --into copy.grown
    same "  it is what is there" "$(state grown)" "$(state grown copy)"
    sql "TRUNCATE TABLE grown; INSERT INTO grown VALUES (5, 50, 'y')"
    capture
    works "through TRUNCATE" restore --table shop.grown --into copy.grown2
    same "  it is what is there" "5	50	y" "$(sql 'SELECT * FROM grown2' copy)"
}

# What brings no row events: the capture says so and reads the tables again; between the two there is nothing to restore.
moved_rows() {
    local before moved
    sql "CREATE TABLE parts (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (100), PARTITION high VALUES LESS THAN (200));
        CREATE TABLE aside (id INT PRIMARY KEY, v INT); INSERT INTO parts VALUES (1, 1), (2, 2), (101, 3); INSERT INTO aside VALUES (50, 50)"
    before=$(now_tx) parts=$(state parts)
    sql "ALTER TABLE parts EXCHANGE PARTITION low WITH TABLE aside"
    moved=$(now_tx)
    sql "UPDATE parts SET v = 51 WHERE id = 50; INSERT INTO parts VALUES (102, 4); DELETE FROM aside WHERE id = 1"
    capture
    if grep -q "warn .*shop.parts: the ALTER TABLE of transaction $moved moves rows" "$work/run" && grep -q 'warn .*shop.aside: ' "$work/run"; then
        ok "EXCHANGE PARTITION is told of, for both tables"
    else
        not_ok "EXCHANGE PARTITION is told of, for both tables" "$(cat "$work/run")"
    fi
    works "  both can be restored to the end" restore --table shop.parts --into copy.parts
    same "    it is what is there" "$(state parts)" "$(state parts copy)"
    works "    the other, too" restore --table shop.aside --into copy.aside
    same "    it is what is there" "$(state aside)" "$(state aside copy)"
    works "    verify says so" "$connect" verify -q "$work/$kind.yaml" --table shop.parts --table shop.aside
    works "  and to before" restore --before "$moved" --table shop.parts --into copy.parts0
    same "    it is what was there" "$parts" "$(state parts0 copy)"
    refused "  but not to between it and the snapshot" 3 "shop.parts: the ALTER TABLE of transaction $moved .*--before $moved, or from number [0-9]+ on" restore --to "$moved" --table shop.parts --into copy.parts1
    refused "    the other neither" 3 "shop.aside: the ALTER TABLE of transaction $moved " restore --to "$moved" --table shop.aside --into copy.parts1
    sed "s/name: shop/name: never/; s/topic: shop/topic: never/; s/user: root/user: root, snapshot: never/" "$work/$kind.yaml" >"$work/$kind-never.yaml"
    works "with snapshot: never" "$connect" run -q "$work/$kind-never.yaml" --until-end
    sql "CREATE TABLE lone (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN (20)); INSERT INTO lone VALUES (1), (11)"
    sql "ALTER TABLE lone DROP PARTITION low"
    moved=$(now_tx)
    sql "INSERT INTO lone VALUES (12)"
    works "  DROP PARTITION goes by" "$connect" run -q "$work/$kind-never.yaml" --until-end
    refused "  a verify later stops" 3 "shop.lone: the ALTER TABLE of transaction $moved .*--before" "$connect" verify -q "$work/$kind-never.yaml" --table shop.lone
    works "  a restore to before does not" "$connect" restore -q "$work/$kind-never.yaml" --before "$moved" --table shop.lone --into copy.lone
    same "    it is what was there" "1 11" "$(sql 'SELECT * FROM lone ORDER BY id' copy | tr '\n' ' ' | sed 's/ $//')"
    sql "DROP TABLE lone, parts, aside"
    capture
}

bad_points() {
    local log=$work/$kind-log file
    refused "a point before the capture" 2 'before|first|captured' restore --to '2001-01-01 00:00:00' --into 'copy.*' --replace
    refused "a transaction that is not in the log" 2 'not|captured|log' restore --to "$([ "$kind" = mariadb ] && echo 0-1-999999 || echo 11111111-1111-1111-1111-111111111111:5)" --into 'copy.*' --replace
    refused "a table that was never captured" 2 'nothing' restore --table shop.nothing --into copy.nothing
    refused "a database that is not there" 1 'there is no database nowhere' restore --table shop.orders --into nowhere.orders
    refused "no table at a time" 2 'parallel 0: write 1 to 64' restore --parallel 0 --table shop.orders --into copy.none
    refused "more at a time than there may be" 2 'parallel 100000: write 1 to 64' restore --parallel 100000 --table shop.orders --into copy.none
    sed "s/name: [^ ,]*/name: empty/; s#$kind-log#$kind-empty-log#" "$work/$kind.yaml" >"$work/$kind-empty.yaml"
    mkdir "$work/$kind-empty-log"
    refused "a log that holds nothing yet" 1 'no complete transaction' "$connect" restore -q "$work/$kind-empty.yaml" --table shop.orders --into copy.none
    sql "CREATE USER plain@localhost; GRANT ALL ON shop.* TO plain@localhost; GRANT ALL ON copy.* TO plain@localhost"
    sed 's/user: root/user: plain/' "$work/$kind.yaml" >"$work/$kind-plain.yaml"
    refused "a user who may not keep it out of the binlog" 1 'GRANT .* ON \*\.\*' "$connect" restore -q "$work/$kind-plain.yaml" --table shop.orders --into copy.none
    refused "an unknown flag" 2 'dry-run' restore --dry-rum
    file=$(find "$log/shop-0" -name '*.log' | head -n 1)
    cp "$file" "$work/kept" && printf 'XXXX' | dd of="$file" bs=1 seek=200 conv=notrunc status=none
    refused "a damaged segment" 1 '\.log.*byte|damage|checksum' restore --table shop.orders --into copy.damaged
    cp "$work/kept" "$file"
    "$connect" run -q "$work/$kind.yaml" >/dev/null 2>"$work/run" &
    runner=$!
    until "$connect" status "$work/$kind.yaml" 2>/dev/null | grep -q streaming; do
        kill -0 "$runner" || { cat "$work/run" && return 1; }
        sleep 0.05
    done
    refused "a data directory in use" 3 "$runner" "$connect" run -q "$work/$kind.yaml" --until-end
    works "a restore while the capture runs" restore --table shop.orders --into copy.live
    same "  it is what is there" "$(state orders)" "$(state live copy)"
    works "  in place too" restore --table shop.orders --replace
    kill "$runner" && wait "$runner" && ok "SIGTERM ends the capture cleanly" || not_ok "SIGTERM ends the capture cleanly" "$(tail -n 3 "$work/run")"
    runner=''
}

for kind in "$@"; do
    set_up
    to_any_point
    through_ddl
    moved_rows
    bad_points
    tests/support/servers stop "$work/$kind"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
