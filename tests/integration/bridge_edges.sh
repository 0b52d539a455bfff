#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The bridge where topics are not as they were, or not as their copies: records that are gone, topics that are made anew.
# bridge_edges.sh [SCENARIO...]. BUILD=build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/bridge.bash

holds_lines() { kcat -q -b "$1" -C -t "$2" -e | cmp - "$3"; } # BROKERS TOPIC FILE

gaps() {
    $admin create "$A" gap 1
    numbers "$A" gap 0 49
    file gap source '${topic}' "$S" "$A" '[gap]'
    holds 'before a gap' copy gap
    numbers "$A" gap 50 99
    $admin trim "$A" gap 0 80
    refused 'a gap stops, named' 3 'gap/0 begins at offset 80, but 50 was the next to be read: 30 offsets are gone' \
        "$connect" run --until-end "$work/gap.yaml"
    file gap source '${topic}' "$S" "$A" '[gap]' 'on-gap: stop'
    refused 'with on-gap: stop, too' 3 'gap/0 begins at offset 80' "$connect" run --until-end "$work/gap.yaml"
    holds 'and nothing is copied' holds_numbers "$S" gap 0 49
    file gap source '${topic}' "$S" "$A" '[gap]' 'on-gap: skip'
    holds 'on-gap: skip goes on, and says so' eval "copy gap && grep -q 'gap/0 skipping a gap: at offset 50, going on at 80' $work/gap.diag"
    numbers "$A" gap 100 119
    $admin trim "$A" gap 0 120
    file gap source '${topic}' "$S" "$A" '[gap]'
    refused 'a gap up to the end stops, too' 3 'gap/0 begins at offset 120, but 100 was the next to be read: 20 offsets are gone' \
        "$connect" run --until-end "$work/gap.yaml"
    file gap source '${topic}' "$S" "$A" '[gap]' 'on-gap: skip'
    holds 'and is skipped' copy gap
    numbers "$A" gap 120 129
    holds 'once' eval "copy gap && ! grep 'skipping a gap' $work/gap.diag"
    $admin create "$A" gap-empty 1
    file gap-empty source '${topic}' "$S" "$A" '[gap-empty]'
    copy gap-empty
    numbers "$A" gap-empty 0 9
    $admin trim "$A" gap-empty 0 5
    refused 'a topic that was seen empty has a gap, too' 3 'gap-empty/0 begins at offset 5, but 0 was the next' \
        "$connect" run --until-end "$work/gap-empty.yaml"
    (seq 0 49 && seq 80 99 && seq 120 129) >"$work/wanted"
    holds 'all that is left was copied, each once' holds_lines "$S" gap "$work/wanted"
}

ends_named() { # NAME BRIDGE PATTERN: by itself, with exit code 3
    local code=0
    if wait_for 60 ended "$2"; then
        wait "${runs[$2]}" || code=$?
        unset "runs[$2]"
    else
        kill_run "$2"
    fi
    if [ $code -eq 3 ] && tail -n 1 "$work/$2.diag" | grep -qE "$3"; then
        ok "$1"
    else
        not_ok "$1" "exit code $code" "$(tail -n 3 "$work/$2.diag")"
    fi
}

