#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The runner with its log in an Apache Kafka: the stream interface itself (on an SPU of ours, too), capture, restart of Kafka, restore, verify, status,
# bad input: kafka_log.sh [mariadb] [mysql]. BUILD=build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
connect=$build/fluvio-connect
[ $# -gt 0 ] || set -- mariadb mysql
export KAFKA_JVM="-XX:+UseSerialGC -XX:TieredStopAtLevel=1" # it is started often
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-kafka-log-XXXXXX")
chmod 755 "$work"
passed=0 failed=0 runner='' kind='' guarded=''

clean_up() {
    [ -z "$runner" ] || kill -9 "$runner" 2>/dev/null || true
    [ -z "$guarded" ] || kill -9 "$guarded" 2>/dev/null || true
    for kind in mariadb mysql; do
        tests/support/servers stop "$work/$kind" 2>/dev/null || true
    done
    tests/support/kafka-node kill "$work/kafka" 2>/dev/null || true
    tests/support/spu-node kill "$work/spu" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

ok() { passed=$((passed + 1)) && echo "ok   kafka_log/$kind: $1"; }
not_ok() {
    failed=$((failed + 1))
    echo "FAIL kafka_log/$kind: $1"
    shift
    printf '    %s\n' "$@"
}
sql() { $CLIENT -N -e "$1" "${2:-shop}"; }
same() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted: $2" "got:    $3"; fi; }
works() { # NAME COMMAND...
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
wait_for() { # SECONDS COMMAND...: until it succeeds
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}
write_file() { # NAME TOPIC [LINE-UNDER-LOG.KAFKA...]
    local name=$1 topic=$2
    shift 2
    {
        printf 'apiVersion: 0.1.0\nmeta: { name: %s, type: mysql-source, topic: "%s" }\n' "$name" "$topic"
        printf 'log:\n  kafka:\n    bootstrap.servers: %s\n' "$BOOTSTRAP"
        [ $# -eq 0 ] || printf '    %s\n' "$@"
        printf 'mysql: { socket: %s, user: root, tables: ["shop.*"], server-id: %s }\n' "$SOCKET" $((1000 + RANDOM))
    } >"$work/$name.yaml"
}
all_of() { kcat -q -b "$BOOTSTRAP" -C -t "$1" -e -f "${2:-%s\n}"; }
count_of() { all_of "$1" '%o\n' | wc -l; }
holds() { [ "$(count_of "$1")" -ge "$2" ]; }
ended() { ! kill -0 "$runner" 2>/dev/null; }

check_says() { # EXIT-CODE FILE PATTERN...
    local wanted=$1 file=$2 code=0 pattern
    shift 2
    "$connect" check "$file" >"$work/check" 2>&1 || code=$?
    cat "$work/check"
    for pattern in "$@"; do grep -qE -- "$pattern" "$work/check" || { echo "no line like $pattern" && return 1; }; done
    [ $code -eq "$wanted" ]
}

start_run() { # FILE
    "$connect" run "$1" >"$work/diag" 2>&1 &
    runner=$!
}
stop_run() {
    local code=0
    kill -TERM "$runner"
    wait "$runner" || code=$?
    runner=''
    return $code
}

the_stream_itself() { # NODE-DIR NODE-SCRIPT
    local status program name
    for program in kafka_stream kafka_writers; do
        status=0
        "$build/tests/integration/$program" "$1" "$2" >"$work/out" 2>&1 || status=$?
        while read -r name; do
            ok "${name//_/ }"
        done < <(sed -n 's/^\[       OK \] //p' "$work/out")
        [ "$status" -eq 0 ] || not_ok "$program (exit $status)" "$(grep -E 'ERROR|LINE|FAILED' "$work/out")" "$(tail -n 10 "$work/out")"
    done
}

set_up() {
    tests/support/servers start "$kind" "$work/$kind" --innodb-flush-log-at-trx-commit=2 --local-infile=1 >/dev/null
    . "$work/$kind/env"
    . "$work/kafka/env"
    $CLIENT <<'SQL'
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE copy CHARACTER SET utf8mb4;
USE shop;
CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer INT, amount DECIMAL(10,2), note TEXT);
CREATE TABLE visits (page VARCHAR(20), n INT);
INSERT INTO orders (customer, amount, note) VALUES (1, 1.50, 'first'), (2, -3.25, NULL), (3, 0, 'ä€😀');
INSERT INTO visits VALUES ('a', 1), ('a', 1), (NULL, NULL);
SQL
    write_file "$kind" "$kind"
}

capture_and_restore() {
    local file=$work/$kind.yaml good orders lines
    works "check finds all well" "$connect" check "$file"
    works "  a capture to the end" "$connect" run -q "$file" --until-end
    same "kcat reads Debezium's JSON" '"r" 1 1.50' \
        "$(all_of "$kind" | grep '"table":"orders"' | head -n 1 | sed -n 's/.*"after":{"id":1,.*"amount":\("*1.50"*\).*"op":\("r"\).*/\2 1 1.50/p')"
    sql "UPDATE orders SET note = 'paid' WHERE id = 1; DELETE FROM visits WHERE page = 'a'; INSERT INTO visits VALUES ('b', 2)"
    works "  and on from there" "$connect" run -q "$file" --until-end
    lines=$(count_of "$kind")
    works "  a start with nothing new" "$connect" run -q "$file" --until-end
    same "    writes nothing again" "$lines" "$(count_of "$kind")"
    orders=$(sql 'SELECT * FROM orders ORDER BY id' | md5sum)
    if [ "$kind" = mariadb ]; then good=$(sql 'SELECT @@gtid_binlog_pos'); else good=$(sql 'SELECT @@gtid_executed' | sed 's/:.*-/:/'); fi
    sql "UPDATE orders SET note = 'wrecked'"
    works "  what wrecked it, too" "$connect" run -q "$file" --until-end
    works "restore to a transaction" "$connect" restore -q "$file" --to "$good" --table shop.orders --into copy.orders
    same "  it is what was there" "$orders" "$(sql 'SELECT * FROM orders ORDER BY id' copy | md5sum)"
    works "restore in place, noted in the log" "$connect" restore -q "$file" --to "$good" --table shop.orders --replace
    same "  it is what was there" "$orders" "$(sql 'SELECT * FROM orders ORDER BY id' | md5sum)"
    same "  the marker is the last record" '"table":"orders"' "$(all_of "$kind" | tail -n 1 | grep -o '"table":"orders"')"
    works "  a capture goes on behind it" "$connect" run -q "$file" --until-end
    works "verify says it is the same" "$connect" verify -q "$file"
    refused "status, when nothing runs" 1 'no runner has' "$connect" status "$file"
}

through_a_restart() {
    local file=$work/$kind.yaml before
    start_run "$file"
    wait_for 30 "$connect" status "$file" || not_ok "the runner comes up" "$(cat "$work/diag")"
    if "$connect" status "$file" | grep -q "Kafka $BOOTSTRAP"; then ok "status names the cluster"; else not_ok "status names the cluster"; fi
    refused "a second capture on the machine" 3 'runs as process' "$connect" run -q "$file"
    before=$(count_of "$kind")
    tests/support/kafka-node kill "$work/kafka"
    sql "INSERT INTO orders (customer) SELECT n FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 500) SELECT n FROM s) q"
    if wait_for 30 grep -q 'the log does not answer' "$work/diag"; then ok "a killed Kafka is waited for"; else not_ok "a killed Kafka is waited for" "$(tail -n 3 "$work/diag")"; fi
    if ended; then not_ok "  the runner goes on" "$(tail -n 3 "$work/diag")"; else ok "  the runner goes on"; fi
    if "$connect" status "$file" | grep -q 'waiting.*the log does not answer'; then ok "  status says so"; else not_ok "  status says so" "$("$connect" status "$file" 2>&1)"; fi
    tests/support/kafka-node again "$work/kafka"
    if wait_for 60 holds "$kind" $((before + 500)); then ok "  and when it is back, all is written"; else not_ok "  and when it is back, all is written" "$(tail -n 3 "$work/diag")"; fi
    tests/support/kafka-node stop "$work/kafka"
    sql "UPDATE orders SET note = 'while it was stopped' WHERE id <= 100"
    tests/support/kafka-node again "$work/kafka"
    if wait_for 60 holds "$kind" $((before + 600)); then ok "a clean restart, too"; else not_ok "a clean restart, too" "$(tail -n 3 "$work/diag")"; fi
    works "SIGTERM ends it cleanly" stop_run
    same "nothing is there twice" $((before + 600)) "$(count_of "$kind")"
    works "verify says it is the same" "$connect" verify -q "$file"
    start_run "$file"
    wait_for 30 "$connect" status "$file" || true
    tests/support/kafka-node kill "$work/kafka"
    sql "INSERT INTO orders (customer) VALUES (77)"
    wait_for 30 grep -q 'the log does not answer' "$work/diag" || true
    works "SIGTERM ends it while Kafka is away, too" stop_run
    tests/support/kafka-node again "$work/kafka"
    works "  the next start captures what was left" "$connect" run -q "$file" --until-end
    works "  verify says it is the same" "$connect" verify -q "$file"
    same "  and nothing is there twice" $((before + 601)) "$(count_of "$kind")"
}

# As on two machines, where no lock sees to it.
two_runners() {
    local code=0 before first
    before=$(count_of "$kind")
    sed "s|^  kafka:|  kafka:\n    state-dir: $work/first|" "$work/$kind.yaml" >"$work/first.yaml"
    sed "s|^  kafka:|  kafka:\n    state-dir: $work/second|; s/server-id: [0-9]*/server-id: 77/" "$work/$kind.yaml" >"$work/second.yaml"
    "$connect" run "$work/first.yaml" >"$work/first.diag" 2>&1 &
    first=$!
    sql "INSERT INTO orders (customer) VALUES (78)"
    wait_for 30 holds "$kind" $((before + 1)) || not_ok "the first of two runners works" "$(tail -n 3 "$work/first.diag")"
    start_run "$work/second.yaml"
    wait_for 30 "$connect" status "$work/second.yaml" || not_ok "the second comes up" "$(cat "$work/diag")"
    sql "INSERT INTO orders (customer) SELECT n FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 300) SELECT n FROM s) q"
    wait "$first" || code=$?
    same "of two runners the older ends" 3 "$code"
    if grep -q 'another process has taken over as writer fluvio.log' "$work/first.diag"; then ok "  and says why"; else not_ok "  and says why" "$(cat "$work/first.diag")"; fi
    wait_for 30 holds "$kind" $((before + 301)) || true
    works "  the newer goes on, and ends when asked" stop_run
    same "  nothing is lost or there twice" $((before + 301)) "$(count_of "$kind")"
    works "  verify says it is the same" "$connect" verify -q "$work/$kind.yaml"
}

several_partitions() {
    sql "INSERT INTO orders (customer) SELECT n FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 100) SELECT n FROM s) q"
    write_file "$kind-parts" "$kind-\${table}"
    sed -i 's/^meta: {/meta: { producer: { partitions: 3, compression: zstd },/' "$work/$kind-parts.yaml"
    works "a topic a table, three partitions" "$connect" run -q "$work/$kind-parts.yaml" --until-end
    same "  kcat sees the partitions" "0 1 2" "$(all_of "$kind-orders" '%p\n' | sort -u | tr '\n' ' ' | sed 's/ $//')"
    sql "UPDATE orders SET amount = 7 WHERE id % 2 = 0; DELETE FROM orders WHERE id % 5 = 0"
    works "  changes" "$connect" run -q "$work/$kind-parts.yaml" --until-end
    works "  verify says it is the same" "$connect" verify -q "$work/$kind-parts.yaml"
    works "  restore all" "$connect" restore -q "$work/$kind-parts.yaml" --into 'copy.*' --replace
    same "  it is what is there" "$(sql 'SELECT * FROM orders ORDER BY id' | md5sum)" "$(sql 'SELECT * FROM orders ORDER BY id' copy | md5sum)"
}

# As docs/connector-file.md says what a user needs, over TLS with SCRAM; then without each of it.
least_grants() {
    local port topic name=guarded
    port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport')
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/node.key" -out "$work/node.pem" -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null
    printf '%s\n' "data-dir: $work/guarded-data" 'authorization: { enabled: true, super-users: [User:root] }' 'listeners:' \
        "  - {name: TLS, host: 127.0.0.1, port: $port, auth: sasl, tls: {certificate: $work/node.pem, key: $work/node.key}}" >"$work/guarded-spu.yaml"
    for who in root runner; do echo "$who-secret" | "$build/fluvio-spu" --config "$work/guarded-spu.yaml" --add-user "$who" >"$work/out" 2>&1; done
    "$build/fluvio-spu" --config "$work/guarded-spu.yaml" >"$work/guarded.log" 2>&1 &
    guarded=$!
    wait_for 20 grep -q 'serving node' "$work/guarded.log" || not_ok "a guarded SPU comes up" "$(cat "$work/guarded.log")"
    fluvio() { HOME=$work "$build/fluvio" "$@" >"$work/out"; }
    fluvio profile add -q root "127.0.0.1:$port" --user root --ca "$work/node.pem" --password-file - <<<root-secret
    BOOTSTRAP=127.0.0.1:$port write_file $name "$kind-guarded" 'security.protocol: sasl_ssl' "ssl.ca.location: $work/node.pem" 'sasl.mechanism: SCRAM-SHA-256' \
        'sasl.username: runner' 'sasl.password: "${{ secrets.RUNNER_PASSWORD }}"'
    export RUNNER_PASSWORD=runner-secret
    refused "a user without grants writes nothing" 2 'fluvio.log.guarded: .*Transactional Id authorization failed' "$connect" run -q "$work/$name.yaml" --until-end
    works "  check names the commands that let it" check_says 1 "$work/$name.yaml" \
        "--allow-principal User:runner --operation Describe --operation Read --operation Write --operation Create --topic $kind-guarded\$" \
        "--allow-principal User:runner --operation Describe --operation Write --transactional-id fluvio.log.$name\$"
    fluvio acl add -q --user runner --transactional-id fluvio.log.$name --operation write,describe
    refused "  nor with the transactional id alone" 2 'uthorization failed' "$connect" run -q "$work/$name.yaml" --until-end
    for topic in "$kind-guarded" $name _fluvio.schemas _fluvio.checkpoint.$name; do
        fluvio acl add -q --user runner --topic "$topic" --operation describe,read,create
    done
    works "  check names what is missing of a topic that is not there yet" check_says 1 "$work/$name.yaml" 'FAIL  grants +User:runner may not WRITE on the topic _fluvio.schemas'
    for topic in "$kind-guarded" $name _fluvio.schemas _fluvio.checkpoint.$name; do
        fluvio acl add -q --user runner --topic "$topic" --operation write
    done
    works "with the grants of the documentation it does, over TLS with SCRAM" "$connect" run -q "$work/$name.yaml" --until-end
    works "  check finds all well" check_says 0 "$work/$name.yaml" 'ok +grants' 'warn  topic settings +not checked: those of .* may not be read'
    works "  verify says it is the same" "$connect" verify -q "$work/$name.yaml"
    export RUNNER_PASSWORD=wrong-one
    refused "  a wrong password is told, and not shown" 2 'uthentication failed' "$connect" run -q "$work/$name.yaml" --until-end
    if grep -q wrong-one "$work/err"; then not_ok "  nor in the diagnostics"; else ok "  nor in the diagnostics"; fi
    unset RUNNER_PASSWORD
    kill "$guarded" && wait "$guarded" || not_ok "  the SPU ends cleanly"
    guarded=''
}

bad_input() {
    local topic=$kind-bad
    write_file bad "$topic" 'linger.mss: 5'
    refused "an unknown property" 2 'bad.yaml:6:5: `linger.mss` is no property of librdkafka .*did you mean `linger.ms`' "$connect" run -q "$work/bad.yaml"
    write_file bad "$topic" 'acks: 1'
    refused "a property that the promise rests on" 2 'bad.yaml:6:11: `acks` cannot be set' "$connect" run -q "$work/bad.yaml"
    write_file bad "$topic" 'queue.buffering.max.kbytes: "a lot"'
    refused "a value that is none" 2 'bad.yaml:6:33: ' "$connect" run -q "$work/bad.yaml"
    write_file bad "$topic" 'sasl.password: "${{ secrets.NOT_SET_ANYWHERE }}"'
    refused "a secret that is nowhere" 2 'NOT_SET_ANYWHERE' "$connect" run -q "$work/bad.yaml"
    write_file bad "$topic" 'sasl.password: "${{ secrets.BROKER_PASSWORD }}"' 'security.protocol: sasl_plaintext' 'sasl.mechanism: PLAIN' 'sasl.username: me'
    BROKER_PASSWORD=hunter2secret timeout -k 5 30 "$connect" check "$work/bad.yaml" >"$work/out" 2>&1 || true
    if grep -q 'FAIL  *cluster' "$work/out" && ! grep -q hunter2secret "$work/out"; then ok "a password is used and not shown"; else not_ok "a password is used and not shown" "$(cat "$work/out")"; fi
    BOOTSTRAP=127.0.0.1:1 write_file bad "$topic"
    refused "check, when no broker is there" 1 'nothing' sh -c "'$connect' check '$work/bad.yaml' | grep -q 'FAIL  *cluster .*127.0.0.1:1.*Connection refused' && echo nothing >&2 && exit 1"
    start_run "$work/bad.yaml"
    if wait_for 30 grep -q 'Connection refused.*trying again until it works' "$work/diag" && ! ended; then ok "run, when no broker is there, tries again"; else not_ok "run, when no broker is there, tries again" "$(cat "$work/diag")"; fi
    same "  one line says so" 1 "$(grep -c 'trying again' "$work/diag")"
    works "  and ends when asked" stop_run
    tests/support/kafka-tool topics --bootstrap-server "$BOOTSTRAP" --create --topic "$topic" --partitions 2 --config max.message.bytes=20000 \
        --config retention.ms=3600000 --config message.timestamp.type=LogAppendTime \
        --config unclean.leader.election.enable=true >/dev/null
    write_file bad "$topic"
    refused "a topic with other partitions" 2 "$topic has 2 partitions, which cannot become 1" "$connect" run -q "$work/bad.yaml" --until-end
    sed -i 's/^meta: {/meta: { producer: { partitions: 2 },/' "$work/bad.yaml"
    "$connect" check "$work/bad.yaml" >"$work/out" 2>&1 || true
    if [ "$(grep -oE 'add-config (retention.ms=-1|message.timestamp.type=CreateTime|unclean.leader.election.enable=false|max.message.bytes=[0-9]+)$' \
        "$work/out" | sort -u | wc -l)" -eq 4 ]; then
        ok "check names the commands that mend a topic's settings"
    else
        not_ok "check names the commands that mend a topic's settings" "$(cat "$work/out")"
    fi
    tests/support/kafka-tool topics --bootstrap-server "$BOOTSTRAP" --create --topic compacted --config cleanup.policy=compact >/dev/null
    write_file packed compacted
    refused "  and refuses one that is compacted" 1 'nothing' sh -c "'$connect' check '$work/packed.yaml' | grep -A 1 'FAIL  *history .*compacted' | grep -q 'add-config cleanup.policy=delete' && echo nothing >&2 && exit 1"
    sql "INSERT INTO orders (customer, note) VALUES (5, REPEAT('x', 30000))"
    refused "a record over the topic's limit" 1 'max.message.bytes 20000' "$connect" run -q "$work/bad.yaml" --until-end
    sed -i 's/^log:/on-error: dead-letter\nlog:/' "$work/bad.yaml"
    works "  goes to the dead letters when asked" "$connect" run -q "$work/bad.yaml" --until-end
    same "  it is there" 1 "$(count_of bad.dead-letter)"
    sed -i 's/partitions: 2 }/partitions: 2, record-bytes-max: 1MiB }/; s/name: bad/name: better/' "$work/bad.yaml"
    works "a limit given in the file is set on the topic" "$connect" run -q "$work/bad.yaml" --until-end
    same "  it is" "max.message.bytes=1049600" "$(tests/support/kafka-tool configs --bootstrap-server "$BOOTSTRAP" --describe --entity-type topics --entity-name "$topic" | grep -o 'max.message.bytes=[0-9]*' | head -n 1)"
    same "  what was set besides stays" "retention.ms=3600000" "$(tests/support/kafka-tool configs --bootstrap-server "$BOOTSTRAP" --describe --entity-type topics --entity-name "$topic" | grep -o ' retention.ms=[0-9]*' | head -n 1 | tr -d ' ')"
}

kind='stream on an SPU'
tests/support/spu-node start "$work/spu" >/dev/null
the_stream_itself "$work/spu" tests/support/spu-node
tests/support/spu-node stop "$work/spu"
kind='stream on Kafka'
tests/support/kafka-node start "$work/kafka" >/dev/null
the_stream_itself "$work/kafka" tests/support/kafka-node
for kind in "$@"; do
    set_up
    capture_and_restore
    if [ "$kind" = "$1" ]; then # which database it is does not matter to these
        through_a_restart
        two_runners
    fi
    several_partitions
    if [ "$kind" = "$1" ]; then
        least_grants
        bad_input
    fi
    tests/support/servers stop "$work/$kind"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
