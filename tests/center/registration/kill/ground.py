"""What all cases share (sandbox, PostgreSQL, prepared databases), and one case: a center, a phone, a person."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import httpx2
from tests import postgres
from tests.center.registration.kill.database import Database, Tables, copied
from tests.center.registration.kill.nursery import ROOT, Center, Nursery
from tests.center.registration.kill.person import CODE, HONG, Person, until
from tests.journeys.world import free_ports

from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store.migrate import migrate
from ingam.run import sandbox
from ingam.run.cli.customer_desk import opened, parse
from ingam.settings import read

STORES = ("sqlite", "postgresql")
OLD, NEW, THIRD, OTHERS = "securities", "universal-signkorea", "near-expiry", "somebody-elses"
_numbers = count(1)


@dataclass
class Ground:
    """Shared and never killed. `prepared`: (store, stage) → a database to copy; stages `enrolled` and `bound`."""

    folder: Path
    port: int
    env: dict[str, str]
    nursery: Nursery
    server: postgres.Server
    folders: dict[str, str]
    prepared: dict[tuple[str, str], str] = field(default_factory=dict)

    def case(self, store: str, stage: str = "enrolled", **limits: int) -> Case:
        """A center's data of its own, at this stage; no process yet."""
        folder = self.folder / f"case-{next(_numbers)}"
        (folder / "center").mkdir(parents=True, mode=0o700)
        shutil.copytree(self.folder / "data" / "center" / "keys", folder / "center" / "keys")
        (folder / "trust").symlink_to(self.folder / "data" / "trust")
        url = self.copy_of(self.prepared[store, stage], folder)
        chosen = {f"INGAM_LIMIT_{name.upper()}": str(number) for name, number in limits.items()}
        env = {**self.env, "INGAM_DATA": str(folder), "INGAM_STORE": url, **chosen}
        database = Database(url, open_keys(folder / "center" / "keys" / "center.keys").outbox)
        return Case(self, folder, database, env, self.newest())

    def copy_of(self, prepared: str, folder: Path) -> str:
        """A database of one's own."""
        if prepared.startswith("sqlite:///"):
            path = folder / "center" / "center.db"
            copied(Path(prepared.removeprefix("sqlite:///")), path)
            return f"sqlite:///{path}"
        name = f"case{next(_numbers)}"
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {prepared}")
        return self.server.url(name)

    def inbox(self) -> list[dict[str, Any]]:
        """Hong's telephone, newest first."""
        with urlopen(f"http://localhost:{self.port + 6}/phone/{HONG.mobile}.json", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found

    def newest(self) -> int:
        """The id of the newest message on anybody's telephone: cases before this one wrote to others than Hong too."""
        with closing(self._phone()) as phone:
            return int(phone.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()[0])

    def switch(self, kind: str, position: str) -> None:
        """Turn a switch of the sandbox."""
        origin = f"http://localhost:{self.port + 6}"
        body = json.dumps({"kind": kind, "name": "", "position": position}).encode()
        urlopen(Request(f"{origin}/switches", body, {"content-type": "application/json", "origin": origin})).close()

    def references(self, since: int) -> list[str]:
        """The references of all messages on the phone after one: which message of which outbox each of them is."""
        with closing(self._phone()) as phone:
            return [row[0] for row in phone.execute("SELECT reference FROM message WHERE id > ?", (since,))]

    def _phone(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "data" / "sandbox" / "phone.db")


@dataclass
class Case:
    """One center's life and deaths. `since`: the newest message on the phone before it."""

    ground: Ground
    folder: Path
    database: Database
    env: dict[str, str]
    since: int
    center: Center | None = None
    before: Tables | None = None
    people: list[Person] = field(default_factory=list)

    def start(self, kill_at: str | None = None) -> None:
        """Start it on its data, armed or not."""
        assert self.center is None
        env = {**self.env, "INGAM_KILL_AT": kill_at or ""}
        self.center = self.ground.nursery.start(env, self.ground.port, self.folder / "center.log")

    def restart(self, kill_at: str | None) -> None:
        """Stop it where it still runs, and start it anew."""
        self.end()
        self.start(kill_at)

    def died(self) -> int:
        """How it ended: waits for it."""
        assert self.center is not None
        ended, self.center = self.center.ended(), None
        return ended

    def stop(self) -> None:
        """The case is over."""
        self.database.close()
        for one in self.people:
            one.client.close()
        self.end()

    def end(self) -> None:
        """The process ends as an operator ends it, if it is there."""
        if self.center is not None:
            self.center.stop()
            self.center = None

    def person(self) -> Person:
        """Hong at a browser of his own."""
        origin = f"http://localhost:{self.ground.port}"
        client = httpx2.Client(base_url=origin, timeout=60, verify=False, headers={"Accept-Language": "ko"})
        self.people.append(Person(origin, self.ground.folders, self.newest_code, self.look, client))
        return self.people[-1]

    def second_tab(self, one: Person) -> Person:
        """Another tab of the same browser: the same cookies."""
        other = self.person()
        # The jar itself: a client that is given cookies takes a copy of them, and later ones stay with the other.
        other.client.cookies.jar = one.client.cookies.jar
        return other

    def look(self) -> None:
        """Remember what lies in the database now: what a step adds is measured against it."""
        self.before = self.database.read()

    def now(self) -> Tables:
        """What lies in the database."""
        return self.database.read()

    def texts(self) -> list[str]:
        """What Hong received in this case, newest first."""
        return [str(one["text"]) for one in self.ground.inbox() if int(one["id"]) > self.since]

    def delivered(self) -> None:
        """Every message has left; a dead process's lease runs out first."""
        self.database.leases_ran_out()
        until(lambda: not self.database.waiting(), "messages leave")

    def newest_code(self) -> str:
        """The code of the newest message that has one."""
        self.delivered()
        found = [match[1] for text in self.texts() if (match := CODE.search(text)) is not None]
        return found[0] if found else "000000"


@contextmanager
def made(folder: Path, server: postgres.Server) -> Iterator[Ground]:
    """The shared part, from nothing."""
    port = free_ports(9)
    env = {
        "INGAM_PORT": str(port),
        "INGAM_DATA": str(folder / "data"),
        "INGAM_DEMO": str(folder / "demo"),
        "INGAM_MODE": "test",
        "INGAM_SANDBOX_KEYS": str(ROOT / "vectors" / "keys"),
        "INGAM_CHEAP_PASSWORDS": "1",
        "INGAM_LIMIT_SMS_GAP_S": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    saved = os.environ.get("INGAM_SANDBOX_KEYS")
    os.environ["INGAM_SANDBOX_KEYS"] = env["INGAM_SANDBOX_KEYS"]
    try:
        addresses = sandbox.prepare(read(env), lambda _: None, folder / "demo")
    finally:
        os.environ.pop("INGAM_SANDBOX_KEYS") if saved is None else os.environ.update(INGAM_SANDBOX_KEYS=saved)
    env["INGAM_ADDRESSES"] = ",".join(f"{name}={base}" for name, base in addresses.items())
    demo = json.loads((folder / "data" / "sandbox" / "demo.json").read_text(encoding="utf-8"))
    folders = {one["slug"]: one["folder"] for one in demo["certificates"]}
    with _sandbox(env, folder / "sandbox.log"), Nursery() as nursery:
        ground = Ground(folder, port, env, nursery, server, folders)
        _enrol(ground)
        yield ground


@contextmanager
def _sandbox(env: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        command = [sys.executable, "-m", "ingam.run.sandbox"]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, stdout=out, stderr=out)
    try:
        _listening(int(env["INGAM_PORT"]) + 6, process, log)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        try:
            urlopen(f"http://localhost:{port}/healthz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(log.read_text(errors="replace")[-2000:])


def _enrol(ground: Ground) -> None:
    """A database of each kind with the demo's customers, made once for all cases."""
    people = parse((ground.folder / "data" / "sandbox" / "people.json").read_bytes())
    ground.server.execute("CREATE DATABASE enrolled")
    urls = {"sqlite": f"sqlite:///{ground.folder / 'data' / 'center' / 'center.db'}"}
    urls["postgresql"] = ground.server.url("enrolled")

    async def enrol(url: str) -> None:
        async with opened(read({**ground.env, "INGAM_STORE": url})) as desk:
            await desk.enrol(people)

    for store, url in urls.items():
        migrate(url)
        asyncio.run(enrol(url))
        ground.prepared[store, "enrolled"] = url if store == "sqlite" else "enrolled"


def keep_as(case: Case, store: str, stage: str) -> None:
    """What this case came to is the stage from which others begin."""
    name = case.database.url.partition("@/")[2].partition("?")[0]
    case.ground.prepared[store, stage] = case.database.url if store == "sqlite" else name
