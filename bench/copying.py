"""Copies through one relay process, beside magic-wormhole's mailbox server; open mailboxes; the time of a whole copy.

`python -m bench.copying`. Both relays run as they are shipped, each in one process, and take turns in every round; the
same client makes the same messages for both. Copies a second are counted by the wall, and by the CPU that the relay's
process used for them: the second figure does not depend on what the clients beside it cost.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import uvloop

from bench.copying_ends import copies_s
from bench.copying_sides import Side, cpu_s, ours, resident, wormhole
from bench.figures import Figure, at_least, at_most, ratio, report

ROUNDS = 7
COPIES = {"ours": 300, "wormhole": 60}
AT_ONCE = 16
OPEN = {"ours": 10_000, "wormhole": 1_000}
WHOLE_COPIES = 200
KIB_EACH = 8


async def _many(side: Side, copies: int) -> None:
    """`copies` of them, AT_ONCE under way at a time."""
    left = iter(range(copies))

    async def one_after_the_other() -> None:
        for _ in left:
            await side.copy()

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


def _round(side: Side, copies: int) -> tuple[float, float]:
    """Copies a second by the wall, and by the CPU of the relay."""
    used, begun = cpu_s(side.process.pid), perf_counter()
    uvloop.run(_many(side, copies))
    wall = perf_counter() - begun
    return copies / wall, copies / max(cpu_s(side.process.pid) - used, 0.01)


def rates() -> list[Figure]:
    """Both relays in turn."""
    with tempfile.TemporaryDirectory() as folder, ours(Path(folder) / "o") as us, wormhole(Path(folder) / "w") as them:
        sides: dict[str, Side] = {"ours": us, "wormhole": them}
        for name, side in sides.items():
            _round(side, COPIES[name] // 3)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for number in range(ROUNDS):
            for name in sorted(sides, reverse=bool(number % 2)):
                found[name].append(_round(sides[name], COPIES[name]))
    wall, cpu = ({name: [pair[at] for pair in pairs] for name, pairs in found.items()} for at in (0, 1))
    figures = []
    for name, told in (("ours", "ingam"), ("wormhole", "magic-wormhole-mailbox-server")):
        figures += [
            Figure(f"copies a second, {told}", statistics.median(wall[name]), "/s"),
            Figure(f"copies a CPU second of the relay, {told}", statistics.median(cpu[name]), "/s"),
        ]
    return [
        *figures,
        at_least("copies a second, ingam / magic-wormhole", ratio(wall["ours"], wall["wormhole"]), "x", 1.5),
        at_least("copies a CPU second, ingam / magic-wormhole", ratio(cpu["ours"], cpu["wormhole"]), "x", 1.5),
    ]


async def _wait(side: Side, count: int) -> tuple[float, float]:
    """KiB of the relay for each of `count` waiting devices, and its CPU in the second after, as a share of one."""
    await asyncio.gather(*(side.wait() for _ in range(20)))  # what is made once is made
    before = resident(side.process.pid)
    waiting = []
    for _ in range(count // 50):
        waiting += await asyncio.gather(*(side.wait() for _ in range(50)))
    each = (resident(side.process.pid) - before) / count / 1024
    used = cpu_s(side.process.pid)
    await asyncio.sleep(5)
    share = (cpu_s(side.process.pid) - used) / 5
    for client in waiting:
        client.close()
    return each, share


def standing() -> list[Figure]:
    """Devices that wait with an open mailbox, each on its connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        kib = []
        with ours(Path(folder) / "o") as us:
            count = OPEN["ours"] if hard > OPEN["ours"] + 200 else hard - 500
            each, share = uvloop.run(_wait(us, count))
            kib.append(each)
            figures += [
                Figure("open mailboxes, ingam", count, ""),
                at_most("memory for each open mailbox, ingam", each, "KiB", KIB_EACH),
                at_most("CPU while they wait, ingam", share * 100, "%", 10),
            ]
        with wormhole(Path(folder) / "w") as them:
            each, share = uvloop.run(_wait(them, OPEN["wormhole"]))
            figures += [
                Figure("open mailboxes, magic-wormhole", OPEN["wormhole"], ""),
                Figure("memory for each open mailbox, magic-wormhole", each, "KiB"),
                Figure("CPU while they wait, magic-wormhole", share * 100, "%"),
                at_most("memory for each, ingam / magic-wormhole", kib[0] / each, "x", 1),
            ]
    return figures


def times() -> list[Figure]:
    """From the join to the acknowledgement, by two ends in Python with their key exchange."""
    with tempfile.TemporaryDirectory() as folder, ours(Path(folder) / "o") as us:
        found = sorted(asyncio.run(copies_s(us, WHOLE_COPIES)))
    return [
        Figure("from the join to acknowledged, two Python ends, median", statistics.median(found) * 1e3, "ms"),
        Figure("from the join to acknowledged, two Python ends, p99", found[int(len(found) * 0.99)] * 1e3, "ms"),
    ]  # fmt: skip


def main() -> int:
    """0 where every aim was met."""
    return 0 if report("copying", [*rates(), *standing(), *times()]) else 1


if __name__ == "__main__":
    sys.exit(main())
