#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The bridge beside a cluster of three Apache Kafka nodes, one of which is missing at a time. BUILD=build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/bridge.bash

# Nodes of a cluster go and come while it is both an origin and a target, so that partitions change their leaders.
leader_change() {
    local C id count before
    C=$(KAFKA_HEAP=256m tests/support/kafka-cluster start "$work/c")
    $admin create "$C" lead 3
    $peer feed "$C" lead 3 100 >"$work/fed" 2>"$work/feed.err" &
    feed=$!
    file lead source '${topic}' "$S" "$C" '[lead]'
    file lead-out sink 'out.${topic}' "$S" "$C" '[lead]'
    start_run lead
    wait_for 60 reaches "$S" lead 1
    start_run lead-out
    for id in 1 2 3; do
        before=$(ends "$C" out.lead)
        wait_for 60 reaches "$C" out.lead $((before + 300)) || not_ok "with all nodes it goes on" "$(tail -n 2 "$work"/lead*.diag)"
        tests/support/kafka-node kill "$work/c/$id"
        before=$(ends "$C" out.lead)
        if wait_for 60 reaches "$C" out.lead $((before + 300)); then
            ok "without node $id it goes on"
        else
            not_ok "without node $id it goes on" "$(tail -n 2 "$work"/lead*.diag)"
        fi
        tests/support/kafka-node again "$work/c/$id"
    done
    kill -0 "$feed" 2>/dev/null || not_ok 'the feed lives' "$(cat "$work/feed.err")"
    kill -TERM "$feed" && { wait "$feed" || not_ok 'the feed ends' "$(cat "$work/feed.err")"; }
    feed=''
    count=$(cat "$work/fed")
    wait_for 60 $peer check "$C" out.lead "$count" || true
    holds "leaders change, and each of $count records of a partition is copied in, once and in order" $peer check "$S" lead "$count"
    holds 'and out again' $peer check "$C" out.lead "$count"
    holds 'and both end cleanly' eval 'stop_run lead && stop_run lead-out'
    tests/support/kafka-cluster kill "$work/c"
}

start_spu
run_scenarios leader_change
