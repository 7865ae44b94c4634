#!/usr/bin/env python3
"""Draw the paper's pictures from a result folder: tools/plot_results.py RESULT_DIR"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import _venv

_venv.need("h5py", "numpy", "matplotlib")

# Matplotlib keeps its font cache in the build folder, so that nothing is left behind in the home of the user.
os.environ.setdefault("MPLCONFIGDIR", str(_venv.ROOT / "build" / "matplotlib"))
sys.path.insert(0, str(_venv.ROOT / "python"))

from oneproxy_results import ResultError, figures, load  # noqa: E402
from oneproxy_results.figures import style  # noqa: E402


FORMATS = ("png", "pdf")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="plot_results.py",
        description="Draw what a result folder holds: an SRCC heat map, Pareto fronts, SRCC "
        "against the number of samples, SRCC before and after adaptation (beside the paper's), predicted against "
        "measured values, what many devices cost.",
    )
    parser.add_argument("result", type=Path, metavar="RESULT_DIR", help="the folder that oneproxy run printed last")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the pictures go (default: RESULT_DIR/figures)")
    parser.add_argument(
        "--format", choices=("png", "pdf"), help="write pictures in this format only (default: each as PNG and as PDF)"
    )
    args = parser.parse_args()
    try:
        for path in plot(args.result, args.out, (args.format,) if args.format else FORMATS):
            print(path)
    except ResultError as error:
        sys.exit(f"plot_results.py: error: {error}")
    except OSError as error:
        sys.exit(f"plot_results.py: error: {error.filename}: can not be written ({error.strerror}); give another --out")


def plot(folder: Path, out: Path | None, formats: tuple[str, ...]) -> list[Path]:
    """Write every picture that applies; only pictures in RESULT_DIR/figures are ever replaced."""
    own = folder / "figures"
    out = own if out is None else out
    drawn = figures.draw(load(folder))
    paths = {
        out / f"{name}.{suffix}": figure
        for name, figure in drawn.items()
        for suffix in formats
    }
    if out.resolve() != own.resolve() and (there := [path for path in paths if path.exists()]):
        raise ResultError(
            f"{there[0]}: is there already, and outside the result folder nothing is replaced; give another --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    for path, figure in paths.items():
        if path.suffix == ".pdf":
            figure.savefig(path, metadata={"CreationDate": None})
        else:
            style.write_png(figure, path)
    style.plt.close("all")
    return list(paths)


if __name__ == "__main__":
    main()
