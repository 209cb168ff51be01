"""The auditor over a real database, with a witness outside: what is signed, what is noticed, what gets no signature."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.store.tampering import Tamper

from ingam.adapters.audit.key import open_key
from ingam.adapters.audit.nodes import FileNodes
from ingam.adapters.audit.sizes import FileSizes
from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.store.audit_tables import open_tables
from ingam.ca.log.witness import FileWitness
from ingam.kernel.errors import Failure
from ingam.page import set_up_log
from ingam.ports.store import Audit, Save
from ingam.protocols.audit.chain import Relinked
from ingam.protocols.log import head
from ingam.run.auditor import AuditCut, AuditForked, Auditor, Round, tell_alarms
from ingam.run.witness import file_witness

NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)
ORIGIN = "audit.example/center"
SEALER = OutboxSealer(bytes(32))


class Stopped:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


class Ground:
    """A database, an auditor's folder, and a witness's elsewhere."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.tamper = url, folder, Tamper(url)
        self.key = open_key(folder / "auditor" / "keys" / "checkpoint.key")
        logs = {ORIGIN: [self.key.log_key(ORIGIN)]}
        self.witness: FileWitness = file_witness("witness.example/1", folder / "witness", logs, Stopped())

    def lines(self, number: int) -> None:
        async def write() -> None:
            store = open_store(self.url, SEALER)
            audit = [Audit(NOW, "registration.identify", "ok", "p", "s", "a", {"n": n}) for n in range(number)]
            await store.save(Save(audit=audit))
            await store.close()

        asyncio.run(write())

    def round(self, now: datetime = NOW, *, memory: str = "auditor", **other: Any) -> Round:
        async def go() -> Round:
            tables = open_tables(self.url)
            auditor = Auditor(
                tables, FileNodes(self.folder / memory / "tree"), self.key, ORIGIN,
                self.folder / memory / "published", [self.witness], **{"needed": 1, **other},
            )  # fmt: skip
            try:
                return await auditor.round(now, whole=True)
            finally:
                tell_alarms(auditor)
                await tables.close()

        return asyncio.run(go())


@pytest.fixture
def ground(store_url: str, tmp_path: Path) -> Iterator[Ground]:
    yield Ground(store_url, tmp_path)


@pytest.fixture
def small(sqlite_url: str, tmp_path: Path) -> Iterator[Ground]:
    yield Ground(sqlite_url, tmp_path)


def test_G6_a_checkpoint_is_signed_cosigned_and_published(ground: Ground) -> None:
    ground.lines(300)
    done = ground.round()
    text = (ground.folder / "auditor" / "published" / "checkpoint").read_text(encoding="utf-8")
    told = head.verify(head.parse(text), [ground.key.log_key(ORIGIN)], [ground.witness.key])
    assert (told.size, told.root) == (300, done.head.root)
    ground.lines(5)
    assert ground.round(NOW + timedelta(seconds=60)).head.size == 305


def test_G6_the_key_is_its_owners_only(small: Ground) -> None:
    path = small.folder / "auditor" / "keys" / "checkpoint.key"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_G6_one_changed_entry_gets_no_further_checkpoint(ground: Ground) -> None:
    ground.lines(10)
    ground.round()
    ground.tamper('UPDATE "audit_chain" SET "at" = "at" + 1 WHERE "seq" = 4')
    ground.lines(1)
    with pytest.raises(Relinked) as changed:
        ground.round()
    assert changed.value.facts == {"seq": 4}
    assert ground.witness.seen(ORIGIN) is not None and ground.witness.seen(ORIGIN).size == 10  # type: ignore[union-attr]


def test_G6_one_removed_tail_is_noticed(ground: Ground) -> None:
    ground.lines(10)
    ground.round()
    ground.tamper('DELETE FROM "audit_chain" WHERE "seq" > 8')
    with pytest.raises(AuditCut) as cut:
        ground.round()
    assert cut.value.facts == {"seq": 9}


def test_G6_a_chain_made_anew_after_a_cut_is_a_fork(small: Ground) -> None:
    small.lines(10)
    small.round()
    small.tamper('DELETE FROM "audit_chain" WHERE "seq" > 8')
    small.tamper('DELETE FROM "audit" WHERE "seq" > 8')
    small.tamper('DELETE FROM "audit_key" WHERE "seq" > 8')
    small.lines(4)
    with pytest.raises(AuditForked) as forked:
        small.round()
    assert forked.value.facts == {"seq": 9}


def test_G6_an_auditor_that_forgot_everything_is_held_by_the_witness(small: Ground) -> None:
    """Whoever holds database, auditor and key can make a chain anew, and the witness does not sign it."""
    small.lines(10)
    small.round()
    for table in ("audit_chain", "audit", "audit_key"):
        small.tamper(f'DELETE FROM "{table}"')
    small.lines(12)
    with pytest.raises(Failure) as refused:
        small.round(memory="another")
    assert refused.value.code == "log-witnesses-away"
    assert small.witness.seen(ORIGIN).size == 10  # type: ignore[union-attr]


def test_G5_bodies_go_on_their_date_and_checkpoints_go_on(small: Ground) -> None:
    small.lines(3)
    small.round()
    assert small.round(NOW + timedelta(days=6 * 365)).deleted == 3
    assert small.tamper.rows("audit") == [] and len(small.tamper.rows("audit_chain")) == 3
    small.lines(1)
    assert small.round(NOW + timedelta(days=6 * 365)).head.size == 4


def test_a_stop_between_seeing_and_signing_is_made_good(small: Ground) -> None:
    small.lines(5)
    nodes = FileNodes(small.folder / "auditor" / "tree")
    small.round()
    (small.folder / "auditor" / "tree" / "head").unlink()
    small.lines(1)
    assert small.round(NOW + timedelta(seconds=1)).head.size == 6
    assert nodes.size() == 6


def forgets(small: Ground) -> None:
    """Somebody wipes the witness's memory."""
    for path in (small.folder / "witness" / "heads").glob("*.head"):
        path.unlink()


def memory(small: Ground) -> FileSizes:
    return FileSizes(small.folder / "auditor" / "witnesses")


def test_G6_a_witness_that_forgot_is_an_alarm_every_round_also_after_a_start_anew(
    small: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_log()  # as its process does; another test may have sent the log elsewhere
    small.lines(10)
    small.round(known=memory(small))
    forgets(small)
    small.lines(1)
    for minutes in (5, 10):
        small.round(NOW + timedelta(minutes=minutes), needed=0, known=memory(small))  # each as a new process
        told = capsys.readouterr().out
        assert "audit.alarm" in told and "log-witness-forgot" in told and "witness.example/1" in told
    assert small.witness.seen(ORIGIN) is None


def test_a_witness_that_was_looked_at_is_fed_again_when_told_so(small: Ground) -> None:
    small.lines(10)
    small.round(known=memory(small))
    forgets(small)
    small.lines(1)
    with pytest.raises(Failure):
        small.round(known=memory(small))
    memory(small)["witness.example/1"] = 0
    small.round(known=memory(small))
    assert memory(small) == {"witness.example/1": 11}


def test_a_memory_of_witnesses_that_cannot_be_read_is_not_an_empty_one(small: Ground) -> None:
    (small.folder / "auditor").mkdir(exist_ok=True)
    for wrong in (b"", b"[]", b'{"a": "b"}', b"\xff"):
        (small.folder / "auditor" / "witnesses").write_bytes(wrong)
        with pytest.raises(Failure) as refused:
            memory(small)
        assert refused.value.code == "audit-file-unreadable"
