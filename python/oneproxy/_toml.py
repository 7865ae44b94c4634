"""Values of Python as those of a configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from oneproxy._errors import Error


def overrides_of(keys: Mapping[str, Any], inside: str = "") -> list[str]:
    """"key=value" of each, as the command line's --set takes them; a dict reaches into a table: "table.key=value"."""
    lines: list[str] = []
    for key, value in keys.items():
        if not isinstance(key, str) or not key or "=" in key:
            raise Error(f"config: the key {key!r} should be a name, as `oneproxy list KIND` shows them")
        name = f"{inside}{key}"
        lines += overrides_of(value, name + ".") if isinstance(value, Mapping) else [f"{name}={_written(value, name)}"]
    return lines


def _written(value: Any, name: str) -> str:
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)  # of inf and nan too: TOML writes them as Python does
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # the same escapes
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_written(item, name) for item in value) + "]"
    if isinstance(value, Mapping):  # in a list
        return "{" + ", ".join(f"{_written(key, name)} = {_written(item, f'{name}.{key}')}" for key, item in value.items()) + "}"
    raise Error(f"{name} = {value!r}: is of type {type(value).__name__}; give a text, a number, a bool, or a list of them")
