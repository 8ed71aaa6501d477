#!/bin/bash
# The table of docs/quality.md: five simulated estates that nobody tuned on, 45 days each, attacked at human pace.
# Usage: tools/quality.sh KEYVIGIL FOLDER [STRENGTH [SEED...]]
set -euo pipefail
keyvigil=$1
folder=$2
strength=${3:-human}
shift 2
[ $# -gt 0 ] && shift
seeds=("$@")
[ ${#seeds[@]} -gt 0 ] || seeds=(31 32 33 34 35)
mkdir -p "$folder"
alerts=()
labels=()
for seed in "${seeds[@]}"; do
  world="$folder/$strength-$seed"
  "$keyvigil" simulate --size medium --days 45 --seed "$seed" --attacks all --strength "$strength" --twins \
    --output "$world.jsonl" --tor-list "$world.tor" --suspicious-list "$world.suspicious" \
    --service-tags "$world.tags.json" --labels "$world.labels" 2>"$world.figures"
  "$keyvigil" detect "$world.jsonl" --tor "$world.tor" --suspicious "$world.suspicious" \
    --service-tags "$world.tags.json" --format jsonl --output "$world.alerts" 2>"$world.summary"
  rm "$world.jsonl"
  alerts+=("$world.alerts")
  labels+=(--labels "$world.labels")
done
"$keyvigil" evaluate "${alerts[@]}" "${labels[@]}" --vaults 80 --days 45 --markdown
