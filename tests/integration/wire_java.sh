#!/usr/bin/env bash
# Messages of core/wire against Apache Kafka's own codec, for all messages and versions that it knows, the records of the state
# topics among them. BUILD=build/release SEED=...
set -u
cd "$(dirname "$0")/../.."
tool=${BUILD:-build/release}/tests/integration/wire_samples
seed=${SEED:-$(date +%s)}
if ! jars=$(tests/support/kafka-fetch); then
    echo "FAIL wire/Kafka's jars cannot be fetched"
    echo "0 passed, 1 failed"
    exit 1
fi
echo "SEED=$seed"
"$tool" "$seed" | java -Xmx512m -cp "$jars/*" tests/integration/WireJava.java
