"""갱신 of 범용 costs 4,400: allowed before the authority is asked, charged when it is renewed, and else released."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.ca.endpoint.asking import revoke
from tests.ca.world import by_certificate, held, only_certificate
from tests.center.issuance.test_fees import BOTH, charges, stages, taken
from tests.center.issuance.world import World, told
from tests.center.renewal.test_renewal import NEW, Renewal, begun

from ingam.kernel.words import say
from ingam.npki import certificate
from ingam.ports.books import State
from ingam.protocols.cmp import bodies


async def universal(world: World) -> Renewal:
    return await begun(world, profile="universal")


async def window(at: Renewal) -> str:
    """What agreeing to a renewal of 범용 gives before it is paid."""
    status, told_ = await at.agree()
    assert (status, set(told_)) == (200, {"pay"}), told_
    return str(told_["pay"])


async def paid(at: Renewal) -> None:
    assert await at.key() == (200, {"version": 1, "product": "universal"})
    at.phone.pay(await window(at))
    assert (await at.agree())[0] == 200


def test_it_is_charged_once_when_it_is_renewed_and_the_receipt_says_so(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await universal(world)
        page = await at.page()
        assert say("payment.press_renewal", n="4,400") in page
        await paid(at)
        assert charges(world) == 0
        await at.carry(at.confirming(await at.carry(at.kur())))
        assert charges(world) == 0  # nothing leaves before the transaction that tells of it
        await world.deliver()
        assert (charges(world), await stages(world)) == (1, ["captured"])
        progress = await at.phone.get("/issuance/progress")
        assert say("payment.title_universal_renewal") in progress and taken(world)[0].approval in progress
        world.clock.forward(7200)
        await world.deliver()
        assert [row.charges for row in taken(world)] == [1]

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_nothing_may_be_asked_for_before_the_fee_is_allowed(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await universal(world)
        await at.key()
        first = await window(at)
        assert await window(at) == first  # one payment, however often it is pressed
        assert await at.run() == "Agreeing" and await world.results("renewal.agree") == []
        at.phone.pay(first)
        page = await at.page()
        assert say("payment.allowed_renewal", n="4,400", means="시험카드 ****-4321") in page
        assert re.search(r'value="universal" checked', page)

    told(sqlite_url, tmp_path, story, products=BOTH)


@pytest.mark.parametrize(
    "leave", [*(pytest.param(one, marks=pytest.mark.soak) for one in ("cancel", "never-comes-back")), "gives-back",
              "unconfirmed"],
)  # fmt: skip
def test_where_nothing_is_renewed_nothing_is_charged(sqlite_url: str, tmp_path: Path, leave: str) -> None:
    async def story(world: World) -> None:
        at = await universal(world)
        if leave == "cancel":
            await at.key()
            at.phone.pay(await window(at))
            await at.page()
            await at.phone.send("/issuance/renewal/cancel", at.numbers)
        else:
            await paid(at)
        if leave in ("gives-back", "unconfirmed"):
            kup = await at.carry(at.kur())
        if leave == "gives-back":
            body = bodies.write_cert_conf()
            await at.carry(at.signer.compose(body, transaction=at.transaction, recip_nonce=kup.header.sender_nonce))
        if leave == "never-comes-back" or leave == "unconfirmed":
            world.clock.forward(2 * 3600)
        await world.ca.revoking.sweep()
        await world.deliver()
        assert (charges(world), await stages(world)) == (0, ["cancelled"])
        assert (await at.active(), at.state(at.old.certificate)) == ([at.fingerprint], State.VALID)

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_a_payment_that_was_not_allowed_may_be_tried_anew(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await universal(world)
        await at.key()
        first = await window(at)
        at.phone.pay(first, allowed=False)
        status, refused = await at.agree()
        assert (status >= 400, refused["code"]) == (True, "payment-declined")
        assert await window(at) != first

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_nothing_is_renewed_on_a_fee_that_was_settled_meanwhile(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> list[object]:
        return []

    async def story(world: World) -> None:
        at = await universal(world)
        await at.key()
        at.phone.pay(await window(at))
        monkeypatch.setattr("ingam.customer.payment.used", nothing)
        status, refused = await at.agree()
        assert (status >= 400, refused["code"]) == (True, "payment-refused")
        assert await at.run() == "Agreeing"

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_where_nobody_takes_fees_what_costs_is_not_renewed(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert world.ports.parties is not None
        world.without_payments()
        at = await universal(world)
        told_ = (await at.phone.client.get("/issuance/renewal/issue")).json()
        assert certificate_policy(at) not in told_["policies"]
        assert (await at.key())[1]["code"] == "renewal-not-yours"

    told(sqlite_url, tmp_path, story)


def certificate_policy(at: Renewal) -> str | None:
    return at.old.certificate.policy_oid


def test_a_confirmation_that_was_lost_is_charged_when_the_authority_says_that_it_stands(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        at = await universal(world)
        await paid(at)
        kup = await at.carry(at.kur())
        await world.ca.ask(at.confirming(kup))  # its answer never comes here
        world.clock.forward(2 * 3600)
        await world.deliver()
        assert (charges(world), await stages(world)) == (1, ["captured"])
        assert await at.active() == [certificate.parse(only_certificate(kup)).fingerprint.hex()]

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_who_ends_what_stood_and_says_that_nobody_uses_it_any_more_pays_for_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await universal(world)
        await paid(at)
        kup = await at.carry(at.kur())
        await world.ca.ask(at.confirming(kup))  # at the authority's own port
        world.clock.forward(70 * 60)
        new = only_certificate(kup)
        assert at.state(certificate.parse(new)) is State.VALID
        await world.ca.ask(by_certificate(world.ca, new, held("person", NEW)).compose(revoke(new, 5)))
        assert at.state(certificate.parse(new)) is State.REVOKED
        world.clock.forward(2 * 3600)
        await world.ca.revoking.sweep()
        await world.deliver()
        assert (charges(world), await stages(world)) == (1, ["captured"])

    told(sqlite_url, tmp_path, story, products=BOTH)
