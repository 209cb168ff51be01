"""Whether the clock tells what was wrong at a login or a ①본인확인: 1,000 whole refused requests of each kind (F8).

`python -m bench.enumeration`. The aim is a probability: how likely the largest distance of two kinds' distributions is
by chance alone (Kolmogorov-Smirnov). The medians are shown for scale.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from tests.limits.enumeration import CASES, pairs, samples

from bench.figures import Figure, at_least, report
from ingam.adapters.store.migrate import migrate

ROUNDS = 1000
CHANCE = 0.001


def main(rounds: int = ROUNDS) -> int:
    """0 where no two kinds can be told apart."""
    with tempfile.TemporaryDirectory(prefix="ingam-bench-") as folder:
        kept = Path(folder) / "center"
        kept.mkdir(mode=0o700)
        url = f"sqlite:///{kept / 'center.db'}"
        migrate(url)
        found = asyncio.run(samples(url, Path(folder), rounds))
    figures = [Figure(f"{name} median", statistics.median(found[name]) * 1e3, "ms") for name in CASES]
    for (one, other), (distance, chance) in pairs(found).items():
        figures.append(Figure(f"{one} / {other.partition(': ')[2]}: distance", distance, ""))
        figures.append(at_least(f"{one} / {other.partition(': ')[2]}: by chance", chance, "", CHANCE))
    return 0 if report("enumeration", figures) else 1


if __name__ == "__main__":
    sys.exit(main())
