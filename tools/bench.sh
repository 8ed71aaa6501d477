#!/bin/sh
# Runs every benchmark of a build folder, one after the other, and names the machine first: a figure without its
# machine says nothing. Usage: tools/bench.sh BUILD_FOLDER [BENCHMARK...]
set -eu
cd "$(dirname "$0")/.."
build=$1
shift
echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores seen"
echo "load:    $(cut -d ' ' -f 1-3 /proc/loadavg)"
echo "memory:  $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
echo "code:    $(git describe --always --dirty 2>/dev/null || echo unknown), $(g++ --version | head -n 1)"
# Benchmarks that need a big input make it here once, with the generator of the repository.
KEYVIGIL_BENCH_FOLDER="$PWD/$build/data"
KEYVIGIL_BINARY="$PWD/$build/keyvigil"
export KEYVIGIL_BENCH_FOLDER KEYVIGIL_BINARY
mkdir -p "$KEYVIGIL_BENCH_FOLDER"
found=0
for bench in "$build"/tests/*_bench; do
  [ -x "$bench" ] || continue
  name=$(basename "$bench")
  if [ $# -gt 0 ]; then
    case " $* " in *" $name "*) ;; *) continue ;; esac
  fi
  found=1
  echo
  echo "== $name"
  "$bench" --benchmark_counters_tabular=true
done
if [ "$found" -eq 0 ]; then
  echo "bench: no benchmark of that name in $build/tests" >&2
  exit 1
fi
