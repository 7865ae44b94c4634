#!/usr/bin/env python3
"""Write what the fuzz targets start from: DIR/seeds/<target>/ from files that ship and from small ones made here, and
DIR/regressions/<target>/ for inputs that once broke the program and are too large to keep as files.

    tests/fuzz/make_seeds.py DIR --h5 PROGRAM      PROGRAM: h5_from_script of the build
"""

from __future__ import annotations

import argparse
import os
import shutil
import struct
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# ---- text --------------------------------------------------------------------------------------------------------

ALL_KEYS = """kind = "adaproxy"
space = "nasbench201"
quality = "metric:natsbench:cifar10"
targets = ["pixel3", "user:phone"]
seed = 7
budgets = [10, 20]
p = 2.5
limits_ms = [1, 2.5e3]
certify = true
store = "../my_store.h5"
backend = "cpu"
seconds = 30
[[published]]
name = "one"
before = 3
after = 0.25
"""

CONFIGS = {
    "all_keys.toml": ALL_KEYS,
    "overrides.toml": ALL_KEYS + "--set\nseed=3\nquality=630\nstore=here.h5\ntargets=[\"a\", \"b\"]\n",
    "no_file.toml": '\n--set\nspace=fbnet\nlimits_ms=[1,2]\na.b.c="x"\n',
}

ARCHITECTURES = (
    "3,4,3,3,4,0",
    "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|",
    "k3_e1|" * 17 + "k3_e1_g2|k5_e6|skip|k3_e6|k5_e3",
    "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,7,8,3,6",
    "r=128|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e4|k5_e6 k7_e3 k5_e3 k7_e3",
    "r=176" + "|k3_e3|k5_e6|none|none" * 5,
    "0,1,1,0,0,1,1,0,0,1,1,0,0,1,2,0,0,6,7,4,7",
    "k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e6|k3_e6 k3_e6 k3_e3 k7_e6|k5_e6",
    "k3_e3|k3_e3|k3_e3|k3_e6|k3_e6 k3_e3 k7_e3 k7_e6|k5_e6",
    "0",
    "15624",
    "984770902183611232880",
    "340282366920938463463374607431768211455",
)

# The first byte is the target's: space and unit.
MEASUREMENTS = {
    "cells.csv": '0arch,latency_ms\n"0,1,2,3,4,0",1.5\n"3,4,3,3,4,0",\n"0,1,2,3,4,0",1.7\n',
    "repeats.csv": f'0arch,repeat,latency_ms,note\r\n{ARCHITECTURES[1]},1,2.5,warm\r\n{ARCHITECTURES[1]},2,nan,"a ""b"""\r\n',
    "layers.csv": f'1arch,latency_ms\n{ARCHITECTURES[2]},12.25\n"{ARCHITECTURES[3]}",-1\n',
    "seconds.csv": f"2arch,latency_s\n{ARCHITECTURES[1]},0.0025\n",
    "microseconds.csv": f"5arch,latency_us\n{ARCHITECTURES[2]},2500\n",
    "extreme.csv": '0arch,latency_ms\n"0,0,0,0,0,0",5e-324\n"0,0,0,0,0,1",1e308\n"0,0,0,0,1,1",1e300\n',
}

# ---- HDF5, as scripts (h5_script.h) ------------------------------------------------------------------------------

STORE_HEAD = "attribute / format text oneproxy-store\nattribute / schema_version integer 1\n"
CELLS = "dataset /spaces/nasbench201/{set}/choices u8 3x6 0 1 2 3 4 0 3 4 3 3 4 0 1 1 1 1 1 1\n"


def _set(name: str, *lines: str) -> str:
    return CELLS.format(set=name) + "".join(f"{line}\n" for line in lines).replace("@", f"/spaces/nasbench201/{name}")


DEVICE = (
    "dataset @/latency_ms/phone f64 3 1.5 2.5 nan",
    "attribute @/latency_ms/phone unit text ms",
    "attribute @/latency_ms/phone batch integer 1",
)
PREDICTOR = """attribute @ format text oneproxy-predictor
attribute @ schema_version integer 1
attribute @ space text nasbench201
attribute @ target text latency
attribute @ unit text ms
attribute @ log_target integer 0
attribute @ output_offset number 1.5
attribute @ output_scale number 2
attribute @ n_layers integer 1
dataset @/radices u8 6 5
dataset @/first/rows f64 30x2 0.5 -0.25 1
dataset @/first/bias f64 2 0.5
dataset @/layer2/weights f64 1x2 0.5 1
dataset @/layer2/bias f64 1 3
"""
TABLE = """attribute @ format text {format}
attribute @ space text {space}
attribute @ target text latency
attribute @ unit text ms
"""
FBNET_RADICES = "dataset @/radices u8 22 9\n"


def _at(group: str, text: str) -> str:
    return text.replace("@", group)


