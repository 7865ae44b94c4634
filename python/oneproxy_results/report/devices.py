"""Names of devices as people say them, the same as in the pictures for papers."""

from __future__ import annotations

from ..figures import words
from ..result import Result


def label(result: Result, name: object) -> str:
    return words.device(result, str(name))
