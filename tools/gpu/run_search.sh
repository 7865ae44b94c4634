#!/usr/bin/env bash
# Searches on this machine's GPU and, for the same result, on its CPU: run_search --help. Needs no other file than those
# beside it; tools/gpu_search puts it there.
set -euo pipefail

help() {
  cat <<'TEXT'
usage: run_search [cuda|cpu] [FOLDER]
Three exhaustive searches with the back end named (default: cuda):
  network   all of NAS-Bench-201 by a network in bf16, proven in fp64
  tables    2e7 networks of FBNet's 9^22 by two tables
  long      more of these: 1e11 with cuda, 1e8 with cpu
The first two are done on the CPU as well and have to give the same summary, to the last digit. FOLDER (default: $OUT,
else results/ beside this script) gets the summary and provenance of each, and log.txt. Exit status 0 where all is well.
TEXT
}
fail() { printf 'run_search: error: %s\n' "$*" >&2; exit 1; }

case ${1:-cuda} in
  cuda | cpu) backend=${1:-cuda} ;;
  -h | --help) help; exit ;;
  *) fail "unknown back end '$1'; cuda or cpu" ;;
esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${2:-${OUT:-$here/results}}
mkdir -p "$folder" 2>/dev/null || fail "$folder can not be made; name another folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# cuBLAS is not carried: it is the toolkit's, or PyTorch's.
libraries=$here/lib
if [[ $backend == cuda ]]; then
  shopt -s nullglob
  for place in /usr/local/nvidia/lib64 /usr/local/cuda*/lib64 /usr/local/cuda*/targets/*/lib /usr/local/cuda*/lib; do
    libraries+=:$place
  done
  libraries+=:$(python3 -c 'import glob, sysconfig
print(":".join(glob.glob(sysconfig.get_paths()["purelib"] + "/nvidia/*/lib")))' 2>/dev/null || true)
fi

oneproxy() {
  LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} ONEPROXY_HOME=$here "$here/bin/oneproxy" "$@"
}
last_words() { tail -n 1 "$folder/log.txt"; }

# search NAME BACKEND ARGUMENT...: leaves the result folder's files in $work/NAME-BACKEND.
search() {
  local name=$1 on=$2 result
  shift 2
  result=$(oneproxy search --method exhaustive --latency proxy:pixel3 --set "backend=$on" --out "$work/out-$on" "$@" \
    2>>"$folder/log.txt" | tee -a "$folder/log.txt" | tail -n 1) || fail "search $name with $on: $(last_words)"
  grep -q "\"backend\": \"$on\"" "$result/provenance.json" || fail "search $name did not run on $on; see $result"
  cp -r "$result" "$work/$name-$on"
}
seconds() { sed -n 's/.*"exhaustive search": \([0-9.e+-]*\).*/\1/p' "$work/$1-$2/provenance.json"; }

: >"$folder/log.txt"
store=$work/store.h5
cp "$here/experiments/data/public_latency.h5" "$store"
oneproxy import --predictor "$here/network.pth" --space nasbench201 --name network --store "$store" \
  >>"$folder/log.txt" 2>&1 || fail "the program does not run here: $(last_words)"
many=100000000
[[ $backend == cuda ]] && many=100000000000
declare -A what=(
  [network]="--space nasbench201 --quality predictor:network --set precision=bf16 --store $store"
  [tables]="--space fbnet --quality model:macs --set count=20000000"
  [long]="--space fbnet --quality model:macs --set count=$many"
)
for name in network tables long; do
  read -r -a arguments <<<"${what[$name]}"
  search "$name" "$backend" "${arguments[@]}"
  cp "$work/$name-$backend/summary.json" "$folder/$name.json"
  cp "$work/$name-$backend/provenance.json" "$folder/${name}_provenance.json"
  same=""
  if [[ $name != long && $backend != cpu ]]; then
    search "$name" cpu "${arguments[@]}"
    if ! diff "$work/$name-$backend/summary.json" "$work/$name-cpu/summary.json" >"$work/difference"; then
      fail "search $name: $backend and cpu differ, first in $(sed -n 2p "$work/difference")"
    fi
    same=", the same as on the CPU ($(seconds "$name" cpu) s)"
  fi
  printf '%s: %s s with %s%s\n' "$name" "$(seconds "$name" "$backend")" "$backend" "$same"
done
