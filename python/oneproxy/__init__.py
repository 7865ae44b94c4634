"""Hardware-aware neural architecture search: latency predictors from few measurements, exact Pareto fronts.

Arrays are NumPy's, in and out. An architecture is a string of its space, or a row of choices [n_decisions]. What is
refused raises oneproxy.Error, one line that names the argument; Ctrl-C ends long work. docs/python.md has examples.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oneproxy import _engine
from oneproxy._errors import Error, StandInWarning, UndefinedWarning
from oneproxy.adaptation import Adapted, Advice, ExpectedSrcc, Outlier, Plan, adapt, plan
from oneproxy.front_loop import FrontLoop, LimitAnswer, LoopStep, MeasuredNetwork
from oneproxy.fronts import hypervolume, pareto_front
from oneproxy.mlp import Mlp
from oneproxy.ranks import average_ranks, kendall, spearman, spearman_matrix
from oneproxy._registry import BudgetSpent
from oneproxy.run import load, run
from oneproxy.scorer import Scorer
from oneproxy.search import Objective, SearchResult, Solution, search
from oneproxy.search_method import Problem, search_method
from oneproxy.selection import Pool, selection
from oneproxy.space import Decision, Space
from oneproxy.store import Latencies, Metric, Store

if TYPE_CHECKING:
    from oneproxy_results import Result

__all__ = [
    "Adapted",
    "Advice",
    "BudgetSpent",
    "Decision",
    "Error",
    "ExpectedSrcc",
    "FrontLoop",
    "Latencies",
    "LimitAnswer",
    "LoopStep",
    "MeasuredNetwork",
    "Metric",
    "Mlp",
    "Outlier",
    "Objective",
    "Plan",
    "Pool",
    "Problem",
    "Result",
    "Scorer",
    "SearchResult",
    "Solution",
    "Space",
    "StandInWarning",
    "Store",
    "UndefinedWarning",
    "adapt",
    "average_ranks",
    "hypervolume",
    "kendall",
    "load",
    "pareto_front",
    "plan",
    "run",
    "search",
    "search_method",
    "selection",
    "spearman",
    "spearman_matrix",
]
__version__: str = _engine.version()

_SHARE = Path(__file__).parent / "share"  # the files that ship; an editable install has them elsewhere
if "ONEPROXY_HOME" not in os.environ and _SHARE.is_dir():
    _engine.set_home_folder(str(_SHARE))


def __getattr__(name: str) -> Any:
    if name == "Result":  # not before it is asked for: h5py takes a while, and nothing else needs it
        from oneproxy_results import Result

        return Result
    raise AttributeError(f"module 'oneproxy' has no attribute {name!r}")
