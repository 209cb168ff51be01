"""발급, 재발급 and 갱신 by a head who logged in with the union's ID: as their own person, once that is known."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from tests.ca.world import only_certificate
from tests.center.issuance.phone import Phone
from tests.center.issuance.world import World, told
from tests.center.renewal.test_renewal import DAY_S, OLD, Renewal
from tests.npki.certs import Party

from ingam.customer.binding.bindings import Bindings, ToBind
from ingam.kernel.secret import Secret
from ingam.npki import certificate, policies
from ingam.ports.books import State
from ingam.ports.customers import Head
from ingam.ports.store import FlowSave, Save, Update
from ingam.sandbox.people import person

LEE, KIM = person("lee"), person("kim")
SECOND = replace(KIM, banking_id=LEE.banking_id)
"""At the union's account with a number, a telephone and a card of their own."""


async def union(world: World) -> None:
    """Kim is a head of Lee's union beside Lee."""
    cast(Any, world.ports.customers)._heads = 2
    kept = await world.ports.customers.by_banking_id(LEE.banking_id)
    assert kept is not None
    assert await world.ports.customers.add_head(kept, Head(0, KIM.name, Secret(KIM.idn), KIM.mobile)) == 2


async def says_who(phone: Phone, back: str = "issuance_new") -> None:
    """조합장 확인, as the second head."""
    world, base, phone.base = phone.world, phone.base, "/head"
    await phone.get(f"/head?back={back}")
    await phone.post("begin", {"slot": "2", "back": back})
    await phone.post("factor/request", {"method": "sms"})
    await world.deliver()
    code = next(match[1] for text in world.texts(KIM) if (match := re.search(r"#(\d{6})", text)))
    await phone.post(
        "factor", {"method": "sms", "code": code, "number_back": KIM.idn[6:], "phone_back": KIM.mobile[-4:]}
    )
    assert (await phone.send("/head/enter", phone.turn)).status_code == 303, phone.page
    phone.base = base


async def known(world: World, key: int = 4) -> Phone:
    """The second head, after the union's ID login, on a telephone of their own."""
    phone = world.phone(SECOND, key)
    await phone.log_in()
    await says_who(phone)
    return phone


async def binds(world: World, old: Party, slot: int = 1) -> None:
    """It is registered for this head."""
    policy = policies.lookup(old.certificate.issuer, old.certificate.policy_oid)
    kept = await world.ports.customers.by_id("c-lee")
    head = None if kept is None else kept.as_head(slot)
    assert policy is not None and head is not None
    bindings = Bindings(world.ports.store, world.ports.digests, world.ports.fields)
    one = ToBind(head, old.certificate, policy, world.clock.now(), "0" * 64)
    await world.ports.store.save(Save(rows=(await bindings.change(one, None)).rows))


async def bound(world: World) -> list[tuple[object, object]]:
    rows = await world.rows("binding", customer_id="c-lee", status="ACTIVE")
    return sorted((row["slot"], row["fingerprint"]) for row in rows)


