#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU with sarama, of three releases of Kafka. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
program=$(tests/support/clients-fetch go tests/integration/clients_sarama*.go) || { echo "0 passed, 1 failed"; exit 1; }
exec tests/support/with-spu clients_sarama "$program"
