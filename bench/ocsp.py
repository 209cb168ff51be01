"""OCSP beside a constant answer of the same server, cfssl's pre-signed responder and OpenSSL's signing one.

`python -m bench.ocsp`. HTTP/1.1 by POST over loopback; keep-alive and wrk (one thread) unless a figure says otherwise;
questions about a hundred certificates in turn, SHA-1 CertIDs; the responder's key is RSA-2048. Candidates take turns in
every round. CPU is that of the server's processes. Peers that are not installed are named.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import uvloop
from cryptography.x509 import ocsp as peer

from bench import ocsp_world
from bench.figures import Figure, at_least, at_most, ratio, report
from bench.ocsp_world import PERSONS, Running, ask, change, free_port, prepare, process, running, signer_of
from ingam.adapters.books.sqlite import SqliteBooks
from ingam.ports.books import State
from ingam.ports.signing import Intent, KeyKind, Signer

SECONDS: Final = 2
ROUNDS: Final = 7
CONCURRENCY: Final = 8
SINGLY: Final = "on demand, 2 workers, a connection each"
KEPT: Final = "on demand, 2 workers, connections kept"
REVOKED: Final = peer.OCSPCertStatus.REVOKED

_LUA: Final = """
local bodies = {}
for number = 0, %d do
  local file = io.open("%s/%s" .. number .. ".der", "rb")
  bodies[number + 1] = file:read("*a")
  file:close()
end
local ready, at = {}, 0
init = function()
  for number, body in ipairs(bodies) do
    ready[number] = wrk.format("POST", "/", {["Content-Type"] = "application/ocsp-request"}, body)
  end
end
request = function() at = at %% #ready + 1 return ready[at] end
done = function(summary, latency)
  io.write(string.format("bad %%d\\n", summary.errors.status + summary.errors.read + summary.errors.timeout))
end
"""


class Load(NamedTuple):
    """What a round of load came to. `rate`: answers a second; `cpu_us`: of the server for each answer."""

    rate: float
    cpu_us: float


class Wrk:
    """wrk with the questions of a folder; `kind`: `request` or `nonce`."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._script = folder / f"{kind}.lua"
        self._script.write_text(_LUA % (PERSONS - 1, folder, kind))

    def on(self, server: Running, concurrency: int = CONCURRENCY, seconds: int = SECONDS) -> Load:
        """One round. Raises RuntimeError where an answer was no 200."""
        words = ["wrk", "-t1", f"-c{concurrency}", f"-d{seconds}s", "-s", str(self._script)]
        before = server.cpu_s()
        told = subprocess.run(
            [*words, f"http://127.0.0.1:{server.port}/"], capture_output=True, text=True, check=True
        ).stdout
        spent = server.cpu_s() - before
        found, bad = re.search(r"(\d+) requests in ([\d.]+)s", told), re.search(r"^bad (\d+)$", told, re.M)
        if found is None or bad is None or int(bad[1]):
            raise RuntimeError(told)
        return Load(int(found[1]) / float(found[2]), 1e6 * spent / int(found[1]))


def rounds(loads: dict[str, Callable[[], Load]], count: int = ROUNDS) -> dict[str, list[Load]]:
    """Rounds by candidate; they take turns, in the other direction every second time."""
    for load in loads.values():
        load()
    found: dict[str, list[Load]] = {name: [] for name in loads}
    for number in range(count):
        for name in list(loads)[:: 1 if number % 2 else -1]:
            found[name].append(loads[name]())
    return found


def told(name: str, found: list[Load]) -> list[Figure]:
    """Median rate and CPU of a candidate."""
    return [
        Figure(f"{name}: wall", statistics.median(one.rate for one in found), "/s"),
        Figure(f"{name}: server CPU", statistics.median(one.cpu_us for one in found), "us"),
    ]


def over(above: list[Load], below: list[Load]) -> float:
    """Median of the ratios of the same rounds."""
    return ratio([one.rate for one in above], [one.rate for one in below])


