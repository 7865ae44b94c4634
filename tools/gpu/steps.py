"""A step of tools/gpu_check: one command with a time limit of its own, what became of it, and the verdict on all."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

PASSED, FAILED, TIMED_OUT, NOT_RUN = "passed", "failed", "timed out", "not run"
GRACE_S = 2.0  # between asking a program to end and ending it
LEAST_S = 3.0  # with less time left, a step is not begun
ERROR_LINES, END_LINES = 40, 20
TELLING = re.compile(r"error:|: Failure$|^FAILED|^========= +(Error|Invalid|Program hit|Warning)|\bHazard\b|hazard")


@dataclass(frozen=True)
class Step:
    name: str
    command: tuple[str, ...]
    limit_s: float
    expected_s: float = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    essential: bool = False  # without it the whole proves nothing: not run is not passed
    advisory: bool = False  # is reported and does not count, for example where profiling is not permitted
    impossible: str = ""  # why this machine can not run it
    programs: tuple[Path, ...] = ()  # that an earlier step should have built


@dataclass(frozen=True)
class Outcome:
    step: Step
    status: str
    seconds: float = 0
    summary: str = ""  # last line that the command printed, or why it was not run
    tail: str = ""  # end of the log of a step that did not pass


class Runner:
    """Runs steps within one budget, and ends what still runs when it is told to."""

    def __init__(self, root: Path, logs: Path, budget_s: float) -> None:
        self.root, self.logs = root, logs
        self.end = time.monotonic() + budget_s
        self._groups: set[int] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run_together(self, steps: Sequence[Step]) -> list[Outcome]:
        with ThreadPoolExecutor(len(steps)) as pool:
            return list(pool.map(self.run, steps))

    def run(self, step: Step) -> Outcome:
        if step.impossible:
            return Outcome(step, NOT_RUN, summary=step.impossible)
        if self._stopped:
            return Outcome(step, NOT_RUN, summary="stopped by a signal")
        missing = [path.name for path in step.programs if not path.exists()]
        if missing:
            return Outcome(step, NOT_RUN, summary=f"{', '.join(missing)} was not built")
        left = self.end - time.monotonic()
        if left < LEAST_S:
            return Outcome(step, NOT_RUN, summary="the time was up; give more with --minutes")
        limit = min(step.limit_s, left)
        log = self.logs / f"{step.name}.log"
        start = time.monotonic()
        status, ended = self._execute(step, log, limit)
        seconds = time.monotonic() - start
        text = log.read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        summary = lines[-1].strip() if lines else "no output"
        if ended == TIMED_OUT:
            summary = f"killed after {limit:.0f} s; last line: {summary}"
        elif status:
            summary = f"exit status {status}: {summary}"
        return Outcome(step, ended, seconds, summary, "" if ended == PASSED else excerpt(lines))

    def _execute(self, step: Step, log: Path, limit: float) -> tuple[int | None, str]:
        with log.open("wb") as out:
            try:
                with self._lock:  # so that stop() sees it, or it sees stop()
                    process = subprocess.Popen(
                        step.command,
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=out,
                        cwd=self.root,
                        env={**os.environ, **step.environment},
                        start_new_session=True,  # a group of its own, so that its children end with it
                    )
                    self._groups.add(process.pid)
                    if self._stopped:
                        send(process.pid, signal.SIGKILL)
            except OSError as error:
                out.write(f"{step.command[0]} does not start: {error.strerror}\n".encode())
                return None, FAILED
        try:
            status = process.wait(limit)
            return status, PASSED if status == 0 else FAILED
        except subprocess.TimeoutExpired:
            return None, TIMED_OUT
        finally:
            end_group(process)  # also children that outlived their parent
            with self._lock:
                self._groups.discard(process.pid)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for group in self._groups:
                send(group, signal.SIGKILL)


def excerpt(lines: Sequence[str]) -> str:
    """Where a log speaks of errors, from its beginning, and its end."""
    early, end = lines[:-END_LINES], lines[-END_LINES:]
    told = {near for i, line in enumerate(early) if TELLING.search(line) for near in range(i, i + 4)}
    first = [early[i][:300] for i in sorted(told) if i < len(early)][:ERROR_LINES]
    return "\n".join([*first, *(["..."] if first else []), *(line[:300] for line in end)])


def send(group: int, number: int) -> bool:
    """False where the group has no process any more."""
    try:
        os.killpg(group, number)
        return True
    except (ProcessLookupError, PermissionError):
        return False


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends what is left of the group that `process` leads."""
    if send(process.pid, signal.SIGTERM):
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline:
            process.poll()  # an ended leader that nobody waits for counts as one of the group
            if not send(process.pid, 0):
                break
            time.sleep(0.02)
        else:
            send(process.pid, signal.SIGKILL)
    process.wait()


def counts(outcome: Outcome) -> str:
    """Why this outcome fails the whole; "" if it does not."""
    step = outcome.step
    if outcome.status == PASSED or step.advisory:
        return ""
    if outcome.status in (FAILED, TIMED_OUT):
        return f"{step.name} {outcome.status}"
    if step.essential or not step.impossible:
        return f"{step.name} was not run: {outcome.summary}"
    return ""


def faults(outcomes: Iterable[Outcome]) -> list[str]:
    found = list(outcomes)
    if not found:
        return ["nothing was run"]
    return [why for outcome in found if (why := counts(outcome))]
