#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the MySQL connector's target does to real servers: mysql_target.sh [mariadb] [mysql]. BUILD=build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
[ $# -gt 0 ] || set -- mariadb mysql
plugin=${PLUGIN:-$build/connectors/mysql.so}
tool=${TOOL:-$build/tests/integration/mysql_target}
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-target-XXXXXX")
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

ok() {
    passed=$((passed + 1))
    echo "ok   mysql_target/$kind: $1"
}
not_ok() {
    failed=$((failed + 1))
    echo "FAIL mysql_target/$kind: $1"
    shift
    printf '    %s\n' "$@"
}
# check NAME COMMAND...: the command must succeed.
check() {
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then ok "$name"; else not_ok "$name" "$(cat "$work/out")"; fi
}
# same NAME WANTED GOT
same() {
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted: $2" "got:    $3"; fi
}
# refused NAME EXIT-CODE PATTERN COMMAND...: it must fail so, and say so.
refused() {
    local name=$1 wanted=$2 pattern=$3 code=0
    shift 3
    "$@" >"$work/out" 2>&1 || code=$?
    if [ "$code" = "$wanted" ] && grep -qE -- "$pattern" "$work/out"; then
        ok "$name"
    else
        not_ok "$name" "exit code $code, wanted $wanted and /$pattern/" "$(cat "$work/out")"
    fi
}
sql() { "${client[@]}" --batch --raw --skip-column-names -e "$1" "${2:-t}"; }
target() { "$tool" "$plugin" "$SOCKET" "$@"; }
digest() { target digest t "$1"; }
tables() { sql "SELECT table_name FROM information_schema.tables WHERE table_schema='t' AND table_name LIKE '%fluvio%'"; }
# The CREATE statement without the table's name and what differs between two tables that are alike.
show_create() { sql "SHOW CREATE TABLE \`$1\`" | cut -f2; }
create_of() { show_create "$1" | sed -e "s/^CREATE TABLE \`$1\`/CREATE TABLE x/" -e 's/AUTO_INCREMENT=[0-9]* //'; }
checksum() { sql "CHECKSUM TABLE \`$1\`" | cut -f2; }

make_types() {
    sql "CREATE TABLE types (
        id INT NOT NULL AUTO_INCREMENT, ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, mi MEDIUMINT, mu MEDIUMINT UNSIGNED, bi BIGINT,
        bu BIGINT UNSIGNED, f FLOAT, f2 FLOAT(8,2), d DOUBLE, dc DECIMAL(30,10), bt1 BIT(1), bt BIT(11), bt64 BIT(64), y YEAR, da DATE,
        t0 TIME, t6 TIME(6), dt DATETIME, dt3 DATETIME(3), ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL,
        c CHAR(10), v VARCHAR(200), vl VARCHAR(50) CHARACTER SET latin1, vu VARCHAR(20) CHARACTER SET ucs2, tx TEXT, lt LONGTEXT,
        b BINARY(8), vb VARBINARY(300), bl BLOB, e ENUM('a','b','0','00'), e2 ENUM('','x'), s SET('p','q','r'), j JSON,
        g GEOMETRY, p POINT, vg INT GENERATED ALWAYS AS (ti + 1) VIRTUAL, sg VARCHAR(220) GENERATED ALWAYS AS (CONCAT(v, '!')) STORED,
        hidden INT $invisible, nn VARCHAR(10) NOT NULL DEFAULT 'dflt',
        PRIMARY KEY (id), UNIQUE KEY u (bu), KEY v (v, bi), KEY pre (tx(20)), FULLTEXT KEY ft (lt), KEY vgi (vg)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='a, (b) \`c\` ''d'''"
    sql "SET sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone='+00:00', NAMES utf8mb4;
        INSERT INTO types (id, ti, tu, si, mi, mu, bi, bu, f, f2, d, dc, bt1, bt, bt64, y, da, t0, t6, dt, dt3, ts, ts6, c, v, vl, vu, tx, lt,
            b, vb, bl, e, e2, s, j, g, p, hidden, nn) VALUES
        (0, -128, 0, -32768, -8388608, 0, -9223372036854775808, 0, -3.4028234663852886e38, -123456.78, -1.7976931348623157e308,
            -99999999999999999999.9999999999, b'0', b'0', 0, 0, '0000-00-00', '-838:59:59', '-838:59:59', '0000-00-00 00:00:00',
            '2023-02-31 00:00:00.123', '0000-00-00 00:00:00', '1970-01-01 00:00:01.000001', '', '', '', '', '', '', '', '', '', '0', '', '',
            '{}', ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(3 4)', 4326), 1, ''),
        (1, 127, 255, 32767, 8388607, 16777215, 9223372036854775807, 18446744073709551615, 3.4028234663852886e38, 123456.78,
            1.7976931348623157e308, 99999999999999999999.9999999999, b'1', b'11111111111', 18446744073709551615, 2155, '9999-12-31',
            '838:59:59', '838:59:58.999999', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999', '2038-01-19 03:14:07',
            '2038-01-19 03:14:07.999999', '0123456789', CONCAT('tab\\t nl\\n cr\\r nul', CHAR(0 USING utf8mb4), ' bs\\\\ quote\\' dq\" \\\\N ', CHAR(26 USING utf8mb4)),
            'café €', '中', '😀', REPEAT('long words ', 5000), x'0001020304050607', UNHEX(REPEAT('00090A0D5C27FF80', 30)), UNHEX(REPEAT('FE00', 20000)),
            'a', 'x', 'p,r', '{\"a\": [1, 2.5, null, true, \"\\\\u00e9 \\\\\" \\\\n\"]}', ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0))'),
            ST_GeomFromText('POINT(-1.5 2.5)'), 2, 'x'),
        (2, 1, 1, 1, 1, 1, 1, 1, 1.1, 1.1, 0.1, 1.1, b'1', b'10', 258, 1901, '1000-01-01', '00:00:00', '-00:00:00.000001', '1000-01-01 00:00:00',
            '0001-01-01 00:00:00', '2000-02-29 12:00:00', '1999-12-31 23:59:59.5', 'a b', '\\\\N', 'NULL', ' x ', 'x', 'y', x'00', x'00', x'00', 'b', 'x', 'q', '[]',
            ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))'), NULL, NULL, 'y'),
        (3, 1, 1, 1, 1, 1, 1, 2, 16777217, 0.01, 5e-324, 0.0000000001, NULL, NULL, 1, 2024, '1970-01-01', '12:34:56', '12:34:56.789', '1969-12-31 23:59:59',
            '1970-01-01 00:00:00.001', '2024-02-29 00:00:00', NULL, 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', '00', '', 'p,q,r', '\"x\"', NULL, NULL, 5, 'z');
        INSERT INTO types (id, nn) VALUES (40, 'null'), (-5, 'minus');
        INSERT IGNORE INTO types (id, e, nn) VALUES (41, 'no such label', 'enum 0'), (42, 'neither', 'enum 0')"
}

round_trip() {
    make_types
    check "a table of every type is loaded under another name" target copy t types types2
    same "and its rows are the same, value by value" "$(digest types)" "$(digest types2)"
    same "and CHECKSUM TABLE agrees" "$(checksum types)" "$(checksum types2)"
    same "and its definition is the same" "$(create_of types)" "$(create_of types2)"
    same "and AUTO_INCREMENT goes on after the largest key" 43 \
        "$(sql "INSERT INTO types2 (bu, nn) VALUES (77, 'next'); SELECT LAST_INSERT_ID()")"
    same "and nothing is left beside it" "" "$(tables)"
    refused "a table that holds rows is not touched without replace" 3 "exists and holds rows" target copy t types types2
    same "and it still has its row more" 9 "$(sql "SELECT COUNT(*) FROM types2")"
    check "it is replaced when that is asked for" target copy t types types2 replace
    same "and has the rows of the source then" "$(digest types)" "$(digest types2)"
    sql "CREATE TABLE types3 (x INT)"
    check "an empty table may be in the way" target copy t types types3
    same "and is exchanged for the whole one" "$(digest types)" "$(digest types3)"
    check "without a CREATE statement the table is made from its columns" target copy t orders2 plain no-create
    same "and has the rows" "$(digest orders2)" "$(digest plain)"
    same "and the key" "PRIMARY" "$(sql "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema='t' AND table_name='plain'")"
    sql "CREATE DATABASE IF NOT EXISTS other"
    check "a table goes into another database" target copy t types other.types
    same "and is there" "8" "$(sql "SELECT COUNT(*) FROM types" other)"
    refused "a missing database is named" 1 "there is no database nowhere" target copy t types nowhere.types
    sql "CREATE VIEW vw AS SELECT 1 AS one"
    refused "a view is not replaced" 3 "is not a table" target copy t types vw replace
}

old_shapes() {
    sql "CREATE TABLE grown (id INT PRIMARY KEY, a VARCHAR(10), b INT NOT NULL DEFAULT 7, c INT NOT NULL, d VARCHAR(5) NOT NULL);
        INSERT INTO grown VALUES (1,'x',1,1,'y'), (2,'y',2,2,'z')"
    check "rows of an older shape are loaded" target copy t grown grown2 columns=2
    same "and lacking columns get their defaults" "1 x 7 0  2 y 7 0 " "$(sql "SELECT * FROM grown2 ORDER BY id" | tr '\t\n' '  ' | sed 's/ $//')"
}

orders() {
    check "many rows are loaded and get their indexes afterwards" \
        target orders t orders2 100000 ", UNIQUE KEY u (created_at), KEY status (status, customer_id)"
    same "and all are there" 100000 "$(sql "SELECT COUNT(*) FROM orders2")"
    same "and the indexes too, in the order of the statement" "PRIMARY u status status" \
        "$(sql "SHOW INDEX FROM orders2" | cut -f3 | tr '\n' ' ' | sed 's/ $//')"
    same "and a given index is whole" 20000 "$(sql "SELECT COUNT(*) FROM orders2 FORCE INDEX (status) WHERE status='paid'")"
}

failures() {
    refused "a row that comes twice fails the load" 1 "took [0-9]+ of [0-9]+ rows: Duplicate entry|Duplicate entry" \
        target copy t types twice2 twice
    same "and nothing is left of it" "0" "$(sql "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='t' AND table_name LIKE 'twice2%'")"
    sql "CREATE TABLE dup (id INT PRIMARY KEY, u INT); INSERT INTO dup SELECT customer_id, customer_id DIV 2 FROM orders2 GROUP BY customer_id ORDER BY customer_id LIMIT 1000;
        CREATE TABLE dup_shape (id INT PRIMARY KEY, u INT, UNIQUE KEY u (u))"
    show_create dup_shape >"$work/create"
    refused "a duplicate in an index that is added later fails the load" 1 "Duplicate entry" target copy t dup dup2 "create=$work/create"
    same "and leaves nothing" "" "$(tables)"
    sql "CREATE TABLE narrow_shape (id INT PRIMARY KEY, u TINYINT)"
    show_create narrow_shape >"$work/create"
    refused "a value that does not fit fails the load" 1 "Out of range value" target copy t dup dup3 "create=$work/create"
    check "an aborted load succeeds" target copy t types types2 replace abort
    same "and leaves nothing" "" "$(tables)"
    same "and leaves the destination as it was" "$(digest types)" "$(digest types2)"
    refused "a load that is broken off in the middle ends" 1 "broken off" target copy t orders2 types2 replace break=60000
    same "and leaves nothing" "" "$(tables)"
    check "an interrupted load ends" target copy t orders2 types2 replace interrupt=60000
    same "and leaves nothing" "" "$(tables)"
    same "and leaves the destination as it was" "$(digest types)" "$(digest types2)"
}

# Poll until the command succeeds.
await() {
    local tries=0
    until "$@" >"$work/await" 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { not_ok "waiting for: $*" "$(cat "$work/await")"; return 1; }
        sleep 0.1
    done
}
# A load that stops itself after some rows; its process is $child.
start_stopped() {
    : >"$work/hang"
    "$tool" "$plugin" "$SOCKET" "$@" >"$work/hang" 2>&1 &
    child=$!
    await grep -q hanging "$work/hang"
}
end_child() {
    code=0
    wait "$child" 2>"$work/wait" || code=$?
}

killed() {
    start_stopped copy t orders2 types2 replace hang=60000
    same "a load under way has a staging table" "types2__fluvio_restore" "$(tables)"
    refused "a second load of the same table at the same time is refused" 3 "another restore of t.types2 is running" \
        target copy t types types2 replace
    kill -9 "$child"
    end_child
    same "kill -9 leaves the destination as it was" "$(digest types)" "$(digest types2)"
    check "a second load succeeds" target copy t orders2 types2 replace
    same "and leaves nothing of the first one" "" "$(tables)"
    same "and has all rows" "$(digest orders2)" "$(digest types2)"
}

waiting() { [ "$(sql "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%RENAME TABLE%' AND info NOT LIKE '%processlist%' AND state LIKE '%metadata lock%'")" = 1 ]; }
holding() { [ "$(sql "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%GET_LOCK(''stay''%' AND info NOT LIKE '%processlist%'")" = 1 ]; }
sleeping() { [ "$(sql "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'SELECT SLEEP(120)'")" = 1 ]; }
# A session that runs a statement in a transaction, which it commits at let_go: it waits for a lock that another session keeps.
hold_with() {
    "${client[@]}" t -e "SELECT GET_LOCK('stay', 60); SELECT SLEEP(120)" >"$work/keeper" 2>&1 &
    keeper=$!
    await sleeping
    "${client[@]}" t -e "SET autocommit=0; $1; SELECT GET_LOCK('stay', 60); COMMIT" >"$work/hold" 2>&1 &
    holder=$!
    await holding
}
let_go() {
    local id
    id=$(sql "SELECT id FROM information_schema.processlist WHERE info = 'SELECT SLEEP(120)'")
    sql "KILL $id"
    wait "$keeper" 2>"$work/wait" || true
    wait "$holder"
}

commits() {
    sql "CREATE TABLE target (id INT PRIMARY KEY); INSERT INTO target VALUES (1);
        CREATE TABLE wanted (id INT PRIMARY KEY); INSERT INTO wanted VALUES (5), (6); CREATE TRIGGER keep BEFORE INSERT ON target FOR EACH ROW SET NEW.id = NEW.id + 100"
    hold_with "SELECT * FROM target"
    "$tool" "$plugin" "$SOCKET" copy t wanted target replace >"$work/commit" 2>&1 &
    child=$!
    await waiting
    ok "a commit waits for those who read the table"
    kill -9 "$child"
    end_child
    let_go
    await settled "SELECT COUNT(*) FROM target" 2
    await settled "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='t' AND table_name LIKE 'target%'" 1
    ok "a commit goes through when its process is killed meanwhile"
    sql "INSERT INTO target VALUES (1)"
    same "with all that belongs to it" "5 6 101" "$(sql "SELECT id FROM target ORDER BY id" | tr '\n' ' ' | sed 's/ $//')"

    sql "DROP TABLE target; CREATE TABLE target (id INT PRIMARY KEY)"
    start_stopped copy t orders2 target hang=50000
    sql "INSERT INTO target VALUES (9)"
    kill -CONT "$child"
    end_child
    same "rows that come into an empty destination while the load runs are refused" 3 "$code"
    same "and stay" 9 "$(sql "SELECT * FROM target")"
    same "and nothing else is there" "" "$(tables)"

    sql "DELETE FROM target"
    hold_with "INSERT INTO target VALUES (10)"
    "$tool" "$plugin" "$SOCKET" copy t wanted target >"$work/commit" 2>&1 &
    child=$!
    await waiting
    let_go
    end_child
    same "rows that come in at the very moment of the exchange are refused, too" 3 "$code"
    same "and stay" 10 "$(sql "SELECT * FROM target")"
    same "and nothing else is there" "" "$(tables)"
    sql "DROP TABLE target, wanted"
}
settled() { [ "$(sql "$1")" = "$2" ]; }

foreign_keys() {
    sql "CREATE TABLE country (id INT PRIMARY KEY);
        CREATE TABLE parent (id INT PRIMARY KEY, x INT, up INT, country INT, CONSTRAINT own_name FOREIGN KEY (country) REFERENCES country (id),
            FOREIGN KEY (up) REFERENCES parent (id), CONSTRAINT positive CHECK (x > 0), CHECK (x < 1000));
        CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT child_fk FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
        INSERT INTO country VALUES (1); INSERT INTO parent VALUES (1, 1, NULL, 1), (2, 2, 1, 1), (3, 3, 2, 1); INSERT INTO child VALUES (1, 1), (2, 3);
        CREATE TABLE good LIKE parent; INSERT INTO good SELECT * FROM parent; UPDATE parent SET x = 999; CREATE TABLE log (text VARCHAR(200));
        CREATE TRIGGER first_one BEFORE INSERT ON parent FOR EACH ROW SET NEW.x = NEW.x + 1;
        CREATE TRIGGER second_one BEFORE INSERT ON parent FOR EACH ROW SET NEW.x = NEW.x * 2"
    "${client[@]}" t -e "SET NAMES utf8mb4;
DELIMITER //
CREATE TRIGGER after_one AFTER UPDATE ON parent FOR EACH ROW BEGIN INSERT INTO log VALUES (CONCAT('hé ; ', NEW.id)); SET @x = 'a;b'; END//"
    local before
    before=$(create_of parent)
    show_create parent >"$work/create"
    same "a table with children says so" "exists filled parent" "$(target inspect t parent)"
    check "a table with children, triggers and its own foreign keys is replaced" target copy t good parent replace "create=$work/create"
    same "and has the old rows" "1 2 3" "$(sql "SELECT x FROM parent ORDER BY id" | tr '\n' ' ' | sed 's/ $//')"
    same "and children point at it" parent "$(sql "SELECT referenced_table_name FROM information_schema.referential_constraints WHERE constraint_name='child_fk'")"
    refused "and a child without parent is refused" 1 "foreign key constraint fails" sql "INSERT INTO child VALUES (9, 9)"
    refused "and a row without its country is refused" 1 "foreign key constraint fails" sql "INSERT INTO parent VALUES (9, 9, NULL, 9)"
    sql "INSERT INTO parent VALUES (4, 4, 3, 1); UPDATE parent SET up = NULL WHERE id = 4"
    same "and triggers fire in their order" 10 "$(sql "SELECT x FROM parent WHERE id = 4")"
    same "and their text is whole" "hé ; 4" "$(sql "SET NAMES utf8mb4; SELECT text FROM log WHERE text LIKE '%4'")"
    sql "DELETE FROM parent WHERE id = 3"
    same "and deletes cascade" 1 "$(sql "SELECT COUNT(*) FROM child")"
    if [ "$kind" = mysql ]; then
        same "and the definition is the same but for a name that was taken" "$(sed 's/CONSTRAINT `positive` //' <<<"$before" | sort)" \
            "$(create_of parent | sed 's/CONSTRAINT `parent_chk_2` //; s/CONSTRAINT `positive` //' | sort)"
    else
        same "and the definition is the same" "$before" "$(create_of parent)"
    fi
    same "and nothing is left beside it" "" "$(tables)"
    sql "CREATE TABLE safe LIKE parent; INSERT INTO safe SELECT * FROM parent; SET foreign_key_checks=0; DROP TABLE parent"
    check "a dropped parent comes back" target copy t safe parent
    refused "and its children know it" 1 "foreign key constraint fails" sql "INSERT INTO child VALUES (9, 9)"
}

no_local_infile() {
    sql "SET GLOBAL local_infile=0"
    check "without local_infile rows go in by INSERT" target copy t types insert1
    same "and it is reported" 1 "$(grep -c "SET GLOBAL local_infile=1" "$work/out")"
    same "and the rows are the same, value by value" "$(digest types)" "$(digest insert1)"
    check "and many rows of an older shape too" target copy t orders2 insert2 columns=6
    same "and all are there" 100000 "$(sql "SELECT COUNT(*) FROM insert2")"
    refused "and a row that comes twice fails the load" 1 "Duplicate entry" target copy t orders2 insert3 twice
    same "and nothing is left of it" "" "$(tables)"
    sql "SET GLOBAL local_infile=1"
}

binlog_end() { sql "SHOW $([ "$kind" = mysql ] && echo "BINARY LOG" || echo MASTER) STATUS" | cut -f1,2; }

binlog() {
    local before
    before=$(binlog_end)
    check "a replace that stays out of the binlog" target copy t types types2 replace
    check "and an aborted one" target copy t types types2 replace abort
    check "and an interrupted one" target copy t orders2 types2 replace interrupt=50000
    same "leave the binlog as it was" "$before" "$(binlog_end)"
    check "a replace that is to be in the binlog" target copy t types types2 replace binlog
    if [ "$before" = "$(binlog_end)" ]; then not_ok "is in the binlog"; else ok "is in the binlog"; fi
    sql "CREATE USER plain@localhost; GRANT ALL ON t.* TO plain@localhost; GRANT FILE ON *.* TO plain@localhost"
    refused "a user who may not keep out of the binlog is told which grant is missing" 1 "GRANT (BINLOG ADMIN|SYSTEM_VARIABLES_ADMIN)" \
        "$tool" "$plugin" "$SOCKET,plain" copy t types types4
    check "and may restore into the binlog" "$tool" "$plugin" "$SOCKET,plain" copy t types types4 binlog
}

for kind in "$@"; do
    started+=("$kind")
    tests/support/servers start "$kind" "$work/$kind" --local-infile=1 >"$work/start" || { cat "$work/start"; exit 1; }
    . "$work/$kind/env"
    read -ra client <<<"$CLIENT"
    invisible=$([ "$kind" = mysql ] && echo "/*!80023 INVISIBLE */" || echo INVISIBLE)
    sql "CREATE DATABASE t DEFAULT CHARACTER SET utf8mb4" mysql
    orders
    round_trip
    old_shapes
    failures
    killed
    commits
    foreign_keys
    no_local_infile
    binlog
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
