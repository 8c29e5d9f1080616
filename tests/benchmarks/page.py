"""Put what was measured into the table of docs/reference/performance.md: ``python .../page.py JSON``.

JSON is what ``pytest -m benchmark --benchmark-json JSON`` wrote, of all files or of one.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "performance.md"
START, END = "<!-- table: start -->", "<!-- table: end -->"


HEAD = ("work", "beside", "ours", "peer", "times as fast", "at least", "measured")


def measured(report: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row for each benchmark of ``report`` that was run beside a peer, in the order of :data:`HEAD`."""
    cpu = report["machine_info"]["cpu"]
    where = f"{report['datetime'][:10]}, {cpu.get('brand_raw', 'processor not named')}, {cpu['count']} cores"
    return [
        (
            r["work"],
            r["peer"],
            seconds(r["ours_s"]),
            seconds(r["peer_s"]),
            f"{r['ratio']:.3g}",
            f"{r['at_least']:.3g}",
            where,
        )
        for r in (b["extra_info"] for b in report["benchmarks"])
        if "ratio" in r
    ]


def rows_of(page: str) -> list[tuple[str, ...]]:
    """The rows that the page holds already."""
    lines = page.partition(START)[2].partition(END)[0].strip().splitlines()
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines[2:]]


def table(rows: list[tuple[str, ...]]) -> str:
    """Markdown of the rows, by work and peer; the later of two for one work and peer counts."""
    latest = {row[:2]: row for row in rows}
    lines = [
        HEAD,
        ("---", "---", "---:", "---:", "---:", "---:", "---"),
        *(latest[k] for k in sorted(latest)),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def seconds(value: float) -> str:
    """A time with three digits and the unit in which it reads best."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


def main(report: Path) -> None:
    """Put the rows of ``report`` into the page; rows that it does not hold stay."""
    page = PAGE.read_text(encoding="utf-8")
    new = table(rows_of(page) + measured(json.loads(report.read_text(encoding="utf-8"))))
    pattern = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: f"{START}\n{new}\n{END}", page, count=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
