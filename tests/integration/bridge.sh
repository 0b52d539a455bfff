#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The bridge between Apache Kafka nodes and our log, embedded and in our SPU: records byte for byte both ways, kill -9 and restarts
# with every record once, new topics and partitions, a target that is down, bad input.
# bridge.sh [SCENARIO...]. BUILD=build/release ROUNDS=12
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/bridge.bash
rounds=${ROUNDS:-12}

every_form() {
    local codec
    for codec in none gzip snappy lz4 zstd; do
        $admin create "$A" forms.$codec 3 retention.ms=-1
        $peer forms "$A" forms.$codec 3 1500 $codec
    done
    file in source '${topic}' data "$A" '["forms.*"]'
    file out sink '${topic}' data "$B" '["*"]'
    holds 'Kafka is copied into the embedded log' copy in
    holds 'the embedded log is copied into Kafka' copy out
    for codec in none gzip snappy lz4 zstd; do
        holds "keys, values, nulls, headers, timestamps, partitions: $codec" same_dump "$A" forms.$codec "$B" forms.$codec
    done
    file back-in source 'b.${topic}' data2 "$B" '["forms.*"]'
    file back-out sink 'back.${topic}' data2 "$A" '["^b[.]forms[.](lz4|gzip)$"]'
    holds 'and back' eval 'copy back-in && copy back-out'
    holds 'what came back is what went' same_dump "$A" forms.lz4 "$A" back.b.forms.lz4
    holds 'a created topic takes the settings' eval "$admin settings $B forms.lz4 | grep -qx 'retention.ms=-1'"
    holds 'a second run copies nothing' eval "copy in && copy out && same_dump $A forms.lz4 $B forms.lz4"
}

our_spu() {
    file spu-in source '${topic}' "$S" "$A" '["forms.*"]'
    file spu-out sink 'spu.${topic}' "$S" "$B" '["forms.lz4", "forms.gzip"]'
    holds 'Kafka is copied into our SPU' copy spu-in
    holds 'our SPU holds the records, each with its origin' eval "$peer dump $A forms.zstd >$work/one && $peer dump $S forms.zstd >$work/two && without_origin $work/two | cmp $work/one"
    holds 'our SPU is copied into Kafka' copy spu-out
    holds 'through our SPU records stay as they are' same_dump "$A" forms.gzip "$B" spu.forms.gzip
    file to-spu sink 'sunk.${topic}' data "$S" '["forms.snappy"]'
    holds 'the embedded log is copied into our SPU, by transactions' copy to-spu
    holds 'what our SPU took is the same' same_dump "$A" forms.snappy "$S" sunk.forms.snappy
    file from-spu source 'again.${topic}' data3 "$S" '["sunk.*"]'
    file from-spu-out sink '${topic}' data3 "$B" '["again.*"]'
    holds 'our SPU is copied into the embedded log' eval 'copy from-spu && copy from-spu-out'
    holds 'and stays the same' same_dump "$A" forms.snappy "$B" again.sunk.forms.snappy
}

aborted_records() {
    $admin create "$A" txn 1
    $peer aborted "$A" txn 20
    file txn-in source '${topic}' data-txn "$A" '[txn]'
    file txn-out sink '${topic}' data-txn "$B" '[txn]'
    holds 'a topic with transactions is copied' eval 'copy txn-in && copy txn-out'
    holds 'aborted records stay behind' $peer check "$B" txn 20
}

kills() {
    local round before count what
    $admin create "$A" seq 3
    $admin create "$B" seq 3
    file seq-in source '${topic}' data-seq "$A" '[seq]'
    file seq-out sink '${topic}' data-seq "$B" '[seq]'
    $peer feed "$A" seq 3 150 >"$work/fed" 2>"$work/feed.err" &
    feed=$!
    start_run seq-in
    wait_for 30 test -d "$work/data-seq"
    start_run seq-out
    for round in $(seq "$rounds"); do
        before=$(ends "$B" seq)
        # a moment that neither knows: after some more records
        wait_for 90 reaches "$B" seq $((before + RANDOM % 300 + 1)) || { not_ok "round $round goes on" "$(tail -n 3 "$work"/seq-*.diag)" && break; }
        what=$((round % 4))
        case $what in
        0) tests/support/kafka-node kill "$work/b" && tests/support/kafka-node again "$work/b" ;;
        1) kill_run seq-out && start_run seq-out ;;
        2) kill_run seq-in && start_run seq-in ;;
        3) kill_run seq-in && kill_run seq-out && start_run seq-in && start_run seq-out ;;
        esac
    done
    kill -TERM "$feed"
    wait "$feed" || not_ok 'the feed ends' "$(cat "$work/feed.err")"
    feed=''
    count=$(cat "$work/fed")
    if wait_for 90 $peer check "$B" seq "$count"; then
        ok "$rounds times kill -9 and restarts: $count records of each partition, once each and in order"
    else
        not_ok "$rounds times kill -9 and restarts" "$($peer check "$B" seq "$count")" "$(tail -n 2 "$work"/seq-*.diag)"
    fi
    holds 'the status tells the lag of each partition' wait_for 20 eval "$connect status -o json $work/seq-out.yaml | grep -q '\"lag_records\":0' && $connect status $work/seq-out.yaml | grep -q BEHIND"
    holds 'both end cleanly' eval 'stop_run seq-in && stop_run seq-out'
}

