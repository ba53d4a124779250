"""
Fréchet distances and Inception Scores by NumPy and SciPy (see the versions below); writes synthesis.json beside this
file.

    python test/reference/synthesis.py

A case is made from its number alone, here and in test/engine/metrics/synthesis-cases.ts by the same arithmetic on
integers, so that only results are kept.

The JSON:
  frechet     50 distances of two feature sets. The root of the product of covariances is SciPy's sqrtm of
              T' B T with A = T T' (T = sqrtm(A)), which equals that of A B and stays real and exact for singular
              matrices; where A and B have full rank the script checks it against sqrtm(A B), as published FID code
              computes it, to 1e-9.
  inception   50 [mean, standard deviation] over splits, by scipy.stats.entropy
Rounded to 10 digits.
"""
import json
import os

import numpy as np
import scipy
from scipy.linalg import sqrtm
from scipy.stats import entropy


class Random:
    """mulberry32."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state + 0x6D2B79F5) & 0xFFFFFFFF
        t = self.state
        t = ((t ^ (t >> 15)) * (t | 1)) & 0xFFFFFFFF
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return ((t ^ (t >> 14)) * n) >> 32


def features(r, samples, dimensions, scale):
    """Sums of draws, each feature with its own shift and mixed with the one before it: exact in float32."""
    rows = np.zeros((samples, dimensions))
    shifts = [r.below(200) for _ in range(dimensions)]
    for n in range(samples):
        last = 0
        for i in range(dimensions):
            last = (r.below(100) + r.below(100) + last) // 2
            rows[n, i] = (last * scale + shifts[i]) / 64
    return rows


def frechet_case(number):
    r = Random(number)
    # Up to case 30 any rank; then fewer samples than dimensions on one side or both.
    dimensions = 1 + r.below(40)
    few = number > 30
    samples = [2 + r.below(max(1, dimensions - 1)) if few and side <= r.below(2) else dimensions + 2 + r.below(150) for side in range(2)]
    scales = [1 + r.below(4) for _ in range(2)]
    return [features(r, samples[side], dimensions, scales[side]) for side in range(2)]


def trace_of_root(a, b):
    root = np.real(sqrtm(a)) if np.linalg.matrix_rank(a) == len(a) else psd_root(a)
    product = root @ b @ root
    return np.trace(psd_root((product + product.T) / 2))


def psd_root(m):
    """SciPy's sqrtm on the range of a positive semi-definite matrix, where it is defined; zero off it."""
    left, values, _ = scipy.linalg.svd(m)
    rank = int((values > values[0] * len(m) * np.finfo(float).eps).sum()) if values[0] > 0 else 0
    basis = left[:, :rank]
    return basis @ np.real(sqrtm(basis.T @ m @ basis)) @ basis.T if rank > 0 else np.zeros_like(m)


def frechet(x, y):
    (mx, my), (cx, cy) = (x.mean(0), y.mean(0)), (np.atleast_2d(np.cov(x, rowvar=False)), np.atleast_2d(np.cov(y, rowvar=False)))
    root = trace_of_root(cx, cy)
    if np.linalg.matrix_rank(cx) == np.linalg.matrix_rank(cy) == len(cx):
        plain = np.real(np.trace(sqrtm(cx @ cy)))
        assert abs(plain - root) <= 1e-9 * abs(plain), (plain, root)
    return ((mx - my) ** 2).sum() + np.trace(cx) + np.trace(cy) - 2 * root


def inception_case(number):
    r = Random(1000 + number)
    classes, splits = 2 + r.below(20), 1 + r.below(10)
    samples, sharp = splits + r.below(200), 1 + r.below(6)
    rows = np.zeros((samples, classes))
    for n in range(samples):
        # Powers make some samples sure of their class; a weight can be zero.
        rows[n] = [r.below(20) ** sharp for _ in range(classes)]
        rows[n, r.below(classes)] += 1
    return rows / rows.sum(1, keepdims=True), splits


def inception(p, splits):
    scores = []
    for k in range(splits):
        part = p[k * len(p) // splits : (k + 1) * len(p) // splits]
        scores.append(np.exp(np.mean([entropy(row, part.mean(0)) for row in part])))
    return [np.mean(scores), np.std(scores)]


def main():
    rounded = lambda v: float(f'{v:.10g}')
    distances = [rounded(frechet(*frechet_case(n))) for n in range(1, 51)]
    scores = [[rounded(v) for v in inception(*inception_case(n))] for n in range(1, 51)]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'synthesis.json')
    versions = {'numpy': np.__version__, 'scipy': scipy.__version__}
    with open(path, 'w') as file:
        json.dump({**versions, 'frechet': distances, 'inception': scores}, file)
        file.write('\n')
    print(os.path.getsize(path), 'bytes', min(distances), max(distances), min(scores), max(scores))


main()
