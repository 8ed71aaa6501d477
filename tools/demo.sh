#!/bin/sh
# The demonstration of the README: weeks of a small made-up estate, attacked, judged. Nothing leaves build/demo.
# Usage: tools/demo.sh KEYVIGIL
set -eu
cd "$(dirname "$0")/.."
keyvigil=$1
demo=build/demo
rm -rf "$demo"
mkdir -p "$demo/logs"

say() { printf '\n%s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

say "1. Three weeks of a small estate's audit logs, in the folders in which Azure stores them, with attacks among them:"
run "$keyvigil" simulate --size small --days 21 --attacks --seed 7 --output "$demo/logs" \
  --tor-list "$demo/tor.txt" --suspicious-list "$demo/suspicious.txt"

say "2. The alerts:"
run "$keyvigil" detect "$demo/logs" --tor "$demo/tor.txt" --suspicious "$demo/suspicious.txt" --format table

"$keyvigil" detect "$demo/logs" --tor "$demo/tor.txt" --suspicious "$demo/suspicious.txt" \
  --format jsonl --output "$demo/alerts.jsonl" 2>/dev/null

say "Where to look next:"
cat <<END
  $demo/alerts.jsonl            the same alerts with all their evidence, one Azure alert object a line
  $demo/logs                    the logs that were read: try 'detect' on one file, or on a pipe
  $keyvigil catalogue    the fourteen alerts, and which of them can fire
  $keyvigil detect --help
  docs/alerts/                       what each alert means, and what to do
END
