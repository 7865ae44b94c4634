"""The examples of docs/python.md and README.md run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.filterwarnings("ignore::oneproxy.StandInWarning")
@pytest.mark.parametrize("paper", ["docs/python.md", "README.md"])
def test_the_examples_run(paper: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    examples = re.findall(r"^```python\n(.*?)^```", (ROOT / paper).read_text(), re.MULTILINE | re.DOTALL)
    assert examples
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, example in enumerate(examples):  # one after the other, as a reader types them
        exec(compile(example, f"{paper}, example {number}", "exec"), names)
    assert capsys.readouterr().out
