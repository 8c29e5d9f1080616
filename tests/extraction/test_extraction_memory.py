"""Memory of an extraction: it does not grow with the layers; with the stimuli, only by pooled features."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("resource")

GIB = 2**30
THINGS = 1854

#: Prints the bytes that features of all stimuli of THINGS take, and the greatest memory of the process.
SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from PIL import Image
from benchmark.datasets import Stimuli
from benchmark.common.cost import peak_memory
from benchmark.model import ModelSpec
from benchmark.registry import load_registry

n, which = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
ids = tuple(map(str, range(n)))
picture = lambda: Image.fromarray(rng.integers(0, 256, (224, 224, 3), np.uint8))
stimuli = Stimuli("s", ids, ids, "m", lambda i: picture())
placed = load_registry().model("vgg16@untrained:0", "human")
model = placed.load()(ModelSpec("vgg16", placed.entry.params, untrained=0))
layers = model.all_layers if which == "all" else model.all_layers[:1]
features = model.features(stimuli, layers)
# Linux counts the process that started this one in ru_maxrss: VmHWM is that of this one alone
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peak = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), peak_memory())
print(len(layers), sum(4 * x.shape[1] for x in features.values()), peak)
"""


def extraction(n: int, which: str) -> tuple[int, int, int]:
    """Layers, bytes of features a stimulus, and bytes of memory at most."""
    command = [sys.executable, "-c", SCRIPT, str(n), which]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    layers, features, peak = map(int, done.stdout.split())
    return layers, features, peak


@pytest.mark.slow
def test_vgg16_all_layers_all_of_things_within_3_gib() -> None:
    # Eight batches: each leaves behind its rows of the features and one byte a value of its images, both
    # counted below for all stimuli; the rest is freed, or it would be held many times here.
    layers, features, peak = extraction(64, "all")
    assert layers > 25
    images = 3 * 224 * 224
    assert peak + (THINGS - 64) * (features + images) < 3 * GIB
    _, _, one_batch = extraction(8, "all")
    assert peak - one_batch < 0.25 * GIB
    _, _, one_layer = extraction(8, "first")
    assert one_batch - one_layer < 0.25 * GIB
