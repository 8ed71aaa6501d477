#!/bin/sh
# Runs every fuzzer of build/dev for a number of seconds, some at a time; fails when one finds something.
# Seeds: tests/fuzz/corpus/<fuzzer>/ (read only). Found inputs grow in build/fuzz/corpus/, crashes land in
# build/fuzz/artifacts/. Usage: tools/fuzz.sh SECONDS JOBS
set -eu
cd "$(dirname "$0")/.."
seconds=$1
jobs=$2

run_one() {
  fuzzer=$1
  name=$(basename "$fuzzer")
  grown="build/fuzz/corpus/$name"
  log="build/fuzz/logs/$name.log"
  mkdir -p "$grown" build/fuzz/artifacts build/fuzz/logs
  seeds="tests/fuzz/corpus/$name"
  [ -d "$seeds" ] || seeds=""
  dictionary="tests/fuzz/$name.dict"
  [ -f "$dictionary" ] && dictionary="-dict=$dictionary" || dictionary=""
  if "$fuzzer" $dictionary -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/artifacts/$name-" "$grown" $seeds >"$log" 2>&1; then
    echo "fuzz: $name: clean, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
  else
    tail -n 60 "$log"
    echo "fuzz: $name: FAILED; the input is in build/fuzz/artifacts/, the whole log in $log"
    return 1
  fi
}

if [ "${3:-}" ]; then
  run_one "$3"
  exit
fi
fuzzers=$(find build/dev/tests -maxdepth 1 -type f -name '*_fuzz' -perm -u+x | sort)
if [ -z "$fuzzers" ]; then
  echo "fuzz: there is no fuzzer in build/dev/tests" >&2
  exit 1
fi
echo "$fuzzers" | xargs -P "$jobs" -n 1 "$0" "$seconds" "$jobs"