target_down() {
    local n=400
    $admin create "$A" down 1
    file down-in source '${topic}' data-down "$A" '[down]'
    file down-out sink '${topic}' data-down "$B" '[down]'
    $peer aborted "$A" down 30
    copy down-in && copy down-out
    tests/support/kafka-node stop "$work/b"
    start_run down-in
    start_run down-out
    wait_for 30 grep -q waiting "$work/down-out.diag" && ok 'a target that is down is waited for, and said' || not_ok 'a target that is down' "$(tail -n 3 "$work/down-out.diag")"
    $admin create "$A" down.new 2
    file down-out sink '${topic}' data-down "$B" '[down, down.new]'
    tests/support/kafka-node again "$work/b"
    wait_for 60 $peer check "$B" down 30
    holds 'nothing is lost or twice once it is back' $peer check "$B" down 30
    kill_run down-in && kill_run down-out
}

while_running() {
    local count
    $admin create "$A" live.one 1 retention.ms=-1
    file live-in source 'x.${topic}' data-live "$A" '["live.*"]'
    file live-out sink '${topic}' data-live "$B" '["x.live.*"]'
    start_run live-in
    wait_for 30 test -d "$work/data-live/x.live.one-0"
    start_run live-out
    $admin create "$A" live.two 2 retention.ms=-1
    $peer forms "$A" live.one 1 300 lz4
    wait_for 60 same_dump "$A" live.one "$B" x.live.one
    holds 'a running bridge copies' same_dump "$A" live.one "$B" x.live.one
    $admin create "$A" live.one 3
    $peer forms "$A" live.one 3 600 zstd
    $peer forms "$A" live.two 2 300 none
    wait_for 60 same_dump "$A" live.one "$B" x.live.one || tail -n 3 "$work"/live-in.diag "$work"/live-out.diag
    holds 'new partitions are found and copied' same_dump "$A" live.one "$B" x.live.one
    wait_for 60 same_dump "$A" live.two "$B" x.live.two || true
    holds 'a new topic is found and copied' same_dump "$A" live.two "$B" x.live.two
    holds 'and end cleanly' eval 'stop_run live-in && stop_run live-out'
}

at_least_once() {
    local count before
    $admin create "$A" alo 2
    file alo source '${topic}' "$S" "$A" '[alo]' 'delivery: at-least-once'
    file alo-out sink '${topic}' "$S" "$B" '[alo]' 'delivery: at-least-once'
    $peer feed "$A" alo 2 300 >"$work/fed" &
    feed=$!
    start_run alo
    start_run alo-out
    for before in 200 600 1000; do
        wait_for 60 reaches "$B" alo $before || not_ok 'at least once goes on' "$(tail -n 2 "$work"/alo*.diag)"
        kill_run alo && kill_run alo-out && start_run alo && start_run alo-out
    done
    kill -TERM "$feed" && wait "$feed"
    feed=''
    count=$(cat "$work/fed")
    wait_for 60 $peer covers "$B" alo "$count" || true
    holds "at least once: kill -9 loses nothing of $count records, and keeps the order" $peer covers "$B" alo "$count"
    holds 'and both end cleanly' eval 'stop_run alo && stop_run alo-out'
    holds 'records get no header then' eval "$peer dump $S alo >$work/one && [ -s $work/one ] && ! grep -q fc.bridge $work/one"
}

start_end() {
    $admin create "$A" late 1
    numbers "$A" late 0 49
    file late source 'e.${topic}' "$S" "$A" '["late*"]' 'start: end'
    holds 'start: end leaves out what is there' eval "copy late && [ \$($admin ends $S e.late) -eq 0 ]"
    $admin create "$A" late.new 1
    numbers "$A" late.new 0 19
    numbers "$A" late 50 99
    holds 'what comes later is copied, and new topics whole' eval "copy late && holds_numbers $S e.late 50 99 && holds_numbers $S e.late.new 0 19"
}

