#!/usr/bin/env bash
# Installs moto, the S3-compatible server of the tests, into a virtual environment. Prints the reason when it cannot.
set -uo pipefail
cd "$(dirname "$0")/.."
cache=.cache/moto
packages='moto[s3]==5.2.1 flask==3.1.3 flask-cors==6.0.5'

skip() { printf 'SKIPPED: %s, so the tests will not run against S3\n' "$1"; exit 0; }

[ "$(cat "$cache/installed" 2>/dev/null)" = "$packages" ] && exit 0
command -v python3 >/dev/null 2>&1 || skip 'python3 is not installed'
rm -rf "$cache"
python3 -m venv "$cache" || skip 'python3 cannot make a virtual environment (Debian: python3-venv)'
# shellcheck disable=SC2086
"$cache/bin/pip" install --quiet --disable-pip-version-check $packages || skip 'PyPI cannot be reached'
printf '%s' "$packages" >"$cache/installed"
