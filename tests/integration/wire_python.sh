#!/usr/bin/env bash
# Messages of core/wire against another implementation, the one of the Python package kafka-python: each decodes what the other
# encodes, for all messages and versions that both know. BUILD=build/release SEED=...
set -u
cd "$(dirname "$0")/../.."
tool=${BUILD:-build/release}/tests/integration/wire_samples
seed=${SEED:-$(date +%s)}
package=kafka-python==3.0.12
venv=build/python/$package
if [ ! -e "$venv/installed" ]; then
    mkdir -p build/python
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" -q install "$package" && touch "$venv/installed"; }; then
        echo "FAIL wire/python: $package cannot be installed"
        echo "0 passed, 1 failed"
        exit 1
    fi
fi
echo "SEED=$seed"
exec "$venv/bin/python" tests/integration/wire_python.py "$tool" "$seed"
