#!/usr/bin/env python3
"""What calls from Python cost beside the same work in C++, and beside other packages, in one run.

    PYTHONPATH=build/python build/venv/bin/python tests/bench/python_calls.py --bench build/bench [--filter REGEX]

Of a C++ benchmark: both sides by turns, the least median of the turns; overhead is our time from Python by that of C++,
less 1. Of another package: ratio is its time by ours, on the same arrays. A package that is not installed is passed over
with a line on stderr. Prints one JSON object a line. Exits with 1 where a result differs from the other's.
"""

import argparse
import importlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

import numpy as np
from no_case import no_case
from rank_baseline import latency_like_columns

import oneproxy



def median_seconds(work, repeats):
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def cpp_seconds(arguments):
    done = subprocess.run([*map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[0])["seconds_median"]


def package(name):
    """The package, or nothing where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed: its comparison is left out", file=sys.stderr)
        return None


def report(case, n, seconds, **more):
    line = {"case": case, "n": n, "backend": "cpu", "threads": int(os.environ.get("ONEPROXY_THREADS", len(os.sched_getaffinity(0)))), "seconds_median": seconds}
    print(json.dumps(line | more), flush=True)


def beside_cpp(case, n, python, cpp, repeats, turns):
    """The least of many short turns is what the work takes where others keep the machine busy."""
    ours, theirs = [], []
    for _ in range(turns):
        theirs.append(cpp())
        ours.append(median_seconds(python, repeats))
    seconds, baseline = min(ours), min(theirs)
    report(case, n, seconds, baseline="C++", baseline_seconds=baseline, overhead=seconds / baseline - 1)
    return True


def beside_package(case, n, ours, name, theirs, repeats, agrees):
    """Both by turns; agrees(ours, theirs) compares what they return."""
    same = bool(agrees(ours(), theirs()))
    own = other = float("inf")
    for _ in range(3):
        own = min(own, median_seconds(ours, repeats))
        other = min(other, median_seconds(theirs, repeats))
    report(case, n, own, baseline=f"{name} {version(name)}", baseline_seconds=other, ratio=other / own, same=same)
    return same


def spearman_matrix_cpp(bench):
    table = latency_like_columns(15625, 26)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "columns.bin"
        table.tofile(path)
        arguments = [bench / "rank_bench", "--columns", path, 15625, 26, 1]
        return beside_cpp("python_spearman_matrix_26", 15625, lambda: oneproxy.spearman_matrix(table),
                          lambda: cpp_seconds(arguments), 1, 200)


def score_cpp(fresh):
    """fresh: without `out`; C++ writes to the same memory again and again."""

    def case(bench):
        n, begin = 10_000_000, 40 * 2**64 + 12345
        scorer = oneproxy.Scorer("fbnet", ["model:macs"], "cpu")  # 22 digits of 9 values, as the bench
        out = np.empty((n, 1))
        arguments = [bench / "table_bench", "--filter", f"^table_range_fbnet_cpu_{n}$"]
        work = (lambda: scorer.score(begin, n)) if fresh else (lambda: scorer.score(begin, n, out=out))
        name = "python_score_fbnet" + ("_new_array" if fresh else "")
        return beside_cpp(name, n, work, lambda: cpp_seconds(arguments), 3, 25)

    return case


def spearman_matrix_of(name):
    def case(_):
        other = package(name)
        if not other:
            return True
        table = latency_like_columns(15625, 26)
        if name == "pandas":
            frame = other.DataFrame(table.T)
            theirs = lambda: frame.corr(method="spearman").to_numpy()  # noqa: E731
        else:
            by_row, stats = np.ascontiguousarray(table.T), importlib.import_module("scipy.stats")
            theirs = lambda: stats.spearmanr(by_row).statistic  # noqa: E731
        return beside_package(f"python_spearman_matrix_26_{name}", 15625, lambda: oneproxy.spearman_matrix(table), name,
                              theirs, 11, lambda a, b: np.abs(a - b).max() < 1e-12)

    return case


def cloud(n, m):
    """Scattered in the unit cube, few of them on the front."""
    return np.random.default_rng(n + m).random((n, m))


def sphere(n, m):
    """None dominates another."""
    points = np.abs(np.random.default_rng(n + m).standard_normal((n, m)))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def front_of(name, n, m):
    def case(_):
        other = package(name)
        if not other:
            return True
        points, directions = cloud(n, m), ["min"] * m
        if name == "moocore":
            theirs = lambda: np.flatnonzero(other.is_nondominated(points))  # noqa: E731
        else:
            sorting = importlib.import_module("pymoo.util.nds.non_dominated_sorting").NonDominatedSorting()
            theirs = lambda: sorting.do(points, only_non_dominated_front=True)  # noqa: E731
        return beside_package(f"python_front_{m}_{name}", n, lambda: oneproxy.pareto_front(points, directions), name,
                              theirs, 5, lambda a, b: np.array_equal(np.sort(a), np.sort(b)))

    return case


def hypervolume_of(name, n, m):
    def case(_):
        other = package(name)
        if not other:
            return True
        points, reference, directions = sphere(n, m), [1.1] * m, ["min"] * m
        indicator = (
            other.Hypervolume(ref=reference) if name == "moocore"
            else importlib.import_module("pymoo.indicators.hv").HV(ref_point=np.array(reference))
        )
        return beside_package(f"python_hypervolume_{m}_{name}", n,
                              lambda: oneproxy.hypervolume(points, reference, directions), name,
                              lambda: indicator(points), 3, lambda a, b: abs(a - b) <= 1e-9 * b)

    return case


CASES = {
    "python_spearman_matrix_26": spearman_matrix_cpp,
    "python_score_fbnet": score_cpp(fresh=False),
    "python_score_fbnet_new_array": score_cpp(fresh=True),
    "python_spearman_matrix_26_scipy": spearman_matrix_of("scipy"),
    "python_spearman_matrix_26_pandas": spearman_matrix_of("pandas"),
    "python_front_2_moocore": front_of("moocore", 1_000_000, 2),
    "python_front_3_moocore": front_of("moocore", 100_000, 3),
    "python_front_2_pymoo": front_of("pymoo", 10_000, 2),
    "python_front_3_pymoo": front_of("pymoo", 10_000, 3),
    "python_hypervolume_2_moocore": hypervolume_of("moocore", 100_000, 2),
    "python_hypervolume_3_moocore": hypervolume_of("moocore", 10_000, 3),
    "python_hypervolume_2_pymoo": hypervolume_of("pymoo", 1_000, 2),
    "python_hypervolume_3_pymoo": hypervolume_of("pymoo", 300, 3),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, type=pathlib.Path, help="folder of rank_bench and table_bench")
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    arguments = parser.parse_args()
    chosen = [case for name, case in CASES.items() if re.search(arguments.filter, name)]
    if not chosen:
        no_case(arguments.filter, list(CASES))
    if not all([case(arguments.bench) for case in chosen]):
        sys.exit("a result differs from the other package's")


if __name__ == "__main__":
    main()
