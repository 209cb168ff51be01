"""`make run`: the whole world on one machine. Prepares what is missing, starts every process, watches them, stops all.

The children are forked from this process once it has loaded what all of them run, before it prepares anything
(`run/forking`). Each has a process group of its own and dies with this process. It is ready when its port answers a
connect. The first signal or the first death stops all. With `--https` a front ends TLS before what browsers open
(`run/trial`), and the processes themselves stay where they are: on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ingam.adapters.hsm.file import open_keys, publish_ticket_key
from ingam.adapters.store.migrate import migrate
from ingam.kernel.errors import Failure
from ingam.ports.customers import HeadRefused, HeadsFull
from ingam.run import (
    demo_authority,
    demo_keeping,
    demo_operators,
    demo_staff,
    demo_table,
    finance_cloud,
    sandbox,
    sandbox_audit,
    tls,
    trial,
)
from ingam.run.auditor import publish_key
from ingam.run.cli.customer_desk import HeadTold, opened, parse
from ingam.run.forking import Brood, Forked
from ingam.run.trial import FRONTED, Trial
from ingam.sandbox.people import further_heads
from ingam.settings import Settings, read
from ingam.wiring import index_folder, keys_path

CHILDREN = ("sandbox", "finance_cloud", "vault", "console", "ca", "va", "relay", "center")
WITHOUT_PORT = ("houses", "clerk", "auditor")
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_S = 180
STOP_S = 8


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo until Ctrl-C. Exit codes: 0 stopped, 1 something died or could not start, 2 usage."""
    words = argparse.ArgumentParser(prog="make run")
    words.add_argument("--port", default="8700", help="the first of nine ports")
    words.add_argument("--data", default="data", help="where everything is kept")
    words.add_argument("--quiet", action="store_true", help="do not print the demo people")
    words.add_argument("--https", action="store_true", help="over TLS, for a phone; two further ports, ten above")
    words.add_argument("--host", default="localhost", help="the name that the phone opens, with --https")
    chosen = words.parse_args(argv)
    data = Path(chosen.data)
    # The demo people's certificate files lie where a person looks: beside the checkout, or below a DATA of one's own.
    demo = Path("demo") if chosen.data == "data" else data / "demo"
    environment = {
        **os.environ,
        "INGAM_PORT": chosen.port,
        "INGAM_DATA": str(data.resolve()),
        "INGAM_DEMO": str(demo.resolve()),
        sandbox.APART: "1",
        "INGAM_RELAY_DRAIN_S": "2",  # below STOP_S: whoever stops a demo does not wait for a copy
    }
    for number in STOPPING:
        signal.signal(number, _interrupt)
    try:
        settings, over_tls = read(environment), None
        if chosen.https:
            over_tls = Trial(tls.host_name(chosen.host), settings.base_port)
            environment |= over_tls.environment()
            settings = read(environment)
        names = ("blind_index", "houses", *CHILDREN, "clerk", "auditor", *(("trial",) if over_tls else ()))
        with _only_one(settings.data):
            _need_ports(settings, over_tls)
            with Brood(names) as brood:
                environment = _prepare(settings, environment)
                return _watch(brood, settings, environment, over_tls, quiet=chosen.quiet)
    except KeyboardInterrupt:  # while it prepares; what is half made is made anew at the next start
        # Where the signal came in generated code (dataclasses exec theirs), CPython would end `python -m` by it, until
        # it executes a text once more.
        exec("")  # noqa: S102
        return 0
    except Failure as failure:
        print(f"✗ {failure}", file=sys.stderr)
        return 1


def _say(text: str) -> None:
    print(f"· {text}", flush=True)


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Two demos on one data folder would fight over it."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure("demo-already-running", data=str(data)) from None
        yield


def _prepare(settings: Settings, environment: dict[str, str]) -> dict[str, str]:
    """Our own authority, the sandbox's authorities and people, the center's schema and customers; nothing twice."""
    demo_authority.prepare(settings, _say)  # first: the sandbox tells the center whom to trust, and that one too
    # The parties are reached on loopback, wherever a browser finds the sandbox.
    inward = replace(settings, sandbox_origin=f"http://localhost:{settings.port('sandbox')}")
    addresses = sandbox.prepare(inward, _say, Path(environment["INGAM_DEMO"])) | authority_addresses(settings)
    addresses |= finance_cloud.address(settings)
    environment["INGAM_ADDRESSES"] = ",".join(f"{name}={base}" for name, base in addresses.items())
    _say("데이터베이스 준비 · preparing the database")
    # Of a deployment these come from the institution's own hands, not from the center.
    environment["INGAM_VAULT_ROOTS"] = ",".join(one.hex() for one in demo_authority.roots(settings))
    environment["INGAM_DESK_ROOTS"] = ",".join(sandbox.roots(settings))
    publish_key(settings)
    environment |= sandbox_audit.prepare(settings)
    told = read(environment)
    migrate(told.store)
    publish_ticket_key(told.ticket_keys, open_keys(keys_path(told)).tickets.public)
    if not told.customers.address:  # else a core-banking system keeps them
        asyncio.run(_enrol(told, settings.data / "sandbox" / "people.json"))
    asyncio.run(demo_operators.prepare(told))
    demo_staff.prepare(told)
    return environment


