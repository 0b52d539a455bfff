#!/usr/bin/env bash
# The installed program and a connector built only from the installed headers: what the commands do with good input and with bad.
# BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-runner-XXXXXX")
passed=0 failed=0 runner=''

clean_up() {
    [ -z "$runner" ] || kill -9 "$runner" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

# check NAME COMMAND...: the test passes when the command does; what it wrote is shown when it does not.
check() {
    local name=$1
    shift
    : >"$work/log"
    : >"$work/out"
    if [ -n "$runner" ]; then # left by a test that failed
        kill -9 "$runner" 2>/dev/null
        wait "$runner" 2>/dev/null
        runner=''
    fi
    if "$@" >>"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok   runner/$name"
    else
        failed=$((failed + 1))
        echo "FAIL runner/$name"
        cat "$work/log" "$work/out" 2>/dev/null
    fi
}

# gives EXIT COMMAND...: it ends with that exit code; output in $work/out.
gives() {
    local expected=$1 got=0
    shift
    "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" -eq "$expected" ] || { echo "exit $got instead of $expected: $*"; return 1; }
}

# says TEXT: it stands in what the last command wrote.
says() { grep -qF -- "$1" "$work/out" || { echo "not said: $1"; return 1; }; }

one_line() { [ "$(wc -l <"$work/out")" -eq 1 ] || { echo "more than one line"; return 1; }; }

# wait_for COMMAND...: try until it works, 20 seconds at most.
wait_for() {
    local deadline=$((SECONDS + 20))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "in 20 s not: $*"; return 1; }
        sleep 0.02
    done
}

