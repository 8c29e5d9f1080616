"""How often does the interval of ``encoding`` cover the true median over channels?

``python tests/benchmarks/median_interval.py [--worlds N]``

Draws predictions and measurements whose true correlation is known for each channel, takes the statistic of
the task over five folds, and draws the stimuli again 400 times. Prints, for channels of four kinds and two
numbers of stimuli, the coverage of the 95 % interval of percentiles (that of the task), of the basic
interval, and of the percentiles moved so that the mean draw is the estimate.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmark.inference import FoldedPredictions, bootstrap_weights, encoding_statistic

FOLDS, DRAWS = 5, 400


def channels() -> dict[str, np.ndarray]:
    """The true correlation of each channel, by the kind of channels."""
    rng = np.random.default_rng(1)
    groups = rng.normal(0.2, 0.05, 20), rng.normal(0.5, 0.05, 29)
    return {
        "evenly from 0 to .7": np.linspace(0, 0.7, 49),
        "skewed": rng.beta(1.2, 3, 49) * 0.9,
        "bell around .58": rng.normal(0.58, 0.12, 50).clip(0.1, 0.9),
        "two groups": np.concatenate(groups).clip(0, 0.9),
    }


def coverage(true: np.ndarray, n: int, worlds: int) -> np.ndarray:
    """Share of worlds in which each of the three intervals covers the median of ``true``."""
    rng = np.random.default_rng(0)
    covered = np.zeros(3)
    for _ in range(worlds):
        x = rng.normal(size=(n, len(true)))
        y = true * x + np.sqrt(1 - true**2) * rng.normal(size=x.shape)
        weights = np.concatenate([np.ones((1, n)), bootstrap_weights(n, DRAWS, rng)])
        folded = FoldedPredictions(x, y, folds=np.arange(n) % FOLDS, concepts=np.arange(n))
        score, *draws = encoding_statistic(folded)(weights)
        low, high = np.percentile(draws, [2.5, 97.5])
        bias = np.mean(draws) - score
        ends = (low, high), (2 * score - high, 2 * score - low), (low - bias, high - bias)
        covered += [first <= np.median(true) <= last for first, last in ends]
    return covered / worlds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worlds", type=int, default=300)
    asked = parser.parse_args()
    print("channels, stimuli: percentiles, basic, moved")
    for kind, true in channels().items():
        for n in (334, 640):
            print(
                f"{kind}, {n}: " + ", ".join(f"{c:.2f}" for c in coverage(true, n, asked.worlds)), flush=True
            )


if __name__ == "__main__":
    main()
