"""범용 without paying: the codes of a fee that was released are good for nothing at the authority's own door.

The person of these walks is dishonest: the reference number and the code go to the authority's CMP port directly.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.ca.world import IMPLICIT, Holder, by_code, held, request, responses, vid_of
from tests.ca.world import World as Authority
from tests.center.issuance.kill.death import Killed, Reaper
from tests.center.issuance.phone import Phone, Refused
from tests.center.issuance.test_fees import BOTH, charges, paying, stages, taken
from tests.center.issuance.world import World, told

from ingam.ca.issuing.registering import Registered
from ingam.kernel.secret import Secret
from ingam.ports.books import State
from ingam.ports.certification import Withdrawal
from ingam.protocols.cmp.message import BodyKind
from ingam.sandbox.people import person

HONG = person("hong")
KEY = 3
LONG = 2 * 3600


def holder(world: World, one: Phone) -> Holder:
    """Whoever has the codes, at the authority's own port."""
    codes = one.vault.registered
    return by_code(
        world.ca, Registered(codes["reference"], Secret(codes["code"]), world.clock.now() + timedelta(days=14))
    )


async def takes(world: World, one: Phone, *, confirmed: bool = True) -> bool:
    """An ir that never passes through the center; whether a certificate came."""
    body = request(held("person", KEY), encrypted=vid_of(world.ca))
    answer = await world.ca.ask(holder(world, one).compose(body, infos=IMPLICIT if confirmed else ()))
    return answer.body.kind is BodyKind.IP and responses(answer)[0].certificate is not None


async def ends(world: World) -> None:
    """The run's time is over, and what is due is done."""
    world.clock.forward(LONG)
    await world.deliver()


def test_the_codes_of_a_fee_that_was_released_bring_no_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "requested", KEY)
        await ends(world)
        assert (await stages(world), charges(world)) == (["cancelled"], 0)
        assert not await takes(world, one)
        assert await world.certificates(HONG) == []

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_whoever_took_the_certificate_past_the_center_pays_for_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "requested", KEY)
        assert await takes(world, one)
        await ends(world)
        assert await world.certificates(HONG) == [State.VALID]
        assert (await stages(world), charges(world)) == (["captured"], 1)

    told(sqlite_url, tmp_path, story, products=BOTH)


@pytest.mark.parametrize("how", ["reissue", pytest.param("revoke", marks=pytest.mark.soak)])
def test_a_certificate_that_stood_is_paid_for_though_it_has_ended(sqlite_url: str, tmp_path: Path, how: str) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "requested", KEY)
        assert await takes(world, one)
        if how == "reissue":  # which is free: the one that was not paid for is superseded
            await world.holds(HONG, KEY, "universal")
        else:
            index = await world.ca.office.index.index("idn", Secret(HONG.idn))
            await world.ca.revoking.revoke(world.ca.books.of_person(index)[0], 5, by="holder")
        await ends(world)
        assert (await stages(world), charges(world)) == (["captured"], 1)

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_a_certificate_that_nobody_confirmed_is_waited_for_and_then_released(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "requested", KEY)
        world.clock.forward(LONG)
        assert await takes(world, one, confirmed=False)
        await world.deliver()
        assert (await stages(world), charges(world)) == (["authorised"], 0)
        world.clock.forward(900)
        await world.ca.revoking.sweep()
        await world.deliver()
        assert (await stages(world), charges(world)) == (["cancelled"], 0)
        assert not await takes(world, one)

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_nothing_is_released_while_the_authority_does_not_say_that_the_codes_are_void(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "requested", KEY)
        world.wire.away = True
        await ends(world)
        assert [row.stage for row in taken(world)] == ["authorised"] and await stages(world) == ["authorised"]
        world.wire.away, world.wire.lost = False, True  # it is withdrawn, and its answer does not come back
        world.clock.forward(120)
        await world.deliver()
        assert await stages(world) == ["authorised"]
        world.wire.lost = False
        world.clock.forward(120)
        await world.deliver()
        assert await stages(world) == ["cancelled"] and not await takes(world, one)

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_what_the_authority_refused_leaves_no_codes_behind(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "requested", KEY)
        one.vault.issue, one.vault.key = await one.issue(), held("person", 4)
        await one.carry(one.vault.ask(one.vault.registered))  # another key than the registered one: its run is over
        await world.deliver()
        assert await stages(world) == ["cancelled"] and not await takes(world, one)

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_nobody_is_registered_on_a_fee_that_was_settled_meanwhile(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> list[object]:
        return []

    async def story(world: World) -> None:
        one = await paying(world, "product", KEY)
        one.pay((await one.tell("product", {"product": "universal", "revoke": "yes"}))["pay"])
        await one.get()
        monkeypatch.setattr("ingam.customer.payment.used", nothing)
        with pytest.raises(Refused) as refused:
            await one.choose()
        assert refused.value.code == "payment-refused"
        assert registered(world.ca) == 0
        await one.get()
        assert one.screen == "product"

    told(sqlite_url, tmp_path, story, products=BOTH)


def registered(ca: Authority) -> int:
    return [action for action, _, _ in ca.audit()].count("registered-by-ra")


@pytest.mark.parametrize("step", ["payment.6", pytest.param("payment.7", marks=pytest.mark.soak)])
def test_a_center_killed_around_the_release_leaves_no_released_fee_with_usable_codes(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    reaper = Reaper(monkeypatch)

    async def story(world: World) -> None:
        one = await paying(world, "requested", KEY)
        world.clock.forward(LONG)
        reaper.at(step)
        with pytest.raises(Killed):
            await world.deliver()
        assert reaper.rest()
        assert [row.stage for row in taken(world)] == ["authorised" if step == "payment.6" else "cancelled"]
        assert not await takes(world, one)
        await world.restart()
        world.clock.forward(30)
        await world.deliver()
        assert (charges(world), await stages(world)) == (0, ["cancelled"])

    told(sqlite_url, tmp_path, story, products=BOTH)


@pytest.mark.soak
def test_an_authority_that_was_restarted_says_the_same_of_a_withdrawal(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "requested", KEY)
        assert world.ports.certification is not None
        reference = one.vault.registered["reference"]
        assert await world.ports.certification.withdraw(reference) is Withdrawal.WITHDRAWN
        await world.restart_authority()
        assert await world.ports.certification.withdraw(reference) is Withdrawal.WITHDRAWN
        assert not await takes(world, one)

    told(sqlite_url, tmp_path, story, products=BOTH)
