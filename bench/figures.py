"""Figures of a comparison: measured interleaved, printed one line each, kept as JSON in `bench/results/`.

Candidates run in turn within every round, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import gc
import json
import platform
import random
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `aim` is text such as "<= 1.15"; `ok` is None where there is no aim."""

    name: str
    value: float
    unit: str
    aim: str = ""
    ok: bool | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of the rounds, in seconds."""

    median: float
    low: float
    high: float
    rounds: int


def measure(candidates: Mapping[str, Callable[[], Any]], rounds: int, warm: int = 2) -> dict[str, list[float]]:
    """Seconds of every round by candidate; the candidates take turns in an order drawn anew for each round.

    A fixed order would let one of them always come after the same other one, with the caches that it left. The garbage
    collector rests meanwhile, as in `timeit`: it would charge one candidate for what another one left behind.
    """
    names = list(candidates)
    for _ in range(warm):
        for name in names:
            candidates[name]()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    orders = random.Random(rounds)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name in orders.sample(names, len(names)):
                call = candidates[name]
                start = perf_counter_ns()
                call()
                seconds[name].append((perf_counter_ns() - start) / 1e9)
    finally:
        gc.enable()
    return seconds


def spread(seconds: list[float]) -> Spread:
    """Median and quartiles of one candidate."""
    low, _, high = statistics.quantiles(seconds, n=4)
    return Spread(statistics.median(seconds), low, high, len(seconds))


def ratio(above: list[float], below: list[float]) -> float:
    """Median of the ratios of the same rounds: what drifts during the run cancels out."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def at_most(name: str, value: float, unit: str, limit: float) -> Figure:
    """A figure that aims at `limit` or less."""
    return Figure(name, value, unit, f"<= {limit:g}", value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Figure:
    """A figure that aims at `limit` or more."""
    return Figure(name, value, unit, f">= {limit:g}", value >= limit)


def timing(name: str, seconds: list[float]) -> list[Figure]:
    """Median and quartiles in milliseconds, without an aim."""
    found = spread(seconds)
    parts = (("median", found.median), ("q1", found.low), ("q3", found.high))
    return [Figure(f"{name} {part}", value * 1e3, "ms") for part, value in parts]


def line(figure: Figure) -> str:
    """`name  figure unit  aim  ok|short`."""
    verdict = {None: "", True: "ok", False: "short"}[figure.ok]
    return f"{figure.name:<58} {figure.value:>10.4g} {figure.unit:<3} {figure.aim:<9} {verdict}".rstrip()


def report(name: str, figures: Iterable[Figure], results: Path = RESULTS) -> bool:
    """Prints every figure, writes `<results>/<name>.json`, and tells whether every aim was met."""
    told = list(figures)
    for figure in told:
        print(line(figure))
    results.mkdir(parents=True, exist_ok=True)
    record = {
        "name": name,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": [asdict(figure) for figure in told],
    }
    (results / f"{name}.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return all(figure.ok is not False for figure in told)
