#!/usr/bin/env python3
"""The best architecture of each of 1,000 devices within each of 5 limits against NumPy, by turns on the same numbers.

    python tests/bench/fleet_baseline.py --bench build/bench/fleet_bench [--filter REGEX]

NumPy sorts the architectures by quality, computes all latencies (matrix products, MLPs in fp32) and takes the first
within each limit. Of MLPs it does so for 100 devices, and its time counts tenfold. Prints one JSON object a line; ratio is NumPy's time by ours, the best of several turns of each,
because others may load the machine. Exits with 1 where the answers differ: of MLPs, which NumPy scores in fp32, in more
than one of a hundred.
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
from no_case import no_case

DEVICES, LIMITS, CELLS, DIGITS, RADIX, WIDTH = 1000, 5, 15625, 6, 5, 64
TURNS = 3
MLP_DEVICES = 100  # of NumPy's
MLP = (DIGITS * RADIX * WIDTH, WIDTH, WIDTH * WIDTH, WIDTH, WIDTH, 1)  # numbers of a model, part after part
WEIGHTS = {"tables": DIGITS * RADIX * DEVICES, "cells": CELLS * DEVICES, "mlps": sum(MLP) * DEVICES}


def one_hot():
    cells = np.arange(CELLS)[:, None] // RADIX ** np.arange(DIGITS - 1, -1, -1) % RADIX
    return np.eye(RADIX)[cells].reshape(CELLS, DIGITS * RADIX)


def first_within(latency, limits):
    """latency [cells, devices] in the order of quality -> places [devices, limits]."""
    return np.stack([(latency <= limits[:, limit]).argmax(axis=0) for limit in range(LIMITS)], axis=1)


def of_tables(codes, weights, limits):
    latency = weights.reshape(-1, DEVICES).T @ codes.T  # a device's latencies side by side
    return np.stack([(latency <= limits[:, limit, None]).argmax(axis=1) for limit in range(LIMITS)], axis=1)


def of_mlps(codes, weights, limits):
    places = np.empty((MLP_DEVICES, LIMITS), dtype=np.int64)
    parts = np.cumsum(MLP)[:-1]
    for device, numbers in enumerate(weights.reshape(DEVICES, -1)[:MLP_DEVICES]):
        rows, first_bias, hidden, bias, last, last_bias = np.split(numbers, parts)
        layer = np.maximum(codes @ rows.reshape(-1, WIDTH) + first_bias, 0)
        layer = np.maximum(layer @ hidden.reshape(WIDTH, WIDTH).T + bias, 0)
        latency = layer @ last + last_bias
        places[device] = [(latency <= limit).argmax() for limit in limits[device]]
    return places


def numpy_answers(kind, weights, quality, limits):
    order = np.argsort(-quality, kind="stable")
    if kind == "cells":
        return order[first_within(weights.reshape(CELLS, DEVICES)[order], limits)]
    codes = one_hot()[order]
    if kind == "tables":
        return order[of_tables(codes, weights, limits)]
    return order[of_mlps(codes.astype(np.float32), weights.astype(np.float32), limits.astype(np.float32))]


def ours(bench, name):
    command = [bench, "--filter", f"^{name}$"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{bench} failed with exit status {done.returncode}")
    return json.loads(done.stdout)


def compare(bench, folder, name):
    kind = name.split("_")[1]
    path = folder / kind
    subprocess.run([bench, "--write", kind, path], check=True)
    numbers = np.fromfile(path)
    path.unlink()
    sizes = np.cumsum([WEIGHTS[kind], CELLS, DEVICES * LIMITS])
    weights, quality, limits, answers = np.split(numbers, sizes)
    lines, seconds = [], []
    for _ in range(TURNS):
        lines.append(ours(bench, name))
        start = time.perf_counter()
        found = numpy_answers(kind, weights, quality, limits.reshape(DEVICES, LIMITS))
        seconds.append((time.perf_counter() - start) * DEVICES / len(found))
    agree = float(np.mean(found == answers.reshape(DEVICES, LIMITS)[: len(found)]))
    line = min(lines, key=lambda turn: turn["seconds_best"])
    line |= {"baseline": f"numpy {np.__version__}", "baseline_seconds": min(seconds)}
    line |= {"ratio": round(min(seconds) / line["seconds_best"], 2), "answers_alike": agree}
    print(json.dumps(line), flush=True)
    return agree >= (0.99 if kind == "mlps" else 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="path of the fleet_bench binary")
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    arguments = parser.parse_args()
    names = subprocess.run([arguments.bench, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    chosen = [name for name in names if re.search(arguments.filter, name)]
    if not chosen:
        no_case(arguments.filter, names)
    with tempfile.TemporaryDirectory() as folder:
        alike = [compare(arguments.bench, pathlib.Path(folder), name) for name in chosen]
    if not all(alike):
        sys.exit("the answers differ from NumPy's")


if __name__ == "__main__":
    main()
