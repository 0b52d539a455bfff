#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU with the system's librdkafka: a C program, and kcat. BUILD=build/release
#   clients_librdkafka.sh             starts an SPU
#   clients_librdkafka.sh BOOTSTRAP   uses that one
set -u
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
[ $# -eq 1 ] || exec tests/support/with-spu clients_librdkafka "$0"
passed=0 failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-kcat-XXXXXX")
trap 'rm -rf "$work"' EXIT
same() { # NAME WANTED GOT
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1)) && echo "ok   clients_librdkafka/kcat: $1"
    else
        failed=$((failed + 1))
        printf 'FAIL clients_librdkafka/kcat: %s\n     wanted: %.300s\n     got:    %.300s\n' "$1" "$2" "$3"
    fi
}
k() { timeout 30 kcat -q -b "$BOOTSTRAP" "$@" 2>&1; }

"$build/tests/integration/clients_librdkafka" "$BOOTSTRAP" >"$work/out" 2>"$work/err"
last=$(tail -n 1 "$work/out")
if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
    sed '$d' "$work/out"
else
    cat "$work/out" "$work/err"
    same "the C program comes to its end" yes no
fi

seq 1 500 | sed 's/\(.*\)/key\1:value\1/' >"$work/in"
for codec in none gzip snappy lz4 zstd; do
    k -P -t "kcat-$codec" -K : -z $codec -H name=value -l "$work/in"
    same "$codec" "$(cat "$work/in")" "$(k -C -t "kcat-$codec" -e -K :)"
done
same "headers and offsets" "name=value 499" "$(k -C -t kcat-zstd -o -1 -e -f '%h %o\n')"
same "the newest record" "value500" "$(k -C -t kcat-zstd -o -1 -e)"
same "from an offset" "value498 value499 value500" "$(k -C -t kcat-lz4 -o 497 -e | xargs)"
same "idempotent" "" "$(k -P -t kcat-idempotent -X enable.idempotence=true -l "$work/in")"
same "  each once" "$(cut -d: -f2 "$work/in" | sort)" "$(k -C -t kcat-idempotent -e -K : | sed 's/.*://' | sort)"
same "a batch with acks=0" "" "$(k -P -t kcat-acks0 -X acks=0 -l "$work/in")"
head -c 900000 /dev/zero | tr '\0' x >"$work/large"
k -P -t kcat-large "$work/large"
same "a large message" 900000 "$(k -C -t kcat-large -e -f '%S')"
same "a group reads to the end" 500 "$(k -G kcat-group -X auto.offset.reset=earliest -e kcat-gzip | wc -l)"
same "  and has committed it" 0 "$(k -G kcat-group -X auto.offset.reset=earliest -e kcat-gzip | wc -l)"
same "metadata" "1 brokers" "$(timeout 30 kcat -b "$BOOTSTRAP" -L | sed -n 's/^ *\(1 brokers\):.*/\1/p')"
stamp=$(k -C -t kcat-gzip -o 100 -c 1 -f '%T')
same "an offset for a time" "$(k -C -t kcat-gzip -e -f '%T %o\n' | awk -v stamp="$stamp" '$1 >= stamp { print $2; exit }')" \
    "$(timeout 30 kcat -b "$BOOTSTRAP" -Q -t "kcat-gzip:0:$stamp" | sed -n 's/.*offset \([0-9]*\).*/\1/p')"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
