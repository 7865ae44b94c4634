"""Packages that only some uses need: imported at their first use, with an error that names the package."""

from __future__ import annotations

import importlib
from types import ModuleType

from .errors import ResultError


def need(package: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        if error.name is None or error.name.split(".")[0] != package:  # the package is there, and broken
            raise
        raise ResultError(f"this needs the Python package {package}; install it: pip install {package}") from None
