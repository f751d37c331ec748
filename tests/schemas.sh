#!/bin/sh
# Holds the machine forms to schemas/*.schema.json.
#
#   tests/schemas.sh               the golden cases and the examples in tests/data, and documents that must be refused
#   tests/schemas.sh NAME FILE     FILE (- is standard input) against schemas/NAME.schema.json, for end-to-end tests
set -eu
cd "${PINGATE_TEST_SOURCE:-$(dirname "$0")/..}"
for python in /usr/bin/python3 python3; do
    if "$python" -c 'import jsonschema' 2>/dev/null; then
        exec "$python" tests/schemas.py "$@"
    fi
done
if [ $# -gt 0 ]; then
    echo "tests/schemas.sh: needs Python's jsonschema (package python3-jsonschema)" >&2
    exit 1
fi
echo "1..0 # SKIP needs Python's jsonschema (package python3-jsonschema)"
