# Sourced by tests/integration/cli.sh: readers whose topic or cluster is lost, and offsets that are not there yet.
# shellcheck shell=bash disable=SC2154 # check, same, fluvio and work are the script's

reader=''
read_on() { # TOPIC FLAGS...: a reader of it in the background
    local topic=$1
    shift
    "$fluvio" consume "$topic" "$@" >"$work/reader" 2>"$work/reader.err" &
    reader=$!
}
end_reader() { # NAME: it ends by SIGINT within ten seconds
    local deadline=$((SECONDS + 10))
    kill -INT $reader
    while kill -0 $reader 2>/dev/null && [ $SECONDS -lt $deadline ]; do :; done
    kill -KILL $reader 2>/dev/null && tell no "$1" && return
    wait $reader && tell yes "$1" || tell no "$1"
}
heard() { # TEXT NAME: the reader says it on stderr
    until_said "$1" cat "$work/reader.err" && tell yes "$2" && return
    tell no "$2"
    cat "$work/reader.err"
}

# lost_topic WHO FLAGS...: a reader whose topic is deleted says so, reads on when it is back, and ends when it is gone again.
lost_topic() {
    local who=$1
    shift
    "$fluvio" topic create -q fleeting
    echo one | "$fluvio" produce fleeting
    read_on fleeting -B "$@"
    until_said one cat "$work/reader"
    "$fluvio" topic delete -q fleeting
    heard "topic \`fleeting\` is not at" "$who is told that its topic is gone"
    "$fluvio" topic create -q fleeting
    heard "topic \`fleeting\` is there again" "and that it is back"
    "$fluvio" topic delete -q fleeting
    until_said 2 grep -c "is not at" "$work/reader.err"
    end_reader "$who ends without its topic"
}

lost_topics() {
    lost_topic "a reader"
    lost_topic "a member of a group" -g fleeting
    until_said deleted "$fluvio" consumer delete fleeting
}

lost_cluster() {
    "$fluvio" topic create -q steady
    echo one | "$fluvio" produce steady
    read_on steady -B
    until_said one cat "$work/reader"
    "$fluvio" cluster shutdown -q
    heard "is not reached any more" "a reader is told that the cluster is gone"
    "$fluvio" cluster start -q
    heard "is reached again" "and that it is back"
    end_reader "it ends well after that"
    "$fluvio" topic delete -q steady
}

beyond_the_end() {
    "$fluvio" topic create -q young
    seq 0 4 | "$fluvio" produce young
    read_on young --start 7
    heard "partition 0: offset 7 is beyond the end (5)" "an offset that is not there yet is told"
    seq 5 9 | "$fluvio" produce young
    until_said 9 cat "$work/reader"
    same "and read from once it is" $'7\n8\n9' cat "$work/reader"
    end_reader "this reader ends, too"
    same "nothing is there now" '' "$fluvio" consume young --start 12 -d
    read_on young -H 11
    heard "offset 11 is beyond the end (10)" "records after the first may be missing, too"
    seq 10 12 | "$fluvio" produce young
    until_said 12 cat "$work/reader"
    same "then reading begins there" $'11\n12' cat "$work/reader"
    end_reader "and ends"
    "$fluvio" topic delete -q young
}
