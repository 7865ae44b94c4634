#!/usr/bin/env bash
# One search as a job array of SLURM: 16 tasks that do not know of each other, each with a whole node, and a job that
# joins what they found. All nodes see this folder. Begin yours with it:
#
#   array=$(sbatch --parsable --array=1-16 examples/cluster/search_shards.sh)
#   sbatch --dependency=afterok:"$array" --cpus-per-task=1 examples/cluster/merge_shards.sh
#
# A task that was killed goes on where its last checkpoint stands: submit its number again (--array=7), or let SLURM do
# it (--requeue). A task whose shard is finished ends at once.
#SBATCH --job-name=oneproxy-search
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --exclusive
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=oneproxy-%A-%a.log
# For a GPU a task: #SBATCH --gres=gpu:1, and backend stays "auto".
set -euo pipefail

oneproxy=${ONEPROXY:-build/oneproxy}  # the program; the same build for all tasks
out=${ONEPROXY_OUT:-results}          # seen by all nodes
shards=${SLURM_ARRAY_TASK_COUNT:?submit it with sbatch --array=1-16, or set SLURM_ARRAY_TASK_COUNT and _ID}

# SLURM gives the task some processors; the program takes all of the machine unless it is told.
if [[ -n ${SLURM_CPUS_ON_NODE:-} ]]; then export ONEPROXY_THREADS=$SLURM_CPUS_ON_NODE; fi

# ONEPROXY_COUNT: of 9^22 networks so many distinct random ones.
"$oneproxy" search --space fbnet --latency proxy:pixel3 --quality model:accuracy --method exhaustive --best 10 \
  --set "count=\"${ONEPROXY_COUNT:-1000000000000}\"" --set shuffled=true --set checkpoint_seconds=60 --out "$out" \
  --shard "${SLURM_ARRAY_TASK_ID:?}/${ONEPROXY_SHARDS:-$shards}"
