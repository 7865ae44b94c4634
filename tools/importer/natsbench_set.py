"""NATS-Bench accuracies (github.com/v-tao/nats-bench-landscape, nats_bench.csv): % on three data sets, 200 epochs."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np

from . import nasbench201
from .errors import DataError
from .measurements import Say
from .sets import Metric, MeasuredSet

SOURCE = "github.com/v-tao/nats-bench-landscape"
COLUMNS = {
    "cifar10": "CIFAR10TestAccuracy200Epochs",
    "cifar100": "CIFAR100TestAccuracy200Epochs",
    "imagenet16_120": "ImageNetTestAccuracy200Epochs",
}
DATA_SETS = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16_120": "ImageNet-16-120"}
ARCHITECTURE = "ArchitectureString"


def read(folder: Path, say: Say) -> MeasuredSet:
    path = folder / "nats_bench.csv"
    again = f"fetch it again from {SOURCE}"
    try:
        text = path.read_bytes().decode("utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        absent = [name for name in (*COLUMNS.values(), ARCHITECTURE) if name not in (table.fieldnames or ())]
        if absent:
            raise DataError(path, f"no column {absent[0]}", again)
        rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(path, f"not a readable CSV file ({error})", again) from None
    choices, values = [], {metric: [] for metric in COLUMNS}
    for number, row in enumerate(rows, start=2):
        try:
            choices.append(nasbench201.choices_of(row[ARCHITECTURE] or ""))
            for metric, name in COLUMNS.items():
                values[metric].append(_percent(row[name]))
        except ValueError as error:
            raise DataError(path, f"line {number}: {error}", again) from None
    if not choices:
        raise DataError(path, "no row in it", again)
    if len(set(choices)) != len(choices):
        raise DataError(path, "a cell occurs twice", again)
    whole = len(choices) == nasbench201.N_CELLS
    if not whole:
        say(f"nasbench201/natsbench: {nasbench201.N_CELLS - len(choices)} of {nasbench201.N_CELLS} cells are missing")
    for metric, column in values.items():
        missing = sum(math.isnan(v) for v in column)
        if missing:
            say(f"natsbench {metric}: {missing} of {len(column)} accuracies are missing, stored as NaN")
    return MeasuredSet(
        space="nasbench201",
        name="natsbench",
        source=SOURCE,
        licence="MIT",
        description="Test accuracy after 200 epochs, extracted from NATS-Bench (topology space)",
        choices=np.array(choices, dtype=np.uint8),
        decisions=nasbench201.DECISIONS,
        official_index=np.arange(len(choices), dtype=np.int64) if whole else None,  # the file is in index order
        metrics={
            metric: Metric(np.array(column, dtype=np.float64), description=f"{DATA_SETS[metric]} test accuracy")
            for metric, column in values.items()
        },
    )


def _percent(text: str | None) -> float:
    if text is None:
        raise ValueError("a field is missing")
    if text.strip() in ("", "nan", "NaN"):
        return math.nan
    value = float(text)
    if not 0 <= value <= 100:
        raise ValueError(f"{text} is not a percentage")
    return value
