"""Consents are given to the text that was read: all required ones, the current version, and each with its own row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.center.terms.registry import Registry
from ingam.customer.consent import ConsentMissing, ConsentOutdated, Consents, ticked
from ingam.kernel.words import say
from ingam.ports.store import Insert, Save, Stale, Store

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SIX = ("T1", "T2", "T3", "T4", "T5", "T6")


def in_store(url: str, story: Callable[[Store, Consents], Awaitable[None]], registry: Registry | None = None) -> None:
    async def go() -> None:
        store = open_store(url, OutboxSealer(bytes(32)))
        try:
            await story(store, Consents(registry or Registry.read(), store))
        finally:
            await store.close()

    asyncio.run(go())


def form(consents: Consents, *codes: str, lang: str = "ko", at: datetime = NOW) -> dict[str, str]:
    """What a browser posts that showed these documents."""
    documents = consents.documents(codes, at)
    return {f"consent_{one.code}": one.tick(lang) for one in documents} | {"csrf": "c", "name": "홍길동"}


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_each_document_leaves_version_fingerprint_time_way_and_run(store_url: str, lang: str) -> None:
    async def story(store: Store, consents: Consents) -> None:
        rows = consents.given("c1", SIX, ticked(form(consents, *SIX, lang=lang)), "issuance:c1:1", NOW)
        await store.save(Save(rows=rows))
        history = await consents.history("c1")
        assert sorted(one.code for one in history) == list(SIX)
        documents = {one.code: one for one in Registry.read().documents(SIX, NOW)}
        for one in history:
            document = documents[one.code]
            assert (one.version, one.sha256) == (document.version, document.sha256(lang))
            assert (one.at, one.channel, one.flow_id) == (NOW, "mobile-web", "issuance:c1:1")
            assert one.withdrawn_at is None
        assert await consents.history("c2") == []

    in_store(store_url, story)


def test_a_required_document_that_was_not_ticked_is_named(sqlite_url: str) -> None:
    async def story(_: Store, consents: Consents) -> None:
        said = ticked(form(consents, "T1", "T2", "T4", "T6"))
        with pytest.raises(ConsentMissing, match="documents=T3,T5"):
            consents.given("c1", SIX, said, "f", NOW)
        with pytest.raises(ConsentMissing):
            consents.given("c1", SIX, {}, "f", NOW)
        with pytest.raises(ConsentMissing, match="documents=T1"):
            consents.given("c1", ("T1",), {"T1": ""}, "f", NOW)

    in_store(sqlite_url, story)
    assert say("refusal.consent-missing") == "필수 약관에 모두 동의해 주세요."


@pytest.mark.parametrize(
    "value", ["on", "yes", "2026-11-01", "2026-11-01:" + "0" * 64, "2026-10-01:{hash}", "{hash}", "{other}"]
)
def test_a_tick_that_names_another_text_is_no_consent(sqlite_url: str, value: str) -> None:
    async def story(_: Store, consents: Consents) -> None:
        one, other = Registry.read().documents(("T1", "T2"), NOW)
        said = {"T1": value.format(hash=one.sha256("ko"), other=other.tick("ko"))}
        with pytest.raises(ConsentOutdated, match="documents=T1"):
            consents.given("c1", ("T1",), said, "f", NOW)

    in_store(sqlite_url, story)


def test_a_page_left_open_over_the_day_of_a_new_version_is_read_again(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "terms" / "T1"
    folder.mkdir(parents=True)
    for version in ("2026-11-01", "2026-11-23"):
        (folder / f"{version}.ko.md").write_text(f"# 약관\n\n{version}\n", encoding="utf-8")

    async def story(_: Store, consents: Consents) -> None:
        said = ticked(form(consents, "T1"))
        midnight = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
        assert consents.given("c1", ("T1",), said, "f", midnight - timedelta(seconds=1))
        with pytest.raises(ConsentOutdated):
            consents.given("c1", ("T1",), said, "f", midnight)

    in_store(sqlite_url, story, Registry.read(tmp_path / "terms"))


def test_an_optional_document_may_be_left_out_and_others_on_the_form_are_not_looked_at(
    sqlite_url: str, tmp_path: Path
) -> None:
    (tmp_path / "terms").mkdir()
    (tmp_path / "terms" / "terms.toml").write_text("[T7]\nrequired = false\n", encoding="utf-8")
    (tmp_path / "terms" / "T7").mkdir()
    (tmp_path / "terms" / "T7" / "2026-01-01.ko.md").write_text("# 동의\n\n글\n", encoding="utf-8")

    async def story(_: Store, consents: Consents) -> None:
        said = ticked(form(consents, "T1")) | {"T9": "anything", "T99": "x"}
        rows = consents.given("c1", ("T1", "T7"), said, "f", NOW)
        assert [row.values["code"] for row in rows if isinstance(row, Insert)] == ["T1"]

    in_store(sqlite_url, story, Registry.read(tmp_path / "terms"))


def test_a_consent_is_withdrawn_once_and_stays_in_the_history(store_url: str) -> None:
    async def story(store: Store, consents: Consents) -> None:
        await store.save(Save(rows=consents.given("c1", ("T3",), ticked(form(consents, "T3")), None, NOW)))
        (given,) = await consents.history("c1")
        later = NOW + timedelta(days=30)
        await store.save(Save(rows=[consents.withdrawn(given, later)]))
        (ended,) = await consents.history("c1")
        assert ended.withdrawn_at == later and ended.at == NOW
        with pytest.raises(Stale):
            await store.save(Save(rows=[consents.withdrawn(given, later)]))

    in_store(store_url, story)


def test_the_newest_consent_stands_first(sqlite_url: str) -> None:
    async def story(store: Store, consents: Consents) -> None:
        for day in range(3):
            at = NOW + timedelta(days=day)
            await store.save(Save(rows=consents.given("c1", ("T8",), ticked(form(consents, "T8")), None, at)))
        history = await consents.history("c1", limit=2)
        assert [one.at for one in history] == [NOW + timedelta(days=2), NOW + timedelta(days=1)]

    in_store(sqlite_url, story)