def pre_signed(folder: Path) -> list[Figure]:
    """One worker, beside the same server's constant answer; the aim is for the peers' eight connections.

    A constant answer lies in the processor's first cache, a hundred different ones do not: that is most of what is
    between the two.
    """
    wrk, figures = Wrk(folder, "request"), []
    with running("status", folder, 1) as ours, running("constant", folder, 1) as constant:
        for many in (CONCURRENCY, 64):
            found = rounds(
                {"ours": partial(wrk.on, ours, many, 1), "constant": partial(wrk.on, constant, many, 1)}, 2 * ROUNDS
            )
            figures += told(f"pre-signed, 1 worker, {many} connections", found["ours"])
            figures += told(f"constant, 1 worker, {many} connections", found["constant"])
            name, share = f"pre-signed / constant, {many} connections: wall", over(found["ours"], found["constant"])
            figures.append(at_least(name, share, "x", 0.85) if many == CONCURRENCY else Figure(name, share, "x"))
    return figures


def beside_cfssl(folder: Path) -> list[Figure]:
    """Two workers, beside cfssl's responder with the same questions."""
    if shutil.which("cfssl") is None:
        print("cfssl is missing (Debian: golang-cfssl): not compared", file=sys.stderr)
        return []
    wrk = Wrk(folder, "request")
    with running("status", folder, 2) as ours, cfssl(folder) as theirs:
        loads = {"ours": lambda: wrk.on(ours), "cfssl": lambda: wrk.on(theirs)}
        found = rounds(loads, 5)
        many = {"ours": lambda: wrk.on(ours, 64), "cfssl": lambda: wrk.on(theirs, 64)}
        crowded = rounds(many, 3)
    figures = told("pre-signed, 2 workers, 2 cores with wrk, 8 connections", found["ours"])
    figures += told("cfssl ocspserve, 2 cores with wrk, 8 connections", found["cfssl"])
    figures.append(at_least("pre-signed / cfssl, 8 connections", over(found["ours"], found["cfssl"]), "x", 1.5))
    figures.append(at_least("pre-signed / cfssl, 64 connections", over(crowded["ours"], crowded["cfssl"]), "x", 1.5))
    return figures


@contextlib.contextmanager
def cfssl(folder: Path) -> Iterator[Running]:
    """cfssl's responder with answers that ours has signed, one for each question."""
    lines = []
    with running("status", folder, 1) as ours:
        for number in range(PERSONS):
            lines.append(base64.b64encode(ask(ours.port, (folder / f"request{number}.der").read_bytes())).decode())
    responses = folder / "responses.txt"
    responses.write_text("\n".join(lines) + "\n")
    port = free_port()
    words = ["cfssl", "ocspserve", "-address", "127.0.0.1", "-port", str(port), "-responses", str(responses)]
    with process([*words, "-loglevel", "5"], port, folder) as started:
        yield started


def on_demand(folder: Path, kind: KeyKind) -> list[Figure]:
    """Answers to nonces beside the bare signature and the constant answer: time of one after the other, and CPU."""
    signed, plain, signer = Wrk(folder, "nonce"), Wrk(folder, "request"), signer_of(folder)
    with running("status", folder, 1) as ours, running("constant", folder, 1) as constant:
        loads = {"ours": lambda: signed.on(ours, 1), "constant": lambda: plain.on(constant, 1)}
        alone = rounds({**loads, "bare": lambda: bare(signer)})
        many = rounds({"ours": lambda: signed.on(ours), "bare": lambda: bare(signer)}, 5)
    floors = [1 / a.rate + 1 / b.rate for a, b in zip(alone["bare"], alone["constant"], strict=True)]
    share = ratio([1 / one.rate for one in alone["ours"]], floors)
    name = f"on demand (nonce), {kind.value}, 1 worker"
    figures = told(f"{name}, 1 connection", alone["ours"]) + told("constant, 1 worker, 1 connection", alone["constant"])
    figures += told(f"bare signature, {kind.value}, one thread", alone["bare"])
    figures += told(f"{name}, 2 threads, 8 connections", many["ours"])
    extra = statistics.median(a.cpu_us - b.cpu_us for a, b in zip(many["ours"], many["bare"], strict=True))
    figures.append(Figure(f"{name}, 8 connections: CPU besides the signature", extra, "us"))
    name = f"on demand / (bare signature + constant), {kind.value}, 1 connection: wall"
    aimed = kind is KeyKind.RSA_2048  # the field's responders; P-256 costs less to sign than to hand to a thread
    return [*figures, at_most(name, share, "x", 1.2) if aimed else Figure(name, share, "x")]


