"""A published list of latencies -> a column in milliseconds, with what failed set to NaN and said."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .errors import DataError
from .sets import Latency

Say = Callable[[str], None]
NOT_A_BATCH = ("essential_ph_1",)  # the phone is called Essential PH-1


def column(path: Path, device: str, value: Any, n: int, source: str, say: Say, scale: float = 1.0) -> Latency:
    """`value` as read from `path`: a list of `n` numbers; `scale` turns them into ms. None counts as missing."""
    again = f"fetch it again from {source}"
    if not isinstance(value, (list, tuple)):
        raise DataError(path, f"holds a {type(value).__name__}, not a list of latencies", again)
    if len(value) != n:
        raise DataError(path, f"{len(value)} latencies for {n} architectures", again)
    for i, x in enumerate(value):
        if x is not None and (isinstance(x, bool) or not isinstance(x, (int, float))):
            raise DataError(path, f"entry {i} is a {type(x).__name__}, not a number", again)
    ms = np.array([math.nan if x is None else float(x) for x in value], dtype=np.float64) * scale
    missing = np.array([x is None for x in value])
    failed = ~missing & ~(np.isfinite(ms) & (ms > 0))
    if missing.any():
        say(f"{device}: {missing.sum()} of {n} rows are missing, stored as NaN")
    if failed.any():
        kinds = sorted({f"{x:g}" for x, bad in zip(value, failed) if bad})
        shown = ", ".join(kinds[:3]) + (", ..." if len(kinds) > 3 else "")
        say(f"{device}: {failed.sum()} of {n} measurements failed ({shown}), stored as NaN")
    if (missing | failed).all():
        raise DataError(path, f"none of {n} measurements is a positive number", again)
    ms[failed] = math.nan
    return Latency(ms, batch=batch_of(device), n_failed=int(failed.sum()))


def batch_of(device: str) -> int:
    """HELP ends a device's name with the batch size (`titan_rtx_32`); numbers of processors are longer. 0 = unknown."""
    match = re.search(r"_(1|16|32|64|128|256)$", device)
    return int(match[1]) if match and device not in NOT_A_BATCH else 0


def device_files(folder: Path, suffix: str, source: str) -> dict[str, Path]:
    """Device name -> file, for whatever devices are in the folder, in order of name."""
    if not folder.is_dir():
        raise DataError(folder, "the folder of latencies is not there", f"fetch it from {source}")
    files = {
        path.name.removesuffix(suffix): path
        for path in folder.iterdir()
        if path.name.endswith(suffix) and not path.name.startswith(".")
    }
    if not files:
        raise DataError(folder, f"no *{suffix} file in it", f"fetch the files from {source}")
    return dict(sorted(files.items()))
