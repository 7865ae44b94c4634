#!/usr/bin/env python3
"""A phone that is none: what a command for `oneproxy next --measure-with` has to do, answered from the store that ships.

    oneproxy next --space nasbench201 --quality metric:natsbench:cifar100 --sources 1080ti_1,silver_4114,essential_ph_1 \\
        --measurements pixel3.csv --measure-with 'examples/measure_with/fake_phone.py --device pixel3'

It is called with two more arguments: a CSV with the networks to measure (arch, latency_ms, repeat, ..., index), and the
path where it is to write the same with latencies. A script for a real phone builds the network of each line, runs it
there, and writes the same file. An empty latency is a measurement that failed.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from _venv import need  # noqa: E402

need("h5py")  # else goes on in build/venv's Python, so that nothing has to be activated
import h5py  # noqa: E402

STORE = ROOT / "experiments" / "data" / "public_latency.h5"
RADIX = {"nasbench201": 5, "fbnet": 9}  # choices of each decision


def latencies(store: Path, space: str, set_name: str, device: str) -> dict[int, float]:
    """Latency of each network of the set by its index, the number in the space."""
    with h5py.File(store) as file:
        group = file[f"spaces/{space}/{set_name}"]
        rows, values = group["choices"][()].tolist(), group[f"latency_ms/{device}"][()].tolist()
    found: dict[int, float] = {}
    for choices, value in zip(rows, values):
        index = 0
        for choice in choices:
            index = index * RADIX[space] + choice
        found[index] = value
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("asked", type=Path, help="CSV with the networks to measure")
    parser.add_argument("measured", type=Path, help="CSV to write")
    parser.add_argument("--device", default="pixel3", help="of the store, whose latencies are taken for the phone's")
    parser.add_argument("--space", default="nasbench201", choices=sorted(RADIX))
    parser.add_argument("--set", default="help", dest="set_name", help="of the device in the store")
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--noise", type=float, default=0.02, help="relative standard deviation of a measurement")
    parser.add_argument("--seed", type=int, default=1, help="of the noise")
    options = parser.parse_args()

    truth = latencies(options.store, options.space, options.set_name, options.device)
    with options.asked.open(newline="") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        # The same network measured for the same time comes out the same: a killed loop goes on as if it had not been.
        noise = random.Random(f"{options.seed} {options.device} {line['index']} {line['repeat']}").gauss(0, options.noise)
        latency = truth.get(int(line["index"]), float("nan")) * (1 + noise)
        line["latency_ms"] = repr(latency) if latency > 0 else ""
    # Under another name first: a script that is stopped leaves no half of a file behind.
    partial = options.measured.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    os.replace(partial, options.measured)


if __name__ == "__main__":
    main()
