#!/usr/bin/env bash
# Runs the built program on Node 24 from an npm package: computes ids and pushes into the embedded database.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=.cache/node24
[ -x "$cache/node_modules/node/bin/node" ] || npm install --no-save --no-audit --no-fund --silent --prefix "$cache" node@24
node24="$cache/node_modules/node/bin/node"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$node24" --version
# Node must not warn about unknown flags.
[ -z "$("$node24" bin/vortex-ingest.js --version 2>&1 >/dev/null)" ]
"$node24" bin/vortex-ingest.js golden-check
"$node24" bin/vortex-ingest.js push examples/results.jsonl --commit examples/commit.json --embedded "$work/db"
"$node24" bin/vortex-ingest.js verify examples/results.jsonl --embedded "$work/db" --extra
