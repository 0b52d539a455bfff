#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compaction as clients see it, on a live SPU: kcat (librdkafka, idempotent) writes all the while, the SPU is killed in the middle of
# it, and what is read from the beginning is compared with what was written. A topic has one partition and one writer, so line n
# of what was written has offset n for ever. BUILD=build/release SEED=...
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
seed=${SEED:-$$}
echo "SEED=$seed"
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-compact-XXXXXX")
export HOME=$work XDG_CONFIG_HOME='' XDG_DATA_HOME=''
passed=0 failed=0
declare -A writers=() fds=()

clean_up() {
    for pid in "${writers[@]}"; do kill "$pid" 2>/dev/null; done
    tests/support/spu kill "$work/spu" 2>/dev/null
    [ "$failed" -ne 0 ] || rm -rf "$work"
}
trap clean_up EXIT

check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1)) && echo "ok   spu_compact/$name"
    else
        failed=$((failed + 1)) && echo "FAIL spu_compact/$name" && tail -n 20 "$work/log"
    fi
}
wait_for() { # COMMAND...: 30 seconds at most
    local deadline=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $deadline ] || { echo "in 30 s not: $*"; return 1; }
        sleep 0.1
    done
}

create() { # TOPIC SETTING...: of one that is given twice the last counts
    local topic=$1 settings=()
    local -A values=([segment.bytes]=262144)
    shift
    for setting; do values[${setting%%=*}]=${setting#*=}; done
    for setting in "${!values[@]}"; do settings+=(--config "$setting=${values[$setting]}"); done
    "$build/fluvio" topic create -q "$topic" -p 1 --cluster "$BOOTSTRAP" "${settings[@]}"
}

# without_fifos COMMAND...: become it, in a shell of its own, without the ends of the writers' pipes: while it has them, they do not end.
without_fifos() {
    for fd in "${fds[@]}"; do exec {fd}>&-; done
    exec "$@"
}
# open_writer TOPIC: a kcat that writes what write sends it, until close_writer; what was written is in $work/TOPIC.in.
open_writer() {
    mkfifo "$work/$1.fifo"
    without_fifos kcat -P -E -b "$BOOTSTRAP" -t "$1" -K : -Z -X enable.idempotence=true -X acks=all -X linger.ms=5 -X message.timeout.ms=60000 \
        -X reconnect.backoff.max.ms=200 <"$work/$1.fifo" >"$work/$1.kcat" 2>&1 &
    writers[$1]=$!
    : >"$work/$1.in"
    exec {fd}>"$work/$1.fifo"
    fds[$1]=$fd
}
# write TOPIC COUNT FROM TO DELETED: so many lines of random keys from FROM to TO; those below DELETED are deleted, others now and then.
write() {
    awk -v count="$2" -v from="$3" -v to="$4" -v deleted="$5" -v seed="$((seed + RANDOM))" -v line="$(wc -l <"$work/$1.in")" 'BEGIN {
        srand(seed)
        for (at = 0; at < count; at++) {
            key = from + int(rand() * (to - from))
            if (key < deleted || rand() < 0.03) printf "k%d:\n", key
            else printf "k%d:%09d%0180d\n", key, line + at, key
        }
    }' >"$work/$1.part"
    cat "$work/$1.part" >>"$work/$1.in"
    cat "$work/$1.part" >&"${fds[$1]}"
}
close_writer() {
    local fd=${fds[$1]}
    exec {fd}>&-
    unset "fds[$1]"
    wait "${writers[$1]}" || { cat "$work/$1.kcat"; return 1; }
    unset "writers[$1]"
}

# read_all TOPIC: all from the beginning, as "OFFSET KEY VALUE-LENGTH VALUE".
read_all() {
    timeout 30 kcat -C -q -b "$BOOTSTRAP" -t "$1" -o beginning -e -f '%o %k %S %s\n' >"$work/$1.out"
}
# right TOPIC [START]: what is read is what was written there, in order, and of each key written at START or later the last record is
# there (a tombstone may have gone).
right() {
    read_all "$1" || { echo "it cannot be read"; return 1; }
    awk -F: -v start="${2:-0}" '
        BEGIN { lines = 0 }
        FILENAME ~ /\.in$/ { key[lines] = $1; value[lines] = $2; last[$1] = lines++; next }
        {
            split($0, field, " ")
            offset = field[1]
            if (count++ > 0 && offset <= before) { print "offset " offset " after " before; bad++ }
            before = offset
            if (field[2] != key[offset] || field[4] != value[offset] || (field[3] == -1) != (value[offset] == "")) {
                print "offset " offset " is not what was written: " $0; bad++
            }
            seen[offset] = 1
        }
        END {
            for (name in last) if (last[name] >= start && !(last[name] in seen) && value[last[name]] != "") {
                print "the last of " name " is lost, offset " last[name]; bad++
            }
            print count " of " lines " records are there"
            exit bad > 0 || count == 0
        }' "$work/$1.in" "$work/$1.out"
}
left() { wc -l <"$work/$1.out"; }
written() { wc -l <"$work/$1.in"; }
# fewer TOPIC SHARE: less than a SHARE-th of the records is left.
fewer() { read_all "$1" && [ $(($(left "$1") * $2)) -lt "$(written "$1")" ]; }
# gone TOPIC DELETED: of the keys below DELETED there is nothing any more; kept: the tombstone is there, and nothing else.
of_deleted() { awk -v deleted="$2" '{ key = substr($2, 2) + 0 } key < deleted { print $3 }' "$work/$1.out" | sort | uniq -c; }
gone() { read_all "$1" && [ -z "$(of_deleted "$1" "$2")" ]; }
kept() { read_all "$1" && [ "$(of_deleted "$1" "$2" | awk '{ print $2 }' | xargs)" = -1 ]; }

