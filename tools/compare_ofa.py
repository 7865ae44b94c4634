#!/usr/bin/env python3
"""Compare what the store says about Once-for-All's published networks with what was published about them:
    tools/compare_ofa.py --from DIR [--store STORE.h5 --predictor NAME]

DIR is a folder of the public files (specialized/*/net.config). The folders' names hold the measured latency and the
ImageNet top-1 after fine-tuning. Only networks of width 1.2 belong to the space ofa_mbv3.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import _venv

_venv.need("h5py", "numpy")

import h5py  # noqa: E402
import numpy as np  # noqa: E402
from importer import space_files  # noqa: E402
from importer.duplicates import spearman  # noqa: E402

STORE = Path(__file__).resolve().parents[1] / "experiments" / "data" / "public_latency.h5"
STEM = 24  # channels of the first layer at width 1.2
STAGE_BLOCKS = 4


def published(folder: Path, space: space_files.Space) -> list[tuple[str, int, list[int]]]:
    """(name, resolution, choices of the blocks) of the networks of width 1.2."""
    variant = {(o.kernel, o.expansion): i for i, o in enumerate(space.operations) if o.expansion}
    stages = [block.channels for block in space.blocks[::STAGE_BLOCKS]]
    networks = []
    for config in sorted(folder.rglob("net.config")):
        net = json.loads(config.read_text(encoding="utf-8"))
        if net["first_conv"]["out_channels"] != STEM:
            continue
        blocks: dict[int, list[int]] = {channels: [] for channels in stages}
        for block in net["blocks"][1:]:
            layer = block["mobile_inverted_conv"]
            blocks[layer["out_channels"]].append(variant[layer["kernel_size"], layer["expand_ratio"]])
        choices = [c for stage in stages for c in blocks[stage] + [0] * (STAGE_BLOCKS - len(blocks[stage]))]
        run = json.loads((config.parent / "run.config").read_text(encoding="utf-8"))
        networks.append((config.parent.name, run["image_size"], choices))
    return networks


def table_latency(table: h5py.Group, rows: np.ndarray) -> np.ndarray:
    """[n] ms of choices [n, decisions]."""
    radices, weights, bias = (table[name][()] for name in ("radices", "weights", "bias"))
    first = np.concatenate([[0], np.cumsum(radices[:-1], dtype=int)])
    which = rows[:, 0].astype(int)
    return bias[which] + weights[which[:, None], first + rows].sum(axis=1)


def predicted(predictor: h5py.Group, row: np.ndarray) -> float:
    first = np.concatenate([[0], np.cumsum(predictor["radices"][:-1], dtype=int)])
    h = predictor["first/bias"][()] + predictor["first/rows"][()][first + row].sum(axis=0)
    for layer in range(2, predictor.attrs["n_layers"] + 2):
        h = predictor[f"layer{layer}/weights"][()] @ np.maximum(h, 0) + predictor[f"layer{layer}/bias"][()]
    return predictor.attrs["output_offset"] + predictor.attrs["output_scale"] * float(h[0])


def main() -> None:
    parser = argparse.ArgumentParser(description="Once-for-All's published networks beside the store's tables.")
    parser.add_argument("--from", dest="source", required=True, type=Path, metavar="DIR")
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--predictor", default="", help="name of the imported accuracy predictor in the store")
    args = parser.parse_args()
    space = space_files.load("ofa_mbv3")
    networks = published(args.source, space)
    if not networks:
        sys.exit(f"compare_ofa.py: error: {args.source}: no net.config of width 1.2 in it; name the folder of the files")
    with h5py.File(args.store) as store:
        table = store["tables/ofa_mbv3/note10"]
        predictor = store[f"predictors/ofa_mbv3/{args.predictor}"] if args.predictor else None
        print("| network | input | measured, ms | Note10 table, ms | top-1, % | predicted, % |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        accuracy, inside = [], []
        for name, resolution, blocks in networks:
            nearest = int(np.argmin([abs(r - resolution) for r in space.resolutions]))
            row = np.array([nearest, *blocks])
            known = resolution in space.resolutions
            measured = re.match(r"note10_lat-(\d+)ms", name)
            top1 = float(re.search(r"top1-([\d.]+)", name)[1])
            value = 100 * predicted(predictor, row) if predictor else float("nan")
            accuracy.append((top1, value))
            inside.append(known)
            cells = (
                name.split("_top1")[0],
                str(resolution),
                measured[1] if measured else "-",
                f"{table_latency(table, row[None])[0]:.1f}" if known else "not in the space",
                f"{top1:.1f}",
                f"{value:.1f}" + ("" if known else f" (at {space.resolutions[nearest]})") if predictor else "-",
            )
            print("| " + " | ".join(cells) + " |")
        if predictor:
            both, kept = np.array(accuracy), np.array(inside)
            print(
                f"\nSRCC of predicted accuracy with top-1: {spearman(*both[kept].T):.2f} over the {kept.sum()} networks of "
                f"the space, {spearman(*both.T):.2f} over all {len(both)}."
            )
        rows = store["spaces/ofa_mbv3/help/choices"][()]
        latency = table_latency(table, rows)
        covered = ~np.isnan(latency)
        print(f"\n| HELP's device | SRCC, {covered.sum()} networks |\n| --- | ---: |")
        for device, column in sorted(store["spaces/ofa_mbv3/help/latency_ms"].items()):
            print(f"| {device} | {spearman(latency[covered], column[()][covered]):.3f} |")


if __name__ == "__main__":
    main()
