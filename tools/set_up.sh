#!/bin/sh
# Installs what is missing of the named groups of tools/packages.txt; quick and silent when nothing is.
# Usage: tools/set_up.sh GROUP...
set -eu

list="$(dirname "$0")/packages.txt"
wanted=""
for group in "$@"; do
  names=$(sed -n "/^\[$group\]\$/,/^\[/{/^[a-z0-9]/p}" "$list")
  if [ -z "$names" ]; then
    echo "set-up: no group '$group' in $list" >&2
    exit 2
  fi
  wanted="$wanted $names"
done

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "set-up: no Debian system, so nothing is installed. Needed are these Debian 12 packages, or their like:" >&2
  echo "set-up:$wanted" | tr '\n' ' ' >&2
  exit 0
fi

# One query for all; a package that dpkg has never heard of makes it fail, which is no error here.
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null | sed -n 's/ installed$//p' || true)
missing=""
for name in $wanted; do
  echo "$installed" | grep -qx "$name" || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "set-up: these packages are missing, and neither root nor sudo is at hand to install them:$missing" >&2
    echo "set-up: as root, run: apt-get install --no-install-recommends$missing" >&2
    exit 3
  fi
  as_root="sudo"
fi
echo "set-up: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
# sudo does not pass the environment on, so the question-free mode is named again.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
