"""What the tests of the Python package share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import oneproxy

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def refused() -> Callable[..., AbstractContextManager[object]]:
    """`with refused("x", "dtype"):` expects an oneproxy.Error of one line that has these parts, the first at its
    beginning.
    """

    def expect(begin: str, *parts: str) -> AbstractContextManager[object]:
        pattern = "^" + re.escape(begin) + r"(?!\w)" + "".join(f"(?=.*{re.escape(part)})" for part in parts) + "[^\n]*$"
        return pytest.raises(oneproxy.Error, match=pattern)

    return expect


@pytest.fixture
def program() -> Path:
    """The command line, that answers are compared with."""
    return Path(os.environ.get("ONEPROXY_BIN", ROOT / "build" / "oneproxy")).resolve()
