"""Write the table of docs/reference/performance.md: ``python tests/benchmarks/page.py JSON``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "performance.md"
START, END = "<!-- table: start -->", "<!-- table: end -->"


def table(report: dict[str, Any]) -> str:
    """Markdown table of every benchmark that was run beside a peer, and the machine it was run on."""
    rows = [b["extra_info"] for b in report["benchmarks"] if "ratio" in b["extra_info"]]
    lines = [
        "| work | beside | ours | peer | times faster | at least |",
        "|---|---|---:|---:|---:|---:|",
        *(
            f"| {r['work']} | {r['peer']} | {seconds(r['ours_s'])} | {seconds(r['peer_s'])} "
            f"| {r['ratio']:.3g} | {r['at_least']:.4g} |"
            for r in sorted(rows, key=lambda r: (r["work"], r["peer"]))
        ),
    ]
    cpu = report["machine_info"]["cpu"]
    made = f"{report['datetime'][:10]}, {cpu.get('brand_raw', 'processor not named')}, {cpu['count']} cores"
    return "\n".join([f"Measured {made}.", "", *lines])


def seconds(value: float) -> str:
    """A time with three digits and the unit in which it reads best."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


def main(report: Path) -> None:
    """Put the table of ``report`` in its place in the page."""
    text = table(json.loads(report.read_text(encoding="utf-8")))
    page = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: f"{START}\n{text}\n{END}", page, count=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
