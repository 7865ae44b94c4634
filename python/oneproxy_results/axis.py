"""One axis of an array: its name, what it is, and the label of each place along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Axis:
    name: str
    labels: np.ndarray  # [length]; text as object array of str
    long_name: str = ""
    units: str = ""  # "1" of a number without a unit, "" of text

    def __len__(self) -> int:
        return len(self.labels)
