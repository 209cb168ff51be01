"""A union with several heads: each logs in with their own, and what ends one leaves the other (INGAM_UNION_HEADS)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.center.incident.test_incident import Authority as Holder
from tests.center.incident.test_incident import report, work
from tests.center.management.manager import TASK, Authority, Manager
from tests.center.registration.test_heads import FIRST_CERT, HEAD_2, NEWER_CERT, SECOND, SECOND_CERT, UNION
from tests.center.world import PASSWORD, Browser, World, told
from tests.npki.certs import Party

from ingam.adapters.certification.absent import AbsentCertification
from ingam.center.mybank.service import MyBank
from ingam.customer.binding.bindings import Bindings
from ingam.kernel.secret import Secret
from ingam.page import Bundle
from ingam.ports.customers import Customer, NewCustomer
from ingam.ports.status import Revoked, Source
from ingam.ports.store import Conflict, Save
from ingam.run import center
from ingam.run.recheck import recheck
from ingam.settings import Settings


async def union(world: World, authority: Authority | None = None) -> None:
    """Both heads' certificates are registered."""
    await world.ports.customers.enrol(NewCustomer(UNION, Secret(PASSWORD)))
    assert await world.ports.customers.add_head(UNION, SECOND) == 2
    kept = await account(world)
    second = kept.as_head(2)
    assert second is not None
    await world.bind(kept, FIRST_CERT)
    world.clock.forward(60)
    await world.bind(second, SECOND_CERT)
    ports = replace(world.ports, certification=authority)
    world.app = center.app(Settings(mode="test", center_origin=world.origin), ports, Bundle({"center.css": "c.css"}))


async def account(world: World) -> Customer:
    kept = await world.ports.customers.by_id(UNION.customer_id)
    assert kept is not None
    return kept


async def states(world: World) -> list[str]:
    rows = await world.ports.store.many("binding", {}, order="slot")
    return [f"{row['slot']!s} {row['status']!s}" for row in rows]


async def inside(browser: Browser) -> bool:
    return (await browser.get("/management/notices")).status_code == 200


async def by_certificate(world: World, holder: Party) -> Browser:
    one = world.browser()
    assert (await one.present(holder)).status_code == 303
    return one


async def as_second(world: World, authority: Authority | None = None) -> Manager:
    """After the ID login, with the second head's telephone in the hand."""
    one = Manager(world, world.browser(), who=HEAD_2, authority=authority)
    assert (await one.browser.log_in(UNION)).status_code == 303
    await one.look("/management")
    return one


async def begin(world: World, one: Manager, kind: str, slot: int, **fields: str) -> str:
    await one.look(f"/management/{kind}")
    (row,) = [row for row in await world.rows("binding") if row["slot"] == slot]
    return await one.post(f"{TASK}/begin", {"kind": kind, "binding": str(row["binding_id"]), **fields})


