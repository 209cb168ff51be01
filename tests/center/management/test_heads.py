"""A union with several heads: each logs in with their own, and what ends one leaves the other (INGAM_UNION_HEADS)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.center.incident.test_incident import Authority as Holder
from tests.center.incident.test_incident import report, work
from tests.center.management.manager import TASK, Authority, Manager
from tests.center.pin.test_pin import Vault
from tests.center.protection.person import Person, deliver, person
from tests.center.protection.test_passkeys import enter
from tests.center.registration.test_heads import (
    FIRST_CERT,
    HEAD_2,
    NEWER_CERT,
    SECOND,
    SECOND_CERT,
    UNION,
    as_customer,
)
from tests.center.world import PASSWORD, Browser, World, told
from tests.npki.certs import Party

from ingam.adapters.certification.absent import AbsentCertification
from ingam.center.mybank.service import MyBank
from ingam.center.pin.keys import RECORDS_MOST
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.branch import BranchNumbers
from ingam.customer.binding.bindings import Bindings
from ingam.customer.notice import Sender
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.page import Bundle
from ingam.ports.customers import Customer, NewCustomer
from ingam.ports.status import Revoked, Source
from ingam.ports.store import Conflict, Save
from ingam.run import center
from ingam.run.cli.customer_desk import Desk, HeadTold
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


def test_a_head_sees_their_own_alone_and_after_the_id_login_everybody_is_told_by_a_masked_name(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world, Authority())
        second, by_id = Manager(world, await by_certificate(world, SECOND_CERT), who=HEAD_2), await as_second(world)
        for path in ("/management", "/management/release"):
            for one, seen in ((second, (False, True)), (by_id, (True, True))):
                page = await one.look(path)
                assert ("이*합" in page, "김*째" in page) == seen, path
                assert "이조합" not in page.replace("가온우리사주조합", "")
        assert (await second.look("/management/release")).count('name="binding"') == 1
        ports, bindings = world.ports, Bindings(world.ports.store, world.ports.digests, world.ports.fields)
        mybank = MyBank(ports.customers, AbsentCertification(), bindings, ports.ephemeral, ports.clock)
        for slot, seen_there in ((2, {"김*째"}), (None, {"이*합", "김*째"})):
            history = (await mybank.shown(UNION.customer_id, "ko", slot)).history
            assert {past.head for past in history} == seen_there
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


NEXT = replace(SECOND, name="최다음", idn=Secret("7701011000009"))


async def given_to_next(world: World) -> None:
    """The second place is somebody else's from now on, and nobody asked anything in between."""
    gone = await world.ports.customers.end_head(await account(world), 2, world.clock.now())
    await world.ports.store.save(Save(rows=[gone]))
    await world.ports.customers.add_head(await account(world), NEXT)


def desk(world: World) -> Desk:
    """What ending and adding a head asks for; the rest of the desk is not there."""
    ports = world.ports
    here: dict[str, Any] = {one: getattr(ports, one) for one in ("store", "customers", "digests", "clock")}
    here["bindings"] = Bindings(ports.store, ports.digests, ports.fields)
    return cast(Desk, cast(Any, Desk)(**dict.fromkeys(Desk.__slots__) | here))


