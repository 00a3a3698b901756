#!/usr/bin/env bash
# Installs pyarrow, with which the tests read Parquet files, into .cache/pyarrow. Prints the reason when it cannot.
set -uo pipefail
cd "$(dirname "$0")/.."
cache=.cache/pyarrow
package='pyarrow==25.0.1'

skip() { printf 'SKIPPED: %s, so the tests will not read Parquet files with pyarrow\n' "$1"; exit 0; }

[ "$(cat "$cache/installed" 2>/dev/null)" = "$package" ] && exit 0
command -v python3 >/dev/null 2>&1 || skip 'python3 is not installed'
rm -rf "$cache"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --only-binary :all: --target "$cache" "$package" ||
  skip 'PyPI cannot be reached, or has no pyarrow for this Python'
printf '%s' "$package" >"$cache/installed"