def test_each_head_is_issued_one_and_learns_nothing_of_the_others(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        first = world.phone(LEE)
        await first.log_in()
        await first.until("issued")
        second = await known(world)
        page = await second.until("details")
        assert LEE.email not in page and LEE.mobile not in page
        await second.until("issued")
        ours = [(1, first.vault.certificate), (2, second.vault.certificate)]
        assert await bound(world) == [(slot, one.fingerprint.hex()) for slot, one in ours]
        assert await world.certificates(LEE) == await world.certificates(KIM) == [State.VALID]
        for phone, others in ((first, second), (second, first)):
            shown = await phone.get("/mybank")
            assert f"{phone.vault.certificate.serial:x}" in shown
            assert f"{others.vault.certificate.serial:x}" not in shown or phone is first
            assert len(re.findall("issuance/new", await phone.get("/issuance/progress"))) < 3

    told(sqlite_url, tmp_path, story)


def test_F10_one_head_does_not_go_on_with_what_another_began_on_the_same_device(
    sqlite_url: str, tmp_path: Path
) -> None:
    """A union's own PC, and the password that they share: the identity that was proved is one head's."""

    async def story(world: World) -> None:
        await union(world)
        phone = world.phone(LEE)
        await phone.log_in()
        await phone.until("account")  # telephone and card of the first head are proved
        await phone.log_out()
        phone.who = SECOND
        await phone.log_in()
        await says_who(phone)
        await phone.get()
        assert phone.screen == "password"
        await phone.enter()
        await phone.get()
        assert phone.screen == "consents"
        await phone.log_out()
        phone.who = LEE
        await phone.log_in()
        await phone.get()
        await phone.enter()
        await phone.get()
        assert phone.screen == "account"  # and the first one goes on where they were

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("who", ["second", "undecided"])
def test_a_head_renews_their_own_once_it_is_known_who_they_are(sqlite_url: str, tmp_path: Path, who: str) -> None:
    async def story(world: World) -> None:
        await union(world)
        old = await world.holds(SECOND, OLD, "securities", branch="증권금융")
        world.clock.forward(346 * DAY_S)
        phone = world.phone(SECOND)
        await phone.log_in()
        if who == "second":
            await says_who(phone, "renewal")
        at = Renewal(world, old, phone)
        page = await at.page()
        assert ("/head?back=renewal" in page) == (who == "undecided")
        status, told_ = await at.key()
        assert (status == 200) == (who == "second"), told_

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("night", [False, pytest.param(True, id="the night ended the old one")])
def test_a_further_heads_registration_goes_over_though_the_confirmation_was_lost(
    sqlite_url: str, tmp_path: Path, night: bool
) -> None:
    async def story(world: World) -> None:
        await union(world)
        old = await world.holds(SECOND, OLD, "securities", branch="증권금융")
        await binds(world, old, 2)
        world.clock.forward(346 * DAY_S)
        at = Renewal(world, old, await known(world))
        await at.key()
        await at.agree()
        kup = await at.carry(at.kur())
        await world.ca.ask(at.confirming(kup))  # and the center never heard of it
        if night:
            change = Update("binding", {"customer_id": "c-lee"}, {"status": "STALE", "ended_at": world.clock.now()})
            await world.ports.store.save(Save(rows=[change]))
        world.clock.forward(2 * 3600)
        await world.deliver()
        new = certificate.parse(only_certificate(kup)).fingerprint.hex()
        assert await bound(world) == [(2, new)]

    told(sqlite_url, tmp_path, story)


def test_one_heads_renewal_is_not_ended_by_another_heads_look_at_the_page(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await union(world)
        old = await world.holds(LEE, OLD, "securities", branch="증권금융")
        world.clock.forward(346 * DAY_S)
        phone = world.phone(LEE)
        await phone.log_in()
        at = Renewal(world, old, phone)
        assert (await at.key())[0] == 200
        other = await known(world)
        page = await Renewal(world, old, other).page()
        assert 'data-version="0"' in page
        assert (await at.agree())[0] == 200

    told(sqlite_url, tmp_path, story)


def test_the_vault_is_told_what_a_union_renews_the_personal_policies(sqlite_url: str, tmp_path: Path) -> None:
    """It takes no empty list: the page of a 조합장, of one or of several, stood still."""

    async def story(world: World) -> None:
        told_: dict[str, dict[str, Any]] = {}
        for who in (LEE, KIM):
            phone = world.phone(who)
            await phone.log_in()
            await phone.get("/issuance/renewal")
            answer = await phone.client.get("/issuance/renewal/issue", headers={"Accept": "application/json"})
            told_[who.key] = answer.json()
        assert told_["lee"]["holder"]["kind"] == "union-head"
        assert told_["lee"]["policies"] == told_["kim"]["policies"] != []

    told(sqlite_url, tmp_path, story)


def test_many_runs_of_one_head_keep_no_other_from_theirs(sqlite_url: str, tmp_path: Path) -> None:
    """More than are looked at: what 101 times 비밀번호 확인 and 취소 leave."""

    async def story(world: World) -> None:
        await union(world)
        first = world.phone(LEE)
        await first.log_in()
        await first.until("account")
        second = await known(world)
        await second.get()
        await second.enter()
        (theirs,) = [row for row in await world.rows("flow", machine="issuance") if ".2." in str(row["flow_id"])]
        base, _, number = str(theirs["flow_id"]).rpartition(":")
        for more in range(1, 103):
            until = world.clock.now() + timedelta(hours=1, seconds=more)
            run = f"{base}:{int(number) + more}"
            flow = FlowSave(run, "issuance", 0, str(theirs["state"]), str(theirs["session"]), "c-lee", until)
            await world.ports.store.save(Save(flow=flow))
        await first.get()
        assert first.screen == "account"
        world.clock.forward(7200)
        await first.log_in()
        await first.get()
        await first.enter()
        await first.get()
        assert first.screen == "consents"
        assert "issuance/new" in await first.get("/issuance/progress")

    told(sqlite_url, tmp_path, story)
