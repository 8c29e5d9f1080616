"""What the measures take above their inputs at n = 1,854: the greatest resident size of a process."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.slow

MEASURED = """
import resource
import numpy as np
from benchmark.measures import *
from benchmark.inference import cka_statistic

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

rng = np.random.default_rng(0)
small = rng.standard_normal((40, 30))
n = 1854
{setup}
for call in (lambda: compare_rdms(rdm(small), rdm(small)), lambda: linear_cka(small, small)):
    call()  # what is imported and started once is not the work
before = peak()
{work}
print((peak() - before) * 1024)
"""
SPACES = "x, y = rng.standard_normal((n, 2048)), rng.standard_normal((n, 300))"
RDMS = "a, b = (rdm(rng.standard_normal((n, 50))) for _ in range(2))"
GIB = 2**30


def above_inputs(setup: str, work: str) -> int:
    code = textwrap.dedent(MEASURED).format(setup=setup, work=work)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("dtype, result", [("float64", 8 * 1854**2), ("float32", 4 * 1854**2)])
def test_wide_rdm_takes_a_tenth_of_rsatoolbox(dtype: str, result: int) -> None:
    """rsatoolbox takes 450 MB above the input."""
    setup = f"x = rng.standard_normal((n, 25_088), dtype=np.{dtype})"
    assert above_inputs(setup, "rdm(x)") - result < 45e6


@pytest.mark.parametrize(
    "setup, work",
    [
        (SPACES, "rdm(x, 'euclidean')"),
        (SPACES, "rdm(np.tile(x[:2], (n // 2, 1)), 'sqeuclidean')"),
        (SPACES, "linear_cka(x, y), linear_cka(x, y, debiased=True)"),
        (SPACES, "procrustes_distance(x, y)"),
        (SPACES, "mutual_nearest_neighbours(x, y, 10)"),
        (
            "s = rng.standard_normal((2, n, 2000)); x, y = s[0] @ s[0].T, s[1] @ s[1].T",
            "cka_statistic(x, [y])(np.ones((200, n)))",
        ),
        (RDMS, "compare_rdms(a, b, 'spearman')"),
        (RDMS, "compare_rdms(a, b, 'kendall')"),
        (RDMS, "compare_rdms(np.round(a, 2), np.round(b, 2), 'kendall')"),
        (RDMS, "compare_rdms(a, b, 'cosine_cov')"),
        ("a = rdm(rng.standard_normal((n, 50)))[None].repeat(20, 0); b = a[:5]", "compare_rdms(a, b)"),
        ("x = rng.exponential(size=(n, 49))", "spose_rdm(x)"),
        (SPACES, "two_vs_two(x, y), two_vs_two(x, y, margins=True)"),
        (SPACES, "two_vs_two_permutation(x, y, 6, 0, workers=2)"),
        (SPACES, "two_vs_two_permutation(x, np.tanh(x), 6, 0, workers=2)"),
    ],
)
def test_no_measure_takes_a_gibibyte(setup: str, work: str) -> None:
    assert above_inputs(setup, work) < GIB


def test_two_vs_two_of_many_concepts_keeps_no_matrix_of_all_pairs() -> None:
    """Of 26,107 images one such matrix takes 5 GiB; the copies of the features are less than half of this."""
    k = 7000
    setup = f"x, y = rng.standard_normal(({k}, 100)), rng.standard_normal(({k}, 60))"
    assert above_inputs(setup, "two_vs_two(x, y)") < 8 * k**2 / 3
