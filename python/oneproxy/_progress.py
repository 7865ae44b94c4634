"""Progress of long calls: a bar, a plain line, or a function of the caller's."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Union

from oneproxy import _engine
from oneproxy._errors import Error

# True: a bar. A function: progress(done, total), total 0 where nobody knows it beforehand.
Progress = Union[bool, Callable[[int, int], object]]


@contextmanager
def progress_of(progress: Progress) -> Iterator[None]:
    """The work that is called for within is shown as `progress` says."""
    if progress is False or progress is None:
        yield
        return
    if progress is not True and not callable(progress):
        raise Error(f"progress = {progress!r:.60}: should be True, False, or a function of (done, total)")
    shown = _shown() if progress is True else None
    _engine.listen_to_progress(shown or (lambda what, done, total, unit: progress(done, total)))
    try:
        yield
    finally:
        _engine.listen_to_progress(None)
        if shown:
            shown.close()


def _shown() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line()
    return _Bar(tqdm)


class _Bar:
    """tqdm, one bar for each piece of work."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm, self._bar, self._of = tqdm, None, ("", 0)

    def __call__(self, what: str, done: int, total: int, unit: str) -> None:
        if self._bar is None or self._of != (what, total) or done < self._bar.n:
            self.close()
            self._bar, self._of = self._tqdm(total=total or None, desc=what, unit=f" {unit}"), (what, total)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _Line:
    """A line on standard error, written anew."""

    def __init__(self) -> None:
        self._last, self._written = 0.0, False

    def __call__(self, what: str, done: int, total: int, unit: str) -> None:
        now = time.monotonic()
        if now - self._last < 0.2 and done != total:
            return
        self._last, self._written = now, True
        print(f"\r{what}: {done}{f' of {total}' if total else ''} {unit}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._written:
            print(file=sys.stderr)
