#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU and Apache Kafka are asked the same by consoles' admin client; every answer must be the same. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
jars=$(tests/support/kafka-fetch) || { echo "0 passed, 1 failed"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-compare-XXXXXX")
passed=0 failed=0
trap 'tests/support/spu kill "$work/spu" 2>/dev/null; tests/support/kafka-node kill "$work/kafka" 2>/dev/null; rm -rf "$work"' EXIT
result() { # STATUS NAME
    if [ "$1" -eq 0 ]; then passed=$((passed + 1)) && echo "ok   compare_java/$2"; else failed=$((failed + 1)) && echo "FAIL compare_java/$2"; fi
}
answers() { # BOOTSTRAP
    timeout 300 java -Xmx256m -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$PWD/tests/support/kafka-peer/log4j2.properties" \
        -cp "$work:$jars/*" CompareJava "$1" 2>"$work/err"
}

javac -nowarn -d "$work" -cp "$jars/*" tests/integration/CompareJava.java || { echo "0 passed, 1 failed"; exit 1; }
ours=$(tests/support/spu start "$work/spu" 'listeners: [{ port: 0 }]' "authorization: { enabled: true, super-users: ['User:ANONYMOUS'] }") &&
    kafkas=$(tests/support/kafka-node start "$work/kafka" authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer super.users=User:ANONYMOUS) ||
    { echo "0 passed, 1 failed"; exit 1; }
answers "$kafkas" >"$work/kafkas"
result $? "Kafka is asked"
answers "$ours" >"$work/ours"
result $? "the SPU is asked"
mapfile -t answered <"$work/ours"
at=0
while IFS= read -r line; do
    if [ "$line" = "${answered[at]:-}" ]; then
        result 0 "${line%%$'\t'*}"
    else
        result 1 "${line%%$'\t'*}"
        printf '     Kafka: %s\n     ours:  %s\n' "${line#*$'\t'}" "${answered[at]#*$'\t'}"
    fi
    at=$((at + 1))
done <"$work/kafkas"
tests/support/spu stop "$work/spu"
result $? "the SPU stops cleanly"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