STORES = {
    "device": STORE_HEAD + _set("user", *DEVICE, "attribute @ description text by hand"),
    "metric": STORE_HEAD
    + _set("own", *DEVICE, "dataset @/official_index i64 3 7 8 9")
    + _set(
        "quality",
        "dataset @/metrics/top1 f64 3 70 80 90",
        "attribute @/metrics/top1 direction text maximize",
        "attribute @/metrics/top1 unit text %",
    ),
    "layers": STORE_HEAD
    + "dataset /spaces/fbnet/user/choices u8 2x22 0 1 2 3 4 5 6 7 3 2 1\n"
    + "dataset /spaces/fbnet/user/latency_ms/phone f64 2 1.5 2.5\n",
    "predictor": STORE_HEAD + _at("/predictors/nasbench201/mlp", PREDICTOR),
    "table": STORE_HEAD
    + _at(
        "/tables/fbnet/lut",
        TABLE.format(format="oneproxy-table", space="fbnet")
        + FBNET_RADICES
        + "dataset @/weights f64 1x198 0.5 0.25\ndataset @/bias f64 1 3\n",
    ),
    "index_table": STORE_HEAD
    + _at(
        "/tables/nasbench201/all",
        TABLE.format(format="oneproxy-index-table", space="nasbench201")
        + "dataset @/radices u8 6 5\ndataset @/values f64 15625 1.5 2.5 3\n",
    ),
    # the only one that is refused: a column of text, and a link
    "odd_types": STORE_HEAD
    + _set("user", "dataset @/latency_ms/phone f32 3 1.5 2.5 3", "dataset @/official_index i32 3 7 8 9")
    + "dataset /spaces/nasbench201/user/latency_ms/text fixed 3 a b c\n"
    + "link /spaces/nasbench201/linked /spaces/nasbench201/user\n",
}

RESULTS = {
    "adaptation": "dataset devices text 2 phone cpu\ndataset srcc_before f64 2 0.5 0.75\n"
    "dataset srcc_after f64 2x2 0.5 0.625 0.75 0.875\n",
    "few_shot": "dataset tasks text 1 small\n"
    + _at(
        "task/small",
        "dataset @/targets text 2 phone cpu\ndataset @/proxies text 2 a b\ndataset @/samples i64 2 10 20\n"
        "dataset @/srcc f64 2x2x1 0.5\ndataset @/expected_srcc f64 2x2x1 0.5\n"
        "dataset @/probability_strong f64 2x2x1 0.5\n",
    ),
    "matrices": "dataset devices text 2 phone cpu\n"
    + "".join(f"dataset {name} f64 2x2 1 0.5 0.5 1\n" for name in ("srcc", "kendall", "srcc_low", "srcc_high")),
    "sweep": "dataset devices text 2 phone cpu\ndataset srcc f64 2x2 1 0.5 0.5 1\n"
    "dataset sweep_budgets i64 1 10\ndataset sweep_srcc f64 1x2x2 1 0.5 0.5 1\n",
}
SPACE_OF_RESULT = "attribute / space text nasbench201\nattribute / geometry text cifar10\n"
RESULTS |= {
    "fronts": SPACE_OF_RESULT
    + "dataset choices u8 2x6 0 1 2 3 4 0\n"
    + _at(
        "fronts/phone/proxy",
        "dataset @/row i64 1 1\ndataset @/members/row i64 2 0 1\n"
        "dataset @/members/latency_ms f64 2 1 2\ndataset @/members/quality f64 2 1 2\n"
        "dataset @/members/predicted_ms f64 2 1 2\n",
    ),
    "predictions": SPACE_OF_RESULT
    + "dataset choices u8 2x6 0 1 2 3 4 0\ndataset quality f64 2 1 2\n"
    + "dataset predicted_ms/phone f64 2 1 2\ndataset latency_ms/phone f64 2 1 2\n",
    "search": SPACE_OF_RESULT
    + "dataset objectives/name text 2 quality latency_ms\n"
    + "".join(
        f"dataset {front}/choices u8 2x6 0 1 2 3 4 0\ndataset {front}/latency_ms f64 2 1 2\n"
        f"dataset {front}/quality f64 2 70 80\n"
        for front in ("front", "exhaustive_front")
    ),
}

# ---- torch -------------------------------------------------------------------------------------------------------