# Written to and read again: secured_copy NAME BROKERS MECHANISM CERTIFICATE WHAT
secured_copy() {
    local name=$1 brokers=$2 what=$5 secure
    secure="properties: { security.protocol: sasl_ssl, sasl.mechanism: $3, sasl.username: bridge, sasl.password: '\${{ secrets.BRIDGE_PASSWORD }}', ssl.ca.location: '$4' }"
    file "$name-out" sink "$name.\${topic}" "$A" "$brokers" '[sec]' "$secure"
    file "$name-in" source '${topic}' "$S" "$brokers" "[$name.sec]" "$secure"
    export BRIDGE_PASSWORD=bridge-secret
    holds "$what is written to" copy "$name-out"
    holds "$what is read" copy "$name-in"
    holds "$what: through it records stay as they are" eval "$peer dump $A sec >$work/one && $peer dump $S $name.sec >$work/two && without_origin $work/two | cmp $work/one"
    holds "$what is asked for the ids of its topics, too" eval "! grep -E 'made anew|bridge-secret' $work/$name-in.diag"
    export BRIDGE_PASSWORD=wrong-one
    holds "$what: check names a wrong password" eval "{ ! $connect check $work/$name-in.yaml >$work/check; } && grep -i 'FAIL  brokers .*authentication failed' $work/check && ! grep wrong-one $work/check"
    unset BRIDGE_PASSWORD
}
secured() {
    local port
    port=$(free_port)
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/node.key" -out "$work/node.pem" -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null
    printf '%s\n' "data-dir: $work/secure-data" 'listeners:' \
        "  - {name: TLS, host: 127.0.0.1, port: $port, auth: sasl, tls: {certificate: $work/node.pem, key: $work/node.key}}" >"$work/secure.yaml"
    echo bridge-secret | "$build/fluvio-spu" --config "$work/secure.yaml" --add-user bridge >"$work/out" 2>&1
    "$build/fluvio-spu" --config "$work/secure.yaml" >"$work/secure.log" 2>&1 &
    runs[secure]=$!
    $admin create "$A" sec 3
    $peer forms "$A" sec 3 300 zstd
    wait_for 20 grep -q 'serving node' "$work/secure.log"
    secured_copy spu "127.0.0.1:$port" SCRAM-SHA-512 "$work/node.pem" 'our SPU with TLS and SCRAM'
    kill_run secure
    secured_copy plain "$B_SECURE" PLAIN "$work/b/node.pem" 'Kafka with TLS and PLAIN'
    # Kafka 4 refuses SCRAM of librdkafka before 2.6.1, so this is with the one of the Python client.
    ln -s "$(dirname "$(tests/support/clients-fetch python)")"/packages/confluent_kafka.libs/* "$work/lib/"
    ln -s "$work"/lib/librdkafka-*.so.1 "$work/lib/librdkafka.so.1"
    LD_LIBRARY_PATH=$work/lib secured_copy scram "$B_SECURE" SCRAM-SHA-512 "$work/b/node.pem" 'Kafka with TLS and SCRAM'
}

# keyed BROKERS TOPIC FIRST LAST: numbers with ten keys in turn
keyed() { seq "$3" "$4" | awk '{ print "k" $1 % 10 ":" $1 }' | kcat -q -P -b "$1" -t "$2" -p 0 -K :; }
newest() { kcat -q -b "$1" -C -t "$2" -e -K : | awk -F: '{ last[$1] = $2 } END { for (key in last) print key, last[key] }' | sort; }
has_gaps() { [ "$(kcat -q -b "$1" -C -t "$2" -e | wc -l)" -lt $(($(ends "$1" "$2") - 100)) ]; }
# A segment is ended by what comes after it, so something must come.
gets_gaps() { # BROKERS TOPIC
    has_gaps "$1" "$2" || { keyed "$1" "$2" 300 399 && return 1; }
}
compacted() { # BROKERS TOPIC
    local round
    $admin create "$1" "$2" 1 cleanup.policy=compact segment.ms=100 min.cleanable.dirty.ratio=0.01 max.compaction.lag.ms=100 delete.retention.ms=0
    for round in 0 1 2 3; do keyed "$1" "$2" $((round * 100)) $((round * 100 + 99)); done
}
compaction() {
    local from
    compacted "$A" cmp-feed
    compacted "$S" cmp-sink
    holds 'a compacted topic of Kafka gets gaps' wait_for 60 gets_gaps "$A" cmp-feed
    holds 'and one of our SPU' wait_for 60 gets_gaps "$S" cmp-sink
    file cmp-feed source '${topic}' data-cmp "$A" '[cmp-feed]'
    file cmp-feed-out sink '${topic}' data-cmp "$B" '[cmp-feed]'
    file cmp-sink sink '${topic}' "$S" "$B" '[cmp-sink]'
    holds 'both are copied, gaps or not' eval 'copy cmp-feed && copy cmp-feed-out && copy cmp-sink'
    keyed "$A" cmp-feed 500 529
    keyed "$S" cmp-sink 500 529
    holds 'and what comes later' eval 'copy cmp-feed && copy cmp-feed-out && copy cmp-sink'
    for from in "$A cmp-feed" "$S cmp-sink"; do
        read -r from round <<<"$from"
        holds "$round: the newest of each key is there" eval "newest $from $round >$work/one && newest $B $round >$work/two && [ -s $work/one ] && cmp $work/one $work/two"
    done
}

two_sinks() {
    local code=0 count
    $admin create "$S" fen 1
    $admin create "$B" fen 1
    $peer feed "$S" fen 1 500 >"$work/fed" &
    feed=$!
    file fen sink '${topic}' "$S" "$B" '[fen]'
    mkdir "$work/other" && cp "$work/fen.yaml" "$work/other/" # so that it does not find the other's lock
    start_run fen
    wait_for 60 reaches "$B" fen 100
    "$connect" run "$work/other/fen.yaml" >"$work/other/diag" 2>&1 &
    runs[other]=$!
    if wait_for 60 ended fen; then
        wait "${runs[fen]}" || code=$?
        unset 'runs[fen]'
    else
        echo "the other says: $(tail -n 3 "$work/other/diag")"
        kill_run fen
    fi
    if [ $code -eq 3 ] && tail -n 1 "$work/fen.diag" | grep -q 'another sink named fen has taken over at the target: only one may run'; then
        ok 'of two sinks with one name the older one ends, and says why'
    else
        not_ok 'of two sinks with one name the older one ends, and says why' "exit code $code" "$(tail -n 3 "$work/fen.diag")"
    fi
    kill -TERM "$feed" && wait "$feed"
    feed=''
    count=$(cat "$work/fed")
    wait_for 60 $peer check "$B" fen "$count" || true
    holds "and each of $count records is there once" $peer check "$B" fen "$count"
    kill_run other
}

bad_input() {
    file bad source '${topic}' data-bad "$A" '["^(a"]'
    refused 'no regular expression' 2 'bad.yaml:6:12: `topics`: `\^\(a` is no regular expression' "$connect" run "$work/bad.yaml"
    file bad source 'fixed' data-bad "$A" '[a]'
    refused 'one name for all topics' 2 'bad.yaml:2:47: topic `fixed` must say what a copied topic is called' "$connect" run "$work/bad.yaml"
    file bad source '${topic}' data-bad "$A" '[a]' 'properties: { acks: "0" }'
    refused 'a property that the promise rests on' 2 'bad.yaml:7:17: `properties`: `acks` cannot be set' "$connect" run "$work/bad.yaml"
    file bad source '${topic}' data-bad "$A" '[a]' 'properties: { sessoin.timeout.ms: 1 }'
    refused 'a property that is none' 2 'bad.yaml:7:17: .* is no property of librdkafka .*did you mean `session.timeout.ms`' "$connect" run "$work/bad.yaml"
    file bad source '${topic}' data-bad "$A" '[a]' 'properties: { queued.min.messages: many }'
    refused 'a value that is none' 2 'bad.yaml:7:17: .*`queued.min.messages` does not take this value' "$connect" run "$work/bad.yaml"
    file bad source '${topic}' data-bad "$A" '[a]' 'topic: [a]'
    refused 'an unknown key' 2 'bad.yaml:7:3: unknown key `topic` in kafka, did you mean `topics`' "$connect" run "$work/bad.yaml"
    file bad source '${topic}' data-bad "$A" '[]'
    refused 'no topics' 2 'bad.yaml:6:11: `topics` is empty' "$connect" run "$work/bad.yaml"
    file bad sink '${topic}' data-none "$A" '[a]'
    refused 'a sink without a log' 2 'data-none' "$connect" run "$work/bad.yaml"
    file bad source '${topic}' data-bad 127.0.0.1:1 '[a]'
    holds 'check names brokers that do not answer' eval "{ ! $connect check $work/bad.yaml >$work/check; } && grep -q 'FAIL  brokers .*127.0.0.1:1' $work/check"
}

mkdir "$work/lib"
(tests/support/kafka-node start "$work/b" --secure bridge:bridge-secret >"$work/b.boot") &
tests/support/kafka-node start "$work/a" log.cleaner.backoff.ms=200 >"$work/a.boot"
wait $!
A=$(cat "$work/a.boot") B=$(cat "$work/b.boot") B_SECURE=$(sed -n 's/^SECURE=//p' "$work/b/env")
start_spu
[ $# -gt 0 ] || set -- every_form our_spu aborted_records kills target_down while_running at_least_once start_end secured compaction two_sinks bad_input
run_scenarios "$@"
