"""SRCC between devices as an annotated heat map, with the row after AdaProxy above it where there is one."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from . import style, words
from ..result import Result

STRONG = 0.9  # the paper's rule: from here on the proxy's optima can be used again
MAP = "YlGnBu"
GAP = 0.35  # between the AdaProxy row and the matrix, in cells


def applies(result: Result) -> bool:
    return result.has("srcc") and result.has(_device_key(result))


def _device_key(result: Result) -> str:
    return "matrix_devices" if result.has("matrix_devices") else "devices"


def draw(result: Result) -> dict[str, Figure]:
    keys = [str(name) for name in result.arrays[_device_key(result)]]
    devices = words.devices(result, _device_key(result))
    srcc = np.asarray(result.arrays["srcc"], dtype=float)
    row = _adaproxy_row(result, keys)
    size = len(devices)
    known = np.concatenate([srcc[np.isfinite(srcc)], row[np.isfinite(row)] if row is not None else []])
    norm = Normalize(np.floor(known.min() * 5) / 5 - 0.2 if known.size else 0.0, 1.0)

    cell = 0.46 if size > 12 else 0.62
    longest = max(len(name) for name in devices)
    side = max(4.2, size * cell) + 0.085 * longest
    figure, body = style.sheet(side + 1.4, side + 0.8 + (cell + 0.35) * (row is not None), result.footer())
    axes = body.subplots()
    image = _cells(axes, srcc, norm, top=-0.5)
    axes.set_xticks(range(size), devices, rotation=90)
    axes.set_yticks(range(size), devices)
    if row is not None:
        above = -0.5 - GAP - 1  # upper edge of the row, in cells
        _cells(axes, row[None, :], norm, top=above)
        axes.set_yticks([above + 0.5, *range(size)], ["after AdaProxy", *devices])
        axes.set_ylim(size - 0.5, above)
    bar = body.colorbar(image, ax=axes, shrink=0.7, pad=0.015, aspect=30)
    bar.set_label(f"SRCC (bold: at least {STRONG})")
    bar.outline.set_visible(False)
    body.suptitle(words.title(result, _heading(keys)) + _interval(result, srcc))
    return {"srcc_heatmap": figure}


def _heading(devices: list[str]) -> str:
    if any(device.startswith("metric:") for device in devices):
        return "Monotonicity: SRCC between devices and metrics, each so that less is better"
    return "Latency monotonicity: SRCC between devices"


def _cells(axes: Axes, values: np.ndarray, norm: Normalize, top: float) -> AxesImage:
    """Coloured and annotated cells of size 1 x 1, the first row's upper edge at `top`."""
    colours = colormaps[MAP].with_extremes(bad="#DDDDDD")
    rows, size = values.shape
    image = axes.imshow(
        np.ma.masked_invalid(values),
        cmap=colours,
        norm=norm,
        interpolation="nearest",
        extent=(-0.5, size - 0.5, top + rows, top),
    )
    for (i, j), value in np.ndenumerate(values):
        light = not np.isfinite(value) or np.dot(colours(norm(value))[:3], (0.299, 0.587, 0.114)) > 0.5
        axes.text(
            j,
            top + i + 0.5,
            _label(value),
            ha="center",
            va="center",
            color="black" if light else "white",
            fontsize=8.0 if size > 12 else 10.0,
            fontweight="bold" if value >= STRONG else "normal",
        )
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return image


def _label(value: float) -> str:
    """Two decimals without the leading zero; never rounded up to 1 or to the 0.9 of the rule."""
    if not np.isfinite(value):
        return "–"
    if value == 1:
        return "1"
    cut = np.floor(value * 100 + 1e-9) / 100 if 0.895 <= value < STRONG or value >= 0.995 else value
    return f"{cut:.2f}".replace("0.", ".", 1)


def _adaproxy_row(result: Result, devices: list[str]) -> np.ndarray | None:
    """SRCC after adaptation by device: given ready, or the mean over the trials of each target."""
    if result.has("adaproxy_srcc"):
        return np.asarray(result.arrays["adaproxy_srcc"], dtype=float)
    if not (result.has("srcc_after", "devices", "matrix_devices")):
        return None
    after = np.asarray(result.arrays["srcc_after"], dtype=float)
    mean = dict(zip((str(name) for name in result.arrays["devices"]), after.reshape(len(after), -1).mean(axis=1)))
    return np.array([mean.get(name, np.nan) for name in devices])


def _interval(result: Result, srcc: np.ndarray) -> str:
    if not result.has("srcc_low", "srcc_high") or len(srcc) < 2:
        return ""
    half = (result.arrays["srcc_high"] - result.arrays["srcc_low"])[np.triu_indices(len(srcc), 1)] / 2
    if not np.isfinite(half).any():
        return ""
    return f"\nbootstrap interval: ± {np.nanmedian(half):.3f} in the median, ± {np.nanmax(half):.3f} at most"
