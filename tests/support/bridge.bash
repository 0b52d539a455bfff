# Sourced by tests/integration/bridge*.sh: two Apache Kafka nodes A and B, our SPU S, bridges between them.
# shellcheck shell=bash disable=SC2034 # what is set here is for the scripts

build=${BUILD:-build/release}
connect=$build/fluvio-connect
peer=$build/tests/integration/bridge_peer admin=$build/tests/integration/bridge_admin
seed=${SEED:-$RANDOM}
RANDOM=$seed
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-bridge-XXXXXX")
area=$(basename "$0" .sh)
passed=0 failed=0 feed='' spu=''
declare -A runs=()

clean_up() {
    local pid
    for pid in "${runs[@]}" $feed $spu; do { kill -9 "$pid" && wait "$pid"; } 2>/dev/null || true; done
    tests/support/kafka-node kill "$work/a" 2>/dev/null || true
    tests/support/kafka-node kill "$work/b" 2>/dev/null || true
    tests/support/kafka-cluster kill "$work/c" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

ok() { passed=$((passed + 1)) && echo "ok   $area/$1"; }
not_ok() {
    failed=$((failed + 1))
    echo "FAIL $area/$1 (seed $seed)"
    shift
    printf '    %s\n' "$@"
}
holds() { # NAME COMMAND...
    local name=$1 code=0
    shift
    "$@" >"$work/out" 2>&1 || code=$?
    if [ $code -eq 0 ]; then ok "$name"; else not_ok "$name" "exit code $code" "$(tail -n 5 "$work/out")"; fi
}
refused() { # NAME EXIT-CODE PATTERN COMMAND...: one line says so
    local name=$1 wanted=$2 pattern=$3 code=0
    shift 3
    timeout 60 "$@" >"$work/out" 2>"$work/err" || code=$?
    if [ $code -eq "$wanted" ] && tail -n 1 "$work/err" | grep -qE -- "$pattern"; then
        ok "$name"
    else
        not_ok "$name" "exit code $code, wanted $wanted and /$pattern/" "$(tail -n 3 "$work/err")"
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
free_port() { perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport'; }
# file NAME KIND TOPIC LOG BROKERS TOPICS [LINE...]: KIND is source or sink; LOG a directory, DIRECTORY@ADDRESS where it is served, or brokers
file() {
    local name=$1 kind=$2 topic=$3 log=$4 brokers=$5 topics=$6
    shift 6
    {
        printf 'apiVersion: 0.1.0\nmeta: { name: %s, type: kafka-%s, topic: "%s" }\n' "$name" "$kind" "$topic"
        case $log in
        *@*) printf 'log: { embedded: { dir: ./%s, listen: "%s" } }\n' "${log%@*}" "${log#*@}" ;;
        *:*) printf 'log: { kafka: { bootstrap.servers: "%s" } }\n' "$log" ;;
        *) printf 'log: { embedded: { dir: ./%s } }\n' "$log" ;;
        esac
        for line in "$@"; do case $line in on-gap*|delivery*) echo "$line" ;; esac; done
        printf 'kafka:\n  bootstrap.servers: "%s"\n  topics: %s\n' "$brokers" "$topics"
        for line in "$@"; do case $line in on-gap*|delivery*) ;; *) printf '  %s\n' "$line" ;; esac; done
    } >"$work/$name.yaml"
}
copy() { # what it said last is shown when it fails
    local code=0
    timeout 120 "$connect" run --until-end "$work/$1.yaml" >"$work/$1.diag" 2>&1 || code=$?
    [ $code -eq 0 ] || tail -n 3 "$work/$1.diag"
    return $code
}
start_run() {
    "$connect" run "$work/$1.yaml" >>"$work/$1.diag" 2>&1 &
    runs[$1]=$!
}
kill_run() { kill -9 "${runs[$1]}" && { wait "${runs[$1]}" 2>/dev/null || true; } && unset "runs[$1]"; }
ended() { ! kill -0 "${runs[$1]}" 2>/dev/null; }
stop_run() { # and it does within a minute
    local code=0
    kill -TERM "${runs[$1]}"
    if ! wait_for 60 ended "$1"; then
        echo "$1 does not end" && kill_run "$1"
        return 1
    fi
    wait "${runs[$1]}" || code=$?
    unset "runs[$1]"
    return $code
}
ends() { $admin ends "$1" "$2" 2>/dev/null || echo 0; }
reaches() { [ "$(ends "$1" "$2")" -ge "$3" ]; }
# What is committed is seen a moment later.
same_dump() { wait_for 10 dumps_are_same "$@" || dumps_are_same "$@"; }
dumps_are_same() { # BROKERS TOPIC BROKERS TOPIC
    $peer dump "$1" "$2" >"$work/one" && $peer dump "$3" "$4" >"$work/two" && [ -s "$work/one" ] && cmp "$work/one" "$work/two"
}
without_origin() { sed 's/ fc\.bridge= .*//' "$1"; }

start_spu() {
    local port
    port=$(free_port)
    printf 'data-dir: %s\nauto-create-topics: false\nlisteners:\n  - host: 127.0.0.1\n    port: %s\n' "$work/spu-data" "$port" >"$work/spu.yaml"
    "$build/fluvio-spu" --config "$work/spu.yaml" >"$work/spu.log" 2>&1 &
    spu=$!
    S=127.0.0.1:$port
    wait_for 20 kcat -L -b "$S"
}
numbers() { seq "$3" "$4" | kcat -q -P -b "$1" -t "$2" -p 0; } # BROKERS TOPIC FIRST LAST
holds_numbers() { kcat -q -b "$1" -C -t "$2" -e | cmp - <(seq "$3" "$4"); }
run_scenarios() { # SCENARIO...: a function and what it is given; B, S and E stand for their addresses
    local scenario name first second
    for scenario in "$@"; do
        read -r name first second <<<"$scenario"
        $name ${first:+"$first"} ${second:+"${!second}"}
    done
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