# From 0 on without a gap, or with one up to FIRST, and then to LAST.
has_at_most_a_gap() { # BROKERS TOPIC FIRST LAST
    kcat -q -b "$1" -C -t "$2" -e | awk -v first="$3" -v last="$4" 'BEGIN { was = -1 }
        $1 != was + 1 && !(was < first && $1 == first) { exit 1 } { was = $1 } END { exit was != last }'
}
# While it stands still, records go that it has not had; one answer may be on its way to it, so more than one batch must come.
cut_under() { # NAME FROM TOPIC FIRST
    kill -STOP "${runs[$1]}"
    numbers "$2" "$3" "$4" $(($4 + 9))
    numbers "$2" "$3" $(($4 + 10)) $(($4 + 49))
    $admin trim "$2" "$3" 0 $(($4 + 40))
    kill -CONT "${runs[$1]}"
}
keeps_its_place() { # KIND BROKERS NAME: it has seen the topic, and a start would know that
    if [ "$1" = sink ]; then reaches "$2" "_fluvio.sink.$3" 1; else reaches "$2" "_fluvio.checkpoint.$3" 1; fi
}
gap_while_running() { # KIND
    local kind=$1 topic=gap-live-$1 from=$A to=$S
    [ "$kind" = source ] || { from=$S && to=$B; }
    live_file() { if [ "$kind" = source ]; then file "$topic" source '${topic}' "$S" "$A" "[$topic]" "$@"; else file "$topic" sink '${topic}' "$S" "$B" "[$topic]" "$@"; fi; }
    $admin create "$from" "$topic" 1
    live_file
    start_run "$topic"
    wait_for 30 $admin settings "$to" "$topic" && wait_for 30 keeps_its_place "$kind" "$to" "$topic"
    cut_under "$topic" "$from" "$topic" 0
    ends_named "$kind: a gap that comes while it runs stops it, named" "$topic" "$topic/0 begins at offset 40, but [0-9]+ was the next to be"
    live_file 'on-gap: skip'
    start_run "$topic"
    holds "$kind: on-gap: skip goes on" wait_for 60 has_at_most_a_gap "$to" "$topic" 40 49
    cut_under "$topic" "$from" "$topic" 50
    wait_for 60 eval "[ \"\$(kcat -q -b $to -C -t $topic -e | tail -n 1)\" = 99 ]" || tail -n 3 "$work/$topic.diag"
    kcat -q -b "$to" -C -t "$topic" -e | awk '$1 >= 50 { print $1 - 50 }' >"$work/later"
    holds "$kind: and over one that comes while it runs" eval "awk 'BEGIN { was = -1 } \$1 != was + 1 && !(was < 40 && \$1 == 40) { exit 1 } { was = \$1 } END { exit was != 49 }' $work/later && grep -q 'skipping a gap' $work/$topic.diag"
    holds "$kind: and ends cleanly" stop_run "$topic"
}

# An origin that lost its newest records, as after an unclean election: the same topic, but it ends before what was copied.
shorter() {
    local data
    $admin create "$A" short 1
    numbers "$A" short 0 49
    file short source '${topic}' "$S" "$A" '[short]' 'groups: ["app*"]'
    holds 'before an origin loses records' copy short
    tests/support/kafka-node stop "$work/a"
    data=$(. "$work/a/env" && echo "$LOGS")
    rm "$data"/short-0/0*
    tests/support/kafka-node again "$work/a"
    numbers "$A" short 100 119
    $peer consume "$A" short app-short 10 >"$work/first"
    refused 'an origin that ends before what was copied stops' 3 'short/0 ends at offset 20, but 50 was the next to be read: .* to go on from its beginning, set on-gap: skip' \
        "$connect" run --until-end "$work/short.yaml"
    file short source '${topic}' "$S" "$A" '[short]' 'groups: ["app*"]' 'on-gap: skip'
    holds 'on-gap: skip goes on from its beginning' copy short
    holds 'once' copy short
    (seq 0 49 && seq 100 119) >"$work/wanted"
    holds 'and copies all that is there' holds_lines "$S" short "$work/wanted"
    timeout 60 $peer consume "$S" short app-short 0 >"$work/second"
    holds 'and its groups miss nothing' eval "tail -n 10 $work/second | cmp - <(seq -f '0 %g' 110 119)"
}

sink_gaps() {
    $admin create "$S" sgap 1
    numbers "$S" sgap 0 49
    file sgap sink '${topic}' "$S" "$B" '[sgap]'
    holds 'sink: before a gap' copy sgap
    numbers "$S" sgap 50 99
    $admin trim "$S" sgap 0 80
    refused 'sink: a gap stops, named' 3 'sgap/0 begins at offset 80, but 50 was the next to be copied: 30 offsets are gone' \
        "$connect" run --until-end "$work/sgap.yaml"
    file sgap sink '${topic}' "$S" "$B" '[sgap]' 'on-gap: skip'
    holds 'sink: on-gap: skip goes on, and says so' eval "copy sgap && grep -q 'sgap/0 skipping a gap: from offset 50 to 80' $work/sgap.diag"
    $admin create "$S" sgap-empty 1
    file sgap-empty sink '${topic}' "$S" "$B" '[sgap-empty]'
    copy sgap-empty
    numbers "$S" sgap-empty 0 9
    $admin trim "$S" sgap-empty 0 5
    refused 'sink: a topic that was seen empty has a gap, too' 3 'sgap-empty/0 begins at offset 5, but 0 was the next' \
        "$connect" run --until-end "$work/sgap-empty.yaml"
    holds 'sink: nothing else is lost or twice' eval "kcat -q -b $B -C -t sgap -e | cmp - <(seq 0 49; seq 80 99)"
}

