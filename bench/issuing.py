"""Issuing over CMP, beside the bare build and signature, cfssl, django-ca and siemens' mock CA.

`python -m bench.issuing`. HTTP/1.1 with keep-alive over loopback; the load runs in this process, on the same cores; a
certificate is recorded on the disk that holds build/ (intent and record, each a durable commit) before its answer.
Profile `server`, a fresh P-256 key and a registration for each; implicitConfirm unless a figure says otherwise.
Candidates take turns in every round. CPU is that of all the server's processes, from /proc, for each certificate.

Peers that are not there are named. Debian's cfssl is installed where that may be, django-ca below build/. The mock CA
is whoever answers at INGAM_PEER_MOCK_CA (a URL), by the secret INGAM_PEER_MOCK_CA_SECRET and for the sender's common
name INGAM_PEER_MOCK_CA_SENDER.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from bench import issuing_bare, issuing_peers
from bench.figures import RESULTS, Figure, at_least, at_most, ratio, report
from bench.issuing_load import ROOT, Load, Place, Server, cpu, rounds, wall
from bench.issuing_profile import Profile, profiled
from bench.issuing_world import Ground, Way, Wish, granted, jobs, recorded, sample
from ingam.npki.signature import KeyKind

COUNT, FEWER = 160, 100
"""Certificates in a round of which the CPU is told in ticks of 10 ms, and in one beside cfssl."""

ROUNDS: Final = 5
CONNECTIONS: Final = 8
PROFILED: Final = 300
MEMORY: Final = "/dev/shm"  # a folder of its own is made there
CORES: Final = f"{os.cpu_count()} cores with the load"
BEYOND_MS: Final = 1.0
OF_BARE: Final = {KeyKind.RSA_2048: 0.4, KeyKind.RSA_3072: 0.65}
NEAR: Final = Wish(Way.PBMAC1)


def title(kind: KeyKind, wish: Wish, workers: int, connections: int = CONNECTIONS) -> str:
    """What a figure of ours is of."""
    asked = (
        f"CMP ir{' and certConf' if wish.confirm else ''}, {wish.way.value}{', EncryptedVID' if wish.person else ''}"
    )
    many = "worker" if workers == 1 else "workers"
    return f"{asked}, {kind.value}, {workers} {many}, {CORES}, {connections} connections"


class Ours:
    """Processes of an authority under load. `issued`: certificates that somebody has got from it meanwhile."""

    def __init__(self, ground: Ground, server: Server, place: Place) -> None:
        self._ground, self._server, self._place = ground, server, place
        self.issued = 0

    def load(self, wish: Wish, connections: int = CONNECTIONS, count: int = COUNT) -> Callable[[], Load]:
        """Rounds over messages that are prepared now."""
        prepared = iter(jobs(self._ground, self._place, wish, (ROUNDS + 1) * count))
        self.issued += wish.way is Way.REGISTRAR  # the RA's own

        def run() -> Load:
            self.issued += count
            return self._server.under(self._place, list(islice(prepared, count)), connections, granted)

        return run


@contextlib.contextmanager
def ours(ground: Ground, workers: int) -> Iterator[Ours]:
    """So many workers, ready. Raises RuntimeError where a certificate left without a record."""
    before = recorded(ground)
    with ground.process(workers) as (server, place):
        told = Ours(ground, server, place)
        yield told
    if recorded(ground) - before != told.issued:
        raise RuntimeError(f"{told.issued} certificates, {recorded(ground) - before} records")


def one_worker(ground: Ground) -> list[Figure]:
    """CPU for each certificate under each protection, beside the bare floor."""
    kind, figures = ground.kind, []
    bare = issuing_bare.load(issuing_bare.like(sample(ground), kind), COUNT)
    with ours(ground, 1) as server:
        found = rounds({"bare": bare, **{way.name: server.load(Wish(way)) for way in Way}}, ROUNDS)
    figures += cpu(f"bare build + sign, {kind.value}, 1 core", found["bare"])
    for way in Way:
        name, many = title(kind, Wish(way), 1), found[way.name]
        figures += [*wall(name, many), *cpu(name, many), *beside_bare(name, kind, many, found["bare"])]
    return figures


def beside_bare(name: str, kind: KeyKind, many: list[Load], bare: list[Load]) -> list[Figure]:
    """What a certificate costs beyond its build and signature, and how near the rate of one core comes to theirs."""
    beyond_ms = statistics.median(one.cpu_us - least.cpu_us for one, least in zip(many, bare, strict=True)) / 1e3
    share = ratio([one.cpu_us for one in bare], [one.cpu_us for one in many])
    beyond, of_bare = f"{name}: CPU beyond bare build + sign", f"{name}: rate of CPU / bare build + sign"
    if kind not in OF_BARE:
        return [Figure(beyond, beyond_ms, "ms"), Figure(of_bare, share, "x")]
    return [at_most(beyond, beyond_ms, "ms", BEYOND_MS), at_least(of_bare, share, "x", OF_BARE[kind])]


def more(ground: Ground) -> list[Figure]:
    """A person with EncryptedVID, certConf, and other numbers of connections."""
    kind, figures = ground.kind, []
    with ours(ground, 1) as server:
        loads = {}
        for wish in (Wish(Way.PBMAC1, person=True), Wish(Way.PBMAC1, confirm=True)):
            loads[title(kind, wish, 1)] = server.load(wish)
        for connections in (1, 32):
            loads[title(kind, NEAR, 1, connections)] = server.load(NEAR, connections)
        found = rounds(loads, ROUNDS)
    for name, many in found.items():
        figures += [*wall(name, many), *cpu(name, many)]
    return figures


def beside_cfssl(ground: Ground, folder: Path, where: str = "") -> list[Figure]:
    """Two workers, and cfssl with and without its database. `where`: what is special about the files' disk."""
    kind, there = ground.kind, issuing_peers.has_cfssl()
    names = {way: title(kind, Wish(way), 2) + where for way in Way}
    theirs = {database: cfssl_title(kind, database) + where for database in (False, True)}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(ours(ground, 2))
        loads = {names[way]: server.load(Wish(way), count=FEWER) for way in Way}
        for database, name in theirs.items() if there else ():
            place = folder / f"cfssl-{kind.value}-{database}"
            loads[name] = stack.enter_context(issuing_peers.cfssl(place, kind, FEWER, database=database))
        found = rounds(loads, ROUNDS)
    figures = [figure for name, many in found.items() for figure in (*wall(name, many), *cpu(name, many))]
    for name in names.values() if there else ():
        figures += _over_cfssl(kind, name, found[name], {one: found[theirs[one]] for one in theirs})
    return figures


