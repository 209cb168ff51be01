"""Importing registrations into a real database, batch by batch: what is taken, what is refused, and after a kill."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.clocks import SetClock
from tests.npki import certs

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.hsm.file import CenterKeys, open_keys
from ingam.adapters.registrations import digest, open_source
from ingam.adapters.store import open_store
from ingam.adapters.store.addresses import sqlite_path
from ingam.adapters.store.import_tables import AT_A_STEP, BY_INDEX, QUESTIONS, Tables, open_import
from ingam.customer.binding.bindings import Bindings, Place
from ingam.customer.importing.deciding import Decider
from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.npki.chain import Anchors
from ingam.ports.customers import Customer, CustomerKind, NewCustomer
from ingam.ports.importing import Batch, Known, Run
from ingam.ports.store import Insert, Row, Save, Stale, Store, Update
from ingam.run.importing import Importing, Report, TableHolders

NOW = certs.NOW
SECURITIES = "1.2.410.200004.5.1.1.9"
HEADING = "banking_id,certificate,fingerprint,policy,not_after,issuer,subject,serial"
PEOPLE = (
    Customer("c-hong", CustomerKind.PERSONAL, "hong1234", "홍길동", Secret("7510052123456"), "01085131234"),
    Customer("c-kim", CustomerKind.PERSONAL, "kimsec77", "김철수", Secret("8003031234567"), "01085135678"),
    Customer("c-lee", CustomerKind.PERSONAL, "leelee11", "이영희", Secret("8103031234567"), "01085135679"),
    Customer("c-firm", CustomerKind.CORPORATE, "firm2026", "(주)조합", Secret("1298520172"), "01085139999"),
    replace(
        Customer("c-gone", CustomerKind.PERSONAL, "gonegone", "박나감", Secret("8203031234567"), "01085135670"),
        status="CLOSED",
    ),
)
HONGS = certs.person().certificate
ISSUER, SUBJECT = "cn=SignKorea Test CA4,ou=AccreditedCA,o=SignKorea,c=KR", "cn=김철수,o=SignKorea,c=KR"


class Killed(BaseException):
    """The process ends here."""


@dataclass
class World:
    """A database with people, and a folder for files."""

    store: Store
    tables: Tables
    keys: CenterKeys
    bindings: Bindings
    folder: Path
    clock: SetClock

    def file(self, *rows: str, heading: str = HEADING) -> Path:
        path = self.folder / "registrations.csv"
        path.write_text("\n".join((heading, *rows)) + "\n", encoding="utf-8")
        return path

    async def run(self, path: Path, *, size: int = 2, dry: bool = False, tables: Any = None) -> Run:
        """As the command does: from where the file's run is."""
        run_id = digest(path)
        begun = await self.tables.run(run_id) or Run(run_id, self.clock.now())
        anchors = Anchors([certs.root().certificate], [certs.ca().certificate])
        decider = Decider(self.keys.digests, anchors, NOW)
        with (
            closing(open_source(path)) as source,
            Report(self.report, begun.report_bytes, lambda why: why.code) as report,
        ):
            holders = TableHolders(self.tables, self.keys.fields)
            told = lambda run, part: None  # noqa: E731
            importing = Importing(tables or self.tables, holders, decider, self.clock, report, told, dry, "registrar")
            return await importing.through(source, begun, size)

    @property
    def report(self) -> Path:
        return self.folder / "refused.csv"

    @property
    def refused(self) -> list[tuple[str, str]]:
        """Row and code of every line."""
        with self.report.open(encoding="utf-8") as file:
            return [(row["row"], row["code"]) for row in csv.DictReader(file)]


def told(url: str, folder: Path, story: Callable[[World], Awaitable[None]]) -> None:
    async def walk() -> None:
        keys, clock, passwords = open_keys(folder / "center.keys"), SetClock(NOW), Passwords(cheap=True)
        store, tables = open_store(url, keys.outbox), open_import(url, keys.outbox)
        customers = TableCustomers(
            store, keys.fields, keys.digests, InMemoryBlindIndex(Secret(bytes(32)), clock), passwords, clock
        )
        for person in PEOPLE:
            await customers.enrol(NewCustomer(person, Secret("password")))
        bindings = Bindings(store, keys.digests, CustomerFields(store, keys.fields))
        try:
            await story(World(store, tables, keys, bindings, folder, clock))
        finally:
            passwords.close()
            await tables.close()
            await store.close()

    asyncio.run(walk())