anew_file() { # KIND [LINE...]
    local kind=$1 topic=anew-$1
    shift
    if [ "$kind" = sink ]; then
        file "$topic" sink '${topic}' "$S" "$B" "[$topic]" "$@"
    else
        file "$topic" source '${topic}' data-anew "$A" "[$topic]" "$@"
        file "$topic-out" sink '${topic}' data-anew "$B" "[$topic]"
    fi
}
anew_copied() { copy "anew-$1" && { [ "$1" = sink ] || copy anew-source-out; } && $peer check "$B" "anew-$1" "$2"; }
made_anew() { # KIND
    local kind=$1 topic=anew-$1 from=$A
    [ "$kind" = source ] || from=$S
    $admin create "$from" "$topic" 1
    numbers "$from" "$topic" 0 99
    anew_file "$kind"
    holds "$kind: before a topic is made anew" anew_copied "$kind" 100
    $admin anew "$from" "$topic" 1
    numbers "$from" "$topic" 100 399 # goes beyond where the old one ended
    refused "$kind: a topic that was made anew meanwhile stops, with what to do" 3 "topic $topic was deleted and made anew .* set on-gap: skip" \
        "$connect" run --until-end "$work/$topic.yaml"
    anew_file "$kind" 'on-gap: skip'
    holds "$kind: on-gap: skip goes on with the new one, nothing of either lost or twice" anew_copied "$kind" 400
    holds "$kind: and says so" grep -q 'skipping a gap: .* was made anew' "$work/$topic.diag"
    anew_file "$kind"
    start_run "$topic"
    numbers "$from" "$topic" 400 499
    wait_for 60 eval "$connect status -o json $work/$topic.yaml | grep -q '\"next\":400'"
    $admin anew "$from" "$topic" 1
    numbers "$from" "$topic" 500 1199
    ends_named "$kind: a topic that is made anew while the bridge runs stops it" "$topic" "topic $topic was deleted and made anew"
    anew_file "$kind" 'on-gap: skip'
    holds "$kind: nothing of the new one was taken for the old one" anew_copied "$kind" 1200
}

# The copies take less at once than producers send, and each record fits.
small_batches() {
    $admin create "$A" small 1 max.message.bytes=20000
    seq 3000 | awk '{ printf "%d:%0900d\n", $1, $1 }' | kcat -q -P -b "$A" -t small -p 0 -K : -X batch.num.messages=10
    file small-in source '${topic}' data-small "$A" '[small]'
    file small-out sink '${topic}' data-small "$B" '[small]'
    holds 'a topic with small batches is copied' eval 'copy small-in && copy small-out'
    holds 'its records are there' same_dump "$A" small "$B" small
    file small-log source 'log.${topic}' "$B" "$A" '[small]'
    holds 'into a cluster that is our log, too' copy small-log
    holds 'and are there' eval "$peer dump $A small >$work/one && $peer dump $B log.small >$work/two && without_origin $work/two | cmp $work/one"
}

large() { head -c "$1" /dev/zero | tr '\0' x; } # a value of so many bytes
# What the copy's topic does not take is named, and never left out.
too_large() {
    local topic copy
    $admin create "$A" large 1 max.message.bytes=3000000
    $admin create "$B" large 1 max.message.bytes=100000
    $admin create "$B" log.large 1 max.message.bytes=100000
    $admin create "$S" large 1 max.message.bytes=100000
    numbers "$A" large 0 1
    large 1500000 >"$work/large" && kcat -q -P -b "$A" -t large -p 0 -X message.max.bytes=3000000 "$work/large"
    numbers "$A" large 3 4
    file large-in source '${topic}' data-large "$A" '[large]'
    holds 'a large record is copied where it may be as large' copy large-in
    file large-out sink '${topic}' data-large "$B" '[large]'
    refused 'a sink stops at a record that the target does not take, named' 1 'large/0 offset 2: .*max.message.bytes' "$connect" run --until-end "$work/large-out.yaml"
    file large-log source 'log.${topic}' "$B" "$A" '[large]'
    refused 'a source into a cluster, too' 1 'large/0 offset 2: .*max.message.bytes 100000 of topic log.large' "$connect" run --until-end "$work/large-log.yaml"
    file large-spu source '${topic}' "$S" "$A" '[large]'
    refused 'and into our SPU' 1 'large/0 offset 2: .*max.message.bytes 100000 of topic large' "$connect" run --until-end "$work/large-spu.yaml"
    for topic in large log.large; do "$build/fluvio" topic alter "$topic" --cluster "$B" -q --max-record-size 3000000; done
    "$build/fluvio" topic alter large --cluster "$S" -q --max-record-size 3000000
    holds 'they go on once it does' eval 'copy large-out && copy large-log && copy large-spu'
    holds 'and nothing is missing or twice' same_dump "$A" large "$B" large
    $peer dump "$A" large >"$work/one"
    for copy in "$B log.large" "$S large"; do
        holds "nor in $copy" eval "$peer dump $copy >$work/two && without_origin $work/two | cmp $work/one"
    done
}

