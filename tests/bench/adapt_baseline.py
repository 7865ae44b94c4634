#!/usr/bin/env python3
"""Adaptation to one target beside the same equations in NumPy, both on one thread, in one run, on the same numbers.

    python tests/bench/adapt_baseline.py --bench build/bench/adapt_bench [--filter REGEX]

Timed: the fit to n samples, the latencies of all architectures, the expected SRCC with 256 draws of the posterior. NumPy
takes all hyper-parameter points in one batch. Prints one JSON object a line; ratio is NumPy's processor time by ours,
which other work on the machine changes less than wall-clock. Exits with 1 where a latency differs by more than 1e-6 of the
latencies' deviation, or the expected SRCC by more than 1e-6.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

for library in ("OPENBLAS", "MKL", "OMP"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402 (reads the variables above)
from no_case import no_case  # noqa: E402
from scipy.stats import norm, qmc  # noqa: E402

POINTS, PASSES, ROUNDS, DRAWS, NU = 256, 4, 2, 256, 4.0
JITTER, LEAST_WEIGHT, SPREAD = 1e-8, 1e-6, 0.15
REPEATS = 7
TOLERANCE = 1e-6


class Prototype:
    """The equations of engine/adapt/block_regression.h."""

    def __init__(self, folder):
        def read(name):
            return np.fromfile(folder / f"{name}.bin")

        self.begin = read("begin").astype(int)
        self.log_mean, self.deviation, self.rho = read("log_mean"), read("deviation"), read("rho")
        self.direction = read("direction")
        columns = len(self.direction)
        self.gram, self.space = read("gram").reshape(columns, columns), read("space").reshape(-1, columns)
        points = qmc.Halton(len(self.log_mean), scramble=False).random(POINTS + 21)[21:]
        self.normal = norm.ppf(points)
        self.width = np.diff(self.begin)
        self.random = np.random.default_rng(1).standard_normal((columns, DRAWS))

    def solve(self, at, r):
        """All points at once: hyper-parameters, K^-1, alpha and log likelihood."""
        hyper = self.log_mean + self.deviation * at
        th, s = np.exp(hyper[:, :-1]), np.exp(hyper[:, -1])
        k = np.tensordot(th, self.kernels, 1) + 1
        diagonal = np.arange(len(self.y))
        k[:, diagonal, diagonal] += s[:, None] * r + JITTER
        rest = self.y - np.sqrt(th) @ self.means
        inverse = np.linalg.inv(k)
        alpha = np.einsum("hij,hj->hi", inverse, rest)
        root = np.linalg.cholesky(k)
        log = -0.5 * np.einsum("hi,hi->h", rest, alpha) - np.log(root[:, diagonal, diagonal]).sum(1)
        return th, s, inverse, alpha, log

    def fit(self, z, latency):
        self.z, self.mean_ms, self.deviation_ms = z, latency.mean(), latency.std()
        self.y = (latency - self.mean_ms) / self.deviation_ms
        blocks = [slice(a, b) for a, b in zip(self.begin[:-1], self.begin[1:], strict=True)]
        self.kernels = np.stack([z[:, b] @ z[:, b].T for b in blocks])
        self.means = np.stack([p * (z[:, b] @ self.direction[b]) for p, b in zip(self.rho, blocks, strict=True)])
        self.r, at = np.ones(len(self.y)), self.normal
        for step in range(PASSES):
            th, s, inverse, alpha, log = self.solve(at, self.r)
            w = softmax(log)
            if step + 1 < PASSES:
                v = s[:, None] * self.r
                diagonal = np.diagonal(inverse, axis1=1, axis2=2)
                e2 = w @ (((v * alpha) ** 2 + v - v**2 * diagonal) / s[:, None])
                self.r = (NU + e2) / (NU + 1)
        for _ in range(ROUNDS):
            mean = w @ at
            spread = (at - mean).T @ ((at - mean) * w[:, None]) + SPREAD * np.eye(at.shape[1])
            root = np.linalg.cholesky(spread)
            at = mean + self.normal @ root.T
            ratio = 0.5 * (self.normal**2 - at**2).sum(1)
            th, s, inverse, alpha, log = self.solve(at, self.r)
            w = softmax(log + ratio)
        self.w, self.th, self.inverse, self.noise = w, th, inverse, w @ s
        wide, root = np.repeat(th, self.width, 1), np.repeat(self.rho * np.sqrt(th), self.width, 1)
        self.point_weights = wide * (alpha @ z) + root * self.direction
        self.point_constant = alpha.sum(1)
        self.weights, self.offset = w @ self.point_weights, w @ self.point_constant

    def latency_ms(self):
        return self.mean_ms + self.deviation_ms * (self.space @ self.weights + self.offset)

    def expected_srcc(self):
        kept = self.w >= LEAST_WEIGHT
        w = self.w[kept] / self.w[kept].sum()
        th, inverse, points = self.th[kept], self.inverse[kept], self.point_weights[kept]
        covariance = np.diag(w @ np.repeat(th, self.width, 1))
        for weight, scale, one in zip(w, th, inverse, strict=True):
            scaled = self.z * np.repeat(scale, self.width)
            covariance -= scaled.T @ ((weight * one) @ scaled)
        centred = points - w @ points
        covariance += centred.T @ (w[:, None] * centred)
        gram_v = self.gram @ self.weights
        explained, unknown = self.weights @ gram_v, (self.gram * covariance).sum()
        value = spearman_of_pearson(np.sqrt(explained / (explained + unknown + self.noise)))
        scale, vectors = np.linalg.eigh(covariance)
        draws = vectors @ (np.sqrt(np.maximum(scale, 0))[:, None] * self.random) + self.weights[:, None]
        own = ((self.gram @ draws) * draws).sum(0) + self.noise
        return value, np.sort(spearman_of_pearson(gram_v @ draws / np.sqrt(explained * own)))


def softmax(log):
    weights = np.exp(log - log.max())
    return weights / weights.sum()


def spearman_of_pearson(rho):
    return 6 / np.pi * np.arcsin(np.clip(rho, -1, 1) / 2)


def processor_seconds(work, repeats):
    work()
    start = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - start) / repeats


def compare(bench, space):
    agree = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        done = subprocess.run([bench, "--measure", space, name], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{bench} failed with exit status {done.returncode}")
        prototype = Prototype(folder)
        for line in map(json.loads, done.stdout.splitlines()):
            n = line["samples"]
            y, z = np.fromfile(folder / f"y_{n}.bin"), np.fromfile(folder / f"z_{n}.bin").reshape(n, -1)
            parts = (lambda z=z, y=y: prototype.fit(z, y), prototype.latency_ms, prototype.expected_srcc)
            seconds = processor_seconds(lambda parts=parts: [part() for part in parts], REPEATS)
            latency = np.fromfile(folder / f"latency_{n}.bin")
            apart = np.abs(prototype.latency_ms() - latency).max() / prototype.deviation_ms
            apart_srcc = abs(prototype.expected_srcc()[0] - line["expected_srcc"])
            line |= {"baseline": f"numpy {np.__version__}", "baseline_processor_seconds": seconds}
            line |= {"ratio": seconds / line["processor_seconds"]}
            line |= {"largest_difference": float(apart), "srcc_difference": float(apart_srcc)}
            print(json.dumps(line), flush=True)
            agree &= bool(apart <= TOLERANCE and apart_srcc <= TOLERANCE)
    return agree


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="path of the adapt_bench binary")
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    arguments = parser.parse_args()
    names = subprocess.run([arguments.bench, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    chosen = [name for name in names if re.search(arguments.filter, name)]
    if not chosen:
        no_case(arguments.filter, names)
    if not all([compare(arguments.bench, name.removeprefix("adapt_")) for name in chosen]):
        sys.exit(f"a value differs from NumPy's by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
