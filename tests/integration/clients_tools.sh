#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU with Apache Kafka's own command-line tools. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
tests/support/kafka-fetch >/dev/null || { echo "0 passed, 1 failed"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-tools-XXXXXX")
passed=0 failed=0
trap 'tests/support/spu kill "$work/spu" 2>/dev/null; rm -rf "$work"' EXIT
export KAFKA_HEAP=128m
BOOTSTRAP=$(tests/support/spu start "$work/spu") || { echo "0 passed, 1 failed"; exit 1; }

tool() {
    local name=$1 server=(--bootstrap-server "$BOOTSTRAP")
    shift
    [ "$name" != producer-perf ] || server=()
    timeout 60 tests/support/kafka-tool "$name" "${server[@]}" "$@" 2>&1
}
# says NAME PATTERN TOOL ARGUMENT...: the tool ends well and prints a line like that ("": or nothing).
says() {
    local name=$1 pattern=$2 status=0
    shift 2
    tool "$@" >"$work/out" || status=$?
    if [ $status -eq 0 ] && { [ -z "$pattern" ] || grep -qE -- "$pattern" "$work/out"; }; then
        passed=$((passed + 1)) && echo "ok   clients_tools/$name"
    else
        failed=$((failed + 1))
        echo "FAIL clients_tools/$name"
        echo "     exit code $status, wanted /$pattern/:"
        tail -n 12 "$work/out" | cut -c 1-300
    fi
}

says "broker-api-versions" 'Produce\(0\): 0 to 13' broker-api-versions
says "topics --create" '^Created topic a' topics --create --topic a --partitions 3 --config max.message.bytes=200000
says "topics --alter" '' topics --alter --topic a --partitions 4
says "topics --describe" 'PartitionCount: 4.*max.message.bytes=200000' topics --describe --topic a
says "configs --alter" '^Completed updating config' configs --alter --topic a --add-config retention.ms=1000000
says "configs --describe" 'retention.ms=1000000 ' configs --describe --topic a
says "configs --describe of the node" 'log.dirs=' configs --describe --entity-type brokers --entity-name 1 --all

says "verifiable-producer" '"sent":1000,"acked":1000' verifiable-producer --topic a --max-messages 1000 --acks -1
says "verifiable-consumer" '"name":"offsets_committed".*"success":true' verifiable-consumer --topic a --group-id verified --max-messages 1000 --reset-policy earliest
says "verifiable-consumer, cooperative" '"name":"shutdown_complete"' verifiable-consumer --topic a --group-id cooperative --max-messages 1000 --reset-policy earliest \
    --assignment-strategy org.apache.kafka.clients.consumer.CooperativeStickyAssignor --group-instance-id one
printf 'key-1:one\nkey-2:two\n' >"$work/in"
says "console-producer" '' console-producer --topic b --property parse.key=true --property key.separator=: --compression-codec zstd <"$work/in"
says "console-consumer" '^key-2.two$' console-consumer --topic b --from-beginning --max-messages 2 --property print.key=true --timeout-ms 20000 --isolation-level read_committed
says "producer-perf in transactions" '2000 records sent' producer-perf --topic c --num-records 2000 --record-size 200 --throughput -1 \
    --transactional-id perf --transaction-duration-ms 50 --producer-props "bootstrap.servers=$BOOTSTRAP"

says "consumer-groups --list" '^verified *Empty' consumer-groups --list --state
says "consumer-groups --describe" '^verified +a +[0-9]+ +[0-9]+ +[0-9]+ +0 ' consumer-groups --describe --group verified
says "consumer-groups --reset-offsets" '^verified +a +3 +0 ' consumer-groups --group verified --reset-offsets --to-earliest --execute --topic a
says "consumer-groups --reset-offsets --to-datetime" '^verified +a ' consumer-groups --group verified --reset-offsets --to-datetime 2020-01-01T00:00:00.000 --execute --topic a
says "consumer-groups --delete-offsets" 'a +3 +Successful' consumer-groups --group verified --delete-offsets --topic a
says "consumer-groups --delete" 'was successful' consumer-groups --group verified --delete

says "get-offsets" '^b:0:2$' get-offsets --topic b
says "get-offsets of the largest timestamp" '^b:0:[01]$' get-offsets --topic b --time max-timestamp
echo '{"partitions":[{"topic":"b","partition":0,"offset":1}],"version":1}' >"$work/delete.json"
says "delete-records" 'low_watermark: 1' delete-records --offset-json-file "$work/delete.json"
says "get-offsets of the beginning" '^b:0:1$' get-offsets --topic b --time earliest
says "log-dirs" '"partition":"b-0","size":[1-9]' log-dirs --describe --topic-list b
says "transactions list" '^perf +.*(CompleteCommit|Empty)' transactions list
says "transactions describe" 'perf' transactions describe --transactional-id perf
says "transactions describe-producers" '^[0-9]+' transactions describe-producers --topic c --partition 0
says "transactions find-hanging" '^Topic' transactions find-hanging --broker-id 1
says "metadata-quorum" 'LeaderId: +1' metadata-quorum describe --status
says "features" 'transaction.version.*FinalizedVersionLevel: 2' features describe
says "leader-election" 'Valid replica already elected' leader-election --election-type preferred --topic a --partition 0
echo '{"version":1,"partitions":[{"topic":"a","partition":0,"replicas":[1]}]}' >"$work/reassign.json"
says "reassign" 'Successfully started|assigned' reassign --reassignment-json-file "$work/reassign.json" --execute
says "reassign --list" 'No partition reassignments' reassign --list
says "topics --delete" '' topics --delete --topic a
tests/support/spu stop "$work/spu" && { passed=$((passed + 1)); echo "ok   clients_tools/the SPU stops cleanly"; } || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
