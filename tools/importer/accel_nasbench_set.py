"""Accel-NASBench (github.com/afzalxo/Accel-NASBench, anb_dataset): one JSON a trained network, in a folder or packed.

    architecture    block0_e, block0_k, block0_l, block0_se, block1_e, ...
    metrics         val_top1, val_top5 (%), train_time (s)
    model_info      macs, params (millions)
    platform_perf   latency_DEVICE (ms), throughput_DEVICE (images/s): mean and standard deviation, null where missing
"""

from __future__ import annotations

import gzip
import io
import json
import math
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import space_files
from .errors import DataError
from .measurements import Say, column
from .sets import MeasuredSet, Metric

SOURCE = "github.com/afzalxo/Accel-NASBench"
AGAIN = f"fetch it again from {SOURCE}"
SPACE = "accel_nasbench"

LARGEST_ARCHIVE = 128 << 20  # bytes, unpacked; the published one has 8 MB
LARGEST_FILE = 64 << 10  # bytes of one network's JSON; the published ones have 1.2 kB

# Metrics whose unit is known: unit, direction, description. Of others nobody could say what a number means.
METRICS = {
    "val_top1": ("%", "maximize", "ImageNet top-1"),
    "val_top5": ("%", "maximize", "ImageNet top-5"),
    "train_time": ("s", "minimize", "time of training"),
    "macs": ("M", "minimize", "published MACs"),
    "params": ("M", "minimize", "published parameters"),
}
PARTS = ("architecture", "metrics", "model_info", "platform_perf")

# Throughputs thin out towards the largest. Where many networks crowd there, something else than the network is the limit.
NEAR_THE_CAP = 0.85  # of the largest throughput
CROWD = 0.05  # of the networks

Row = dict[str, float | None]  # "metrics val_top1" -> 61.2, "latency zcu102" -> 4.9


def read(folder: Path, files: list[Path], say: Say) -> MeasuredSet:
    """All networks of the folder's archive, or of its JSON files; repeats of a network become their mean."""
    rows: dict[tuple[int, ...], list[Row]] = {}
    for where, text in _texts(files):
        choices, row = _network(where, text)
        rows.setdefault(choices, []).append(row)
    if not rows:
        raise DataError(folder, "no JSON of a network in it", AGAIN)
    names = sorted({name for repeats in rows.values() for row in repeats for name in row})
    _say_repeats(rows, names, say)
    values = {name: [_mean([row.get(name) for row in repeats]) for repeats in rows.values()] for name in names}
    made = MeasuredSet(
        space=SPACE,
        name="anb",
        source=f"{SOURCE} anb_dataset",
        licence="Apache-2.0",
        description="ImageNet accuracy after a short training, and throughput and latency on accelerators",
        choices=np.array(list(rows), dtype=np.uint8),
        decisions="block 0 .. block 6, the operations of configs/spaces/accel_nasbench.toml",
        sort_rows=True,
    )
    for name in names:
        kind, what = name.split(" ", 1)
        if kind == "latency":
            made.latency[what] = column(folder, what, values[name], len(rows), SOURCE, say)
        elif kind == "throughput":
            device = f"{what}_throughput" if f"latency {what}" in names else what
            _add_throughput(made, folder, f"throughput_{what}", values[name], device, say)
        elif what in METRICS:
            made.metrics[what] = Metric(_numbers(what, values[name], say), *METRICS[what])
        else:
            say(f"{made.label}: {what} is a {kind} value of unknown unit, left out")
    return made


def _add_throughput(
    made: MeasuredSet, folder: Path, metric: str, values: list[float | None], device: str, say: Say
) -> None:
    """As published, and as a device: milliseconds an image."""
    made.metrics[metric] = Metric(_numbers(metric, values, say), "images/s", "maximize")
    ms = [1000 / x if x else x for x in values]
    latency = column(folder, device, ms, len(values), SOURCE, lambda _: None)
    latency.note = f"ms an image: 1000 / metrics/{metric} (images/s), not the latency of one image alone"
    made.latency[device] = latency
    known = np.array([x for x in values if x is not None])
    near = int((known > NEAR_THE_CAP * known.max()).sum())
    if near > CROWD * len(known):
        cap = (
            f"{near} of {len(known)} networks lie within {1 - NEAR_THE_CAP:.0%} of the largest throughput, "
            f"{known.max():.0f} images/s: a cap that is not the network's, above which ranks are noise"
        )
        latency.note += f"; {cap}"
        say(f"{made.label}: {metric}: {cap}")


def _texts(files: list[Path]) -> Iterator[tuple[str, str]]:
    """Where each network's JSON stands, for errors, and its text."""
    for path in sorted(files):
        members = _members(path) if path.name.endswith(".tar.gz") else [(str(path), _bytes(path))]
        for where, raw in members:
            if len(raw) > LARGEST_FILE:
                raise DataError(where, f"more than {LARGEST_FILE >> 10} kB for one network", AGAIN)
            try:
                yield where, raw.decode("utf-8")
            except UnicodeDecodeError:
                raise DataError(where, "not UTF-8 text", AGAIN) from None