# file NAME [LINE...]: a connector file for 1,000 rows in transactions of 10; the lines are added at the end.
file() {
    local name=$1
    shift
    {
        printf 'apiVersion: 0.1.0\nmeta:\n  name: %s\n  type: example-source\n  topic: %s\n' "$name" "$name"
        printf 'log:\n  embedded:\n    dir: %s-data\n' "$name"
        [ $# -eq 0 ] || printf '%s\n' "$@"
        grep -q '^example:' <<<"$(printf '%s\n' "$@")" || printf 'example:\n  rows: 1000\n  per-transaction: 10\n'
    } >"$work/$name.yaml"
}

start() { # NAME
    "$connect" run "$work/$1.yaml" >"$work/$1.diag" 2>&1 &
    runner=$!
    wait_for "$connect" status "$work/$1.yaml" -o json
}

ended_with() { # EXIT: the runner ends within 10 seconds
    local got=0
    timeout 10 tail --pid="$runner" -f /dev/null || { echo "still running after 10 s"; return 1; }
    wait "$runner" || got=$?
    runner=''
    [ "$got" -eq "$1" ] || { echo "exit $got instead of $1"; return 1; }
}

# log_end DIR TOPIC: records in the topic, as a runner that is caught up tells it.
log_holds() { # NAME TOPIC COUNT
    start "$1" || return 1
    wait_for holds_now "$1" "$2" "$3" || { "$connect" status "$work/$1.yaml"; return 1; }
    kill "$runner" && ended_with 0
}

streams() { "$connect" status "$work/$1.yaml" -o json | grep -qF '"phase":"streaming"'; }

holds_now() {
    "$connect" status "$work/$1.yaml" -o json | grep -qF "{\"topic\":\"$2\",\"partition\":0,\"start\":0,\"durable\":$3,\"end\":$3}"
}

# --- installing ---------------------------------------------------------------------------------------------------------------

install_all() { make install DESTDIR="$work/root" PREFIX=/usr >"$work/out" 2>&1; }

build_example() { # OUTPUT HEADERS
    cc -std=c17 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -Wl,-z,defs -I "$2" -o "$1" \
        "$work/example.c"
}

wrong_abi() {
    cp -r "$headers" "$work/headers" &&
        sed -i 's/#define FC_CONNECTOR_ABI .*/#define FC_CONNECTOR_ABI 99U/' "$work/headers/fc/connector.h" &&
        mkdir "$work/wrong" && build_example "$work/wrong/example.so" "$work/headers" &&
        file abi &&
        gives 2 "$connect" run "$work/abi.yaml" --plugin-dir "$work/wrong" && one_line &&
        says 'built for connector ABI 99, this runner has ABI 2'
}

listed() {
    gives 0 "$connect" plugins && says 'example      1.0.0      source ' && says 'mysql ' &&
        gives 0 "$connect" plugins example && says 'per-transaction          int       1 ' &&
        says 'rows                     int       (required)' &&
        gives 0 "$connect" plugins example -o json && says '"key": "per-transaction"'
}

# --- good input ---------------------------------------------------------------------------------------------------------------

captured() {
    file good && gives 0 "$connect" run --until-end "$work/good.yaml" && says '1,000 rows read, 1,000 records written' &&
        gives 0 "$connect" run --until-end "$work/good.yaml" && says '0 rows read, 0 records written' &&
        log_holds good good 1000
}

checked() {
    gives 0 "$connect" check "$work/good.yaml" && says 'ok    rows' && says '0 failed' &&
        file none 'example:' '  rows: 0' &&
        gives 1 "$connect" check "$work/none.yaml" && says 'FAIL  rows' && says 'fix: set example.rows to 1 or more' &&
        [ ! -e "$work/none-data" ] &&
        gives 1 "$connect" check "$work/none.yaml" -o json && says '"failed": 1'
}

told() {
    start good && wait_for streams good && gives 0 "$connect" status "$work/good.yaml" && says 'name       good (pid ' && says 'position   id 1000' &&
        gives 0 "$connect" status --dir "$work/good-data" -o json && says "\"pid\":$runner," &&
        says '"phase":"streaming"' && one_line &&
        gives 1 "$connect" check "$work/good.yaml" && says 'is in use by a running fluvio-connect' &&
        kill -INT "$runner" && ended_with 0 && [ ! -e "$work/good-data/.control" ] &&
        gives 1 "$connect" status "$work/good.yaml" && says 'no runner has ' && one_line
}

ends_on_sigterm() {
    start good && kill -TERM "$runner" && ended_with 0 && grep -q 'good ended after' "$work/good.diag"
}

survives_kill() {
    local round
    file kill 'example:' '  rows: 200000' '  per-transaction: 7'
    for round in 1 2 3 4 5 6; do
        "$connect" run "$work/kill.yaml" >"$work/kill.diag" 2>&1 &
        runner=$!
        wait_for "$connect" status "$work/kill.yaml" -o json || return 1
        kill -9 "$runner"
        wait "$runner" 2>/dev/null
        runner=''
    done
    log_holds kill kill 200000
}

reloads() {
    file reload 'transforms:' '  - uses: own.lua'
    echo 'function transform(change) return change end' >"$work/own.lua"
    start reload || { cat "$work/reload.diag"; return 1; }
    kill -HUP "$runner" && wait_for grep -q 'transforms read again' "$work/reload.diag" || return 1
    echo 'this is not Lua' >"$work/own.lua"
    kill -HUP "$runner" && wait_for grep -q 'the transforms stay as they were: .*own.lua:1' "$work/reload.diag" || return 1
    kill "$runner" && ended_with 0
}

# The terminal is a pseudo-terminal that script(1) makes.
draws() {
    script -qefc "$connect run $work/good.yaml" "$work/typescript" </dev/null >/dev/null 2>&1 &
    local session=$! pid
    wait_for grep -qE 'good  streaming  [0-9,]+ rows/s  lag .*  id 1000' "$work/typescript" || return 1
    pid=$("$connect" status "$work/good.yaml" -o json | sed 's/.*"pid":\([0-9]*\).*/\1/')
    kill "$pid"
    timeout 10 tail --pid="$session" -f /dev/null && grep -q 'good ended after' "$work/typescript"
}

# A connector whose close never returns: the first signal waits for it, the second does not.
second_signal() {
    mkdir "$work/hangs" && cp "$work/example.c" "$work/example.c.kept" &&
        sed -i '/^static void source_close/,/^{/ s/^{/{\n    for (;;) {\n        pause();\n    }/; s/#include <time.h>/&\n#include <unistd.h>/' \
            "$work/example.c" && build_example "$work/hangs/example.so" "$headers" && mv "$work/example.c.kept" "$work/example.c" || return 1
    "$connect" run "$work/good.yaml" --plugin-dir "$work/hangs" >"$work/good.diag" 2>&1 &
    runner=$!
    wait_for streams good && kill "$runner" && wait_for grep -q 'ending cleanly' "$work/good.diag" &&
        kill -INT "$runner" && ended_with 1 && grep -q 'second signal: ending at once' "$work/good.diag"
}

# --- bad input: one line, the cause and the fix, the exit code ------------------------------------------------------------------

wrong_usage() {
    gives 2 "$connect" rnu && one_line && says 'unknown command `rnu`, did you mean `run`?' &&
        gives 2 "$connect" run && one_line && says 'something is missing' &&
        gives 2 "$connect" run --until-edn x && one_line && says 'did you mean `--until-end`?' &&
        gives 2 "$connect" check "$work/good.yaml" -o xml && one_line &&
        gives 2 "$connect" status && one_line && says 'either FILE or --dir' &&
        gives 2 "$connect" && gives 0 "$connect" help && says 'Commands:' && gives 0 "$connect" help run && says 'until-end' &&
        gives 0 "$connect" check --help && says 'Usage: fluvio-connect check'
}

wrong_file() {
    file key 'tombstone: true' &&
        gives 2 "$connect" run "$work/key.yaml" && one_line &&
        says 'key.yaml:9:1: unknown key `tombstone` in the file, did you mean `tombstones`?' &&
        file option 'example:' '  rows: 5' '  per-transactoin: 3' &&
        gives 2 "$connect" run "$work/option.yaml" && one_line &&
        says 'option.yaml:11:3: unknown key `per-transactoin` in example, did you mean `per-transaction`?' &&
        file type 'example:' '  rows: many' &&
        gives 2 "$connect" run "$work/type.yaml" && one_line && says '10:9: `rows` must be a whole number, not `many`' &&
        file required 'example:' '  note: x' &&
        gives 2 "$connect" run "$work/required.yaml" && one_line && says '`rows` is missing in example' &&
        gives 2 "$connect" run "$work/missing.yaml" && one_line && says 'No such file or directory' &&
        [ -z "$(find "$work" -maxdepth 1 -name '*key-data*' -o -maxdepth 1 -name '*type-data*')" ]
}

wrong_pattern() {
    printf '%s\n' 'apiVersion: 0.1.0' 'meta: { name: pattern, type: mysql-source, topic: t }' \
        'mysql:' '  user: nobody' '  tables:' '    - shop.*' '    - orders' >"$work/pattern.yaml"
    gives 2 "$connect" run "$work/pattern.yaml" && says 'pattern.yaml:7:7: tables: "orders" is not of the form database.table' &&
        gives 1 "$connect" check "$work/pattern.yaml" && says 'pattern.yaml:7:7: tables: "orders"'
}

missing_plugin() {
    file plugin && sed -i 's/example-source/exmaple-source/; s/^example:/exmaple:/' "$work/plugin.yaml" &&
        gives 2 "$connect" run "$work/plugin.yaml" && one_line &&
        says 'no connector `exmaple`, did you mean `example`?; there is: example, kafka, mysql; looked for exmaple.so in ' &&
        sed -i 's/^exmaple:/example:/' "$work/plugin.yaml" &&
        gives 2 "$connect" run "$work/plugin.yaml" && one_line && says 'plugin.yaml:4:9: no connector `exmaple`, did you mean `example`?'
}

secrets() {
    local closed="$work/closed" open="$work/open"
    file secret 'example:' '  rows: 5' '  password: ${{ secrets.FLUVIO_TEST_SECRET }}'
    echo 'FLUVIO_TEST_SECRET=hunter2' >"$closed"
    cp "$closed" "$open"
    chmod 600 "$closed"
    chmod 644 "$open"
    gives 2 "$connect" run --until-end "$work/secret.yaml" && one_line &&
        says 'secret FLUVIO_TEST_SECRET is not set: export FLUVIO_TEST_SECRET, or give --secrets FILE' &&
        gives 2 "$connect" run --until-end "$work/secret.yaml" --secrets "$open" && one_line && says "chmod 600 $open" &&
        gives 2 "$connect" run --until-end "$work/secret.yaml" --secrets "$work/none" && one_line && says 'No such file' &&
        gives 0 "$connect" run --until-end "$work/secret.yaml" --secrets "$closed" && ! says hunter2 >/dev/null &&
        gives 0 env FLUVIO_TEST_SECRET=hunter2 "$connect" run -v --until-end "$work/secret.yaml" && ! says hunter2 >/dev/null
}

clear_password() {
    file clear 'example:' '  rows: 5' '  password: hunter2'
    chmod 644 "$work/clear.yaml"
    gives 0 "$connect" run --until-end "$work/clear.yaml" && says 'warn ' &&
        says '`password` stands in clear in a file that others can read' && ! says hunter2 >/dev/null &&
        chmod 600 "$work/clear.yaml" && gives 0 "$connect" run --until-end "$work/clear.yaml" && ! says 'stands in clear' >/dev/null
}

in_use() {
    start good && gives 3 "$connect" run "$work/good.yaml" && tail -n 1 "$work/out" | grep -q "$runner" &&
        kill "$runner" && ended_with 0
}

bad_script() {
    file script 'transforms:' '  - uses: broken.lua'
    echo 'function transform(' >"$work/broken.lua"
    gives 2 "$connect" run "$work/script.yaml" && says 'broken.lua' && one_line && [ ! -e "$work/script-data" ] &&
        gives 1 "$connect" check "$work/script.yaml" && says 'FAIL  transforms'
}

rejected() { # POLICY
    file "$1" "on-error: $1" 'transforms:' '  - uses: reject.lua'
    echo 'function transform(change) if change.after.id % 100 == 0 then error("no hundreds") end return change end' >"$work/reject.lua"
}

on_error() {
    rejected fail && gives 1 "$connect" run --until-end "$work/fail.yaml" && says 'no hundreds' && says 'reject.lua:1' &&
        rejected skip && gives 0 "$connect" run --until-end "$work/skip.yaml" && says '990 records written, 10 rejected' &&
        rejected dead-letter && gives 0 "$connect" run --until-end "$work/dead-letter.yaml" && says '10 rejected' &&
        log_holds dead-letter dead-letter.dead-letter 10
}

# The address of the log's listener: free, another's, and a running capture's own.
check_listens() {
    local port result=0
    file listen && port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport')
    sed -i "s/^    dir: listen-data/&\n    listen: 127.0.0.1:$port/" "$work/listen.yaml"
    gives 0 "$connect" check "$work/listen.yaml" && says "ok    listen                   127.0.0.1:$port is free" || return 1
    coproc perl -MIO::Socket::INET -e '$| = 1; my $held = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => shift, Listen => 1) or die;
        print "held\n"; <STDIN>' "$port"
    local holder=$COPROC_PID out=${COPROC[0]} line
    read -r line <&"$out"
    gives 1 "$connect" check "$work/listen.yaml" && says "FAIL  listen " && says 'Address already in use' || result=1
    kill "$holder"
    wait "$holder" 2>/dev/null
    start listen && gives 1 "$connect" check "$work/listen.yaml" && says 'is in use by a running fluvio-connect' &&
        ! says 'FAIL  listen' >/dev/null && kill "$runner" && ended_with 0 && return $result
}

# Nobody listens there: told once, and the source is looked at all the same.
check_goes_on() {
    file away && sed -i '/^log:/,/dir:/d' "$work/away.yaml" &&
        printf 'log:\n  kafka:\n    bootstrap.servers: 127.0.0.1:1\n' >>"$work/away.yaml"
    gives 1 "$connect" check "$work/away.yaml" && says 'FAIL  cluster ' && says '1 failed' && says 'ok    rows'
}

check_quietly() {
    gives 0 "$connect" check -q "$work/good.yaml" && [ ! -s "$work/out" ] &&
        gives 1 "$connect" check -q "$work/none.yaml" && says 'FAIL  rows' && says '1 failed' && ! says 'ok  ' >/dev/null
}

not_writable() {
    echo 'a file' >"$work/taken"
    file dir && sed -i 's#dir: dir-data#dir: taken/data#' "$work/dir.yaml"
    gives 1 "$connect" run "$work/dir.yaml" && tail -n 1 "$work/out" | grep -q '/taken/data' &&
        gives 1 "$connect" check "$work/dir.yaml" && says 'FAIL  data directory' && says '/taken is not a directory' &&
        [ "$(cat "$work/taken")" = 'a file' ] &&
        sed -i 's#dir: taken/data#dir: /proc/none/data#' "$work/dir.yaml" &&
        gives 1 "$connect" run "$work/dir.yaml" && says 'create directory /proc/none' && one_line
}

check "make install puts everything in place" install_all
connect=$work/root/usr/bin/fluvio-connect
headers=$work/root/usr/include/fluvio
cp tests/support/example_plugin/example.c "$work/"
check "a connector builds from the installed headers alone" \
    build_example "$work/root/usr/lib/fluvio/connectors/example.so" "$headers"
check "an installed program finds its connectors and prints their options" listed
check "a capture writes each row once, however often it is started" captured
check "check prints what is fine, what fails and its fix, and changes nothing" checked
check "check -q says only what is wrong" check_quietly
check "check looks whether the log's listener can have its address" check_listens
check "check tells once of a cluster that does not answer, and goes on" check_goes_on
check "status tells of a running capture and fails without one" told
check "SIGTERM ends cleanly" ends_on_sigterm
check "a second signal ends at once, and the next start works" second_signal
check "on a terminal a live line shows rate, lag and position" draws
check "kill -9 loses nothing and doubles nothing" survives_kill
check "SIGHUP reads the transforms again and keeps them when they are wrong" reloads
check "wrong usage exits 2 with the nearest word" wrong_usage
check "a wrong file exits 2 with line, column and the nearest key" wrong_file
check "what only the connector can check has line and column, too" wrong_pattern
check "a missing connector names those that are there" missing_plugin
check "a connector of another ABI is refused with both numbers" wrong_abi
check "secrets come from a closed file or the environment and are never printed" secrets
check "a password in clear in an open file is worth a warning" clear_password
check "a data directory in use is refused with exit code 3 and the pid" in_use
check "a script that does not compile is named before anything is touched" bad_script
check "a rejected change stops, is skipped or goes to the dead-letter topic" on_error
check "a data directory that cannot be written is named" not_writable
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
