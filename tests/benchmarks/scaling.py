"""Time and memory of measures at tens of thousands of conditions, each in a process of its own.

``python tests/benchmarks/scaling.py OUT.json [N ...]`` measures; the largest needs 16 GiB. Without arguments
it prints the table of docs/reference/scaling.md: what was measured, extrapolated.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

#: Every image of THINGS
THINGS = 26_107
CODE = """
import json, resource, sys, time
import numpy as np
from benchmark.measures import *

n = int(sys.argv[1])
rng = np.random.default_rng(0)
shared = rng.standard_normal((n, 32)).astype(np.float32)
x, y = (
    shared @ rng.standard_normal((32, 512)).astype(np.float32)
    + 4 * rng.standard_normal((n, 512), dtype=np.float32)
    for _ in range(2)
)
wall, cpu = time.perf_counter(), time.process_time()
value = {work}
found = {{"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "value": float(value)}}
found["gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps(found))
"""
ROWS = {
    "linear CKA": "linear_cka(x, y)",
    "2 vs 2": "two_vs_two(x, y).accuracy",
    "RDM correlation, Pearson": "compare_spaces(x, y, 'pearson')",
    "RDM correlation, Spearman": "compare_spaces(x, y, 'spearman')",
}


def measure(work: str, n: int) -> dict[str, float]:
    """CPU and wall seconds and the greatest memory (GiB, with Python and the features) of ``work``."""
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(work=work), str(n)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"failed": done.returncode, "said": done.stderr[-300:]}
    return json.loads(done.stdout)


#: Of ResNet-50 with 50 layers, pooled: seconds an image on two cores (1.95 s for 32 images, as in
#: docs/reference/performance.md), and values an image
SECONDS, VALUES = 1.95 / 32, 23_720
MODELS = 100
SETS = {"THINGS, all images": THINGS, "ImageNet, validation": 50_000, "ImageNet, training": 1_281_167}


def table() -> str:
    """What 100 such models would take on one machine of two cores, and on 16."""
    lines = [
        "| stimuli | images | extraction, one machine | on 16 | features on disk | triangle of one RDM |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, n in SETS.items():
        hours, disk = MODELS * n * SECONDS / 3600, MODELS * n * VALUES * 4 / 1e12
        triangle = n * (n - 1) / 2 * 8 / 2**30
        times = f"{hours:,.0f} h | {hours / 16:,.0f} h"
        lines.append(f"| {name} | {n:,} | {times} | {disk:,.2f} TB | {triangle:,.1f} GiB |")
    return "\n".join(lines)


def main(out: Path, sizes: list[int]) -> None:
    rows = []
    for n in sizes:
        for name, work in ROWS.items():
            rows.append({"n": n, "work": name, **measure(work, n), "load": os.getloadavg()[0]})
            out.write_text(json.dumps(rows, indent=1) + "\n")
            print(rows[-1], flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(table())
    else:
        main(Path(sys.argv[1]), [int(n) for n in sys.argv[2:]] or [1854, 6500, 13_000, THINGS])