def base64_of(octets: bytes) -> str:
    import base64

    return base64.b64encode(octets).decode()


HONG_ROW = f"hong1234,{base64_of(HONGS.der)},,,,,,"
KIM_ROW = f'kimsec77,,,,,"{ISSUER}","{SUBJECT}",85223'
LEE_ROW = f"leelee11,,{'ab' * 32},{SECURITIES},2027-04-17,,,"


def test_a_certificate_a_fingerprint_and_names_become_two_bindings_and_a_claim(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        over = await world.run(world.file(HONG_ROW, KIM_ROW, LEE_ROW))
        assert (over.at_row, over.bound, over.claimed, over.there, over.refused) == (3, 2, 1, 0, 0)
        assert over.finished_at is not None and world.refused == []
        hong = await world.bindings.active(Place("c-hong"))
        assert hong is not None and hong.complete and hong.fingerprint == HONGS.fingerprint.hex()
        details = await world.bindings.details(hong)
        assert (details.certificate, details.imported, details.serial) == (HONGS.der, True, "85221")
        assert [one.binding_id for one in await world.bindings.of_same_name(HONGS)] == [hong.binding_id]
        lee = await world.bindings.active(Place("c-lee"))
        assert lee is not None and not lee.complete
        assert (await world.bindings.details(lee)).certificate == b""
        assert await world.bindings.active(Place("c-kim")) is None
        assert await world.bindings.claimed(certs.somebody_else().certificate)
        assert not await world.bindings.claimed(HONGS)

    told(store_url, tmp_path, story)


def test_every_refused_row_is_told_with_its_code_and_nothing_of_a_person(sqlite_url: str, tmp_path: Path) -> None:
    expired = certs.person_der(not_after=NOW.replace(year=2026, month=10), serial=9)
    forged = certs.person_der(signer=certs.key("rsa2048-05"), serial=10)
    foreign = certs.person_der(put={"policy": certs.policy("1.2.410.200004.5.1.1.99")}, serial=11)
    rows = {
        "nobody99,,,,,,,": "import-nothing-known",
        LEE_ROW.replace("leelee11", "nobody99"): "import-unknown-customer",
        LEE_ROW.replace("leelee11", "gonegone"): "import-customer-closed",
        LEE_ROW.replace("leelee11", "firm2026"): "kind-clash",
        f"hong1234,{base64_of(expired)},,,,,,": "cert-expired",
        f"hong1234,{base64_of(forged)},,,,,,": "cert-signature-invalid",
        f"hong1234,{base64_of(foreign)},,,,,,": "policy-not-accepted",
        f"kimsec77,{base64_of(HONGS.der)},,,,,,": "import-other-name",
        f"hong1234,{base64_of(b'0' + HONGS.der)},,,,,,": "cert-malformed",
        "hong1234,%%%,,,,,,": "import-form",
        LEE_ROW.replace("ab" * 32, "ab"): "import-form",
        LEE_ROW.replace("2027-04-17", "17.4.2027"): "import-form",
        LEE_ROW.replace("2027-04-17", "2026-04-17"): "cert-expired",
        'kimsec77,,,,,"cn=x",kim,85': "import-form",
        "hong1234,": "import-columns",
    }

    async def story(world: World) -> None:
        over = await world.run(world.file(*rows), size=4)
        assert (over.bound, over.claimed, over.refused) == (0, 0, len(rows))
        assert world.refused == [(str(number), code) for number, code in enumerate(rows.values(), 1)]
        text = world.report.read_text(encoding="utf-8")
        assert not [secret for secret in ("hong1234", "홍길동", "nobody99") if secret in text]
        assert world.report.stat().st_mode & 0o077 == 0

    told(sqlite_url, tmp_path, story)


def test_nobody_is_registered_twice_and_no_certificate_for_two(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        other = LEE_ROW.replace("ab" * 32, "cd" * 32)
        rows = (HONG_ROW, HONG_ROW, LEE_ROW, LEE_ROW.replace("leelee11", "kimsec77"), other, LEE_ROW)
        over = await world.run(world.file(*rows), size=2)
        assert (over.bound, over.there, over.refused) == (2, 2, 2)
        assert world.refused == [("4", "import-of-other"), ("5", "import-has-binding")]
        again = await world.run(world.file(*rows, "", HONG_ROW), size=100)  # another file with the same rows
        assert (again.bound, again.there, again.refused) == (0, 5, 2)
        assert len(await world.store.many("binding", {})) == 2

    told(store_url, tmp_path, story)


def test_what_was_released_here_is_not_brought_back_by_a_file(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.run(world.file(HONG_ROW))
        hong = await world.bindings.active(Place("c-hong"))
        assert hong is not None
        over: Row = {"status": "RELEASED", "ended_at": NOW}
        await world.store.save(Save(rows=[Update("binding", {"binding_id": hong.binding_id}, over)]))
        again = await world.run(world.file(HONG_ROW, ""), size=2)
        assert again.bound == 0 and await world.bindings.active(Place("c-hong")) is None

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("before_commit", [True, False])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_killed_import_goes_on_and_ends_as_one_that_was_not(
    store_url: str, tmp_path: Path, batch: int, before_commit: bool
) -> None:
    class Dying:
        """The database's tables, of a process that dies at a batch."""

        def __init__(self, world: World) -> None:
            self.world, self.left = world, batch

        def __getattr__(self, name: str) -> Any:
            return getattr(self.world.tables, name)

        async def save(self, batch: Batch) -> bool:
            self.left -= 1
            if not self.left and before_commit:
                raise Killed
            saved = await self.world.tables.save(batch)
            if not self.left:
                raise Killed
            return saved

    async def story(world: World) -> None:
        wrong = "nobody99,,,,,,,"
        path = world.file(wrong, HONG_ROW, KIM_ROW, wrong, LEE_ROW, wrong)
        with pytest.raises(Killed):
            await world.run(path, tables=Dying(world))
        over = await world.run(path)
        assert (over.at_row, over.bound, over.claimed, over.there, over.refused) == (6, 2, 1, 0, 3)
        assert [row for row, _ in world.refused] == ["1", "4", "6"]
        lines = await world.store.many("audit", {"action": "binding.import"}, order="seq")
        assert [str(one["result"]) for one in lines] == ["done", "done", "done", "finished"]
        facts = [json.loads(str(one["facts"])) for one in lines]
        assert {one["account"] for one in facts} == {"registrar"}
        assert sum("import-nothing-known:1" in one["codes"] for one in facts) == 3 and facts[-1]["codes"] == ""

    told(store_url, tmp_path, story)


def test_a_dry_run_says_the_same_and_writes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        path = world.file(HONG_ROW, HONG_ROW, KIM_ROW, LEE_ROW, LEE_ROW.replace("leelee11", "kimsec77"), "x,")
        dry = await world.run(path, dry=True)
        assert await world.tables.run(digest(path)) is None
        assert await world.store.many("binding", {}) == [] == await world.store.many("binding_claim", {})
        said = world.refused
        done = await world.run(path)
        assert (dry.bound, dry.claimed, dry.there, dry.refused) == (done.bound, done.claimed, done.there, done.refused)
        assert world.refused == said == [("5", "import-of-other"), ("6", "import-columns")]

    told(sqlite_url, tmp_path, story)


def test_two_imports_of_one_file_do_not_write_side_by_side(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        run = Run("ab" * 32, NOW)
        assert await world.tables.save(Batch((), (), replace(run, at_row=5), 0))
        with pytest.raises(Stale):
            await world.tables.save(Batch((), (), replace(run, at_row=2), 0))
        assert await world.tables.run(run.run_id) == replace(run, at_row=5)

    told(store_url, tmp_path, story)


def test_a_place_that_is_taken_meanwhile_undoes_the_batch(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.run(world.file(HONG_ROW))
        (row,) = await world.store.many("binding", {})
        once_more: Row = {name: value for name, value in row.items() if name != "slot"} | {"binding_id": "other"}
        claim: Row = {"claim_key": "k", "customer_id": "c-kim", "at": NOW, "ended_at": None}
        assert not await world.tables.save(Batch([once_more], [claim], Run("ef" * 32, NOW), 0))
        assert await world.store.many("binding_claim", {}) == []
        assert await world.tables.run("ef" * 32) is None

    told(store_url, tmp_path, story)


def test_no_question_of_an_import_reads_a_whole_table(store_url: str) -> None:
    """A batch of a million rows costs no more than the first: `SCAN` and `Seq Scan` grow with what is there."""

    async def plans() -> list[str]:
        asked = [f"EXPLAIN {sql} = ANY($1)" for sql in QUESTIONS]
        connection = await asyncpg.connect(store_url, server_settings=dict(BY_INDEX))
        try:
            return [str(row[0]) for sql in asked for row in await connection.fetch(sql, ["a", "b"])]
        finally:
            await connection.close()

    if (path := sqlite_path(store_url)) is None:
        found = asyncio.run(plans())
    else:
        with closing(sqlite3.connect(path)) as database:
            asked = [f"EXPLAIN QUERY PLAN {sql} IN (?, ?)" for sql in QUESTIONS]
            found = [str(row[3]) for sql in asked for row in database.execute(sql, ("a", "b"))]
    assert len(found) >= len(QUESTIONS) and not [plan for plan in found if "SCAN" in plan or "Seq Scan" in plan]


class Late:
    """The database's tables; the first batch is written when the next one was looked up: `before` it is, and then."""

    def __init__(self, world: World, before: Callable[[], Awaitable[object]] | None = None) -> None:
        self.world, self.before = world, before
        self.asked, self.next_asked = 0, asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world.tables, name)

    async def claims(self, customer_ids: Collection[str], keys: Collection[str]) -> Sequence[Known]:
        found = await self.world.tables.claims(customer_ids, keys)
        self.asked += 1
        if self.asked == 2:
            self.next_asked.set()
        return found

    async def save(self, batch: Batch) -> bool:
        await self.next_asked.wait()
        if self.before is not None:
            before, self.before = self.before, None
            await before()
        return await self.world.tables.save(batch)


OTHER_LEE = LEE_ROW.replace("ab" * 32, "cd" * 32)


def test_a_batch_knows_what_the_one_takes_that_is_written_meanwhile(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        rows = (LEE_ROW, OTHER_LEE, LEE_ROW.replace("leelee11", "kimsec77"), LEE_ROW)
        over = await world.run(world.file(*rows), size=1, tables=Late(world))
        assert (over.bound, over.there, over.refused) == (1, 1, 2)
        assert world.refused == [("2", "import-has-binding"), ("3", "import-of-other")]

    told(store_url, tmp_path, story)


def test_a_batch_that_loses_its_place_meanwhile_lets_the_next_one_be_decided_anew(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        taken: Row = {
            "binding_id": "first", "customer_id": "c-kim", "fingerprint": "ab" * 32, "name_key": "", "details": b"-",
            "policy_oid": SECURITIES, "not_after": NOW, "status": "ACTIVE", "bound_at": NOW, "ended_at": None,
        }  # fmt: skip
        late = Late(world, lambda: world.store.save(Save(rows=[Insert("binding", taken)])))
        over = await world.run(world.file(LEE_ROW, OTHER_LEE), size=1, tables=late)
        assert (over.bound, over.refused) == (1, 1) and world.refused == [("1", "import-of-other")]
        lee = await world.bindings.active(Place("c-lee"))
        assert lee is not None and lee.fingerprint == "cd" * 32

    told(store_url, tmp_path, story)


def test_two_questions_at_once_wait_for_each_other(store_url: str, tmp_path: Path) -> None:
    """Of a batch that is decided anew, and of the next one."""

    async def story(world: World) -> None:
        await world.run(world.file(LEE_ROW, KIM_ROW))
        bound, claimed = world.tables.bindings({"c-lee"}, set()), world.tables.claims({"c-kim"}, set())
        found = await asyncio.gather(bound, claimed, world.tables.customers({"hong1234"}))
        assert [len(one) for one in found] == [1, 1, 1]

    told(store_url, tmp_path, story)


def test_an_import_that_is_stopped_ends_the_batch_that_it_writes(store_url: str, tmp_path: Path) -> None:
    class Slow:
        """The database's tables; a batch is written when `go` says so."""

        def __init__(self, world: World) -> None:
            self.world, self.begun, self.go = world, asyncio.Event(), asyncio.Event()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.world.tables, name)

        async def save(self, batch: Batch) -> bool:
            self.begun.set()
            await self.go.wait()
            return await self.world.tables.save(batch)

    async def story(world: World) -> None:
        path, slow = world.file(HONG_ROW, LEE_ROW, KIM_ROW), Slow(world)
        importing = asyncio.ensure_future(world.run(path, size=1, tables=slow))
        await slow.begun.wait()
        importing.cancel()
        slow.go.set()
        with pytest.raises(asyncio.CancelledError):
            await importing
        stands = await world.tables.run(digest(path))
        assert stands is not None and (stands.at_row, stands.bound) == (1, 1)
        assert (await world.run(path)).bound == 2

    told(store_url, tmp_path, story)


def test_a_batch_of_many_rows_comes_in_whole(store_url: str, tmp_path: Path) -> None:
    """More rows than one statement carries, and as many that are not its multiple."""

    async def story(world: World) -> None:
        count = AT_A_STEP * 2 + 7
        claims: list[Row] = [
            {"claim_key": f"k{n}", "customer_id": f"c{n}", "at": NOW, "ended_at": None} for n in range(count)
        ]
        assert await world.tables.save(Batch([], claims, Run("ef" * 32, NOW), 0))
        assert len(await world.store.many("binding_claim", {}, limit=count + 1)) == count
        claims[-1] = {**claims[-1], "claim_key": "k0"}
        more = [*({**one, "claim_key": f"m{n}"} for n, one in enumerate(claims[:-1])), claims[-1]]
        assert not await world.tables.save(Batch([], more, Run("ef" * 32, NOW), 0))
        assert len(await world.store.many("binding_claim", {}, limit=2 * count)) == count

    told(store_url, tmp_path, story)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"name,certificate\n", "columns"),
        (b"banking_id,banking_id\n", "columns"),
        (b"", "columns"),
        (b"banking_id,certificate\n\xff\xfe,x\n", "UnicodeDecodeError"),
        (b'banking_id,certificate\nhong1234,"' + b"x" * 200_000 + b'"\n', "Error"),
    ],
)
def test_a_file_that_is_not_one_of_registrations_is_refused(tmp_path: Path, octets: bytes, reason: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(octets)
    with pytest.raises(Failure) as refused, closing(open_source(path)) as source:
        list(source.batches(0, 10))
    assert (refused.value.code, refused.value.facts["reason"]) == ("import-file", reason)


def test_a_parquet_file_says_the_same_as_a_csv(sqlite_url: str, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "registrations.parquet"
    people = ["hong1234", "kimsec77", "leelee11", "nobody99"]
    table = pyarrow.table(
        {
            "banking_id": people,
            "certificate": pyarrow.array([HONGS.der, None, None, None], pyarrow.binary()),
            "fingerprint": pyarrow.array([None, None, b"\xab" * 32, None], pyarrow.binary()),
            "policy": [None, None, SECURITIES, None],
            "not_after": pyarrow.array([None, None, NOW.replace(year=2027), None], pyarrow.timestamp("us", "UTC")),
            "issuer": [None, ISSUER, None, None],
            "subject": [None, SUBJECT, None, None],
            "serial_decimal": pyarrow.array([None, 0x085223, None, None], pyarrow.int64()),
        }
    )
    parquet.write_table(table, path, row_group_size=2)

    async def story(world: World) -> None:
        over = await world.run(path, size=3)
        assert (over.bound, over.claimed, over.refused) == (2, 1, 1)
        assert world.refused == [("4", "import-nothing-known")]
        assert await world.bindings.claimed(certs.somebody_else().certificate)

    told(sqlite_url, tmp_path, story)


def test_a_parquet_file_is_read_in_pieces_however_large_its_group_of_rows_is(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "registrations.parquet"
    table = pyarrow.table({"banking_id": ["hong1234"] * 8000, "certificate": [os.urandom(4096) for _ in range(8000)]})
    parquet.write_table(table, path)
    del table
    before = pyarrow.total_allocated_bytes()
    with closing(open_source(path)) as source:
        grown = [pyarrow.total_allocated_bytes() - before for _ in source.batches(0, 100)]
    assert len(grown) == 80 and max(grown) < 16 << 20 < path.stat().st_size