def cfssl_title(kind: KeyKind, database: bool) -> str:
    """What a figure of cfssl is of."""
    store = "SQLite" if database else "no store"
    return f"cfssl sign, a CSR by HTTP, no protection, {kind.value}, {store}, {CORES}, {CONNECTIONS} connections"


def _over_cfssl(kind: KeyKind, name: str, many: list[Load], theirs: dict[bool, list[Load]]) -> list[Figure]:
    without, stored = (ratio([one.rate for one in many], [one.rate for one in theirs[one]]) for one in (False, True))
    over = f"{name}: wall / cfssl"
    if kind is KeyKind.P_256:
        return [Figure(f"{over} with SQLite", stored, "x", "towards"), Figure(f"{over} without a store", without, "x")]
    return [at_least(f"{over} without a store", without, "x", 1.0), Figure(f"{over} with SQLite", stored, "x")]


def in_memory() -> list[Figure]:
    """P-256 where a commit costs no disk: what the processor allows."""
    if not os.access(MEMORY, os.W_OK):
        return []
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="issuing-") as name:
        ground = Ground(Path(name) / "ours", KeyKind.P_256)
        return beside_cfssl(ground, Path(name), ", files in memory")


def beside_slow_ones(ground: Ground, folder: Path) -> list[Figure]:
    """Two workers, django-ca in two processes and the mock CA; few certificates in each of their rounds."""
    django, mock = issuing_peers.has_django_ca(), issuing_peers.has_mock_ca()
    if not (django or mock):
        return []
    wish, kind = Wish(Way.PASSWORD_BASED_MAC), ground.kind
    name = title(kind, wish, 2)
    theirs: dict[str, tuple[str, float]] = {}
    with contextlib.ExitStack() as stack:
        loads = {name: stack.enter_context(ours(ground, 2)).load(wish, count=FEWER)}
        if django:
            own = f"django-ca create_cert, no protocol, {kind.value}, SQLite, 2 processes, {CORES}"
            loads[own] = stack.enter_context(issuing_peers.django_ca(folder / "django-ca", 2, 10))
            theirs[own] = ("django-ca", 30)
        if mock:
            for connections in (1, CONNECTIONS):
                own = f"siemens mock CA, CMP ir, {wish.way.value}, Ed25519, {CORES}, {connections} connections"
                loads[own] = issuing_peers.mock_ca(12, connections)
                theirs[own] = (f"the mock CA ({connections} connections)", 12)
        found = rounds(loads, 3)
    figures = [figure for own in theirs for figure in wall(own, found[own])]
    for own, (peer, least) in theirs.items():
        share = ratio([one.rate for one in found[name]], [one.rate for one in found[own]])
        figures.append(at_least(f"{name}: wall / {peer}", share, "x", least))
    return figures


def keep(profile: Profile, busy: list[float]) -> None:
    """The profile and the load averages, with the figures."""
    path = RESULTS / "issuing.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["profile"] = {"of": title(KeyKind.P_256, NEAR, 1), **profile._asdict()}
    record["load_average"] = busy
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """0 where every aim was met."""
    figures, busy = [], [os.getloadavg()[0]]
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="issuing-") as name:
        folder = Path(name)
        for kind in (KeyKind.RSA_2048, KeyKind.RSA_3072, KeyKind.P_256):
            ground = Ground(folder / kind.value, kind)
            figures += one_worker(ground)
            if kind is KeyKind.RSA_2048:
                figures += more(ground) + beside_slow_ones(ground, folder)
            if kind is not KeyKind.RSA_3072:
                figures += beside_cfssl(ground, folder)
        figures += in_memory()
        profile = profiled(ground, NEAR, PROFILED)
    busy.append(os.getloadavg()[0])
    met = report("issuing", figures)
    keep(profile, busy)
    print(
        f"Endpoint.answer, {title(KeyKind.P_256, NEAR, 1)}: {profile.plain_us:.0f} us CPU without a profiler; with it:"
    )
    print("\n".join(profile.lines))
    print(f"load average {busy[0]:.1f} at the beginning, {busy[1]:.1f} at the end")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