def _bytes(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise DataError(path, f"can not be read ({error.strerror})", AGAIN) from None


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """The JSON files of the archive, unpacked in memory only: their names lead nowhere."""
    try:
        with gzip.open(path) as stream:
            raw = stream.read(LARGEST_ARCHIVE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(path, f"truncated or no gzip archive ({error})", AGAIN) from None
    if len(raw) > LARGEST_ARCHIVE:
        raise DataError(path, f"more than {LARGEST_ARCHIVE >> 20} MB unpacked", AGAIN)
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
            for member in archive:
                if not member.isfile() or not member.name.endswith(".json"):
                    continue
                yield f"{path}: {member.name}", archive.extractfile(member).read(LARGEST_FILE + 1)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise DataError(path, f"not a readable tar archive ({error})", AGAIN) from None


def _network(where: str, text: str) -> tuple[tuple[int, ...], Row]:
    try:
        parts = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_distinct)
        if not isinstance(parts, dict):
            raise ValueError("not an object with the parts of a network")
        for part in PARTS:
            if not isinstance(parts.get(part), dict):
                raise ValueError(f'no "{part}" in it' if part not in parts else f'"{part}" is not an object')
        row: Row = {}
        for part in ("metrics", "model_info"):
            for name, value in parts[part].items():
                row[f"{part} {name}"] = _number(name, value)
        for name, value in parts["platform_perf"].items():
            kind, _, device = name.partition("_")
            if kind not in ("latency", "throughput") or not device:
                row[f"platform_perf {name}"] = None  # said, and left out
                continue
            if not isinstance(value, dict) or f"{kind}_mean" not in value:
                raise ValueError(f'no "{kind}_mean" in {name}')
            row[f"{kind} {device}"] = _number(f"{kind}_mean of {name}", value[f"{kind}_mean"])
        _check_accuracy(row)
        return _choices(parts["architecture"]), row
    except RecursionError:
        raise DataError(where, "nested too deeply", AGAIN) from None
    except ValueError as error:  # of JSON too
        raise DataError(where, str(error), AGAIN) from None


def _choices(architecture: dict[str, Any]) -> tuple[int, ...]:
    decisions = space_files.choice_names(SPACE)
    letters = ("e", "k", "l", "se")
    wanted = [f"block{b}_{letter}" for b in range(len(decisions)) for letter in letters]
    for key in wanted:
        if key not in architecture:
            raise ValueError(f"no {key} in the architecture")
    unknown = sorted(set(architecture) - set(wanted))
    if unknown:
        raise ValueError(f"{unknown[0]} in the architecture is not known; the space has {len(decisions)} blocks")
    choices = []
    for b, names in enumerate(decisions):
        e, k, layers, squeeze = (architecture[f"block{b}_{letter}"] for letter in letters)
        if type(squeeze) is not bool or any(type(x) is not int for x in (e, k, layers)):
            raise ValueError(f"block {b} should have whole numbers e, k, l and true or false for se")
        name = f"e{e}_k{k}_l{layers}_se{int(squeeze)}"
        if name not in names:
            raise ValueError(f"block {b}: {name} is no choice of the space")
        choices.append(names[name])
    return tuple(choices)


def _check_accuracy(row: Row) -> None:
    top1, top5 = row.get("metrics val_top1"), row.get("metrics val_top5")
    for name, value in (("val_top1", top1), ("val_top5", top5)):
        if value is not None and 0 < value <= 1:
            raise ValueError(f"{name} = {value:g} looks like a fraction; it is meant in %")
        if value is not None and not 0 <= value <= 100:
            raise ValueError(f"{name} = {value:g} is not a percentage")
    if top1 is not None and top5 is not None and top1 > top5:
        raise ValueError(f"val_top1 = {top1:g} is above val_top5 = {top5:g}")


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name} is a {type(value).__name__}, not a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is no finite number")
    return number


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _mean(values: list[float | None]) -> float | None:
    known = [x for x in values if x is not None]
    return math.fsum(known) / len(known) if known else None


def _numbers(name: str, values: list[float | None], say: Say) -> np.ndarray:
    missing = sum(x is None for x in values)
    if missing:
        say(f"{name}: {missing} of {len(values)} values are missing, stored as NaN")
    return np.array([math.nan if x is None else x for x in values], dtype=np.float64)


def _say_repeats(rows: dict[tuple[int, ...], list[Row]], names: list[str], say: Say) -> None:
    repeated = [repeats for repeats in rows.values() if len(repeats) > 1]
    if not repeated:
        return
    scatter = []
    for name in names:
        kind, what = name.split(" ", 1)
        unit = {"latency": "ms", "throughput": "images/s"}.get(kind) or METRICS.get(what, ("",))[0]
        groups = [[row[name] for row in repeats if row.get(name) is not None] for repeats in repeated]
        within = [np.var(group, ddof=1) for group in groups if len(group) > 1]
        if unit and any(within):
            label = name.replace(" ", "_") if kind in ("latency", "throughput") else what
            scatter.append(f"{label} {math.sqrt(np.mean(within)):.2g} {unit}")
    say(
        f"{SPACE}/anb: {len(repeated)} networks come more than once, stored as one row with their mean; "
        f"standard deviation of a repeat: {', '.join(scatter) or 'none'}"
    )
