#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An SPU with a console, kaskade, driven by its keys. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
python=$(tests/support/clients-fetch console) || { echo "0 passed, 1 failed"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-console-home-XXXXXX") # its settings and its log
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work
tests/support/with-spu console "$python" tests/integration/console.py
