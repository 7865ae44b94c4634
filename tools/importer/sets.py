"""What a reader hands on: rows measured together, or latencies per block, with where they come from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Latency:
    """Latency of every row on one device."""

    ms: np.ndarray  # [n] f64, NaN = failed or missing
    batch: int = 0  # 0 = unknown
    precision: str = "unknown"
    n_failed: int = 0
    duplicate_of: str = ""  # another device of the same set with identical values
    note: str = ""  # what a reader of the numbers must know


@dataclass
class Metric:
    """A quality of every row."""

    values: np.ndarray  # [n] f64
    unit: str = "%"
    direction: str = "maximize"
    description: str = ""  # what plots and reports call it; else its name


@dataclass
class MeasuredSet:
    """`/spaces/<space>/<name>` of the store."""

    space: str
    name: str
    source: str  # public repository and folder
    licence: str
    description: str
    choices: np.ndarray  # [n, decisions] u8
    decisions: str  # what the columns of `choices` are
    official_index: np.ndarray | None = None  # [n] i64
    latency: dict[str, Latency] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    sort_rows: bool = False  # the file has no order of its own

    @property
    def label(self) -> str:
        return f"{self.space}/{self.name}"

    def reorder(self, order: np.ndarray) -> None:
        """Put row order[i] in place i, everywhere."""
        self.choices = self.choices[order]
        if self.official_index is not None:
            self.official_index = self.official_index[order]
        for latency in self.latency.values():
            latency.ms = latency.ms[order]
        for metric in self.metrics.values():
            metric.values = metric.values[order]


@dataclass
class LookupTable:
    """`/tables/<space>/<name>` of the store: latency of every (decision, choice), to be added up."""

    space: str
    name: str
    source: str
    licence: str
    description: str
    target: str  # what the sum is, for people
    unit: str
    radices: list[int]
    weights: np.ndarray  # [tables, sum of radices] f64; one table, or one a choice of decision 0
    bias: np.ndarray  # [tables] f64: stem and head; NaN = no table
    record: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.space}/{self.name}"
