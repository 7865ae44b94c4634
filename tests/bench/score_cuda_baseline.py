#!/usr/bin/env python3
"""What a user would do instead of score_cuda_bench: PyTorch in inference mode, on one-hot codes that already lie in
device memory, eager and compiled, bf16 / TF32 / fp32, at its best batch size. Runs both, one after the other on the
same device, and prints the bench's JSON lines with baseline, baseline_archs_per_s and ratio.

    score_cuda_baseline.py --bench build/bench/score_cuda_bench [--filter REGEX]

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


def one_hot_codes(torch, inputs, batch, device, dtype):
    """Codes as dense as real ones: one of nine in each group (of five for 30 inputs, of eight for 128)."""
    radix = {30: 5, 198: 9, 128: 8}[inputs]
    choices = torch.randint(radix, (batch, inputs // radix), device=device)
    return torch.nn.functional.one_hot(choices, radix).reshape(batch, inputs).to(dtype)


def best_rate(torch, predictor, precision, compiled, seconds):
    """Architectures a second at the best batch size, and that size."""
    widths = [int(width) for width in predictor.split("-")]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    best = (0.0, 0)
    for batch in BATCHES:
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
                rate = calls * batch / (time.perf_counter() - start)
        except torch.cuda.OutOfMemoryError:
            break
        best = max(best, (rate, batch))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="path of the score_cuda_bench binary")
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    parser.add_argument("--seconds", type=float, default=0.3, help="of timing for each batch size")
    arguments = parser.parse_args()
    names = subprocess.run([arguments.bench, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    if not any(re.search(arguments.filter, name) for name in names):
        no_case(arguments.filter, names)
    try:
        import torch
    except ImportError:
        sys.exit("PyTorch is missing; install it beside the tools' environment")
    if not torch.cuda.is_available():
        print("skipped: no usable CUDA device", file=sys.stderr)
        return
    done = subprocess.run([arguments.bench, "--filter", arguments.filter], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{arguments.bench} failed with exit status {done.returncode}")
    rates = {}
    for text in done.stdout.splitlines():
        line = json.loads(text)
        key = line.get("predictor", "table"), line.get("precision")
        if key[0] != "table":
            if key not in rates:
                modes = [(*best_rate(torch, *key, compiled, arguments.seconds), compiled) for compiled in (False, True)]
                rates[key] = max(modes)
            rate, batch, compiled = rates[key]
            mode = "compiled" if compiled else "eager"
            line |= {"baseline": f"torch {torch.__version__} {mode}, batch {batch}", "baseline_archs_per_s": rate}
            line["ratio"] = line["archs_per_s"] / rate
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
