"""Published latencies per block (github.com/han-cai/files): Once-for-All on a Samsung Note10, one table an input
resolution, and ProxylessNAS on a phone. A table prices every choice of a space that configs/spaces declares."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from . import space_files
from .errors import DataError
from .measurements import Say
from .pickled import LARGEST
from .sets import LookupTable

SOURCE = "github.com/han-cai/files"
# The same phone's tables at the resolutions between those of SOURCE, which has one every 16 pixels.
SOURCE_BETWEEN, LICENCE_BETWEEN, STEP = "github.com/gatech-sysml/CompOFA", "Apache-2.0", 16
AGAIN = f"fetch it again from {SOURCE}"

# The keys of a block name its shapes; whether its activation is h-swish follows from the place and is no choice.
BLOCK = re.compile(
    r"expanded_conv-input:(\d+)x\1x(\d+)-output:(\d+)x\3x(\d+)"
    r"-expand:(\d+)-kernel:(\d+)-stride:(\d+)-idskip:([01])(?:-se:([01])-hs:[01])?"
)


def read_note10(folder: Path, files: list[Path], say: Say) -> list[LookupTable]:
    """Width 1.2. Between two measured resolutions every block is interpolated; outside of them nothing is known."""
    space = space_files.load("ofa_mbv3")
    measured = {}
    for path in files:
        match = re.fullmatch(r"(\d+)_lookup_table\.yaml", path.name)
        if not match:
            raise DataError(path, "its name is not RESOLUTION_lookup_table.yaml", AGAIN)
        measured[int(match[1])] = _price(path, space, int(match[1]), relative_expansion=False, bias=_note10_fixed)
    weights = np.full((len(space.resolutions), sum(space.radices)), math.nan)
    bias = np.full(len(space.resolutions), math.nan)
    interpolated = []
    for i, resolution in enumerate(space.resolutions):
        below = max((r for r in measured if r <= resolution), default=None)
        above = min((r for r in measured if r >= resolution), default=None)
        if below is None or above is None:
            continue
        share = (resolution - below) / (above - below) if above > below else 0.0
        weights[i], bias[i] = (
            (1 - share) * low + share * high if share else low
            for low, high in zip(measured[below], measured[above], strict=True)
        )
        if share:
            interpolated.append(f"{resolution} ({below}-{above})")
    between = [r for r in measured if r % STEP]
    source, licence = SOURCE, "MIT"
    if between:
        source += f", resolutions that are no multiple of {STEP} from {SOURCE_BETWEEN}"
        licence += f", {LICENCE_BETWEEN}"
    missing = [r for r, b in zip(space.resolutions, bias) if math.isnan(b)]
    outside = sorted(set(measured) - set(space.resolutions))
    if outside:
        say(f"ofa_mbv3/note10: resolutions {' '.join(map(str, outside))} are not in the space, only used between others")
    say(f"ofa_mbv3/note10: measured at {' '.join(map(str, sorted(measured)))}, {len(interpolated)} resolutions between")
    return [
        LookupTable(
            space="ofa_mbv3",
            name="note10",
            source=f"{source} (Once-for-All, Samsung Note10, width 1.2)",
            licence=licence,
            description="Sum of measured block latencies of Once-for-All MobileNet-V3 of width 1.2",
            target="latency on Samsung Note10",
            unit="ms",
            radices=space.radices,
            weights=weights,
            bias=bias,
            record={
                "measured_resolutions": " ".join(map(str, sorted(measured))),
                "interpolated_resolutions": (
                    " ".join(interpolated) + ": every block linearly between two tables" if interpolated else "none"
                ),
                "resolutions_without_table": " ".join(map(str, missing)),
            },
        )
    ]


def read_mobile_trim(folder: Path, files: list[Path], say: Say) -> list[LookupTable]:
    """One table prices two spaces, which share their widths and differ in their depths."""
    tables = []
    for name in ("mobilenetv2", "proxylessnas"):
        space = space_files.load(name)
        weights, bias = _price(files[0], space, 224, relative_expansion=True, bias=_proxyless_fixed)
        tables.append(
            LookupTable(
                space=name,
                name="mobile_trim",
                source=f"{SOURCE} (ProxylessNAS, mobile_trim)",
                licence="MIT",
                description="Sum of measured block latencies of ProxylessNAS and MobileNet-V2 blocks on a phone, 224x224",
                target="latency on a phone (ProxylessNAS)",
                unit="ms",
                radices=space.radices,
                weights=weights[np.newaxis],
                bias=np.array([bias]),
            )
        )
    return tables


def _halved(resolution: int, times: int) -> int:
    for _ in range(times):
        resolution = (resolution + 1) // 2
    return resolution


def _note10_fixed(resolution: int) -> list[str]:
    stem, last = _halved(resolution, 1), _halved(resolution, 5)
    return [
        f"Conv-input:{resolution}x{resolution}x3-output:{stem}x{stem}x24",
        f"expanded_conv-input:{stem}x{stem}x24-output:{stem}x{stem}x24-expand:24-kernel:3-stride:1-idskip:1-se:0-hs:0",
        f"Conv_1-input:{last}x{last}x192-output:{last}x{last}x1152",
        f"AvgPool2D-input:{last}x{last}x1152-output:1x1x1152",
        "Conv_2-input:1x1x1152-output:1x1x1536",
        "Logits-input:1x1x1536-output:1000",
    ]


def _proxyless_fixed(resolution: int) -> list[str]:
    return [
        "Conv-input:224x224x3-output:112x112x32",
        "expanded_conv-input:112x112x32-output:112x112x16-expand:1-kernel:3-stride:1-idskip:0",
        "Conv_1-input:7x7x320-output:7x7x1280",
        "Logits-input:7x7x1280-output:1000",
    ]


def _price(path: Path, space: space_files.Space, resolution: int, relative_expansion: bool, bias):
    """weights [sum of radices] and bias in ms: every choice of every block at one resolution. An inactive block is 0."""
    means = _read_means(path)
    blocks = {}
    for key, mean in means.items():
        if match := BLOCK.fullmatch(key):
            numbers = tuple(int(n or 0) for n in match.groups())
            if numbers in blocks:
                raise DataError(path, f"prices the block {key} twice", AGAIN)
            blocks[numbers] = mean
    weights = [0.0] * len(space.resolutions)
    for block in space.blocks:
        side = _halved(resolution, block.side.bit_length() - 1) if space.resolutions else block.side
        after = -(-side // block.stride)
        shortcut = int(block.stride == 1 and block.in_channels == block.channels)
        for operation in space.operations:
            if operation.expansion == 0:
                weights.append(0.0)
                continue
            expand = operation.expansion * (1 if relative_expansion else block.in_channels)
            shape = (side, block.in_channels, after, block.channels, expand, operation.kernel, block.stride, shortcut)
            mean = blocks.get((*shape, int(block.squeeze_excitation)))
            if mean is None:
                raise DataError(
                    path,
                    f"has no entry for {operation.name} from {side}x{side}x{block.in_channels} to "
                    f"{after}x{after}x{block.channels}",
                    AGAIN,
                )
            weights.append(mean)
    fixed = bias(resolution)
    missing = [key for key in fixed if key not in means]
    if missing:
        raise DataError(path, f"has no entry {missing[0]}", AGAIN)
    return np.array(weights), math.fsum(means[key] for key in fixed)


def _read_means(path: Path) -> dict[str, float]:
    """The mean of each entry. The files are YAML of one form only, `key:` and indented `name: number` lines."""
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(path, f"larger than {LARGEST >> 20} MiB", "is it the right file?")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(path, f"can not be read ({error.strerror})", f"check it, or {AGAIN}") from None
    except UnicodeDecodeError:
        raise DataError(path, "is no text", AGAIN) from None
    entries: dict[str, dict[str, float]] = {}
    entry: dict[str, float] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        key, colon, value = line.strip().rpartition(":")
        if not line.startswith(" ") and colon and not value.strip():
            if key in entries:
                raise DataError(f"{path}:{number}", f"{key} is there twice", AGAIN)
            entry = entries[key] = {}
            continue
        name = key.strip()
        try:
            if not line.startswith(" ") or entry is None or name in entry:
                raise ValueError
            entry[name] = float(value)
        except ValueError:
            raise DataError(f"{path}:{number}", f"{line.strip()!r} is no `name: number` of an entry", AGAIN) from None
    for key, entry in entries.items():
        mean = entry.get("mean", math.nan)
        if not (math.isfinite(mean) and mean > 0):
            raise DataError(path, f"{key} has no positive mean", AGAIN)
    if not entries:
        raise DataError(path, "no entry in it", AGAIN)
    return {key: entry["mean"] for key, entry in entries.items()}