swapping() { compgen -G "$work/spu/data/$1-0/*.swap" >/dev/null; }
# kill_in_the_middle TOPIC: kill -9 as soon as files are being written anew, and start again.
kill_in_the_middle() {
    local deadline=$((SECONDS + 20))
    until swapping "$1"; do
        [ $SECONDS -lt $deadline ] || return 1
    done
    tests/support/spu kill "$work/spu"
    ! swapping "$1" || in_the_middle=$((in_the_middle + 1))
    (without_fifos tests/support/spu again "$work/spu")
}

eager=(cleanup.policy=compact min.cleanable.dirty.ratio=0.01)
tests/support/spu start "$work/spu" >/dev/null || { echo "FAIL spu_compact/it starts"; echo "0 passed, 1 failed"; exit 1; }
. "$work/spu/env"

# --- kill -9 in the middle, again and again ---------------------------------------------------------------------------------------

in_the_middle=0
killed() {
    create crash "${eager[@]}" delete.retention.ms=86400000 || return 1
    open_writer crash
    write crash 40000 0 2000 0
    for kill in $(seq 20); do # some come a moment too late
        [ "$in_the_middle" -lt 4 ] || break
        write crash 15000 0 2000 100
        kill_in_the_middle crash || { echo "kill $kill: nothing was compacted"; return 1; }
    done
    write crash 1000 0 2000 100
    close_writer crash && [ "$in_the_middle" -ge 4 ] || { echo "$in_the_middle of $kill kills were in the middle"; return 1; }
}
check "killed four times in the middle of it, while a client writes" killed
check "no key is lost, and each record is what was written at its offset" right crash
compacted() { wait_for fewer crash 4 && right crash; }
check "what was superseded goes" compacted
check "tombstones stay for delete.retention.ms" kept crash 100
again() { tests/support/spu stop "$work/spu" && tests/support/spu again "$work/spu" && right crash; }
check "it stops cleanly and starts with all of it" again

# --- what the settings say, all at once -------------------------------------------------------------------------------------------

lazy=(cleanup.policy=compact min.cleanable.dirty.ratio=1 segment.bytes=104857600)
topics='due lagging late never both timed'
settings() {
    create due "${eager[@]}" delete.retention.ms=500 && create lagging "${eager[@]}" min.compaction.lag.ms=3600000 &&
        create late "${lazy[@]}" max.compaction.lag.ms=1000 && create never "${lazy[@]}" &&
        create both "${eager[@]}" cleanup.policy=compact,delete retention.bytes=3000000 &&
        create timed "${eager[@]}" cleanup.policy=compact,delete retention.ms=6000 delete.retention.ms=86400000 || return 1
    for topic in $topics; do
        open_writer $topic
        write $topic 9000 0 300 0
        write $topic 9000 0 300 50
    done
    write both 30000 0 300000 0 # more than may stay, as few of them are superseded
    for topic in lagging late never both; do close_writer $topic || return 1; done
}
check "topics with all kinds of settings are written" settings
due() { # more of other keys, so that there is something to do
    local deadline=$((SECONDS + 30))
    until gone due 50; do
        [ $SECONDS -lt $deadline ] || { of_deleted due 50; return 1; }
        write due 1500 50 300 0
        sleep 0.3
    done
    close_writer due && right due
}
check "tombstones go when their time has come, and what they deleted does not come back" due
late() { wait_for fewer late 10 && right late; }
check "max.compaction.lag.ms compacts what no ratio does" late
whole() { read_all "$1" && [ "$(left "$1")" -eq "$(written "$1")" ] && right "$1"; }
check "which is not done without" whole never
check "min.compaction.lag.ms leaves alone what is younger" whole lagging
start_of() { kcat -Q -b "$BOOTSTRAP" -t "$1:0:-2" | sed 's/.*offset //'; }
started() { [ "$(start_of "$1")" -ge "$2" ]; }
both() {
    wait_for started both 10000 && wait_for fewer both 2 && right both "$(start_of both)" &&
        [ "$(du -cb "$work/spu/data/both-0"/*.log | tail -n 1 | cut -f 1)" -lt 4000000 ]
}
check "compact,delete: retention by size deletes from the beginning, the rest is compacted" both
timed() { # kcat keeps the last lines until there are more
    wait_for started timed 17900 && "$build/fluvio" topic alter -q timed --retention-time 1d --cluster "$BOOTSTRAP" || return 1
    timed_start=$(start_of timed)
    write timed 100 0 300 0
    close_writer timed && right timed "$timed_start" && [ "$(left timed)" -eq $((18100 - timed_start)) ]
}
check "compact,delete: retention by time takes the last of a key, too, offsets go on" timed
killed_at_last() {
    tests/support/spu kill "$work/spu" && tests/support/spu again "$work/spu" && right crash && right due && right late && whole never &&
        whole lagging && right both "$(start_of both)" && right timed "$timed_start"
}
check "all of it is so after another kill -9" killed_at_last
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
