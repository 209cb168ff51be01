"""The core bank names another first head: what the former one began, in whichever flow, is not the next one's."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from tests.center.heads.test_issuance import KIM, LEE, binds
from tests.center.issuance.phone import Phone, Refused
from tests.center.issuance.world import World, told
from tests.center.renewal.test_renewal import DAY_S, OLD, Renewal

from ingam.customer.binding.bindings import Bindings
from ingam.customer.heads import head_key
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer
from ingam.ports.store import Save, Update


def handed_over(world: World) -> None:
    """The core bank says from now on that Kim is the union's first head; no word of it comes to the center."""
    kept = cast(Any, world.ports.customers)
    for name in ("by_id", "by_banking_id", "authenticate"):
        setattr(kept, name, _as_kim(getattr(kept, name)))


def _as_kim(asked: Callable[..., Awaitable[Customer | None]]) -> Callable[..., Awaitable[Customer | None]]:
    async def now(*args: Any) -> Customer | None:
        found = await asked(*args)
        if found is None or found.customer_id != "c-lee":
            return found
        return replace(found, name=KIM.name, idn=Secret(KIM.idn), mobile=KIM.mobile, email=KIM.email)

    return now


async def enters(phone: Phone) -> str:
    """The union's password, which both know: in, and on at ① or at the run that goes on."""
    await phone.log_in()
    await phone.get()
    if phone.screen == "password":
        await phone.enter()
        await phone.get()
    return phone.screen


async def no_session_by(phone: Phone) -> None:
    answer = await phone.log_in_with(phone.party)
    assert answer.status_code >= 400
    assert await phone.world.rows("session", customer_id="c-lee", level="cert", ended_at=None) == []


@pytest.mark.parametrize("fetched", [True, False])
def test_A17_a_former_first_heads_certificate_is_not_registered_for_the_next_head(
    sqlite_url: str, tmp_path: Path, fetched: bool
) -> None:
    async def story(world: World) -> None:
        phone = world.phone(LEE)
        await phone.log_in()
        await phone.until("requested")
        phone.vault.issue = await phone.issue()
        asked = phone.vault.ask(phone.vault.registered)
        confirmation = phone.vault.confirm(await phone.carry(asked)) if fetched else b""
        world.clock.forward(240)
        handed_over(world)
        assert await enters(phone) == "consents"
        for message in (asked, confirmation):
            with pytest.raises(Refused):
                await phone.carry(message)
        assert await world.rows("binding", customer_id="c-lee") == []
        if fetched:
            await no_session_by(phone)

    told(sqlite_url, tmp_path, story)


def test_D1_a_run_that_a_former_first_head_proved_tells_no_number_of_the_next_one(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        phone = world.phone(LEE)
        await phone.log_in()
        await phone.until("product")
        turn = phone.turn
        world.clock.forward(300)
        handed_over(world)
        assert await enters(phone) == "consents"
        with pytest.raises(Refused) as refused:
            await phone.tell("product", {**turn, "product": "gold", "revoke": "yes"})
        assert refused.value.code == "true-step"

    told(sqlite_url, tmp_path, story)


def test_A17_whatever_a_run_is_kept_under_it_says_whose_number_it_is_of(sqlite_url: str, tmp_path: Path) -> None:
    """The second line: were a former head's state under the next one's name, it would still not go on."""

    async def story(world: World) -> None:
        phone = world.phone(LEE)
        await phone.log_in()
        await phone.until("account")
        (row,) = await world.rows("flow", machine="issuance")
        state = msgspec.json.decode(str(row["state"]))
        kept = await world.ports.customers.by_id("c-lee")
        assert kept is not None and state["facts"]["door"]["head"] == head_key(world.ports.digests, kept)
        state["facts"]["door"]["head"] = "0" * 64
        values = {"state": msgspec.json.encode(state).decode()}
        await world.ports.store.save(Save(rows=[Update("flow", {"flow_id": row["flow_id"]}, values)]))
        await phone.get()
        assert phone.screen == "password"
        await phone.enter()
        await phone.get()
        assert phone.screen == "consents"

    told(sqlite_url, tmp_path, story)


def test_a_run_that_is_gone_on_with_again_and_again_is_over_a_day_after_it_began(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        phone = world.phone(LEE)
        await phone.log_in()
        await phone.until("requested")
        seen = []
        for _ in range(30):  # once in fifty minutes, with ID and password
            world.clock.forward(3000)
            seen.append(await enters(phone))
        assert seen[:28] == ["requested"] * 28
        assert "requested" not in seen[28:]

    told(sqlite_url, tmp_path, story)


def bindings(world: World) -> Bindings:
    return Bindings(world.ports.store, world.ports.digests, world.ports.fields)


def test_A17_a_former_first_heads_renewal_is_not_the_next_heads(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        old = await world.holds(LEE, OLD, "securities", branch="증권금융")
        await binds(world, old)
        world.clock.forward(346 * DAY_S)
        phone = world.phone(LEE)
        await phone.log_in()
        at = Renewal(world, old, phone)
        await at.key()
        await at.agree()
        confirmation = at.confirming(await at.carry(at.kur()))
        world.clock.forward(240)
        handed_over(world)
        await phone.log_in()
        status, _ = await at.tell("carry", message=base64.b64encode(confirmation).decode())
        assert status >= 400
        kept = await world.ports.customers.by_id("c-lee")
        assert kept is not None
        for row in await world.rows("binding", customer_id="c-lee", status="ACTIVE"):
            found = await bindings(world).one(str(row["binding_id"]))
            assert found is not None and not await bindings(world).belongs(found, kept)

    told(sqlite_url, tmp_path, story)
