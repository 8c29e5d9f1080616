"""Peak memory above the inputs, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

_PRELUDE = """
import numpy as np
from benchmark.inference import bootstrap_compare, noise_ceiling, permutation_compare
from benchmark.measures import two_vs_two, two_vs_two_permutation

def memory(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))

def rdms(number, n=1854):
    values = np.random.default_rng(0).random((number, n, n))
    for one in values:
        one[np.tril_indices(n)] = 0
        one += one.T
    return values

def spaces(k, p, q):
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(k, 9))
    return [shared @ rng.normal(size=(9, d)) + 3 * rng.normal(size=(k, d)) for d in (p, q)]

"""
_MEASURED = """
with open("/proc/self/clear_refs", "w") as reset:
    reset.write("5")  # the peak starts again from what is held now
held = memory("VmRSS")
{call}
print((memory("VmHWM") - held) * 1024)
"""


def peak(inputs: str, call: str) -> int:
    """Bytes above the inputs at the most."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("peak memory is read from /proc")
    code = _PRELUDE + inputs + _MEASURED.format(call=call)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.parametrize(
    "inputs, call",
    [
        ("x, y = spaces(1854, 300, 512)", "two_vs_two(x, y, margins=True)"),
        ("x, y = spaces(1854, 2048, 2048)", "two_vs_two(x, y)"),
        ("x, y = spaces(1854, 300, 512)", "two_vs_two_permutation(x, y, 8, 0, workers=2)"),
        ("x, y = spaces(1854, 2048, 2048)", "two_vs_two_permutation(x, y, 8, 0, workers=2)"),
        ("r = rdms(18)", "bootstrap_compare(r[:9], r[9:], 'pearson', rng=0, draws=500)"),
        ("r = rdms(18)", "bootstrap_compare(r[:9], r[9:], rng=0, draws=4, workers=2)"),
        ("r = rdms(18)", "permutation_compare(r[:9], r[9:], 4, 0, workers=2)"),
        ("r = rdms(16)", "noise_ceiling(r)"),
    ],
)
def test_under_a_gibibyte_at_1854_concepts(inputs: str, call: str) -> None:
    assert peak(inputs, call) < 2**30


@pytest.mark.benchmark
def test_2_vs_2_of_all_images_of_things_within_16_gib() -> None:
    """26,107 stimuli, 340 million pairs: a k x k matrix alone would be 5 GiB; there is none."""
    call = "found = two_vs_two(x, y)\nassert found.accuracy > 0.9 and found.per_concept.shape == (26107,)"
    assert peak("x, y = spaces(26107, 300, 512)", call) < 2**30
