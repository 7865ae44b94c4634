#!/usr/bin/env python3
"""Spearman and Kendall against SciPy: both sides in one run, on the same numbers.

    python tests/bench/rank_baseline.py --bench build/bench/rank_bench [--filter REGEX]

Prints one JSON object a line; ratio is SciPy's time by ours. Exits with 1 where a value differs by more than 1e-12.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy
from no_case import no_case
from scipy import stats

TOLERANCE = 1e-12


def median_seconds(work, repeats):
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def latency_like_columns(rows, columns):
    """Shaped as measured latencies: correlated, skewed; every third column in whole steps, with many ties."""
    rng = np.random.default_rng(1)
    common = rng.standard_normal(rows)
    table = np.empty((columns, rows))
    for d in range(columns):
        table[d] = np.exp(2 + 0.5 * (common + rng.standard_normal(rows)))
        if d % 3 == 2:
            table[d] = np.round(10 * table[d])
    return table


def run_bench(bench, arguments):
    done = subprocess.run([bench, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{bench} failed with exit status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(line, name, values, seconds):
    """Prints the line with SciPy's time; True where the values agree."""
    difference = float(np.max(np.abs(np.asarray(line.pop("values")) - np.ravel(values))))
    line["case"] = name
    line |= {"baseline": f"scipy {scipy.__version__}", "baseline_seconds": seconds}
    line |= {"ratio": seconds / line["seconds_median"], "largest_difference": difference}
    print(json.dumps(line), flush=True)
    return difference <= TOLERANCE


def matrix_case(bench, folder):
    rows, columns, repeats = 15625, 26, 100
    table = latency_like_columns(rows, columns)
    path = folder / "columns.bin"
    table.tofile(path)
    ours = run_bench(bench, ["--columns", path, rows, columns, repeats])
    by_row = np.ascontiguousarray(table.T)
    seconds = median_seconds(lambda: stats.spearmanr(by_row), 21)
    expected = stats.spearmanr(by_row).statistic
    return all([compare(line, "spearman_matrix_26", expected, seconds) for line in ours])


def pair_case(bench, folder, rows, repeats, scipy_repeats):
    rng = np.random.default_rng(2)
    x = rng.random(rows)
    y = x + rng.random(rows)
    path = folder / "pair.bin"
    np.stack([x, y]).tofile(path)
    agree = True
    for line in run_bench(bench, ["--pair", path, rows, repeats]):
        scipy_function = {"spearman": stats.spearmanr, "kendall_tau_b": stats.kendalltau}[line["case"]]
        seconds = median_seconds(lambda: scipy_function(x, y), scipy_repeats)
        agree &= compare(line, f"{line['case']}_pair", scipy_function(x, y).statistic, seconds)
    return agree


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="path of the rank_bench binary")
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    arguments = parser.parse_args()
    cases = {
        "matrix_26_15625": lambda folder: matrix_case(arguments.bench, folder),
        "pair_10": lambda folder: pair_case(arguments.bench, folder, 10, 1001, 201),
        "pair_15625": lambda folder: pair_case(arguments.bench, folder, 15625, 101, 21),
        "pair_5000000": lambda folder: pair_case(arguments.bench, folder, 5_000_000, 9, 3),
    }
    chosen = [run for name, run in cases.items() if re.search(arguments.filter, name)]
    # The program's own cases have no baseline: SciPy would need minutes and tens of gigabytes for the largest.
    own = subprocess.run([arguments.bench, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    matched = any(re.search(arguments.filter, name) for name in own)
    if not chosen and not matched:
        no_case(arguments.filter, [*cases, *own])
    if matched:
        subprocess.run([arguments.bench, "--filter", arguments.filter], check=True)
    with tempfile.TemporaryDirectory() as folder:
        agree = [run(pathlib.Path(folder)) for run in chosen]
    if not all(agree):
        sys.exit(f"a value differs from SciPy's by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
