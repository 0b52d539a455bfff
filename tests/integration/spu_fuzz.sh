#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bad input for a live SPU (spu_fuzz.c): it never dies, stays small, goes on serving others, and says a line for what it closes;
# also before login, and with the sanitizers. BUILD=build/release SEED=... SECONDS_EACH=10 SANITIZED=yes
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
seed=${SEED:-$$}
seconds=${SECONDS_EACH:-10}
echo "SEED=$seed"
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-spu-fuzz-XXXXXX")
passed=0 failed=0
clean_up() {
    tests/support/spu kill "$work/spu" 2>/dev/null
    [ "$failed" -ne 0 ] || rm -rf "$work"
}
trap clean_up EXIT
result() { # STATUS NAME
    if [ "$1" -eq 0 ]; then passed=$((passed + 1)) && echo "ok   spu_fuzz/$2"; else failed=$((failed + 1)) && echo "FAIL spu_fuzz/$2"; fi
}

# run BUILD RSS-MIB-MAX TAG
run() {
    local lines status last
    rm -rf "$work/spu"
    BUILD=$1 tests/support/spu start "$work/spu" 'partitions: 1' 'listeners:' '  - { port: 0 }' \
        '  - { name: SASL, port: 0, auth: sasl, plain-without-tls: true }' >/dev/null || { result 1 "start$3"; return; }
    . "$work/spu/env"
    for topic in fuzz served compacted; do
        kcat -q -b "$BOOTSTRAP" -L -t $topic >/dev/null 2>&1 # makes it
    done
    "$build/tests/integration/spu_fuzz" "${BOOTSTRAP##*:}" "$PID" "$seed" "$seconds" "$2" "${PORTS##* }" >"$work/out" 2>&1
    sed "s|^\(ok  *\)spu_fuzz/|&$3|; s|^FAIL spu_fuzz/|&$3|" "$work/out" | grep -v ' passed, '
    last=$(tail -n 1 "$work/out")
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    else
        result 1 "$3the driver itself"
    fi
    # A line of one kind for each, and not more of them than somebody could read.
    lines=$(wc -l <"$work/spu/start.log")
    [ "$lines" -gt 10 ] && [ "$lines" -lt 5000 ] && ! grep -vE '^[0-9]{4}-[0-9T:.-]+Z (info|warn|error) ' "$work/spu/start.log" >"$work/odd"
    status=$?
    [ $status -eq 0 ] || { echo "     $lines lines"; head -n 20 "$work/odd"; }
    result $status "${3}diagnostics are lines, and not without end"
    BUILD=$1 tests/support/spu stop "$work/spu"
    result $? "${3}it ends cleanly"
    BUILD=$1 tests/support/spu again "$work/spu" && . "$work/spu/env" && [ "$(kcat -q -b "$BOOTSTRAP" -C -t served -e -f . | wc -c)" -ge 100 ]
    result $? "${3}it starts again with what it was left, and serves"
}

run "$build" 300 ''
if [ "${SANITIZED:-yes}" = yes ]; then
    if make -j2 SAN=address,undefined CI=1 build/san-address-undefined/fluvio-spu >"$work/make" 2>&1; then
        tests/support/spu kill "$work/spu"
        run build/san-address-undefined 1500 'sanitized: '
    else
        tail -n 5 "$work/make"
        result 1 "building with the sanitizers"
    fi
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