def test_A17_an_open_session_is_over_when_the_place_is_anothers_though_nobody_asked_in_between(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        open_one, first = await by_certificate(world, SECOND_CERT), await by_certificate(world, FIRST_CERT)
        await given_to_next(world)
        await open_one.get("/loan")
        assert NEXT.name not in open_one.page and not await inside(open_one)
        (row,) = [row for row in await world.rows("session") if row["slot"] == 2]
        assert row["ended_by"] == "closed"
        assert await inside(first)

    told(sqlite_url, tmp_path, story, heads=2)


def test_A19_nothing_is_signed_in_the_next_heads_name_by_the_certificate_of_the_one_before(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Even where a session were the next head's: whose the certificate is, is asked with the number."""

    async def story(world: World) -> None:
        await union(world)
        second = (await account(world)).as_head(2)
        await given_to_next(world)
        after = (await account(world)).as_head(2)
        assert second is not None and after is not None
        bindings = Bindings(world.ports.store, world.ports.digests, world.ports.fields)
        binding = await bindings.by_fingerprint(SECOND_CERT.certificate.fingerprint.hex())
        assert binding is not None
        assert await bindings.belongs(binding, second) and not await bindings.belongs(binding, after)

    told(sqlite_url, tmp_path, story, heads=2)


def test_A17_end_head_ends_the_sessions_of_a_head_who_released_their_certificate_before(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        second = Manager(world, await by_certificate(world, SECOND_CERT), who=HEAD_2)
        await begin(world, second, "release", 2)
        await second.prove()
        await second.finish()
        assert await states(world) == ["1 ACTIVE", "2 RELEASED"] and await inside(second.browser)
        await desk(world).end_head(UNION.banking_id, 2)
        assert "head-ended" in [row["ended_by"] for row in await world.rows("session") if row["slot"] == 2]
        await desk(world).add_head(UNION.banking_id, HeadTold(NEXT.name, NEXT.idn.reveal(), "01077776666"))
        assert not await inside(second.browser)

    told(sqlite_url, tmp_path, story, heads=2)


def test_each_head_is_told_of_a_lock_that_was_reached_about_them(sqlite_url: str, tmp_path: Path) -> None:
    """Whoever guesses at another head's number after their own was locked the same day is not unheard."""

    async def story(world: World) -> None:
        await union(world)
        for slot in (1, 2):
            one = await as_second(world)
            await begin(world, one, "release", slot)
            for _ in range(5):
                wrong = {"number_back": "0000000", "phone_back": "0000"}
                await one.post(f"{TASK}/factor", {"method": "branch-otp", "branch": "00000000", **wrong})
                await one.look(TASK)
        await work(world, Holder())
        locked = [sms for sms in world.phone.sent.values() if "인증서관리" in sms.text]
        assert {sms.to for sms in locked} == {UNION.mobile, SECOND.mobile}

    told(sqlite_url, tmp_path, story, heads=2)


@pytest.mark.parametrize(("kind", "fields"), [("revocation", {"reason": "key"}), ("suspension", {})])
def test_A17_the_next_head_ends_a_former_heads_registration_and_not_their_certificate(
    sqlite_url: str, tmp_path: Path, kind: str, fields: dict[str, str]
) -> None:
    """It is that person's own, at every other place too; here it is released."""

    async def story(world: World) -> None:
        authority = Authority()
        await union(world, authority)
        await given_to_next(world)
        one = Manager(world, world.browser(), who=as_customer(NEXT), authority=authority)
        assert (await one.browser.log_in(UNION)).status_code == 303
        page = await one.look(f"/management/{kind}")
        assert say("heads.former") in page and page.count('name="binding"') == 1
        page = await begin(world, one, kind, 2, **fields)
        assert one.status == 422 and say("refusal.union-head-former") in page
        await one.heard()
        assert await states(world) == ["1 ACTIVE", "2 ACTIVE"] and authority.asked == []
        one.who = UNION
        await begin(world, one, "release", 2)
        await one.prove()
        await one.finish()
        assert await states(world) == ["1 ACTIVE", "2 RELEASED"]

    told(sqlite_url, tmp_path, story, heads=2)


def test_A17_of_a_union_with_one_head_the_next_one_does_not_revoke_the_certificate_of_the_one_before(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        authority = Authority()
        await world.ports.customers.enrol(NewCustomer(UNION, Secret(PASSWORD)))
        await world.bind(await account(world), FIRST_CERT)
        ports, settings = (
            replace(world.ports, certification=authority),
            Settings(mode="test", center_origin=world.origin),
        )
        world.app = center.app(settings, ports, Bundle({"center.css": "c.css"}))
        after = replace(UNION, name="박새장", idn=Secret("7701011000009"))
        kept = world.ports.customers

        def told_of(asked: Callable[..., Awaitable[Customer | None]]) -> Callable[..., Awaitable[Customer | None]]:
            async def now(*args: Any) -> Customer | None:
                found = await asked(*args)
                return None if found is None else replace(found, name=after.name, idn=after.idn)

            return now

        for name in ("by_id", "authenticate"):
            monkeypatch.setattr(kept, name, told_of(getattr(kept, name)))
        one = Manager(world, world.browser(), who=after, authority=authority)
        assert (await one.browser.log_in(UNION)).status_code == 303
        page = await begin(world, one, "revocation", 1, reason="key")
        assert one.status == 422 and say("refusal.union-head-former") in page
        await one.heard()
        assert await states(world) == ["1 ACTIVE"] and authority.asked == []

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("heads", [1, 2])
def test_A17_the_next_first_head_is_not_entered_by_the_certificate_of_the_one_before(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heads: int
) -> None:
    """The core-banking system has somebody else under the same customer_id."""

    async def story(world: World) -> None:
        await world.ports.customers.enrol(NewCustomer(UNION, Secret(PASSWORD)))
        await world.bind(await account(world), FIRST_CERT)
        by_certificate_, by_id = await by_certificate(world, FIRST_CERT), world.browser()
        await by_id.log_in(UNION)
        assert await inside(by_certificate_) and await inside(by_id)
        customers = type(world.ports.customers)
        before = customers.by_id

        async def changed(self: Any, customer_id: str) -> Customer | None:
            found = await before(self, customer_id)
            return None if found is None else replace(found, name="박새장", idn=Secret("7701011000009"))

        monkeypatch.setattr(customers, "by_id", changed)
        assert not await inside(by_certificate_) and not await inside(by_id)
        refused = await world.browser().present(FIRST_CERT)
        assert refused.status_code == 403
        lines = await world.ports.store.many("audit", {"action": "login.certificate"}, order="seq")
        assert [row["result"] for row in lines] == ["ok", "login-rebind"]

    told(sqlite_url, tmp_path, story, heads=heads)


def test_A17_a_first_head_registered_before_the_number_was_kept_registers_anew_and_is_not_let_in(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        await world.ports.customers.enrol(NewCustomer(UNION, Secret(PASSWORD)))
        kept = await account(world)
        with monkeypatch.context() as before:
            before.setattr(Bindings, "head_key", lambda self, customer: "")
            await world.bind(kept, FIRST_CERT)
        assert (await world.browser().present(FIRST_CERT)).status_code == 403
        bindings = Bindings(world.ports.store, world.ports.digests, world.ports.fields)
        binding = await bindings.active(kept)
        assert binding is not None and not await bindings.belongs(binding, kept)
        owned = cast(Any, SimpleNamespace(customer=kept, proven=SimpleNamespace(certificate=FIRST_CERT.certificate)))
        await bindings.check_10_owner(owned)  # registered already, and for nobody: no reason to refuse it
        assert await bindings.check_11_replacement(owned, binding.fingerprint) == binding

    told(sqlite_url, tmp_path, story)


def test_F7_a_head_who_was_ended_does_not_come_back_by_a_passkey(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        second = await with_passkey(world, SECOND_CERT, HEAD_2)
        fresh = replace(person(world), passkey=second.passkey)
        assert await enter(fresh) == 303
        (row,) = [row for row in await world.rows("session") if row["level"] == "passkey"]
        assert row["slot"] == 2
        await desk(world).end_head(UNION.banking_id, 2)
        assert not await inside(fresh.browser)
        assert [row["status"] for row in await world.rows("passkey")] == ["REMOVED"]
        assert await enter(replace(person(world), passkey=second.passkey)) != 303

    told(sqlite_url, tmp_path, story, heads=2)


def test_F7_the_passkey_of_a_former_head_is_not_the_next_ones(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        second = await with_passkey(world, SECOND_CERT, HEAD_2)
        await given_to_next(world)
        assert await enter(replace(person(world), passkey=second.passkey)) != 303

    told(sqlite_url, tmp_path, story, heads=2)


@pytest.mark.parametrize("way", ["id", "passkey"])
def test_E11_stopping_after_any_other_login_asks_the_telephone_of_the_head_whose_certificate_it_is(
    sqlite_url: str, tmp_path: Path, way: str
) -> None:
    async def story(world: World) -> None:
        await union(world)
        one = await as_second(world)
        if way == "passkey":
            made = await with_passkey(world, SECOND_CERT, HEAD_2)
            fresh = replace(person(world), passkey=made.passkey)
            assert await enter(fresh) == 303
            one = Manager(world, fresh.browser, who=HEAD_2)
            await one.look("/management")
        await begin(world, one, "suspension", 2)
        await one.finish()
        assert await states(world) == ["1 ACTIVE", "2 ACTIVE"]
        before = set(world.phone.sent)
        await begin(world, one, "suspension", 2)
        await one.prove()
        await one.finish()
        await work(world, Holder())
        assert await states(world) == ["1 ACTIVE", "2 SUSPENDED"]
        assert {sms.to for name, sms in world.phone.sent.items() if name not in before} == {SECOND.mobile}

    told(sqlite_url, tmp_path, story, heads=2)


async def with_passkey(world: World, holder: Party, who: Customer) -> Person:
    one = Person(world, await by_certificate(world, holder), who=who)
    await one.look()
    await one.to_new("passkey")
    assert "패스키를 등록했습니다." in await one.make("passkey", "내 휴대폰")
    world.clock.forward(61)
    await deliver(world)
    return one


def test_E8_one_head_removes_nothing_of_anothers_by_a_key_of_their_own_and_has_a_room_of_their_own(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        await with_passkey(world, FIRST_CERT, UNION)
        second = await with_passkey(world, SECOND_CERT, HEAD_2)
        rows = {row["head_slot"]: row for row in await world.rows("passkey")}
        assert [rows[slot]["slot"] for slot in (1, 2)] == [1, 1]
        page = await second.look()
        assert str(rows[1]["passkey_id"]) not in page and str(rows[2]["passkey_id"]) in page
        await second.begin("remove-passkey", str(rows[1]["passkey_id"]))
        assert second.status != 200
        assert [row["status"] for row in await world.rows("passkey")] == ["ACTIVE", "ACTIVE"]
        # Of two that the account has, one's only one is the last of theirs: additional authentication first.
        await second.begin("remove-passkey", str(rows[2]["passkey_id"]))
        assert "factor" in second.page

    told(sqlite_url, tmp_path, story, heads=2)


def test_B8_a_head_who_fills_their_room_takes_no_key_of_anothers_and_each_is_told_of_their_own(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        second = Vault(await by_certificate(world, SECOND_CERT))
        await second.browser.get("/management")
        assert (await second.set())[0] == 200
        await work(world, Holder())
        assert {sms.to for sms in world.phone.sent.values() if "간편비밀번호" in sms.text} == {SECOND.mobile}
        mine, first = second.handle, Vault(await by_certificate(world, FIRST_CERT))
        await first.browser.get("/management")
        found = []
        for _ in range(RECORDS_MOST + 1):
            world.clock.forward(1)
            found.append((await first.set())[0])
        assert found[:-1] == [200] * RECORDS_MOST and found[-1] != 200
        rows = await world.rows("pin_key")
        assert [row["handle"] for row in rows if row["slot"] == 2] == [mine] and len(rows) == RECORDS_MOST + 1

    told(sqlite_url, tmp_path, story, heads=2)


def test_E10_a_number_that_the_branch_gave_one_head_proves_nothing_of_anothers_and_is_told_to_that_head(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await union(world)
        ports, settings = world.ports, Settings(mode="test")
        numbers = BranchNumbers(
            ports.store, ports.clock, ports.digests, settings.limits, Sender(settings.institution)
        )  # fmt: skip
        kept = await account(world)
        second = kept.as_head(2)
        assert second is not None
        for whose, ended in ((kept, "2 ACTIVE"), (second, "2 RELEASED")):
            before = set(world.phone.sent)
            code = (await numbers.issue(whose, Purpose.RELEASE, "e-1", "본점")).code.reveal()
            await work(world, Holder())
            assert {sms.to for name, sms in world.phone.sent.items() if name not in before} == {whose.mobile}
            one = await as_second(world)
            await begin(world, one, "release", 2)
            backs = {"number_back": HEAD_2.idn.reveal()[6:], "phone_back": SECOND.mobile[-4:]}
            answer = {"method": "branch-otp", "branch": code, "code": code, **backs}
            await one.post(f"{TASK}/factor", answer)
            await one.finish()
            assert await states(world) == ["1 ACTIVE", ended]

    told(sqlite_url, tmp_path, story, heads=2)


def test_no_second_registration_stands_at_one_place(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        second = (await account(world)).as_head(2)
        assert second is not None
        with pytest.raises(Conflict):
            await world.bind(second, NEWER_CERT)

    told(store_url, tmp_path, story, heads=2)


def test_F6_each_head_is_told_of_a_login_on_a_browser_that_another_proved(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        browser = world.browser()
        for holder in (FIRST_CERT, SECOND_CERT, FIRST_CERT):
            assert (await browser.present(holder)).status_code == 303
            world.clock.forward(60)
        told_of = [row for row in await world.rows("outbox") if str(row["dedup"]).startswith("new-device:")]
        assert len(told_of) == 2

    told(sqlite_url, tmp_path, story, heads=2)
