#!/usr/bin/env python3
"""The Pareto front of two tables over a range of FBNet against NumPy: both sides in one run, on the same numbers.

    python tests/bench/table_baseline.py --bench build/bench/table_bench [--filter REGEX]

Prints one JSON object a line; ratio is NumPy's time by ours, on as many threads as each takes. Exits with 1 where the
fronts differ. Weights are multiples of 1/1024, so that sums are exact in any order.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

DIGITS, RADIX = 22, 9
BLOCK_DIGITS = 6  # 9^6 = 531,441 architectures at a time stay in the cache


def block_sums(weights):
    """Sums of the last digits, for all of their values, last digit fastest."""
    sums = np.zeros(1)
    for digit in weights[-BLOCK_DIGITS:]:
        sums = (sums[:, None] + digit[None, :]).ravel()
    return sums


def front_of(points):
    """points [n, 2]: ascending latency, strictly rising quality."""
    points = points[np.lexsort((-points[:, 1], points[:, 0]))]
    best = np.maximum.accumulate(points[:, 1])
    return points[np.concatenate(([True], points[1:, 1] > best[:-1]))]


def numpy_front(tables, count):
    """The front of the first `count` architectures, block after block, each filtered by the front so far."""
    latencies, qualities = block_sums(tables[0]), block_sums(tables[1])
    front = np.empty((0, 2))
    for begin in range(0, count, latencies.size):
        rest, base = begin // latencies.size, [0.0, 0.0]
        for digit in range(DIGITS - BLOCK_DIGITS - 1, -1, -1):
            rest, choice = divmod(rest, RADIX)
            base = [base[o] + tables[o][digit][choice] for o in (0, 1)]
        n = min(latencies.size, count - begin)
        latency, quality = base[0] + latencies[:n], base[1] + qualities[:n]
        if front.size:
            place = np.searchsorted(front[:, 0], latency, side="right") - 1
            open_ = (place < 0) | (quality > front[place, 1])
            latency, quality = latency[open_], quality[open_]
        front = front_of(np.concatenate([front, np.stack([latency, quality], axis=1)]))
    return front


def front_case(bench, folder, count):
    rng = np.random.default_rng(3)
    tables = np.round(rng.random((2, DIGITS, RADIX)) * 1024) / 1024
    path = folder / "tables.bin"
    tables.tofile(path)
    done = subprocess.run([bench, "--front", path, str(count)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{bench} failed with exit status {done.returncode}")
    line = json.loads(done.stdout)
    start = time.perf_counter()
    front = numpy_front(tables, count)
    seconds = time.perf_counter() - start
    ours = (line["front"], line["front_latencies"], line["front_qualities"])
    agrees = ours == (len(front), float(front[:, 0].sum()), float(front[:, 1].sum()))
    line |= {"baseline": f"numpy {np.__version__}", "baseline_seconds": seconds}
    line |= {"ratio": seconds / line["seconds_median"], "agrees": agrees}
    print(json.dumps(line), flush=True)
    return agrees


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="path of the table_bench binary")
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    arguments = parser.parse_args()
    count = 100_000_000
    case = f"table_front_fbnet_{count}"
    own = subprocess.run([arguments.bench, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    matched = any(re.search(arguments.filter, name) for name in own)
    chosen = re.search(arguments.filter, case)
    if not matched and not chosen:
        sys.exit(f"no case matches '{arguments.filter}'; the cases are {', '.join([case, *own])}")
    if matched:
        subprocess.run([arguments.bench, "--filter", arguments.filter], check=True)
    if chosen:
        with tempfile.TemporaryDirectory() as folder:
            if not front_case(arguments.bench, pathlib.Path(folder), count):
                sys.exit("the front differs from NumPy's")


if __name__ == "__main__":
    main()
