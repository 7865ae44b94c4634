"""What users add to the engine's registries: it holds the names, and asks here for what they stand for."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from oneproxy import _engine
from oneproxy._errors import Error
from oneproxy.space import Space

search_methods: dict[str, Callable[..., None]] = {}
selections: dict[str, Callable[..., Any]] = {}


class BudgetSpent(Exception):
    """The budget of a search is spent: it ends the method, and is no error."""


BudgetSpent.__module__ = "oneproxy"


def version_of(function: Callable[..., Any]) -> str:
    """A checksum of its source, so that the results of another version are told from its own."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):  # typed into an interpreter
        code = getattr(function, "__code__", None)
        text = repr(function) if code is None else repr((code.co_code, code.co_consts, code.co_names))
    return hashlib.sha256(text.encode()).hexdigest()


def run_search_method(name: str, task: _engine.SearchTask, settings: Mapping[str, Any]) -> None:
    from oneproxy.search_method import Problem

    try:
        answer = search_methods[name](Problem(task), **settings)
    except BudgetSpent:
        return
    if answer is not None:
        raise Error(
            f"search method {name}: returned a {type(answer).__name__}; it returns nothing, the answer is what it "
            "evaluated"
        )


def run_selection(name: str, space: _engine.Space, fields: Mapping[str, Any]) -> list[int]:
    from oneproxy.selection import Pool

    answer = selections[name](Pool(space=Space._of(space), **fields))
    try:
        positions = np.asarray(answer)
    except (TypeError, ValueError):
        positions = np.empty(0, object)
    if positions.ndim != 1 or (positions.size and positions.dtype.kind not in "iu"):
        raise Error(f"selection {name}: returned {answer!r:.60}; return the positions of candidates, whole numbers [k]")
    return positions.tolist()
