#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU with Node's clients: kafkajs, @platformatic/kafka. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
fetched=$(tests/support/clients-fetch node) || { echo "0 passed, 1 failed"; exit 1; }
exec tests/support/with-spu clients_node node tests/integration/clients_node.js "$fetched"
