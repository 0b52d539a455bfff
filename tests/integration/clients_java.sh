#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU with Apache Kafka's own client, and with Kafka Streams. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
jars=$(tests/support/kafka-fetch) || { echo "0 passed, 1 failed"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-java-XXXXXX")
trap 'rm -rf "$work"' EXIT
javac -d "$work" -cp "$jars/*" tests/integration/ClientsJava*.java || { echo "0 passed, 1 failed"; exit 1; }
tests/support/with-spu clients_java java -Xmx512m "-Djava.io.tmpdir=$work" "-Dlog4j2.configurationFile=$PWD/tests/support/kafka-peer/log4j2.properties" \
    -cp "$work:$jars/*" ClientsJava
