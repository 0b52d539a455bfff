#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apache Kafka's own dump tool reads our segment files, indexes and lists of aborted transactions without complaint: a plain, a
# transactional and a compacted partition. BUILD=build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-log-files-XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)) && echo "ok   log_files/$1"; }
not_ok() {
    failed=$((failed + 1))
    echo "FAIL log_files/$1"
    shift
    printf '    %s\n' "$@"
}
list() { find "$work/$1-0" -name "*.$2" | sort | paste -sd, -; }

if "$build/tests/integration/log_files" "$work" >"$work/out" 2>&1; then
    ok "compaction leaves less"
else
    not_ok "compaction leaves less" "$(cat "$work/out")"
fi
for topic in plain transactional compacted; do
    # What the tool complains of, in its own words. Offsets of a compacted log have gaps by nature.
    bad='Mismatches in|mismatch|not found|Index timestamp|larger|isvalid: false|rror|xception|orrupt|invalid'
    [ $topic = compacted ] || bad="$bad|Non-consecutive"
    kinds='log index timeindex'
    [ $topic = plain ] || kinds="$kinds txnindex"
    for kind in $kinds; do
        files=$(list $topic "$kind")
        code=0
        tests/support/kafka-tool dump-log --deep-iteration --print-data-log --files "$files" >"$work/dump" 2>&1 || code=$?
        if [ -n "$files" ] && [ $code -eq 0 ] && ! grep -qE "$bad" "$work/dump" && grep -q '^Dumping' "$work/dump"; then
            ok "$topic/$kind: $(tr ',' '\n' <<<"$files" | wc -l) files, $(wc -l <"$work/dump") lines"
        else
            not_ok "$topic/$kind" "exit code $code, files ${files:-none}" "$(grep -nE "$bad" "$work/dump" | head -n 5)" \
                "$(tail -n 3 "$work/dump")"
        fi
        cp "$work/dump" "$work/$topic.$kind"
    done
done
keys() { sed -n 's/.* key: \(key [0-9]*\) payload.*/\1/p' "$work/$1.log" | sort -u | wc -l; }
if [ "$(keys compacted)" -gt 0 ] && grep -q 'deleteHorizonMs: OptionalLong\[' "$work/compacted.log"; then
    ok "tombstones carry a delete horizon that Kafka reads"
else
    not_ok "tombstones carry a delete horizon that Kafka reads" "$(keys compacted) keys" "$(head -n 5 "$work/compacted.log")"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
