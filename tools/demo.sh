#!/bin/sh
# The demonstration of the README: weeks of a made-up estate, attacked, judged, explained. Nothing leaves build/demo.
# Usage: tools/demo.sh KEYVIGIL
set -eu
cd "$(dirname "$0")/.."
keyvigil=$1
demo=build/demo
rm -rf "$demo"
mkdir -p "$demo"

say() { printf '\n%s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

say "1. Six weeks of an estate's audit logs, with attacks and their harmless twins among them:"
run "$keyvigil" simulate --size medium --days 45 --attacks all --strength human --twins --seed 7 \
  --output "$demo/logs.jsonl" --tor-list "$demo/tor.txt" --suspicious-list "$demo/suspicious.txt" \
  --service-tags "$demo/service-tags.json" --labels "$demo/labels.jsonl"

say "2. The alerts (two weeks of learning, then all fourteen):"
run "$keyvigil" detect "$demo/logs.jsonl" --tor "$demo/tor.txt" --suspicious "$demo/suspicious.txt" \
  --service-tags "$demo/service-tags.json" --format table

"$keyvigil" detect "$demo/logs.jsonl" --tor "$demo/tor.txt" --suspicious "$demo/suspicious.txt" \
  --service-tags "$demo/service-tags.json" --format jsonl --output "$demo/alerts.jsonl" 2>/dev/null

say "3. One of them, explained:"
id=$(sed -n 's/.*"name":"[0-9]*_\([0-9a-f-]*\)","type.*KV_ListGetAnomaly.*/\1/p' "$demo/alerts.jsonl" | head -n 1)
run "$keyvigil" explain "$id" --alerts "$demo/alerts.jsonl"

say "Where to look next:"
cat <<END
  $demo/alerts.jsonl            the same alerts with all their evidence, one Azure alert object a line
  $demo/logs.jsonl              the logs that were read
  $demo/labels.jsonl            which records are attacks; $keyvigil evaluate compares
  $keyvigil catalogue    the fourteen alerts, and which of them can fire
  $keyvigil detect --help
  docs/alerts/                       what each alert means, and what to do
END
