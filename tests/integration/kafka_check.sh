#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What `fluvio-connect check` sees in an Apache Kafka before a run does: whether it can give transactions, and what the user may do
# there; that the commands it prints mend it; and what `run` says meanwhile. Both ways of the bridge: into log.kafka, and to a target;
# and topics that are called after the tables of a database, there and in our SPU.
# BUILD=build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
connect=$build/fluvio-connect
admin=$build/tests/integration/bridge_admin
export KAFKA_JVM="-XX:+UseSerialGC -XX:TieredStopAtLevel=1" # it is started often
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-kafka-check-XXXXXX")
chmod 755 "$work" # the database server's user passes through it
passed=0 failed=0 runner='' GROUPS_OF=''

clean_up() {
    [ -z "$runner" ] || kill -9 "$runner" 2>/dev/null || true
    tests/support/kafka-node kill "$work/kafka" 2>/dev/null || true
    tests/support/spu-node kill "$work/spu" 2>/dev/null || true
    tests/support/kafka-cluster kill "$work/three" 2>/dev/null || true
    tests/support/spu kill "$work/acl" 2>/dev/null || true
    tests/support/servers stop "$work/mariadb" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

ok() { passed=$((passed + 1)) && echo "ok   kafka_check/$1"; }
not_ok() {
    failed=$((failed + 1))
    echo "FAIL kafka_check/$1"
    shift
    printf '    %s\n' "$@"
}
holds() { # NAME COMMAND...
    local name=$1 code=0
    shift
    "$@" >"$work/out" 2>&1 || code=$?
    if [ $code -eq 0 ]; then ok "$name"; else not_ok "$name" "exit code $code" "$(tail -n 30 "$work/out")"; fi
}
wait_for() { # SECONDS COMMAND...: until it succeeds
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}

# file NAME SERVERS [PROPERTY...]: in goes from our SPU into a log in Kafka; out from our SPU to Kafka; back from there to our SPU
file() {
    local name=$1 servers=$2 kind=source topic='${topic}'
    shift 2
    [ "$name" != out ] || kind=sink topic='out.${topic}'
    [ "$name" != back ] || topic='back.${topic}'
    {
        printf 'apiVersion: 0.1.0\nmeta: { name: %s, type: kafka-%s, topic: "%s" }\n' "$name" $kind "$topic"
        if [[ $name = *in ]]; then
            printf 'log: { kafka: { bootstrap.servers: "%s"%s } }\nkafka:\n  bootstrap.servers: "%s"\n' "$servers" "${*:+$(printf ', %s' "$@")}" "$SPU"
        else
            printf 'log: { kafka: { bootstrap.servers: "%s" } }\nkafka:\n  bootstrap.servers: "%s"\n' "$SPU" "$servers"
            [ $# -eq 0 ] || printf '  properties: { %s }\n' "$(printf ' %s,' "$@")"
        fi
        printf '  topics: [one]\n'
        [ -z "$GROUPS_OF" ] || printf '  groups: [%s]\n' "$GROUPS_OF"
    } >"$work/$name.yaml"
    chmod 600 "$work/$name.yaml"
}
check() { "$connect" check "$work/$1.yaml" >"$work/$1.check" 2>&1; }
# told NAME PATTERN [FIX]: the last check has such a line, and under it such a fix
told() {
    cat "$work/$1.check"
    if [ $# -eq 2 ]; then grep -qE -- "$2" "$work/$1.check"; else grep -E -A 1 -- "$2" "$work/$1.check" | grep -qF -- "fix: $3"; fi
}
# The commands under failures, as an administrator would run them.
mend() { # NAME
    local words
    sed -n "s/^ *fix: kafka-acls.sh --bootstrap-server $SECURE //p" "$work/$1.check" >"$work/commands"
    [ -s "$work/commands" ] || return 1
    while read -r words; do
        # shellcheck disable=SC2086 # they are words
        tests/support/kafka-tool acls --bootstrap-server "$BOOTSTRAP" $words &
    done <"$work/commands"
    wait
}
mended() { mend "$1" && { wait_for 10 check "$1" || { cat "$work/$1.check" && false; }; }; } # rules count a moment later
grant() { HOME=$work "$build/fluvio" acl add -q --user runner "$@" >/dev/null; }
says_while_it_runs() { # NAME PATTERN
    local code=0
    "$connect" run "$work/$1.yaml" >"$work/$1.diag" 2>&1 &
    runner=$!
    wait_for 30 grep -qE -- "$2" "$work/$1.diag" || code=1
    kill -TERM "$runner"
    wait "$runner" || code=1
    runner=''
    cat "$work/$1.diag"
    return $code
}
copy() { timeout 60 "$connect" run --until-end "$work/$1.yaml"; }

no_transactions() {
    local why='the cluster wants 3 replicas of __transaction_state \(transaction.state.log.replication.factor\) and has 1 broker'
    local fix='set transaction.state.log.replication.factor=1 and transaction.state.log.min.isr=1 in server.properties of each broker'
    local name
    for name in in out; do
        file $name "$BOOTSTRAP"
        holds "$name: check sees that there are too few brokers for transactions" eval "! check $name && told $name 'FAIL  transactions +$why' '$fix'"
        holds "$name: and run says so while it waits" says_while_it_runs $name "waiting: Kafka: no transaction can begin: $why"
    done
}

secure_user() {
    echo "security.protocol: sasl_ssl, sasl.mechanism: PLAIN, sasl.username: runner, sasl.password: runner-secret, ssl.ca.location: $work/kafka/node.pem"
}
# Transactions are possible by now; a user who may do nothing, then what the commands give.
grants() {
    local who name own writer copy
    who=$(secure_user)
    for name in in out; do
        file $name "$SECURE" "$who"
        own=_fluvio.offsets.in writer=fluvio.log.in copy=one
        [ $name = in ] || own=_fluvio.sink.out writer=fluvio.sink.out copy=out.one
        holds "$name: check names what a user may not do with a topic" eval "! check $name && told $name 'FAIL  grants +User:runner may not DESCRIBE, READ, WRITE and CREATE on the topic $own'"
        holds "$name: nor with the copy" told $name "FAIL  grants +User:runner may not .*WRITE.* on the topic $copy"
        holds "$name: and as who it may not write" told $name "FAIL  grants +User:runner may not DESCRIBE and WRITE on the transactional id $writer"
        holds "$name: and that the settings may not be read" told $name 'warn  transactions +not checked: __transaction_state may not be looked at'
        grant --operation describe --topic $own
        holds "$name: and no more than is missing, of a topic that is not there yet" eval "! check $name && told $name 'FAIL  grants +User:runner may not READ(, WRITE and CREATE| and WRITE) on the topic $own'"
        holds "$name: the printed commands mend it" eval "mended $name && told $name 'ok +grants'"
    done
    for name in in out; do
        holds "$name: with them and those on the copy it runs" copy $name
        holds "$name: and check finds all well where its topic is there" check $name
    done
    groups
    file back "$SECURE" "$who"
    holds 'back: what may be read is copied out again' eval "check back && told back 'ok +grants +may read them' && copy back"
    grant --deny --operation write --transactional-id fluvio.log.in
    holds 'a transactional id that may be described only' eval "! check in && told in 'FAIL  grants +User:runner may not WRITE on the transactional id fluvio.log.in' \
        'kafka-acls.sh --bootstrap-server $SECURE --add --allow-principal User:runner --operation Write --transactional-id fluvio.log.in'"
    file out "$SECURE" "${who/PLAIN/SCRAM-SHA-512}"
    if kcat -V | grep -qE 'librdkafka (1|2\.[0-5]|2\.6\.0)\b'; then
        holds 'check says that an old librdkafka cannot log in by SCRAM' eval "! check out && told out 'FAIL  brokers .*SCRAM' 'look at user and password; librdkafka before 2.6.1 cannot log in by SCRAM to Kafka 4'"
    fi
}

committed() { # GROUP: what it has committed there, partition by partition
    HOME=$work "$build/fluvio" consumer describe "$1" -o json | jq -c '[.[].partitions[] | [.topic, .committed]]'
}
groups() {
    local GROUPS_OF=readers name
    echo first | HOME=$work "$build/fluvio" produce one --cluster "$SPU"
    HOME=$work "$build/fluvio" consume one --cluster "$SPU" -q -B -d -g readers >/dev/null
    for name in in out; do
        file $name "$SECURE" "$who"
        holds "$name: a group that may not be committed for" eval "! check $name && told $name 'FAIL  grants +User:runner may not DESCRIBE and READ on the group readers' \
            'kafka-acls.sh --bootstrap-server $SECURE --add --allow-principal User:runner --operation Describe --operation Read --group readers'"
        [ $name = in ] || holds 'out: who commits must read the copy' told out 'FAIL  grants +User:runner may not READ on the topic out.one'
        [ $name = in ] || holds 'out: the commands mend it' eval "mended out && told out 'ok +grants +may write to the copies, and commit for 1 group' && copy out"
        HOME=$work "$build/fluvio" acl delete -q --user runner --group readers >/dev/null
    done
    file back "$SECURE" "$who"
    holds 'back: offsets of a group that may not be seen' eval "! check back && told back 'FAIL  grants +User:runner may not DESCRIBE on the group readers'"
    holds 'back: the command mends it' eval "mended back && told back 'ok +grants +may read them, and the offsets of 1 group'"
    grant --operation read --group readers
    holds 'in: may commit for it' eval "check in && told in 'ok +grants +may write to .* for 1 topic, and commit for 1 group' && copy in"
    holds 'the group is there' wait_for 20 eval "committed readers | grep -F '[\"one\",1]'"
}

# Topics that are called after tables, in Apache Kafka or our SPU with a user who may nothing yet.
tables_file() { # NAME TOPIC TABLES
    printf 'apiVersion: 0.1.0\nmeta: { name: %s, type: mysql-source, topic: "%s" }\nlog: { kafka: { bootstrap.servers: "%s", %s } }\n' \
        "$1" "$2" "$SECURE" "$who" >"$work/$1.yaml"
    printf 'mysql: { socket: %s, user: root, tables: [%s], server-id: %s }\n' "$SOCKET" "$3" $((1000 + RANDOM)) >>"$work/$1.yaml"
    chmod 600 "$work/$1.yaml"
}
tables() { # LABEL
    local all='DESCRIBE, READ, WRITE and CREATE' add="kafka-acls.sh --bootstrap-server $SECURE --add --allow-principal User:runner --operation Describe \
--operation Read --operation Write --operation Create --topic"
    tables_file cap 'shop.${table}' '"shop.*"'
    holds "$1: check names the topics of all tables at once" eval "! check cap && told cap 'FAIL  grants +User:runner may not $all on 4 topics shop' \
        '$add shop. --resource-pattern-type prefixed'"
    holds "$1: the printed commands mend it" eval "mended cap && told cap 'ok +grants +may write to .* for 4 tables$'"
    holds "$1: and it runs" copy cap
    holds "$1: and check finds all well where the topics are there" check cap
    tables_file few '${table}.of.${db}' 'shop.t1, shop.t2'
    holds "$1: a few topics one by one" eval "! check few && told few 'FAIL  grants +User:runner may not $all on the topic t1.of.shop' '$add t1.of.shop' && \
        told few 'FAIL  grants +User:runner may not $all on the topic t2.of.shop' '$add t2.of.shop'"
    tables_file few '${table}.of.${db}' '"shop.*"'
    holds "$1: not all of many, where their names have nothing in common" eval "! check few && told few 'FAIL  grants +nor on 1 more topic'"
    tables_file few '${table}.of.${db}' 'shop.t1, shop.t2'
    echo 'transforms: [{ uses: mask, with: { columns: [id] } }]' >>"$work/few.yaml"
    check few || true
    holds "$1: which leaves those that come later" eval "mended few && told few 'ok +grants +may write to .* for 2 tables; not for those that come later'"
    holds "$1: and what transforms do" told few 'ok +grants +may write as .*; topics that transforms send records to are not known, nor checked'
    sed -i 's/user: root/user: nobody/' "$work/few.yaml"
    holds "$1: a database that does not let us in leaves them unchecked" eval "! check few && told few 'warn  grants +not checked for .*table.*: '"
}

no_leader() {
    local why='2 of 6 partitions of __transaction_state have no leader' name
    file three-in "$BOOTSTRAP"
    holds 'three brokers: transactions are possible' eval "copy three-in && check three-in && told three-in 'ok +transactions +possible: __transaction_state has what it needs'"
    for name in 1 2 3 4 5 6; do
        HOME=$work "$build/fluvio" consumer reset "group$name" --cluster "$BOOTSTRAP" -q --to earliest -t one >/dev/null
    done
    name=$(HOME=$work "$build/fluvio" consumer list --cluster "$BOOTSTRAP" -o json | jq -r '.[] | select(.coordinator != 2) | .group' | xargs)
    tests/support/kafka-node kill "$work/three/2"
    # shellcheck disable=SC2086 # they are words
    holds 'groups of the brokers that are left are still described' env HOME="$work" "$build/fluvio" consumer describe --cluster "$BOOTSTRAP" $name
    holds 'and are not once a broker that alone has some of them is gone' wait_for 30 eval "! check three-in && told three-in 'FAIL  transactions +$why' 'start the brokers that have its replicas'"
    tests/support/kafka-node again "$work/three/2" >/dev/null
    holds 'and are again when it is back' wait_for 30 eval "check three-in && told three-in 'ok +transactions +possible'"
    tests/support/kafka-cluster kill "$work/three"
}

# By the user who may do all, on the topic of transactions that there is now.
what_is_there() {
    file in "$BOOTSTRAP"
    holds 'check looks at the topic of transactions' eval "check in && told in 'ok +transactions +possible: __transaction_state has what it needs'"
    HOME=$work "$build/fluvio" topic alter -q __transaction_state -c min.insync.replicas=2 >/dev/null
    holds 'and sees that it wants more replicas in sync than it has' eval "check in && told in 'warn  transactions .*1 replica and min.insync.replicas 2' \
        'kafka-configs.sh --alter --entity-type topics --entity-name __transaction_state --add-config min.insync.replicas=1'"
    file spu-in "$SPU"
    holds 'our SPU gives transactions' eval "check spu-in && told spu-in 'ok +transactions +possible'"
}

tests/support/servers start mariadb "$work/mariadb" >/dev/null &
# Three brokers, of which one alone has some of the transactions' partitions; one that is killed is missed soon.
tests/support/kafka-cluster start "$work/three" transaction.state.log.replication.factor=1 transaction.state.log.min.isr=1 \
    transaction.state.log.num.partitions=6 broker.session.timeout.ms=3000 broker.heartbeat.interval.ms=500 >/dev/null &
tests/support/spu-node start "$work/spu" >/dev/null
SPU=$(sed -n 's/^BOOTSTRAP=//p' "$work/spu/env")
$admin create "$SPU" one 1
tests/support/kafka-node start "$work/kafka" --secure runner:runner-secret transaction.state.log.replication.factor=3 transaction.state.log.min.isr=2 \
    authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer super.users=User:ANONYMOUS >/dev/null
. "$work/kafka/env"
HOME=$work "$build/fluvio" profile add -q kafka "$BOOTSTRAP"
no_transactions
tests/support/kafka-node stop "$work/kafka"
tests/support/kafka-node again "$work/kafka" transaction.state.log.replication.factor=1 transaction.state.log.min.isr=1
grants
what_is_there
wait
. "$work/three/env"
no_leader
. "$work/mariadb/env"
. "$work/kafka/env"
$CLIENT -e 'CREATE DATABASE shop; USE shop; CREATE TABLE t1 (id INT PRIMARY KEY); CREATE TABLE t2 LIKE t1; CREATE TABLE t3 LIKE t1; CREATE TABLE t4 LIKE t1; INSERT INTO t1 VALUES (1)'
who=$(secure_user)
tables Kafka
tests/support/spu start "$work/acl" 'authorization: { enabled: true, super-users: [User:ANONYMOUS] }' 'listeners:' '  - { name: OPEN, port: 0 }' \
    '  - { name: SASL, port: 0, auth: sasl, plain-without-tls: true }' >/dev/null
. "$work/acl/env"
SECURE=127.0.0.1:${PORTS##* } who='security.protocol: sasl_plaintext, sasl.mechanism: PLAIN, sasl.username: runner, sasl.password: runner-secret'
echo runner-secret >"$work/password"
HOME=$work "$build/fluvio" user add -q runner --cluster "$BOOTSTRAP" --password-file "$work/password"
tables 'our SPU'
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
