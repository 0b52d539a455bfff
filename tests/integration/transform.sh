#!/usr/bin/env bash
# `fluvio-connect transform test` from outside: what it prints and how it ends. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
connect=${BUILD:-build/release}/fluvio-connect
changes=examples/transforms/changes.json
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-transform-XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# check NAME EXIT TEXT COMMAND...: it ends with that code, and TEXT stands in what it writes.
check() {
    local name=$1 expected=$2 text=$3 got=0
    shift 3
    "$@" >"$work/out" 2>&1 </dev/null || got=$?
    if [ "$got" -eq "$expected" ] && grep -qF -- "$text" "$work/out"; then
        passed=$((passed + 1))
        echo "ok   transform/$name"
    else
        failed=$((failed + 1))
        echo "FAIL transform/$name"
        echo "exit $got instead of $expected, or not said: $text"
        cat "$work/out"
    fi
}

run() { "$connect" transform test "$@"; }
from_stdin() { printf '%s' "$1" | "$connect" transform test "${@:2}" --input -; }

check "a masked change comes out as JSON" 0 '"email":"****"' run mask --with '{"columns":["email"]}' -i $changes
check "a dropped change is said to be dropped" 0 '{"change":3,"dropped":true}' \
    run filter --with '{"ops":["d"],"action":"drop"}' -i $changes
check "a value that a transform sets is shown" 0 '"__op":"c"' \
    sh -c "'$connect' transform test flatten -i $changes | sed 's/\\\\//g'"
check "the examples work: anonymise" 0 '"email":"example.org"' \
    run examples/transforms/anonymise.lua --with '{"key":"k"}' -i $changes
check "the examples work: only_status_changes" 0 '"headers":{"was":"open"}' \
    run examples/transforms/only_status_changes.lua -i $changes
check "the examples work: split_lines" 0 '"topic":"order_lines","key":"5-2"' \
    from_stdin '{"op":"c","after":{"id":5,"items":[{"n":1},{"n":2}]},"source":{"table":"orders"}}' \
    examples/transforms/split_lines.lua

cat >"$work/reject.lua" <<'LUA'
function transform(change)
  if change.op == "u" then
    reject("no updates here")
  end
end
LUA
check "a rejected change names input line, script and script line" 1 \
    "$changes:15: change 2 rejected: $work/reject.lua:3: no updates here" run "$work/reject.lua" -i $changes
check "the changes after a rejected one are still tried" 1 '{"change":3,' run "$work/reject.lua" -i $changes

echo 'function transform(change) while true do end end' >"$work/loop.lua"
check "an endless loop ends" 1 "loop.lua:1: ran for more than 1000000 instructions" run "$work/loop.lua" -i $changes

echo 'function transform(' >"$work/broken.lua"
check "a script that cannot be read is wrong usage" 2 "broken.lua:2:" run "$work/broken.lua" -i $changes
check "an unknown option names the nearest" 2 'unknown option `colums`, did you mean `columns`?' \
    run mask --with '{"colums":["email"]}' -i $changes
check "options that are no JSON are wrong usage" 2 "invalid JSON at byte" run mask --with '{' -i $changes
check "an unknown transform names the nearest" 2 'did you mean `flatten`?' run flaten -i $changes
check "a missing script is wrong usage" 2 "No such file or directory" run "$work/none.lua" -i $changes
check "a missing input is wrong usage" 2 "none.json" run mask --with '{"columns":["a"]}' -i "$work/none.json"
check "no input is wrong usage" 2 "--input FILE is missing" run mask
check "input that is no JSON names the line" 2 "line 1: invalid JSON" \
    from_stdin '{"op":' mask --with '{"columns":["a"]}'
check "another word than test is wrong usage" 2 'there is only `transform test`' \
    "$connect" transform try mask -i $changes

cat >"$work/c.yaml" <<YAML
apiVersion: 0.1.0
meta:
  name: shop
  type: mysql-source
  topic: shop
log:
  embedded:
    dir: ./data
transforms:
  - uses: mask
    with: { columns: [email] }
  - uses: rename
    with: { columns: { email: mail } }
mysql:
  host: 127.0.0.1
YAML
check "a connector file's whole list is tried" 0 '"mail":"****"' run "$work/c.yaml" -i $changes
check "help tells how" 0 "Usage: fluvio-connect transform test" "$connect" transform --help

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
