#!/usr/bin/env python3
"""Exact fronts of all 9^22 FBNet networks beside the same dynamic program in NumPy, in one run, on the same integers.

    python tests/bench/additive_front_baseline.py --bench build/bench/additive_front_bench [--filter REGEX]

Latency: the least-squares fit to a device of the store that ships. Quality: multiply-accumulates, or a power of the
latency (hard: hardly anything is dominated). Prints one JSON object a line; ratio is NumPy's time by ours, without
NumPy's trace-back, which it has not. The hard case has no baseline: NumPy would take minutes. Exits with 1 where two
fronts differ.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import tomllib

import h5py
import numpy as np
from no_case import no_case

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS, BLOCKS = 22, 9
SCALE = 2.0**40


def fitted_latency(device):
    """[22, 9] ms, gauge: the fastest block of a layer is 0."""
    with h5py.File(ROOT / "experiments/data/public_latency.h5") as store:
        rows = store["spaces/fbnet/help"]
        choices, latency = rows["choices"][:], rows[f"latency_ms/{device}"][:]
    known = ~np.isnan(latency)
    code = np.zeros((len(latency), LAYERS * BLOCKS))
    code[np.arange(len(latency))[:, None], np.arange(LAYERS) * BLOCKS + choices] = 1
    code, latency = code[known], latency[known]
    weights = np.linalg.lstsq(code - code.mean(0), latency - latency.mean(), rcond=1e-10)[0].reshape(LAYERS, BLOCKS)
    return weights - weights.min(1, keepdims=True)


def macs():
    """[22, 9] millions, as engine/space/cost.cpp counts them."""
    with open(ROOT / "configs/spaces/fbnet.toml", "rb") as file:
        space = tomllib.load(file)
    geometry = next(g for g in space["geometry"] if g["name"] == "cifar100")
    channels, side = geometry["input_channels"], geometry["input_resolution"]
    table = []
    for stage in geometry["stage"]:
        out = stage["channels"]
        for layer in range(stage["layers"]):
            stride = stage["stride"] if layer == 0 else 1
            before, after = side**2, (side // stride) ** 2
            row = []
            for op in space["operation"]:
                if op["kind"] == "skip":
                    row.append(0 if channels == out and stride == 1 else channels * out * after)
                    continue
                wide = channels * op["expansion"]
                row.append((channels * wide * before + wide * out * after) / op.get("groups", 1))
                row[-1] += wide * op["kernel"] ** 2 * after
            table.append(row)
            channels, side = out, side // stride
    return np.array(table) / 1e6


def numpy_front(tables):
    latency, quality = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for t, q in zip(tables[0][::-1], tables[1][::-1], strict=True):
        latency, quality = (latency[None] + t[:, None]).ravel(), (quality[None] + q[:, None]).ravel()
        order = np.lexsort((-quality, latency))
        latency, quality = latency[order], quality[order]
        highest = np.maximum.accumulate(quality)
        stays = np.append(True, highest[1:] > highest[:-1])
        latency, quality = latency[stays], quality[stays]
    return latency, quality


def checksum(latency, quality):
    total, mask = 0, 2**64 - 1
    for point in zip(latency.tolist(), quality.tolist(), strict=True):
        for value in (*point, 0):
            total = (total * 31 + value) & mask
    return total >> 16


def median_seconds(work, repeats):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[repeats // 2]


def run_case(bench, name, objectives, repeats, numpy_repeats, trace=1):
    tables = [np.rint(o * SCALE).astype(np.int64) for o in objectives]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "tables.bin"
        np.stack(tables).tofile(path)
        arguments = [bench, "--tables", path, LAYERS, BLOCKS, len(tables), repeats, trace, name]
        done = subprocess.run([*map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True)
    line = json.loads(done.stdout)
    agrees = True
    if numpy_repeats:
        seconds = median_seconds(lambda: numpy_front(tables), numpy_repeats)
        front = numpy_front(tables)
        agrees = len(front[0]) == line["front"] and checksum(*front) == line["checksum"]
        line |= {"baseline": f"numpy {np.__version__}", "baseline_seconds": seconds}
        line |= {"ratio": seconds / line["seconds_median"], "agrees": agrees}
    print(json.dumps(line), flush=True)
    return agrees


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="path of the additive_front_bench binary")
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    arguments = parser.parse_args()

    def pixel3():
        return fitted_latency("pixel3")

    def titan():
        return fitted_latency("titan_rtx_1")

    cases = {
        "additive_front_pixel3_macs": lambda: ([pixel3(), macs()], 201, 5),
        "additive_front_pixel3_sqrt": lambda: ([pixel3(), pixel3() ** 0.5], 21, 3),
        "additive_front_titan_rtx_hard": lambda: ([titan(), titan() ** 0.6], 3, 0, 0),
        "additive_front_pixel3_macs_raspi4": lambda: ([pixel3(), macs(), fitted_latency("raspi4")], 5, 0),
    }
    chosen = {name: case for name, case in cases.items() if re.search(arguments.filter, name)}
    own = subprocess.run([arguments.bench, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    own_chosen = [name for name in own if re.search(arguments.filter, name)]
    if not chosen and not own_chosen:
        no_case(arguments.filter, [*cases, *own])
    if own_chosen:
        subprocess.run([arguments.bench, "--filter", arguments.filter], check=True)
    agree = [run_case(arguments.bench, name, *case()) for name, case in chosen.items()]
    if not all(agree):
        sys.exit("a front differs from NumPy's")


if __name__ == "__main__":
    main()
