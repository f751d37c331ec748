#!/bin/sh
# Holds the ready-made CI definitions in pipelines/ci to the published schemas in tests/data, and to what makes them safe.
#
#   tests/ci.sh                    all of it, and broken definitions that must be refused
#   tests/ci.sh scripts FOLDER     writes the scripts that stand within them into FOLDER, for shellcheck
set -eu
cd "${PINGATE_TEST_SOURCE:-$(dirname "$0")/..}"
for python in /usr/bin/python3 python3; do
    if "$python" -c 'import jsonschema' 2>/dev/null; then
        exec "$python" tests/ci.py "$@"
    fi
done
if [ $# -gt 0 ]; then
    echo "tests/ci.sh: needs Python's jsonschema (package python3-jsonschema)" >&2
    exit 1
fi
echo "1..0 # SKIP needs Python's jsonschema (package python3-jsonschema)"