def _integer(value: int) -> bytes:
    raw = value.to_bytes(9, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _tuple(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def _storage(elements: int) -> bytes:
    return _tuple(_text("storage"), b"ctorch\nDoubleStorage\n", _text("0"), _text("cpu"), _integer(elements), b"N") + b"Q"


def _tensor(elements: int, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    shapes = (_tuple(*(_integer(n) for n in sizes)) for sizes in (shape, stride))
    no_hooks = b"ccollections\nOrderedDict\n)R"
    arguments = _tuple(_storage(elements), _integer(offset), *shapes, b"\x89", no_hooks)
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R"


def _legacy(body: bytes, data: bytes = struct.pack("<4d", 1, 2, 3, 4)) -> bytes:
    """A file in the old form of torch.save: three pickles, the body, the keys of the storages, and these."""
    magic = b"\x8a\x0a" + 0x1950A86A20F9469CFC6C.to_bytes(10, "little")
    head = b"".join(b"\x80\x02" + part + b"." for part in (magic, _integer(1001), b"}"))
    keys = b"\x80\x02](" + _text("0") + b"e."
    return head + b"\x80\x02" + body + b"." + keys + struct.pack("<q", len(data) // 8) + data


def _state(tensor: bytes) -> bytes:
    return b"}(" + _text("0.weight") + tensor + b"u"


def _shared_dictionaries(levels: int, entries: int) -> bytes:
    """Each level holds the one below it many times: `entries` ** `levels` names."""
    body = b"}(" + _text("w") + _tensor(4, 0, (2, 2), (2, 1)) + b"uq\x00"
    for level in range(levels):
        names = b"".join(_text(str(i)) + b"h" + bytes([level]) for i in range(entries))
        body += b"}(" + names + b"uq" + bytes([level + 1])
    return body


TORCH = {
    "small.pth": _legacy(_state(_tensor(4, 0, (2, 2), (2, 1)))),
    "shared.pth": _legacy(_shared_dictionaries(3, 2)),
}
TORCH_REGRESSIONS = {
    # offset + (extent - 1) * stride wraps around: to a place far from the storage, and to one in front of it
    "wrap_far.pth": _legacy(_state(_tensor(4, 2**63 - 1, (2, 2), (2**20, 1)))),
    "wrap_inside.pth": _legacy(_state(_tensor(4, 2**63 - 2, (2, 2), (1, 1)))),
    "shared_dictionary.pth": _legacy(_shared_dictionaries(7, 40)),
}

# ---- regressions -------------------------------------------------------------------------------------------------

LARGE = {
    "config": {"dots.toml": b"a." * 400_000 + b"b = 1\n"},
    "space_file": {"dots.toml": b"a." * 400_000 + b"b = 1\n"},
    "torch_file": {"nothing.pth": _legacy(b"(" + b"N" * 60_000_000 + b"l")},
}

# ---- files -------------------------------------------------------------------------------------------------------


def _write(folder: Path, files: dict[str, bytes | str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def _shipped(*patterns: str) -> dict[str, bytes]:
    paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    return {"_".join(path.relative_to(ROOT).parts[1:]): path.read_bytes() for path in paths}


def _hdf5(folder: Path, scripts: dict[str, str], program: Path) -> None:
    """The files that the scripts describe, for the targets that take them as they lie on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in scripts.items():
        described, file = folder / "script", folder / f"{name}.h5"
        described.write_text(script)
        subprocess.run([program, described, file], check=True)
        described.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--h5", type=Path, required=True, help="h5_from_script of the build")
    args = parser.parse_args()
    seeds, regressions = args.folder / "seeds", args.folder / "regressions"
    for old in (seeds, regressions):
        shutil.rmtree(old, ignore_errors=True)

    spaces = _shipped("configs/spaces/*.toml")
    own = {f"own_{name}": text.replace(b'name = "', b'name = "own_', 1) for name, text in spaces.items()}
    _write(seeds / "arch_string", {f"{i:02}": text for i, text in enumerate(ARCHITECTURES)})
    _write(seeds / "config", _shipped("configs/*.toml", "configs/[!s]*/*.toml") | CONFIGS)
    messy = {path.name: b"0" + path.read_bytes() for path in sorted((ROOT / "tests/fixtures/messy_csv").glob("*.csv"))}
    _write(seeds / "csv", MEASUREMENTS | messy)
    _write(seeds / "space_file", spaces | own)
    _write(seeds / "onnx_file", _shipped("tests/fixtures/onnx/*.onnx"))
    _write(seeds / "torch_file", _shipped("tests/fixtures/torch/*.pth") | TORCH)
    _write(seeds / "store_parts", STORES)
    _write(seeds / "result_parts", RESULTS)
    _hdf5(seeds / "store", STORES, args.h5)
    _hdf5(seeds / "result", RESULTS, args.h5)
    _write(regressions / "torch_file", TORCH_REGRESSIONS)
    for target in ("store", "result"):  # what broke the program as parts, as a file too
        scripts = sorted((ROOT / "tests" / "fuzz" / "regressions" / f"{target}_parts").iterdir())
        _hdf5(regressions / target, {path.name: path.read_text() for path in scripts}, args.h5)
    for target, files in LARGE.items():
        _write(regressions / target, files)


if __name__ == "__main__":
    main()