# The copy is there already, with fewer partitions.
fewer_partitions() {
    $admin create "$A" wide 3
    $admin create "$B" wide 1
    $admin create "$B" in.wide 2
    $peer forms "$A" wide 3 600 lz4
    file wide-in source '${topic}' data-wide "$A" '[wide]'
    file wide-out sink '${topic}' data-wide "$B" '[wide]'
    holds 'a copy that is there gets partitions' eval 'copy wide-in && copy wide-out'
    holds 'and every record in its own' same_dump "$A" wide "$B" wide
    file wide-log source 'in.${topic}' "$B" "$A" '[wide]'
    holds 'in a cluster that is our log, too' copy wide-log
    holds 'and there' eval "$peer dump $A wide >$work/one && $peer dump $B in.wide >$work/two && without_origin $work/two | cmp $work/one"
}

# The origin gives the times; the copies keep them.
append_times() {
    $admin create "$A" stamped 2 message.timestamp.type=LogAppendTime
    $peer forms "$A" stamped 2 300 none
    file stamped-in source '${topic}' data-stamped "$A" '[stamped]'
    file stamped-out sink '${topic}' data-stamped "$B" '[stamped]'
    holds 'a topic with times of its broker is copied' eval 'copy stamped-in && copy stamped-out'
    holds 'and keeps them' same_dump "$A" stamped "$B" stamped
}

# One topic goes while the others go on; and comes back.
deleted() {
    $admin create "$A" gone.one 1
    $admin create "$A" gone.two 1
    numbers "$A" gone.one 0 9
    numbers "$A" gone.two 0 9
    file gone source '${topic}' "$S" "$A" '["gone.*"]'
    file gone-out sink 'x.${topic}' "$S" "$B" '["gone.*"]'
    start_run gone
    start_run gone-out
    wait_for 60 holds_numbers "$B" x.gone.one 0 9
    $admin delete "$A" gone.one
    numbers "$A" gone.two 10 19
    holds 'a topic that is deleted at the origin does not hold up the others' wait_for 60 holds_numbers "$B" x.gone.two 0 19
    $admin delete "$S" gone.one
    numbers "$A" gone.two 20 29
    holds 'nor one that is deleted in our log' wait_for 60 holds_numbers "$B" x.gone.two 0 29
    holds 'its copy stays' holds_numbers "$B" x.gone.one 0 9
    holds 'and both end cleanly' eval 'stop_run gone && stop_run gone-out'
}

# A writer dies, and with the power goes what no sync covers: the target must not have had that, since other records follow in its place.
power_loss() {
    local bytes tail=$build/tests/integration/log_tail
    file power sink '${topic}' data-power "$B" '[power]'
    bytes=$($tail "$work/data-power" power 0 10 5)
    holds 'a sink copies what is durable' eval "copy power && holds_numbers $B power 0 9"
    holds 'and no more when it is started again' eval "copy power && holds_numbers $B power 0 9"
    truncate -s "$bytes" "$work/data-power/power-0/"*.log
    $tail "$work/data-power" power 100 10 0 >"$work/out"
    (seq 0 9 && seq 100 109) >"$work/wanted"
    holds 'after a power loss it copies what the log has then' eval "copy power && holds_lines $B power $work/wanted"
    $tail "$work/data-power" power 110 0 5 >"$work/out"
    start_run power
    $tail "$work/data-power" power 115 0 0 >"$work/out"
    (cat "$work/wanted" && seq 110 114) >"$work/more"
    holds 'what a killed writer left is copied once the log is opened again' eval "wait_for 60 holds_lines $B power $work/more && stop_run power"
}

(tests/support/kafka-node start "$work/b" >"$work/b.boot") &
tests/support/kafka-node start "$work/a" >"$work/a.boot"
wait $!
A=$(cat "$work/a.boot") B=$(cat "$work/b.boot")
start_spu
[ $# -gt 0 ] || set -- gaps sink_gaps 'gap_while_running source' 'gap_while_running sink' shorter 'made_anew source' 'made_anew sink' deleted small_batches too_large fewer_partitions append_times power_loss
run_scenarios "$@"
