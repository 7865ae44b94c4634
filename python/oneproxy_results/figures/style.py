"""One look for all pictures: fonts, and Okabe and Ito's colours, which colour-blind readers can tell apart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.figure import Figure, SubFigure  # noqa: E402
from PIL import Image  # noqa: E402

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"
COLOURS = 256  # of a PNG file: a third of the size, and nobody sees the difference
PANELS = 12  # of one picture; the rest goes to further pictures

plt.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "axes.titlesize": 10.5,
        "axes.labelsize": 10.5,
        "figure.titlesize": 13,
        "legend.fontsize": 10,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#E4E4E4",
        "grid.linewidth": 0.7,
        "axes.axisbelow": True,
        "savefig.dpi": 150,
        "pdf.fonttype": 42,
        "figure.constrained_layout.use": True,
    }
)


def sheet(width: float, height: float, origin: str) -> tuple[Figure, SubFigure]:
    """A figure (inches) with one small line below everything that says where it came from; draw into the second."""
    strip = 0.2
    figure = plt.figure(figsize=(width, height + strip))
    body, foot = figure.subfigures(2, 1, height_ratios=[height, strip])
    foot.text(0.992, 0.3, origin, fontsize=7, color="#666666", ha="right", va="bottom")
    return figure, body


def pages(n: int) -> list[range]:
    """n panels on as few pictures as hold them, in equal shares: no panel is left alone on the last."""
    count = -(-n // PANELS)
    return [range(i * n // count, (i + 1) * n // count) for i in range(count)]


def grid(n: int) -> tuple[int, int]:
    """Rows and columns for n panels, at most four columns."""
    columns = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3, 9: 3}.get(n, 4)
    return -(-n // columns), columns


def write_png(figure: Figure, file: Path | BinaryIO, dots_an_inch: float | None = None) -> None:
    """With a palette, so that pages and documents that hold many pictures stay small."""
    raw = io.BytesIO()
    dots = dots_an_inch or plt.rcParams["savefig.dpi"]
    figure.savefig(raw, format="png", dpi=dots)
    drawn = Image.open(raw).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    drawn.save(file, format="png", optimize=True, dpi=(dots, dots))
