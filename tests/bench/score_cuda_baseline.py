#!/usr/bin/env python3
"""What a user would do instead of score_cuda_bench: PyTorch in inference mode, on one-hot codes that already lie in
device memory, eager and compiled, bf16 / TF32 / fp32, at its best batch size. Runs both, one after the other on the
same device, and prints the bench's JSON lines with baseline, baseline_archs_per_s and ratio.

    score_cuda_baseline.py --bench build/bench/score_cuda_bench [--filter REGEX] [--quick SECONDS]

Each shape and precision is compiled for 13 batch sizes, 117 times in all. --quick SECONDS measures eager PyTorch at
five sizes, then compiles for the best of them alone, bf16 first, and begins no compilation after so long.
--rates prints PyTorch's rates alone, each as soon as it is known: tools/gpu_check puts them beside the others.

Needs PyTorch with CUDA; not part of the environment of the tests.
"""

import argparse
import json
import re
import subprocess
import sys
import time

from no_case import no_case

BATCHES = [1 << k for k in range(10, 23)]  # 1 k .. 4 M
QUICK_BATCHES = [1 << k for k in (14, 16, 18, 20, 22)]
QUICK_SLICE = 0.1  # seconds of timing for each batch size


def one_hot_codes(torch, inputs, batch, device, dtype):
    """Codes as dense as real ones: one of nine in each group (of five for 30 inputs, of eight for 128)."""
    radix = {30: 5, 198: 9, 128: 8}[inputs]
    choices = torch.randint(radix, (batch, inputs // radix), device=device)
    return torch.nn.functional.one_hot(choices, radix).reshape(batch, inputs).to(dtype)


def rate_of(torch, predictor, precision, batch, compiled, seconds):
    """Architectures a second; 0 where the device's memory does not hold the batch."""
    widths = [int(width) for width in predictor.split("-")]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    try:
        torch._dynamo.reset()
        model = torch.nn.Sequential(*layers[:-1]).to("cuda", dtype).eval()
        if compiled:
            model = torch.compile(model, mode="max-autotune")
        codes = one_hot_codes(torch, widths[0], batch, "cuda", dtype)
        with torch.inference_mode():
            for _ in range(5):
                model(codes)
            torch.cuda.synchronize()
            calls, start = 0, time.perf_counter()
            while time.perf_counter() - start < seconds:
                for _ in range(8):
                    model(codes)
                calls += 8
                torch.cuda.synchronize()
            return calls * batch / (time.perf_counter() - start)
    except torch.cuda.OutOfMemoryError:
        return 0.0


def measured(torch, key, batch, compiled, seconds):
    predictor, precision = key
    mode = "compiled" if compiled else "eager"
    rate = rate_of(torch, predictor, precision, batch, compiled, seconds)
    line = {"case": "pytorch", "predictor": predictor, "precision": precision, "mode": mode, "batch": batch}
    return line | {"baseline": f"torch {torch.__version__}", "archs_per_s": rate}


def all_rates(torch, keys, seconds):
    for key in keys:
        for compiled in (False, True):
            for batch in BATCHES:
                line = measured(torch, key, batch, compiled, seconds)
                yield line
                if line["archs_per_s"] == 0:
                    break  # out of memory, and so are the larger ones


def quick_rates(torch, keys, limit):
    end = time.monotonic() + limit
    best = {}
    for key in keys:
        lines = [measured(torch, key, batch, False, QUICK_SLICE) for batch in QUICK_BATCHES]
        best[key] = max(lines, key=lambda line: line["archs_per_s"])["batch"]
        yield from lines
    for key in sorted(keys, key=lambda key: ("bf16", "tf32", "fp32").index(key[1])):
        if time.monotonic() >= end:
            print(f"no time to compile {' in '.join(key)}: eager alone", file=sys.stderr)
            continue
        yield measured(torch, key, best[key], True, QUICK_SLICE)


def keys_of(names):
    """(predictor, precision) of the cases that have a predictor: front_198_64_64_bf16 -> 198-64-64-1, bf16."""
    keys = {}
    for name in names:
        if match := re.search(r"_(\d+(?:_\d+)+)_(bf16|tf32|fp32)$", name):
            keys[match[1].replace("_", "-") + "-1", match[2]] = True
    return list(keys)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="path of the score_cuda_bench binary")
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    parser.add_argument("--seconds", type=float, default=0.3, help="of timing for each batch size")
    parser.add_argument("--quick", type=float, metavar="SECONDS", help="few compilations, none begun after so long")
    parser.add_argument("--rates", action="store_true", help="PyTorch's rates alone")
    arguments = parser.parse_args()
    listed = subprocess.run([arguments.bench, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    names = [name for name in listed if re.search(arguments.filter, name)]
    if not names:
        no_case(arguments.filter, listed)
    try:
        import torch
    except ImportError:
        sys.exit("PyTorch is missing; install it beside the tools' environment")
    if not torch.cuda.is_available():
        print("skipped: no usable CUDA device", file=sys.stderr)
        return
    keys = keys_of(names)
    if arguments.quick is None:
        rates = all_rates(torch, keys, arguments.seconds)
    else:
        rates = quick_rates(torch, keys, arguments.quick)
    if arguments.rates:
        for rate in rates:
            print(json.dumps(rate), flush=True)
        return
    done = subprocess.run([arguments.bench, "--filter", arguments.filter], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{arguments.bench} failed with exit status {done.returncode}")
    best = {}
    for rate in rates:
        key = rate["predictor"], rate["precision"]
        best[key] = max(best.get(key, rate), rate, key=lambda line: line["archs_per_s"])
    for text in done.stdout.splitlines():
        line = json.loads(text)
        if rate := best.get((line.get("predictor"), line.get("precision"))):
            line |= {"baseline": f"{rate['baseline']} {rate['mode']}, batch {rate['batch']}"}
            line |= {"baseline_archs_per_s": rate["archs_per_s"], "ratio": line["archs_per_s"] / rate["archs_per_s"]}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
