"""Where things are, how a tool is run, and tiny folders in the layout of each public repository."""

from __future__ import annotations

import io
import itertools
import json
import pickle
import random
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
if str(TOOLS) not in sys.path:
    sys.path.insert(0, str(TOOLS))

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
FBNET_OPERATIONS = ("k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip")


def run_tool(name: str, *arguments: object, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(TOOLS / name), *map(str, arguments)], capture_output=True, text=True, timeout=300
    )


def save_torch(path: Path, value: Any) -> None:
    """What torch.save writes for plain values: a zip archive around a pickle of protocol 2."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}/data.pkl", pickle.dumps(value, protocol=2))
        archive.writestr(f"{path.stem}/version", "3\n")


def save_pickle(path: Path, value: Any, protocol: int = 4) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol=protocol))


def old_numpy(raw: bytes) -> bytes:
    """The pickle (protocol 2) as NumPy 1 wrote it: the published files have the old name of the module."""
    return raw.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def cells(count: int, seed: int = 0) -> list[tuple[int, ...]]:
    """Distinct NAS-Bench-201 cells in an order of their own."""
    every = list(itertools.product(range(5), repeat=6))
    return random.Random(seed).sample(every, count)


def cell_string(cell: tuple[int, ...]) -> str:
    o = [OPERATIONS[i] for i in cell]
    return f"|{o[0]}~0|+|{o[1]}~0|{o[2]}~1|+|{o[3]}~0|{o[4]}~1|{o[5]}~2|"


def latencies(count: int, seed: int) -> list[float]:
    return [round(random.Random(f"{seed} {i}").uniform(1, 20), 6) for i in range(count)]


def make_help_nasbench201(folder: Path, count: int = 40) -> list[tuple[int, ...]]:
    order = cells(count)
    save_torch(folder / "str_arch2idx.pt", {cell_string(cell): i for i, cell in reversed(list(enumerate(order)))})
    save_torch(folder / "hardware_embedding_index.pt", [1, 2, 3])
    save_torch(folder / "latency" / "titan_rtx_32.pt", latencies(count, 1))
    save_torch(folder / "latency" / "essential_ph_1.pt", [int(x) for x in latencies(count, 2)])
    save_torch(folder / "latency" / "gold_6226.pt", latencies(count, 3))
    return order


def make_help_fbnet(folder: Path, count: int = 12) -> list[list[int]]:
    rows = [[random.Random(f"{i} {j}").randrange(9) for j in range(22)] for i in range(count)]
    save_torch(folder / "arch.pt", rows)
    save_torch(
        folder / "metainfo.pt",
        {
            "dataset": "cifar100",
            "num_classes": 100,
            "arch": [{"op_idx_list": row, "arch_str": [FBNET_OPERATIONS[i] for i in row]} for row in rows],
        },
    )
    save_torch(folder / "latency" / "pixel3.pt", latencies(count, 4))
    return rows


def make_help_ofa(folder: Path) -> None:
    arch = {"ks": [3, 5, 7, 3] * 5, "e": [3, 4, 6, 4] * 5, "d": [2, 3, 4, 2, 3], "r": np.int64(204)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", old_numpy(pickle.dumps({"arch": [arch, dict(arch, r=128)]}, protocol=2)))
    folder.mkdir(parents=True)
    (folder / "ofa_archs.pt").write_bytes(buffer.getvalue())
    save_torch(folder / "latency" / "titan_xp_64.pt", [7.5, 6.5])


def make_oneproxy(folder: Path, order: list[tuple[int, ...]]) -> None:
    codes = [[int(cell[edge] == op) for edge in range(6) for op in range(5)] + [1] for cell in order]
    save_pickle(folder / "encode.pickle", codes)
    values = latencies(len(order), 5)
    save_pickle(folder / "latency_data" / "true_vpu.pickle", values)
    save_pickle(folder / "latency_data" / "eagle_i7.pickle", [np.float64(v) for v in values])
    failing = [-1 if i % 5 == 0 else float(i + 1) for i in range(len(order))]
    save_pickle(folder / "latency_data" / "rice_edgetpu.pickle", failing)


def make_natsbench(folder: Path, order: list[tuple[int, ...]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "CIFAR10TestAccuracy200Epochs,CIFAR100TestAccuracy200Epochs,ImageNetTestAccuracy200Epochs,"
        "ArchitectureString,UniqueString"
    ]
    lines += [f"{90 - i / 10},{70 - i / 10},{40 - i / 10},{cell_string(cell)},x{i}" for i, cell in enumerate(order)]
    (folder / "nats_bench.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_eagle(folder: Path, order: list[tuple[int, ...]]) -> None:
    table = {cell: np.float64((i + 1) / 1000) for i, cell in enumerate(order)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "desktop-cpu-core-i7-7820x-fp32.pkl").write_bytes(old_numpy(pickle.dumps(table, protocol=2)))


def accel_network(number: int) -> dict[str, Any]:
    """A network of Accel-NASBench as it is published; those of other numbers (below 36) are others."""
    architecture: dict[str, Any] = {}
    for b in range(7):
        draw = number if b == 0 else 7 * number + b
        values = (1, 4, 6)[draw % 3], (3, 5)[draw // 3 % 2], 1 + draw // 6 % 3, bool(draw // 18 % 2)
        architecture |= {f"block{b}_{letter}": x for letter, x in zip(("e", "k", "l", "se"), values)}
    return {
        "architecture": architecture,
        "metrics": {"val_top1": 60 + number / 10, "val_top5": 80 + number / 10, "train_time": 1500.0},
        "model_info": {"macs": 300.0 + number, "params": 4.0},
        "platform_perf": {
            "latency_zcu102": {"latency_mean": 5.0 + number, "latency_std": None},
            "throughput_zcu102": {"throughput_mean": 400.0 - number, "throughput_std": None},
            "throughput_newchip": {"throughput_mean": 1000 * 0.8**number, "throughput_std": 1.0},
        },
    }


def make_accel_nasbench(folder: Path, networks: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, network in enumerate(networks):
        (folder / f"result_{i}.json").write_text(json.dumps(network))


def pack_accel_nasbench(path: Path, members: list[tuple[str, bytes]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, raw in members:
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))


def make_collection(folder: Path) -> list[tuple[int, ...]]:
    """All publishers side by side; returns the cells in official order."""
    order = make_help_nasbench201(folder / "help" / "nasbench201")
    make_help_fbnet(folder / "help" / "fbnet")
    make_help_ofa(folder / "help" / "ofa")
    make_oneproxy(folder / "oneproxy", order[30:10:-1])
    make_natsbench(folder / "natsbench", order)
    make_eagle(folder / "eagle", order[::-2])
    (folder / "ofa").mkdir()
    (folder / "ofa" / "acc_predictor.pth").write_bytes(b"not read")
    return order