def bare(signer: Signer) -> Load:
    """Signatures of the product's signer, hash and intent included, one after the other in this process."""
    begun, before, count = time.monotonic(), time.process_time(), 0
    while time.monotonic() - begun < SECONDS:
        signer.sign(Intent.of(b"x" * 200))
        count += 1
    return Load(count / (time.monotonic() - begun), 1e6 * (time.process_time() - before) / count)


# OpenSSL's responder: a connection for each question, in a network of its own, for it listens on every address


def beside_openssl(folder: Path) -> list[Figure]:
    """Signing each answer, two processes of each, 8 clients: a connection for each question, and kept where it may be.

    OpenSSL's responder closes every connection.
    """
    words = ["unshare", "-n", sys.executable, "-m", "bench.ocsp", "in-a-network-of-its-own", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        print(f"openssl ocsp needs a network of its own (root): not compared\n{done.stderr[-300:]}", file=sys.stderr)
        return []
    loads = {name: [Load(*one) for one in found] for name, found in json.loads(done.stdout).items()}
    figures = [figure for name, found in loads.items() for figure in told(f"{name}, 8 clients", found)]
    best = max((one for one in loads if one.startswith("openssl")), key=lambda one: rate_of(loads[one]))
    figures.append(Figure("on demand / openssl ocsp, a connection each", over(loads[SINGLY], loads[best]), "x"))
    share = over(loads[KEPT], loads[best])
    return [*figures, at_least("on demand (connections kept) / openssl ocsp (its better one)", share, "x", 1.0)]


def rate_of(found: list[Load]) -> float:
    """The median rate."""
    return statistics.median(one.rate for one in found)


def in_a_network_of_its_own(folder: Path) -> int:
    """Runs inside `unshare -n`; prints the rates."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    index = folder / "index.txt"
    serials = [f"{ocsp_world.serial_of(number):X}" for number in range(PERSONS)]
    even = [one if len(one) % 2 == 0 else f"0{one}" for one in serials]
    index.write_text("".join(f"V\t361126000000Z\t\t{one}\tunknown\t/CN=bench person\n" for one in even))
    (folder / "index.txt.attr").write_text("unique_subject = no\n")

    def responder(port: int, *more: str) -> list[str]:
        signer = ["-rsigner", str(folder / "ocsp.pem"), "-rkey", str(folder / "ocsp-key.pem")]
        words = ["openssl", "ocsp", "-index", str(index), "-port", str(port), "-CA", str(folder / "ca.pem"), *signer]
        return [*words, "-nmin", "60", "-ignore_err", *more]

    alone, forked = free_port(), free_port()
    names = (SINGLY, KEPT, "openssl ocsp, a connection each", "openssl ocsp -multi 2, a connection each")
    loads: dict[str, list[Load]] = {name: [] for name in names}
    bodies = [(folder / f"nonce{number}.der").read_bytes() for number in range(PERSONS)]
    wrk = Wrk(folder, "nonce")
    with (
        running("status", folder, 2) as ours,
        process(responder(alone), alone, folder) as one,
        process(responder(forked, "-multi", "2"), forked, folder) as two,
    ):
        for _ in range(5):
            for name, server in zip(loads, (ours, ours, one, two), strict=True):
                loads[name].append(wrk.on(server) if name == KEPT else _one_each(server, bodies))
    print(json.dumps(loads))
    return 0


def _one_each(server: Running, bodies: list[bytes]) -> Load:
    before = server.cpu_s()
    rate = uvloop.run(_singly(server.port, bodies))
    return Load(rate, 1e6 * (server.cpu_s() - before) / (rate * SECONDS))


async def _singly(port: int, bodies: list[bytes]) -> float:
    """Answers a second, HTTP/1.0, a connection for each."""
    until, answered = time.monotonic() + SECONDS, 0

    async def client(number: int) -> None:
        nonlocal answered
        while time.monotonic() < until:
            number += 1
            body = bodies[number % len(bodies)]
            head = b"POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n" % len(
                body
            )
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head + body)
            said = await reader.read()
            writer.close()
            if b" 200 " not in said[:20] or len(said) < 300:
                raise RuntimeError(repr(said[:80]))
            answered += 1

    begun = time.monotonic()
    await asyncio.gather(*(client(7 * number) for number in range(CONCURRENCY)))
    return answered / (time.monotonic() - begun)


# Revocation


def latency(folder: Path) -> list[Figure]:
    """From the commit of another process to the first `revoked`, here and on a mirror, asked without a pause."""
    with running("status", folder, 2) as ours:
        address = f"http://127.0.0.1:{ours.port}/ocsp/bench"
        with running("mirror", folder, 1, address) as mirror:
            found = asyncio.run(_latencies(folder, {"this node": ours.port, "a mirror": mirror.port}))
    name, figures = "revocation to revoked", []
    for place, most in (("this node", 50), ("a mirror", 500)):
        many = found[place]
        figures.append(at_most(f"{name}, {place}, median: wall", statistics.median(many), "ms", most))
        figures.append(at_most(f"{name}, {place}, worst of {len(many)}: wall", max(many), "ms", 1000))
    return figures


async def _latencies(folder: Path, ports: dict[str, int]) -> dict[str, list[float]]:
    books = SqliteBooks(folder / "books.db")
    found: dict[str, list[float]] = {place: [] for place in ports}
    for number in range(15):
        raw = (folder / f"request{number}.der").read_bytes()
        for place, port in ports.items():
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            while _status(client, raw) != peer.OCSPCertStatus.GOOD:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.037 * number)  # at another beat of the feed each time
            await change(books, number, State.HELD)
            committed = time.perf_counter()
            while _status(client, raw) is not REVOKED:
                pass
            found[place].append(1e3 * (time.perf_counter() - committed))
            client.close()
            await change(books, number, State.VALID)
    await books.shut()
    return found


def _status(client: http.client.HTTPConnection, raw: bytes) -> object:
    client.request("POST", "/", raw)
    read = peer.load_der_ocsp_response(client.getresponse().read())
    return read.certificate_status if read.response_status is peer.OCSPResponseStatus.SUCCESSFUL else None


def main() -> int:
    """0 where every aim was met."""
    if shutil.which("wrk") is None:
        print("wrk is missing (Debian: wrk): nothing compared", file=sys.stderr)
        return 1
    figures: list[Figure] = []
    for kind in (KeyKind.RSA_2048, KeyKind.P_256):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            asyncio.run(prepare(folder, kind))
            if kind is KeyKind.RSA_2048:
                figures += pre_signed(folder) + beside_cfssl(folder) + latency(folder)
            figures += on_demand(folder, kind)
            if kind is KeyKind.RSA_2048:
                figures += beside_openssl(folder)
    return 0 if report("ocsp", figures) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["in-a-network-of-its-own"]:
        sys.exit(in_a_network_of_its_own(Path(sys.argv[2])))
    sys.exit(main())
