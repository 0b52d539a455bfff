#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU with segmentio/kafka-go. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
program=$(tests/support/clients-fetch go tests/integration/clients_segmentio*.go) || { echo "0 passed, 1 failed"; exit 1; }
exec tests/support/with-spu clients_segmentio "$program"
