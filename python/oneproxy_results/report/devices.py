"""Names of devices as people say them."""

from __future__ import annotations

from ..result import Result


def label(result: Result, name: object) -> str:
    return str(name)
