#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Kafka Connect against an SPU: two workers in distributed mode with a file source, exactly once, and a file sink; they log in and may do
# what docs/security.md says that they need; workers and the SPU are killed while lines come through. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-connect-XXXXXX")
passed=0 failed=0 lines=0 killed=0 writer=''
declare -A workers=() urls=()

clean_up() {
    [ -z "$writer" ] || kill "$writer" 2>/dev/null
    for worker in "${workers[@]}"; do kill -9 "$worker" 2>/dev/null; done
    tests/support/spu kill "$work/spu" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

check() { # NAME COMMAND...: passes when the command does; what it said is shown when it does not
    local name=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok   connect/$name"
    else
        failed=$((failed + 1))
        echo "FAIL connect/$name"
        tail -n 20 "$work/said"
        grep -h ERROR "$work"/*.log | tail -n 10 | cut -c 1-300
        tail -n 10 "$work/spu/start.log"
    fi
}
wait_for() { # COMMAND...: try until it works, 60 seconds at most
    local deadline=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "in 60 s not: $*"; "$@"; return 1; }
        sleep 0.2
    done
}

# --- workers ----------------------------------------------------------------------------------------------------------------------

start_worker() { # NAME: a JVM of its own, which is not waited for
    : >"$work/$1.log"
    java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "${archive[@]}" -Dfluvio.loglevel=INFO \
        "-Dlog4j2.configurationFile=$PWD/tests/support/kafka-peer/log4j2.properties" -cp "$jars/*" \
        org.apache.kafka.connect.cli.ConnectDistributed "$work/worker.properties" >>"$work/$1.log" 2>&1 &
    workers[$1]=$!
    disown
}
has_started() {
    grep -q 'Finished starting connectors and tasks' "$work/$1.log" || return 1
    urls[$1]=$(sed -n 's/.*REST server listening at \(.*\)\/, advert.*/\1/p' "$work/$1.log")
    asked=${urls[$1]}
}
kill_worker() {
    kill -9 "${workers[$1]}"
    unset "workers[$1]" "urls[$1]"
    killed=$((killed + 1))
}
rest() { # METHOD PATH [JSON]: of the worker that is asked; fails when it is refused, which it is while the group rebalances
    curl -sS -f -m 20 -X "$1" -H 'Content-Type: application/json' ${3:+-d "$3"} "$asked/connectors/$2"
}
# What states connectors and tasks are in, how many of each, and on how many workers.
states() {
    rest GET '?expand=status' | jq -r '[.[].status | .connector, .tasks[]] | "\([.[].state] | group_by(.) | map("\(length) \(.[0])") | join(", ")) on \([.[].worker_id] | unique | length)"'
}
states_are() { [[ $(states) == $1 ]]; }

# --- lines ------------------------------------------------------------------------------------------------------------------------

write_lines() { # COUNT
    seq -f '<%.0f>' $((lines + 1)) $((lines + $1)) >>"$work/in"
    lines=$((lines + $1))
}
seen() { grep -o '<[0-9]*>' "$work/out" | sort -u | wc -l; }
came_through() { [ "$(seen)" -eq "$lines" ]; }
committed() { kcat -b "$BOOTSTRAP" -C -t lines -e -q -X isolation.level=read_committed; }
each_once() { # what stands in the topic is the file
    committed >"$work/topic" && cmp "$work/in" "$work/topic"
}
# A sink that dies goes back to what it committed: the lines go up but for as many times.
in_order() {
    grep -o '<[0-9]*>' "$work/out" | tr -d '<>' | awk -v most="$1" '$1 < last { back++ } { last = $1 } END { print back + 0, "times back"; exit back > most }'
}

jars=$(tests/support/kafka-fetch) || { echo "0 passed, 1 failed"; exit 1; }
archive=()
[ ! -s "$jars/classes.jsa" ] || archive=("-XX:SharedArchiveFile=$jars/classes.jsa" -Xlog:cds=off -Xlog:cds+dynamic=off)
tests/support/spu start "$work/spu" 'auto-create-topics: false' 'listeners: [{ name: OURS, port: 0 }, { name: WORKERS, port: 0, auth: sasl }]' \
    "authorization: { enabled: true, super-users: ['User:ANONYMOUS'] }" >/dev/null || { echo "0 passed, 1 failed"; exit 1; }
. "$work/spu/env"
login='security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-256
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="connect" password="connect-secret";'
cat >"$work/worker.properties" <<END
bootstrap.servers=127.0.0.1:${PORTS##* }
$(for of in '' producer. consumer. admin.; do sed "s/^/$of/" <<<"$login"; done)
group.id=connect
exactly.once.source.support=enabled
$(printf '%s.storage.topic=connect-%s\n' config configs offset offsets status status)
$(printf '%s.storage.replication.factor=1\n' config offset status)
offset.storage.partitions=3
status.storage.partitions=2
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.flush.interval.ms=500
$(printf '%ssession.timeout.ms=6000\n%sheartbeat.interval.ms=1000\n' '' '' consumer. consumer.)
scheduled.rebalance.max.delay.ms=0
task.shutdown.graceful.timeout.ms=2000
plugin.discovery=service_load
listeners=http://127.0.0.1:0
END
source_config="{\"connector.class\": \"FileStreamSource\", \"tasks.max\": 1, \"file\": \"$work/in\", \"topic\": \"lines\",
    \"exactly.once.support\": \"required\", \"topic.creation.default.replication.factor\": 1, \"topic.creation.default.partitions\": 1}"
sink_config="{\"connector.class\": \"FileStreamSink\", \"tasks.max\": 1, \"file\": \"$work/out\", \"topics\": \"lines\"}"

grants() {
    local allow=("$build/fluvio" acl add --cluster "$BOOTSTRAP" --user connect)
    echo connect-secret | "$build/fluvio" user add connect --cluster "$BOOTSTRAP" &&
        "${allow[@]}" --operation read,write,create,describe-configs --topic connect- --prefix &&
        "${allow[@]}" --operation read --group connect --prefix &&
        "${allow[@]}" --operation write --transactional-id connect- --prefix &&
        "${allow[@]}" --operation read,write,create --topic lines
}
check "they get a user and what it needs" grants
begin() {
    start_worker one
    start_worker two
    wait_for has_started one && wait_for has_started two
}
check "two workers start, and make their topics" begin
internal_topics() {
    local topic
    for topic in configs offsets status; do
        "$build/fluvio" topic describe "connect-$topic" --cluster "$BOOTSTRAP" -O json | tee /dev/stderr | grep -q '"compact"' || return 1
    done
}
check "which are compacted" internal_topics
connectors() {
    touch "$work/out"
    write_lines 1000
    wait_for rest PUT source/config "$source_config" && wait_for rest PUT sink/config "$sink_config" &&
        wait_for states_are '4 RUNNING on 2'
}
check "connectors and their tasks are shared between them" connectors
check "lines come through" wait_for came_through
check "each once, in order" eval 'each_once && in_order 0'

begin_writing() { # COUNT: twenty lines at a time, twenty times a second
    (
        for _ in $(seq $(($1 / 20))); do
            write_lines 20
            sleep 0.05
        done
    ) &
    writer=$!
    lines=$((lines + $1))
}
end_writing() { wait "$writer" && writer=''; }
seen_more() { [ "$(seen)" -ge "$1" ]; }
worker_dies() {
    begin_writing 4000
    wait_for seen_more 1500 || return 1
    kill_worker one
    asked=${urls[two]}
    wait_for states_are '4 RUNNING on 1' && end_writing && wait_for came_through
}
check "a worker is killed while they do, and the other one takes over" worker_dies
worker_back() {
    start_worker one
    wait_for has_started one && wait_for states_are '4 RUNNING on 2'
}
check "it comes back and takes its share" worker_back
spu_dies() {
    begin_writing 2000
    wait_for seen_more 5500 && tests/support/spu kill "$work/spu" && tests/support/spu again "$work/spu" && end_writing && wait_for came_through
}
check "the SPU is killed while they do, and they go on when it comes back" spu_dies
check "nothing is lost, nothing is in the topic twice" each_once
check "the sink went back only where it was killed" in_order $((killed + 1))

offsets_of_source() {
    wait_for rest PUT source/stop && wait_for states_are '2 RUNNING, 1 STOPPED on *' || return 1
    [ "$(rest GET source/offsets | jq '.offsets[0].offset.position')" = "$(stat -c %s "$work/in")" ] || { rest GET source/offsets; return 1; }
    wait_for rest DELETE source/offsets && wait_for rest PUT source/resume && wait_for eval '[ "$(committed | wc -l)" -eq $((2 * lines)) ]' &&
        committed | cmp - <(cat "$work/in" "$work/in")
}
check "the source's offsets are reset, with its transactions fenced, and the file comes again" offsets_of_source
all_in_sink() { committed | cmp - "$work/out"; }
offsets_of_sink() {
    local place='{"partition": {"kafka_topic": "lines", "kafka_partition": 0}, "offset": {"kafka_offset": 0}}'
    wait_for rest PUT sink/stop && wait_for states_are '2 RUNNING, 1 STOPPED on *' || return 1
    : >"$work/out"
    wait_for rest PATCH sink/offsets "{\"offsets\": [$place]}" && wait_for rest PUT sink/resume && wait_for all_in_sink
}
check "the sink's offsets are set to the beginning, and all of it comes again" offsets_of_sink

ends() {
    kill "${workers[@]}"
    wait_for eval '! kill -0 ${workers[one]} 2>/dev/null && ! kill -0 ${workers[two]} 2>/dev/null' && tests/support/spu stop "$work/spu"
}
check "workers and SPU end cleanly" ends
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
