#!/usr/bin/env python3
"""Draw the paper's pictures from a result folder: tools/plot_results.py RESULT_DIR"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import _venv

_venv.need("h5py", "numpy", "matplotlib")

from plots import (  # noqa: E402
    accuracy_model,
    comparison,
    cost_of_n_devices,
    device_features,
    few_shot,
    front_loop,
    heatmap,
    limits_kept,
    neural_optimizer,
    pareto,
    result,
    samples,
    scatter,
    searchers,
    sweep,
)
from plots.errors import PlotError  # noqa: E402
from plots.style import plt  # noqa: E402

PICTURES = (
    heatmap,
    pareto,
    samples,
    comparison,
    scatter,
    few_shot,
    sweep,
    searchers,
    device_features,
    neural_optimizer,
    cost_of_n_devices,
    accuracy_model,
    limits_kept,
    front_loop,
)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="plot_results.py",
        description="Draw what a result folder holds: an SRCC heat map, Pareto fronts, SRCC "
        "against the number of samples, SRCC before and after adaptation (beside the paper's), predicted against "
        "measured values, what many devices cost.",
    )
    parser.add_argument("result", type=Path, metavar="RESULT_DIR", help="the folder that oneproxy run printed last")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the pictures go (default: RESULT_DIR/figures)")
    parser.add_argument("--pdf", action="store_true", help="write each picture as PDF too")
    args = parser.parse_args()
    try:
        for path in plot(args.result, args.out, args.pdf):
            print(path)
    except PlotError as error:
        sys.exit(f"plot_results.py: error: {error}")
    except OSError as error:
        sys.exit(f"plot_results.py: error: {error.filename}: can not be written ({error.strerror}); give another --out")


def plot(folder: Path, out: Path | None, pdf: bool) -> list[Path]:
    """Write every picture that applies; only pictures in RESULT_DIR/figures are ever replaced."""
    own = folder / "figures"
    out = own if out is None else out
    read = result.load(folder)
    applicable = [picture for picture in PICTURES if picture.applies(read)]
    if not applicable:
        kind = read.attributes.get("kind", "unknown")
        raise PlotError(
            f"{folder}: no picture for a result of kind {kind!r}; there are pictures for monotonicity, "
            "adaproxy, front_transfer, search, train_predictor, few_shot, device_features, proxy_sweep, "
            "neural_optimizer, cost_of_n_devices, accuracy_model, limits_kept, front_loop, searchers and reproduce_nb201"
        )
    try:
        figures = {name: figure for picture in applicable for name, figure in picture.draw(read).items()}
    except (KeyError, IndexError, ValueError) as error:
        raise PlotError(
            f"{folder / 'arrays.h5'}: arrays do not fit together ({type(error).__name__}: {error}); "
            "run the config again with --force"
        ) from None
    paths = {
        out / f"{name}.{suffix}": figure
        for name, figure in figures.items()
        for suffix in (("png", "pdf") if pdf else ("png",))
    }
    if out.resolve() != own.resolve() and (there := [path for path in paths if path.exists()]):
        raise PlotError(
            f"{there[0]}: is there already, and outside the result folder nothing is replaced; give another --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    for path, figure in paths.items():
        if path.suffix == ".pdf":
            figure.savefig(path, metadata={"CreationDate": None})
        else:
            figure.savefig(path)
    plt.close("all")
    return list(paths)


if __name__ == "__main__":
    main()
