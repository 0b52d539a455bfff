#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU with Python's clients: confluent-kafka, kafka-python, aiokafka. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
python=$(tests/support/clients-fetch python) || { echo "0 passed, 1 failed"; exit 1; }
export PYTHONDONTWRITEBYTECODE=1
exec tests/support/with-spu clients_python "$python" tests/integration/clients_python.py
