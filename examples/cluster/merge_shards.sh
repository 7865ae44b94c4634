#!/usr/bin/env bash
# Joins the shards of search_shards.sh, after all of them: sbatch --dependency=afterok:JOB. Prints the result folder as
# the last line; a shard that is missing or not finished is an error that names it.
#SBATCH --job-name=oneproxy-merge
#SBATCH --ntasks=1
#SBATCH --time=00:10:00
#SBATCH --output=oneproxy-merge-%j.log
set -euo pipefail

oneproxy=${ONEPROXY:-build/oneproxy}
out=${ONEPROXY_OUT:-results}

"$oneproxy" merge --out "$out" "$out"/search/fbnet_exhaustive-*.shard-*-of-"${ONEPROXY_SHARDS:-16}".h5
