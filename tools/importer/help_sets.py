"""HELP (github.com/HayeonLee/HELP): a folder of latencies a device, beside the architectures they belong to.

Row i of every latency file is architecture i. The latencies are milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import nasbench201
from .errors import DataError
from .measurements import Say, column, device_files
from .pickled import read_torch
from .sets import Latency, MeasuredSet

REPOSITORY = "github.com/HayeonLee/HELP"
FBNET_OPERATIONS = ("k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip")
FBNET_LAYERS = 22
OFA_KERNELS, OFA_EXPANSIONS, OFA_DEPTHS = (3, 5, 7), (3, 4, 6), (2, 3, 4)
OFA_RESOLUTIONS = tuple(range(128, 225, 4))
OFA_STAGES, OFA_DEEPEST = 5, 4


def read_nasbench201(folder: Path, say: Say) -> MeasuredSet:
    """Row i is the official NAS-Bench-201 index i."""
    source = f"{REPOSITORY} data/nasbench201"
    path = folder / "str_arch2idx.pt"
    table = read_torch(path, source)
    again = f"fetch it again from {source}"
    if not isinstance(table, dict) or not table:
        raise DataError(path, "not a dict from architecture string to index", again)
    if any(type(i) is not int for i in table.values()) or sorted(table.values()) != list(range(len(table))):
        raise DataError(path, f"the indices are not 0..{len(table) - 1}, each once", again)
    rows: list[tuple[int, ...]] = [()] * len(table)
    try:
        for text, i in table.items():
            rows[i] = nasbench201.choices_of(str(text))
    except ValueError as error:
        raise DataError(path, str(error), again) from None
    if len(set(rows)) != len(rows):
        raise DataError(path, "one cell has two indices", again)
    if len(rows) != nasbench201.N_CELLS:
        say(f"nasbench201/help: {len(rows)} of {nasbench201.N_CELLS} cells are in {path.name}")
    return MeasuredSet(
        space="nasbench201",
        name="help",
        source=source,
        licence="MIT",
        description="Latency of NAS-Bench-201 cells as released with HELP (NeurIPS'21)",
        choices=np.array(rows, dtype=np.uint8),
        decisions=nasbench201.DECISIONS,
        official_index=np.arange(len(rows), dtype=np.int64),
        latency=_latencies(folder, len(rows), source, say),
    )


def read_fbnet(folder: Path, say: Say) -> MeasuredSet:
    source = f"{REPOSITORY} data/fbnet"
    path, names = folder / "arch.pt", folder / "metainfo.pt"
    again = f"fetch it again from {source}"
    rows = read_torch(path, source)
    if not _rows_of_int(rows, FBNET_LAYERS, len(FBNET_OPERATIONS)):
        raise DataError(
            path,
            f"not a list of {FBNET_LAYERS} operation numbers 0..{len(FBNET_OPERATIONS) - 1} an architecture",
            again,
        )
    if names.exists():
        meta = read_torch(names, source)
        try:
            named = [(list(a["op_idx_list"]), list(a["arch_str"])) for a in meta["arch"]]
        except (TypeError, KeyError):
            raise DataError(names, "no list 'arch' of op_idx_list and arch_str in it", again) from None
        expected = [(list(row), [FBNET_OPERATIONS[i] for i in row]) for row in rows]
        if named != expected:
            raise DataError(
                names, f"disagrees with {path.name} on the architectures or on the names of operations", again
            )
    else:
        say(f"fbnet/help: {names.name} is not there, the names of the operations were not checked")
    return MeasuredSet(
        space="fbnet",
        name="help",
        source=source,
        licence="MIT",
        description="Latency of random FBNet architectures (CIFAR-100, 32x32 input) as released with HELP (NeurIPS'21)",
        choices=np.array(rows, dtype=np.uint8),
        decisions=f"layers 1..{FBNET_LAYERS}; operations {' '.join(FBNET_OPERATIONS)}",
        latency=_latencies(folder, len(rows), source, say),
    )


def read_ofa(folder: Path, say: Say) -> MeasuredSet:
    source = f"{REPOSITORY} data/ofa"
    path = folder / "ofa_archs.pt"
    again = f"fetch it again from {source}"
    table = read_torch(path, source)
    try:
        rows = [_ofa_choices(arch) for arch in table["arch"]]
    except (TypeError, KeyError, ValueError, IndexError) as error:
        raise DataError(path, f"not a list 'arch' of ks[20] e[20] d[5] r ({error})", again) from None
    if not rows:
        raise DataError(path, "no architecture in it", again)
    different = len(set(rows))
    if different != len(rows):
        say(f"ofa_mbv3/help: {len(rows)} architectures are {different} distinct sub-networks")
    return MeasuredSet(
        space="ofa_mbv3",
        name="help",
        source=source,
        licence="MIT",
        description="Latency of Once-for-All MobileNetV3 sub-networks as released with HELP (NeurIPS'21)",
        choices=np.array(rows, dtype=np.uint8),
        decisions="resolution, index into 128 132 .. 224; 20 blocks, 4 a stage: 0 beyond the stage's depth, else "
        f"1 + kernel * {len(OFA_EXPANSIONS)} + expansion, indices into {OFA_KERNELS} and {OFA_EXPANSIONS}",
        latency=_latencies(folder, len(rows), source, say),
    )


def _ofa_choices(arch: dict[str, Any]) -> tuple[int, ...]:
    """21 numbers: the resolution, then every block. What the network does not use is 0: one code a network."""
    blocks = OFA_STAGES * OFA_DEEPEST
    if (len(arch["ks"]), len(arch["e"]), len(arch["d"])) != (blocks, blocks, OFA_STAGES):
        raise ValueError("wrong lengths")
    if any(depth not in OFA_DEPTHS for depth in arch["d"]):
        raise ValueError(f"a depth that is none of {OFA_DEPTHS}")
    resolution = arch["r"][0] if isinstance(arch["r"], (list, tuple)) else arch["r"]
    used = [i % OFA_DEEPEST < arch["d"][i // OFA_DEEPEST] for i in range(blocks)]
    variant = [
        1 + OFA_KERNELS.index(k) * len(OFA_EXPANSIONS) + OFA_EXPANSIONS.index(e) for k, e in zip(arch["ks"], arch["e"])
    ]
    return OFA_RESOLUTIONS.index(resolution), *(v * u for v, u in zip(variant, used))


def _rows_of_int(rows: Any, width: int, radix: int) -> bool:
    return (
        isinstance(rows, list)
        and bool(rows)
        and all(
            isinstance(row, (list, tuple)) and len(row) == width and all(type(i) is int and 0 <= i < radix for i in row)
            for row in rows
        )
    )


def _latencies(folder: Path, n: int, source: str, say: Say) -> dict[str, Latency]:
    files = device_files(folder / "latency", ".pt", source)
    return {device: column(path, device, read_torch(path, source), n, source, say) for device, path in files.items()}
