"""Experiments, as `oneproxy run` runs them, and the results that they leave."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oneproxy import _engine
from oneproxy._errors import Error
from oneproxy._progress import Progress, progress_of
from oneproxy._toml import overrides_of

if TYPE_CHECKING:
    from oneproxy_results import Result


def run(
    config: str | os.PathLike[str] | Mapping[str, Any],
    /,
    *,
    out: str | os.PathLike[str] = "results",
    force: bool = False,
    progress: Progress = False,
    **overrides: Any,
) -> Result:
    """Run an experiment, or find its finished result of the same settings and data: what `oneproxy run` does.

    config: a file (*.toml), the name of one that ships ("nasbench201/monotonicity"), or a dict of all keys ("name",
    which begins the name of the folder, is the kind where it is not given). overrides: keys of the configuration,
    p=1, as the command line's --set; keys of a table as a dict. out: the folder of results, OUT/<kind>/<name>-<hash>/.
    force: run again although the result is there. progress: True shows bars, a function is called with (done, total)
    of each piece of work. Paths in overrides and in a dict are relative to the working
    directory.
    """
    keys: dict[str, Any] = dict(overrides)
    file = ""
    if isinstance(config, Mapping):
        keys = {**config, **overrides}
        if "kind" not in keys:
            raise Error("config: has no key 'kind'; `oneproxy list` shows the kinds of experiment")
        keys.setdefault("name", keys["kind"])
    elif isinstance(config, (str, os.PathLike)):
        file = os.fspath(config)
        if not file:
            raise Error("config: is empty; give a file (*.toml), the name of one that ships, or a dict")
    else:
        raise Error(f"config = {config!r}: should be a file (*.toml), the name of one that ships, or a dict")
    lines = overrides_of(keys)
    command = " ".join(["oneproxy.run:", file or "a dict", *lines])
    with progress_of(progress):
        folder = _engine.run(file, lines, os.fspath(out), bool(force), command)
    return load(folder)


def load(result_folder: str | os.PathLike[str]) -> Result:
    """A finished result folder, as oneproxy.run and `oneproxy run` leave it."""
    from oneproxy_results import load as load_result  # here: h5py takes a while, and nothing else needs it

    return load_result(Path(os.fspath(result_folder)))
