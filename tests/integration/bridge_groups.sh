#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Consumer groups that move with a bridge: into a cluster, our SPU and a log that the bridge serves itself, and out of our log.
# bridge_groups.sh [SCENARIO...]. BUILD=build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/bridge.bash

moved() { # LOG-FILE LOG TOPIC GROUP FILE: what the group gets in the copy
    [ "$1" = "$2" ] || { start_run "$5" && wait_for 30 kcat -L -b "$2"; } # only while it runs the log is served
    timeout 60 $peer consume "$2" "$3" "$4" 0 >"$work/second" 2>"$work/err" || true
    [ "$1" = "$2" ] || stop_run "$5"
}
# Copied by one flush, from offsets with gaps: aborted records and marks.
group_within_a_flush() { # NAME LOG
    local name=$1 log=${2#*@} topic=grp-$1-gaps
    $admin create "$A" "$topic" 1
    $peer aborted "$A" "$topic" 200
    $peer consume "$A" "$topic" "app-$topic" 70 >"$work/first"
    file "$topic" source '${topic}' "$2" "$A" "[$topic]" 'groups: ["app*"]'
    holds "$name: a topic that a group has begun with is copied" copy "$topic"
    moved "$2" "$log" "$topic" "app-$topic" "$topic"
    holds "$name: in the copy the group gets what it has not had, and nothing else" cmp "$work/second" <(seq -f '0 %g' 70 199)
}

group_offsets() { # NAME LOG
    local name=$1 log=${2#*@} topic=grp-$1 count
    group_within_a_flush "$@"
    $admin create "$A" "$topic" 2
    $peer feed "$A" "$topic" 2 400 >"$work/fed" &
    feed=$!
    file "$topic" source '${topic}' "$2" "$A" "[$topic]" 'groups: ["app*"]'
    start_run "$topic"
    wait_for 60 reaches "$log" "$topic" 1000
    $peer consume "$A" "$topic" app-$name 700 >"$work/first"
    wait_for 60 reaches "$log" "$topic" 2500
    kill -TERM "$feed" && wait "$feed"
    feed=''
    count=$(cat "$work/fed")
    wait_for 60 $peer check "$log" "$topic" "$count"
    holds "$name: everything is copied before the move" $peer check "$log" "$topic" "$count"
    holds "$name: the bridge ends" stop_run "$topic"
    moved "$2" "$log" "$topic" "app-$name" "$topic"
    sort -u "$work/first" "$work/second" | wc -l >"$work/seen"
    if [ "$(cat "$work/seen")" -eq $((2 * count)) ] && [ "$(cat "$work/first" "$work/second" | wc -l)" -eq $((2 * count)) ]; then
        ok "$name: a group that moves on misses nothing, and sees nothing again"
    else
        not_ok "$name: a group that moves on misses nothing, and sees nothing again" "saw $(cat "$work/seen") of $((2 * count))" \
            "$(wc -l "$work/first" "$work/second")" "$(cat "$work/err")"
    fi
}

# Records without a header are never passed over: of some of them nobody knows where they come from.
group_without_headers() {
    $admin create "$A" grp-mixed 1
    numbers "$A" grp-mixed 0 49
    file grp-mixed source '${topic}' "$S" "$A" '[grp-mixed]' 'groups: ["app*"]' 'delivery: at-least-once'
    copy grp-mixed
    numbers "$A" grp-mixed 50 99
    $peer consume "$A" grp-mixed app-mixed 30 >"$work/first"
    $peer consume "$A" grp-mixed app-mixed-late 70 >"$work/first"
    file grp-mixed source '${topic}' "$S" "$A" '[grp-mixed]' 'groups: ["app*"]'
    holds 'a topic of which a part was copied at least once is copied' copy grp-mixed
    timeout 60 $peer consume "$S" grp-mixed app-mixed 0 >"$work/second"
    holds 'a group that rests among records without a header misses nothing' cmp "$work/second" <(seq -f '0 %g' 0 99)
    timeout 60 $peer consume "$S" grp-mixed app-mixed-late 0 >"$work/second"
    holds 'and behind them it sees nothing again' cmp "$work/second" <(seq -f '0 %g' 70 99)
}

unserved_groups() {
    file unserved source '${topic}' data-unserved "$A" '[grp-listen]' 'groups: ["app*"]'
    holds 'groups of a log that nobody serves stay behind' copy unserved
    holds 'and that is said' grep -q 'nobody serves this log, so it has no consumer groups' "$work/unserved.diag"
}

groups_out() {
    local count
    $admin create "$S" gout 2
    $peer feed "$S" gout 2 400 >"$work/fed" &
    feed=$!
    file gout sink '${topic}' "$S" "$B" '[gout]' 'groups: ["app*"]'
    start_run gout
    wait_for 60 reaches "$B" gout 1000
    $peer consume "$S" gout app-out 700 >"$work/first"
    wait_for 60 reaches "$B" gout 2500
    kill -TERM "$feed" && wait "$feed"
    feed=''
    count=$(cat "$work/fed")
    wait_for 60 $peer check "$B" gout "$count"
    holds 'sink: the bridge ends' stop_run gout
    sees_again sink app-out 20
    $peer consume "$S" gout app-later 700 >"$work/first"
    holds 'sink: a group is translated by what an earlier run has kept' copy gout
    sees_again 'sink, by the history' app-later 200 # of each partition 100
}
sees_again() { # NAME GROUP MOST
    timeout 60 $peer consume "$B" gout "$2" 0 >"$work/second" 2>"$work/err" || true
    if [ "$(sort -u "$work/first" "$work/second" | wc -l)" -eq $((2 * count)) ] && [ "$(cat "$work/first" "$work/second" | wc -l)" -le $((2 * count + $3)) ]; then
        ok "$1: a group that moves to the target misses nothing, and sees at most $3 records again"
    else
        not_ok "$1: a group that moves" "$(sort -u "$work/first" "$work/second" | wc -l) of $((2 * count))" "$(wc -l <"$work/second") in the copy" "$(cat "$work/err")"
    fi
}

has_committed() { [ "$($admin committed "$1" "$2" "$3")" = "$4" ]; } # BROKERS GROUP TOPIC OFFSET
# A group that is used in the copy is left alone until nobody is in it; that it had its turn, another group shows that is asked for with it.
busy_group() { # NAME LOG
    local name=$1 log=${2#*@} topic=busy-$1 member
    $admin create "$A" "$topic" 1
    numbers "$A" "$topic" 0 99
    file "$topic" source '${topic}' "$2" "$A" "[$topic]" 'groups: ["app*"]'
    start_run "$topic"
    wait_for 60 reaches "$log" "$topic" 100
    $admin join "$log" "app-used-$name" "$topic" >"$work/used" 2>"$work/err" &
    member=$!
    runs[member]=$member
    wait_for 60 grep -q joined "$work/used" || not_ok "$name: a member joins" "$(cat "$work/err")"
    $admin commit "$A" "app-used-$name" "$topic" 50
    $admin commit "$A" "app-free-$name" "$topic" 50
    holds "$name: a group that nobody is in is translated" wait_for 60 has_committed "$log" "app-free-$name" "$topic" 50
    $admin commit "$A" "app-free-$name" "$topic" 60
    holds "$name: and again" wait_for 60 has_committed "$log" "app-free-$name" "$topic" 60
    holds "$name: one with members there is left alone" has_committed "$log" "app-used-$name" "$topic" none
    kill -TERM "$member" && { wait "$member" || true; } && unset 'runs[member]'
    holds "$name: until they have left" wait_for 90 has_committed "$log" "app-used-$name" "$topic" 50
    $admin commit "$A" "app-free-$name" "$topic" 30
    $admin commit "$A" "app-used-$name" "$topic" 70
    wait_for 60 has_committed "$log" "app-used-$name" "$topic" 70
    holds "$name: and an offset never goes back" has_committed "$log" "app-free-$name" "$topic" 60
    holds "$name: the bridge ends" stop_run "$topic"
}

(tests/support/kafka-node start "$work/b" >"$work/b.boot") &
tests/support/kafka-node start "$work/a" >"$work/a.boot"
wait $!
A=$(cat "$work/a.boot") B=$(cat "$work/b.boot")
start_spu
E=data-served@127.0.0.1:$(free_port)
[ $# -gt 0 ] || set -- 'group_offsets kafka B' 'group_offsets spu S' 'group_offsets listen E' group_without_headers unserved_groups groups_out \
    'busy_group kafka B' 'busy_group spu S' 'busy_group listen E'
run_scenarios "$@"
