#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU with Apache Kafka's own client. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
jars=$(tests/support/kafka-fetch) || { echo "0 passed, 1 failed"; exit 1; }
classes=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-java-XXXXXX")
trap 'rm -rf "$classes"' EXIT
javac -d "$classes" -cp "$jars/*" tests/integration/ClientsJava.java tests/integration/ClientsJavaAccess.java || { echo "0 passed, 1 failed"; exit 1; }
tests/support/with-spu clients_java java -Xmx512m "-Dlog4j2.configurationFile=$PWD/tests/support/kafka-peer/log4j2.properties" \
    -cp "$classes:$jars/*" ClientsJava