def authority_addresses(settings: Settings) -> dict[str, str]:
    """Where the demo authority's names lie: its CMP, OCSP and lists, on this machine."""
    ca, va = f"http://localhost:{settings.port('ca')}", f"http://localhost:{settings.port('va')}"
    return {"ca.ingam.test": ca, "ocsp.ingam.test": f"{va}/ocsp/ingam", "dir.ingam.test": f"{va}/ingam"}


async def _enrol(settings: Settings, people: Path) -> None:
    """The demo's customers; those of an earlier start stay as they are."""
    async with opened(settings) as desk:
        await desk.enrol(parse(people.read_bytes()))
        for one in further_heads(settings.customers.union_heads):
            told = HeadTold(one.person.name, one.person.idn, one.person.mobile, one.person.email, one.person.home_phone)
            with contextlib.suppress(HeadRefused, HeadsFull):  # one of an earlier start; somebody else in the place
                await desk.add_head(one.union.banking_id, told)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _need_ports(settings: Settings, over_tls: Trial | None) -> None:
    needed = [(settings.port(name), name) for name in CHILDREN]
    needed.append((settings.port("mail"), "sandbox"))  # its SMTP server
    needed += [(port, name) for name, port in (over_tls.ports if over_tls else {}).items()]
    for port, name in needed:
        if not _free(port):
            raise Failure("port-taken", port=port, process=name)


def _watch(
    brood: Brood, settings: Settings, environment: dict[str, str], over_tls: Trial | None, *, quiet: bool
) -> int:
    stopping: list[int] = []
    for number in STOPPING:
        signal.signal(number, lambda got, _frame: stopping.append(got))

    def start(name: str, *words: str) -> Forked:
        _say(f"{name} 시작 · starting")
        return brood.start(name, environment, *words)

    children = [start("blind_index", "--folder", str(index_folder(settings)))]
    children += [start(name) for name in ("houses", *CHILDREN, "clerk", "auditor")]
    ports = {name: settings.port(name) for name in CHILDREN}
    if over_tls is not None:
        where = ("--host", over_tls.host, "--port", str(over_tls.port), "--folder", str(_tls_folder(settings)))
        children.append(start("trial", *where))
        ports["trial"] = over_tls.ports[FRONTED[-1]]
    try:
        if not _ready(ports, children, stopping):
            return 1
        _tell(settings, over_tls, quiet=quiet)
        keeping = demo_keeping.Keeping(settings, _say)
        with contextlib.closing(demo_staff.Staff(read(environment))) as staff:
            while not stopping:
                for child in children:
                    if (code := child.poll()) is not None:
                        print(f"✗ {child.name} 종료 · ended with {code}", file=sys.stderr, flush=True)
                        return 1
                staff.look()
                keeping.look()
                time.sleep(0.2)
        return 0
    finally:
        _stop(children)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _ready(ports: Mapping[str, int], children: list[Forked], stopping: list[int]) -> bool:
    until = time.monotonic() + READY_S
    waiting = {child.name: child for child in children if child.name in ports}
    while waiting and time.monotonic() < until and not stopping:
        for name, child in list(waiting.items()):
            if child.poll() is not None:
                print(f"✗ {name} 시작 실패 · did not start", file=sys.stderr, flush=True)
                return False
            if _answers(ports[name]):
                del waiting[name]
        time.sleep(0.05)
    if waiting and not stopping:
        print(f"✗ 응답 없음 · no answer: {', '.join(waiting)}", file=sys.stderr, flush=True)
    return not waiting


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def _stop(children: list[Forked]) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_S
    for child in children:
        try:
            child.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _tls_folder(settings: Settings) -> Path:
    return settings.data / "tls"


def _tell(settings: Settings, over_tls: Trial | None, *, quiet: bool) -> None:
    names = {
        "center": "인증센터 · center",
        "vault": "인증서 보관함 · vault",
        "console": "운영자 · console",
        "ca": "인증기관 · CA",
        "va": "상태조회 · OCSP/CRL",
        "relay": "복사 중계 · copy relay",
        "sandbox": "바깥세상 · sandbox",
        "finance_cloud": "금융인증서 클라우드 · finance certificate cloud",
    }
    demo = settings.data / "sandbox" / "demo.json"
    if not quiet and demo.exists():
        told = demo_table.lines(json.loads(demo.read_text(encoding="utf-8")), Path.cwd())
        working = json.loads(demo_operators.file_of(settings).read_text(encoding="utf-8"))["operators"]
        print("\n" + "\n".join(f"  {line}".rstrip() for line in (*told, "", *demo_table.operators(working))))
    print()
    for process, name in names.items():
        print(f"  {_origin(settings, over_tls, process)}   {name}")
    if over_tls is not None:
        made = tls.prepare(_tls_folder(settings), over_tls.host, datetime.now(UTC))
        print("\n" + "\n".join(f"  {line}" for line in trial.lines(over_tls, made)))
    print("\n  Ctrl-C 로 모두 멈춥니다 · stops all\n", flush=True)


def _origin(settings: Settings, over_tls: Trial | None, process: str) -> str:
    if over_tls is not None and process in FRONTED:
        return over_tls.origin(process)
    return f"http://localhost:{settings.port(process)}"


if __name__ == "__main__":
    raise SystemExit(main())
