"""A search space as configs/spaces declares it: what its blocks are and where they stand. The file is the only place
where the order of operations is written, so that a table imported here has the choices that the program knows."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "spaces"


@dataclass(frozen=True)
class Operation:
    name: str
    kernel: int
    expansion: int  # 0 where the block is not there


@dataclass(frozen=True)
class Block:
    in_channels: int
    channels: int
    stride: int
    side: int  # of its input in pixels, or the divisor of the network's input where the resolution is a decision
    squeeze_excitation: bool


@dataclass(frozen=True)
class Space:
    name: str
    resolutions: tuple[int, ...]  # empty where the resolution is no decision
    operations: tuple[Operation, ...]
    blocks: tuple[Block, ...]

    @property
    def radices(self) -> list[int]:
        return [len(self.resolutions)] * bool(self.resolutions) + [len(self.operations)] * len(self.blocks)


def load(name: str) -> Space:
    """A space of stages; its first geometry."""
    with open(FOLDER / f"{name}.toml", "rb") as stream:
        file = tomllib.load(stream)
    geometry = file["geometry"][0]
    resolutions = tuple(file.get("resolutions", ()))
    channels = geometry["input_channels"]
    side = geometry["input_reduction"] if resolutions else geometry["input_resolution"]
    blocks = []
    for stage in geometry["stage"]:
        stride = stage.get("stride", 1)
        for _ in range(stage["layers"]):
            blocks.append(Block(channels, stage["channels"], stride, side, stage.get("squeeze_excitation", False)))
            channels = stage["channels"]
            side = side * stride if resolutions else side // stride
            stride = 1
    operations = tuple(
        Operation(o["name"], o.get("kernel", 1), o.get("expansion", 1) if o["kind"] == "mbconv" else 0)
        for o in file["operation"]
    )
    return Space(file["name"], resolutions, operations, tuple(blocks))


@cache
def choice_names(name: str) -> list[dict[str, int]]:
    """Of a space that is a list of layers, whose operations may be products of attributes (docs/spaces.md): for every
    decision the names of its choices, with their numbers. Its first geometry."""
    with open(FOLDER / f"{name}.toml", "rb") as stream:
        file = tomllib.load(stream)
    operations = [op for table in file["operation"] for op in _product(table)]
    decisions = []
    for stage in file["geometry"][0]["stage"]:
        chosen = [
            op["name"]
            for op in operations
            if all(op.get(key, 1) in stage[key] for key in ("kernel", "expansion", "groups", "repeats") if key in stage)
        ]
        decisions += [{choice: number for number, choice in enumerate(chosen)}] * stage["layers"]
    return decisions


def _product(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations of a table; the first placeholder of its name varies slowest."""
    keys = re.findall(r"{(\w+)}", table["name"])
    lists = [table[key] if isinstance(table[key], list) else [table[key]] for key in keys]
    operations = []
    for values in itertools.product(*lists):
        own = dict(zip(keys, values))
        name = table["name"].format(**{key: int(value) for key, value in own.items()})
        operations.append({**table, **own, "name": name})
    return operations