def test_either_heads_certificate_opens_the_account_and_session_and_audit_say_whose(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        for slot, holder in ((1, FIRST_CERT), (2, SECOND_CERT)):
            await by_certificate(world, holder)
            (row,) = [row for row in await world.rows("session") if row["slot"] == slot]
            assert row["customer_id"] == UNION.customer_id
        lines = await world.ports.store.many("audit", {"action": "login.certificate"}, order="seq")
        assert [json.loads(str(row["facts"]))["head"] for row in lines] == [1, 2]
        await world.browser().log_in(UNION)
        assert [row["slot"] for row in await world.rows("session") if row["level"] == "id"] == [None]

    told(sqlite_url, tmp_path, story, heads=2)


def test_each_head_sees_all_of_them_by_masked_names_and_may_end_their_own_alone(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world, Authority())
        second = Manager(world, await by_certificate(world, SECOND_CERT), who=HEAD_2)
        for path in ("/management", "/management/release"):
            page = await second.look(path)
            assert "이*합" in page and "김*째" in page, path
            assert "이조합" not in page.replace("가온우리사주조합", "")
        page = await second.look("/management/release")
        assert page.count("다른 조합장의 인증서입니다") == 1 and page.count('name="binding"') == 1
        ports, bindings = world.ports, Bindings(world.ports.store, world.ports.digests, world.ports.fields)
        mybank = MyBank(ports.customers, AbsentCertification(), bindings, ports.ephemeral, ports.clock)
        history = (await mybank.shown(UNION.customer_id, "ko", 2)).history
        assert {one.head for one in history} == {"이*합", "김*째"}
        await begin(world, second, "release", 1)
        assert second.status == 422 and await states(world) == ["1 ACTIVE", "2 ACTIVE"]

    told(sqlite_url, tmp_path, story, heads=2)


def test_release_after_the_id_login_asks_the_telephone_of_the_head_whose_certificate_it_is(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        first, other = await by_certificate(world, FIRST_CERT), await by_certificate(world, SECOND_CERT)
        await work(world, Holder())
        before = set(world.phone.sent)
        one = await as_second(world)
        await begin(world, one, "release", 2)
        await one.prove()
        await one.finish()
        assert await states(world) == ["1 ACTIVE", "2 RELEASED"]
        await work(world, Holder())
        assert {sms.to for name, sms in world.phone.sent.items() if name not in before} == {SECOND.mobile}
        assert await inside(first) and not await inside(other)
        assert (await world.browser().present(SECOND_CERT)).status_code == 403
        await by_certificate(world, FIRST_CERT)

    told(sqlite_url, tmp_path, story, heads=2)


def test_D8_revocation_reaches_the_authority_for_that_heads_certificate_alone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        authority = Authority()
        await union(world, authority)
        one = await as_second(world, authority)
        await begin(world, one, "revocation", 2, reason="key")
        await one.prove()
        await one.finish()
        await one.heard()
        assert await states(world) == ["1 ACTIVE", "2 STALE"]
        assert authority.asked == [(SECOND_CERT.certificate.serial, 1)]

    told(sqlite_url, tmp_path, story, heads=2)


def test_E11_a_head_who_reports_a_loss_stops_their_own_and_resumes_it_by_their_own_telephone(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        first, other, holder = await by_certificate(world, FIRST_CERT), world.browser(), Holder()
        await other.present(SECOND_CERT)
        await report(world.browser(), UNION, idn=SECOND.idn.reveal())
        await work(world, holder)
        assert await states(world) == ["1 ACTIVE", "2 SUSPENDED"]
        assert holder.asked == [(SECOND_CERT.certificate.serial, 6)]
        assert await inside(first) and not await inside(other)
        one = await as_second(world)
        page = await one.look("/incident/resume")
        assert "김*째" in page
        await one.post("/incident/resume/begin", {"slot": "2"})
        await one.post("/incident/resume/factor/request", {"method": "sms"})
        await work(world, holder)
        await one.post("/incident/resume/factor", one.proof())
        await one.post("/incident/resume/resume")
        assert await states(world) == ["1 ACTIVE", "2 ACTIVE"], one.page

    told(store_url, tmp_path, story, heads=2)


def test_the_night_ends_one_heads_registration_and_tells_that_head(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        world.statuses.answers[SECOND_CERT.certificate.fingerprint] = Revoked(
            Source.OCSP, world.clock.now(), world.clock.now(), "keyCompromise"
        )
        night = recheck(Settings(mode="test"), world.ports)
        await night.once()
        world.clock.forward(30 * 3600)
        await night.once()
        assert await states(world) == ["1 ACTIVE", "2 STALE"]
        world.clock.forward(12 * 3600)
        await work(world, Holder())
        assert {sms.to for sms in world.phone.sent.values()} == {SECOND.mobile}

    told(sqlite_url, tmp_path, story, heads=2)


def test_A17_whoever_has_the_place_next_is_not_let_in_by_the_certificate_of_the_one_before(
    sqlite_url: str, tmp_path: Path
) -> None:
    """A core-banking system may give the place to somebody else, and no word comes to us of it."""

    async def story(world: World) -> None:
        await union(world)
        open_one = await by_certificate(world, SECOND_CERT)
        gone = await world.ports.customers.end_head(await account(world), 2, world.clock.now())
        await world.ports.store.save(Save(rows=[gone]))
        assert not await inside(open_one)
        await world.ports.customers.add_head(
            await account(world), replace(SECOND, name="최다음", idn=Secret("7701011000009"))
        )
        assert (await world.browser().present(SECOND_CERT)).status_code == 403
        assert "최*음" not in (await (await as_second(world)).look("/management"))
        await by_certificate(world, FIRST_CERT)

    told(sqlite_url, tmp_path, story, heads=2)


def test_no_second_registration_stands_at_one_place(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        second = (await account(world)).as_head(2)
        assert second is not None
        with pytest.raises(Conflict):
            await world.bind(second, NEWER_CERT)

    told(store_url, tmp_path, story, heads=2)
