#!/usr/bin/env python3
"""MLP scoring beside PyTorch: both sides by turns in one run, same shapes, precision and number of threads.

    python tests/bench/mlp_baseline.py --bench build/bench/mlp_bench [--torch build/bench/mlp_torch] [--filter REGEX]

Prints one JSON object a line; ratio is our rate by PyTorch's. Both are the best of several turns, because others may
load the machine. Without mlp_torch (it is built with the project where LibTorch is found) the lines have no ratio, and a
message says so.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

from no_case import no_case

TURNS = 3
OUR_SECONDS = 1.0
TORCH_SECONDS = 2.0


def run(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed with exit status {done.returncode}")
    return json.loads(done.stdout)


def compare(bench, torch, case, precision):
    ours, theirs = [], []
    for _ in range(TURNS):
        ours.append(run([bench, "--measure", case, precision, OUR_SECONDS]))
        if torch:
            theirs.append(run([torch, ours[-1]["predictor"], precision, TORCH_SECONDS]))
    line = max(ours, key=lambda turn: turn["archs_per_s"])
    line["peak_gflops"] = max(turn["peak_gflops"] for turn in ours)
    widths = [int(width) for width in line["predictor"].split("-")]
    hidden_flops = 2 * sum(inputs * outputs for inputs, outputs in zip(widths[1:-2], widths[2:-1]))
    line["share_of_peak"] = round(line["archs_per_s"] * hidden_flops / (line["peak_gflops"] * 1e9), 3)
    if theirs:
        best = max(theirs, key=lambda turn: turn["baseline_archs_per_s"])
        line |= {"baseline": best["baseline"], "baseline_archs_per_s": best["baseline_archs_per_s"]}
        line["ratio"] = round(line["archs_per_s"] / best["baseline_archs_per_s"], 3)
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="path of the mlp_bench binary")
    parser.add_argument("--torch", help="path of the mlp_torch binary (default: beside mlp_bench)")
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    arguments = parser.parse_args()
    torch = pathlib.Path(arguments.torch or pathlib.Path(arguments.bench).with_name("mlp_torch")).resolve()
    if not torch.exists():
        if arguments.torch:
            sys.exit(f"{torch} does not exist")
        print(f"mlp_baseline: no {torch}, so no ratio to PyTorch; configure with -DONEPROXY_TORCH=ON", file=sys.stderr)
        torch = None
    names = subprocess.run([arguments.bench, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    chosen = [name for name in names if re.search(arguments.filter, name)]
    if not chosen:
        no_case(arguments.filter, names)
    for name in chosen:
        compare(arguments.bench, torch, *name.rsplit("_", 1))


if __name__ == "__main__":
    main()
