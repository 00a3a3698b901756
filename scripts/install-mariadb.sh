#!/usr/bin/env bash
# Installs MariaDB for the tests of `copy` into .cache/mariadb, from Debian's packages. Prints the reason when it cannot.
set -uo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache/mariadb

skip() { printf 'SKIPPED: %s, so the tests will not copy from MariaDB\n' "$1"; exit 0; }

[ -x "$cache/usr/sbin/mariadbd" ] && exit 0
command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 || skip 'this is no Debian'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
download() { apt-get download mariadb-server-core libaio1 liburing2 libnuma1 >/dev/null 2>&1; }
download || { apt-get update >/dev/null 2>&1; download; } || skip "Debian's packages cannot be reached"
mkdir root
for package in ./*.deb; do dpkg -x "$package" root || skip "$package cannot be unpacked"; done
mkdir -p "$(dirname "$cache")"
rm -rf "$cache"
mv root "$cache"
