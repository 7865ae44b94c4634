"""Search methods of one's own, beside those that ship."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oneproxy import _engine
from oneproxy._arrays import count, seed_of
from oneproxy._errors import Error
from oneproxy._registry import BudgetSpent, search_methods, version_of
from oneproxy.space import Architectures, Space


class Problem:
    """What a search method is to solve, for as long as it runs. All that it evaluates is remembered: the best within
    the limits, and the front, are found among that."""

    def __init__(self, task: _engine.SearchTask) -> None:
        self._task = task
        self._space = Space._of(task.space)

    @property
    def space(self) -> Space:
        return self._space

    @property
    def objectives(self) -> list[str]:
        """Names of the two or three objectives, the goal first."""
        return self._task.objectives

    @property
    def directions(self) -> list[str]:
        """Of the objectives: "max" or "min"."""
        return self._task.directions

    @property
    def units(self) -> list[str]:
        """Of the objectives; "" where one has none."""
        return self._task.units

    @property
    def limits(self) -> list[tuple[float, ...]]:
        """For each question a bound on each objective, an upper one where it is minimised; NaN: none. The best
        within each is asked for, and all share the budget."""
        return [tuple(bounds) for bounds in self._task.limits]

    @property
    def seed(self) -> int:
        """Of all random draws: numpy.random.default_rng(problem.seed)."""
        return self._task.seed

    @property
    def evaluations(self) -> int:
        """Distinct architectures that may be evaluated for all limits together; 0: no such budget."""
        return self._task.evaluations

    @property
    def seconds(self) -> float:
        """Time for all limits together; 0: no such budget."""
        return self._task.seconds

    @property
    def n_evaluated(self) -> int:
        """Distinct architectures that were evaluated."""
        return self._task.n_evaluated

    @property
    def left(self) -> float:
        """Evaluations until the budget is spent; infinite where evaluations are not counted and there is time."""
        left = self._task.left
        return float("inf") if left == 2**63 - 1 else left

    @property
    def allowed(self) -> list[list[int]]:
        """For each decision the choices that some architecture of the searched part has."""
        return self._task.allowed

    @property
    def rows(self) -> NDArray[np.uint8] | None:
        """Where an objective is known on the rows of a set only: those that may be the answer, [n, n_decisions].
        None where all objectives are known for every architecture."""
        rows = self._task.rows()
        return rows if len(rows) else None

    def random(self, n: int, seed: int) -> NDArray[np.uint8]:
        """Architectures drawn evenly from what is searched, choices [n, n_decisions]; some may be equal."""
        return self._task.random(count(n, "n", 0), seed_of(seed))

    def costs(self, archs: Architectures) -> NDArray[np.float64]:
        """The objectives beside the goal, [n, n_objectives - 1], which cost no evaluation; NaN where not known."""
        return self._task.costs(self._choices(archs))

    def evaluate(self, archs: Architectures) -> NDArray[np.float64]:
        """Values of all objectives, [n, n_objectives]; NaN where one is not known. archs: strings, choices
        [n, n_decisions], or indices of the space (whole numbers). What was evaluated before costs nothing. Where the
        budget does not reach for all, it is spent on the first, and oneproxy.BudgetSpent ends the method."""
        choices = self._choices(archs)
        values, evaluated = self._task.evaluate(choices)
        if evaluated < len(choices):
            raise BudgetSpent(f"{self.n_evaluated} architectures are evaluated, which is all the budget")
        return values

    def _choices(self, archs: Architectures) -> NDArray[np.uint8]:
        if not isinstance(archs, (str, bytes)) and len(archs) and all(
            isinstance(one, (int, np.integer)) and not isinstance(one, bool) for one in archs
        ):
            archs = [self._space.arch(int(index)) for index in archs]
        return self._space.choices(archs)

    def __repr__(self) -> str:
        goal = ", ".join(f"{way} {name}" for way, name in zip(self.directions, self.objectives))
        return f"<oneproxy.Problem: {goal} over {self._space.name}>"


Method = Callable[..., None]


def search_method(name: str, description: str = "") -> Callable[[Method], Method]:
    """Adds a search method under a name, with which search(method=...) and experiments call for it.

        @oneproxy.search_method("mine")
        def mine(problem, batch=100):
            rng = np.random.default_rng(problem.seed)
            while True:
                problem.evaluate(problem.random(batch, seed=int(rng.integers(2**32))))

    It evaluates through `problem`, which keeps the record and ends it when the budget is spent; it returns nothing.
    Keyword arguments with a default (a truth value, number or text) are its settings: search(settings={"batch": 50}),
    or "mine: batch = 50" in a configuration. The same name again takes its place. A result of an experiment is told
    from that of another version by the source of the function itself, not by that of what it calls.
    """
    _check_text(name, "name")

    def register(function: Method) -> Method:
        if not callable(function):
            raise Error(f"search_method {name}: {function!r:.60} is no function")
        text = description or (inspect.getdoc(function) or "a search method in Python").splitlines()[0]
        _engine.register_search_method(name, text, version_of(function), _settings(name, function))
        search_methods[name] = function
        return function

    return register


def _settings(name: str, function: Method) -> list[tuple[str, Any]]:
    settings = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if not isinstance(parameter.default, (bool, int, float, str)):
            raise Error(
                f"search_method {name}: {parameter.name} has no default that is a number, text or truth value; give one"
            )
        settings.append((parameter.name, parameter.default))
    return settings


def _check_text(value: str, name: str) -> None:
    if not isinstance(value, str):
        raise Error(f"{name} = {value!r:.60}: should be a text; write the decorator with brackets, ('my_own')")
