"""
Paired t-tests, 95 % intervals and Holm's correction by SciPy and statsmodels' definition, for test/shared/statistics.test.ts.

    python test/reference/statistics.py > test/reference/statistics.json   (needs scipy)
"""
import json

import numpy as np
from scipy import stats

rng = np.random.default_rng(7)
samples = [
    ([0.412, 0.398, 0.421], [0.381, 0.379, 0.402]),
    ([0.41, 0.39], [0.40, 0.385]),
    ([9.0, 10.0, 11.0], [10.0, 11.0, 12.5]),
    *[(list(rng.normal(0.5, 0.02, n)), list(rng.normal(0.49, 0.02, n))) for n in (3, 5, 10, 40)],
    (list(1 + 1e-6 * rng.normal(size=4)), list(rng.normal(0, 1e-6, 4))),
]
pairs = []
for a, b in samples:
    difference = np.subtract(a, b)
    test = stats.ttest_rel(a, b)
    low, high = test.confidence_interval(0.95)
    own = stats.t.interval(0.95, len(a) - 1, np.mean(a), stats.sem(a))
    pairs.append({
        'a': a, 'b': b, 'difference': float(difference.mean()), 'p': float(test.pvalue),
        'low': float(low), 'high': float(high), 'meanLow': float(own[0]), 'meanHigh': float(own[1]),
        'deviation': float(np.std(a, ddof=1)),
    })


def holm(ps):
    """Written as in Holm (1979): the smallest p times m, the next times m - 1, and so on; never below the one before."""
    order = np.argsort(ps)
    adjusted = np.maximum.accumulate(np.minimum(1, np.sort(ps) * np.arange(len(ps), 0, -1)))
    result = np.empty(len(ps))
    result[order] = adjusted
    return [float(p) for p in result]


families = [[0.01, 0.04, 0.03, 0.005], [0.2], [0.5, 0.6, 0.9], [0.02, 0.02, 0.02], [float(p) for p in rng.uniform(size=12) ** 3]]
print(json.dumps({'pairs': pairs, 'families': [{'ps': ps, 'corrected': holm(ps)} for ps in families]}, indent=1))
