"""The one service of 본인확인 추가인증: every purpose and way, what stops, what a device exempts from (E1, E8)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.center.registration.world import HONG, World, opened

from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.ars import ArsCalls, ArsRefused
from ingam.customer.additional_auth.branch import BranchNumbers
from ingam.customer.additional_auth.flow import Choosing, Requested
from ingam.customer.additional_auth.medium import (
    CardAskedAnew,
    CardLocked,
    CardMissing,
    CardTyped,
    CardWrong,
    Held,
    Media,
    NoMediumTyped,
    OtpLocked,
    OtpMissing,
    OtpTyped,
    OtpWrong,
)
from ingam.customer.additional_auth.no_medium import NoMediumLocked, NoMediumMismatch
from ingam.customer.additional_auth.proof import Bound, ProofMissing, consume
from ingam.customer.additional_auth.service import (
    NEVER_BY_DEVICE,
    AdditionalAuth,
    DeviceNotExempt,
    FactorsRefused,
    MethodNotOffered,
    Typed,
)
from ingam.customer.notice import Sender
from ingam.customer.session import Session
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.ars import CallState
from ingam.ports.cards import Asked, CardAccepted, CardOutage
from ingam.ports.customers import Customer
from ingam.ports.otp import OtpAccepted
from ingam.ports.store import LedgerMove, Save
from ingam.settings import Institution

RIGHT = NoMediumTyped(Secret("2123456"), Secret("1234"))
WRONG = NoMediumTyped(Secret("2123457"), Secret("1234"))


class DeviceRefused(Refusal):
    """The device did not sign."""

    code = "device-unknown"


class Devices:
    """A designated device that signs what says so."""

    async def here(self, customer: Customer, session: Session) -> object | None:
        return customer

    async def challenge(
        self, customer: Customer, session: Session, address: str, purpose: Purpose
    ) -> Mapping[str, object]:
        return {"act": str(purpose)}

    async def prove(self, customer: Customer, bound: Bound, answer: Mapping[str, str]) -> Sequence[LedgerMove]:
        if answer.get("device_answer") != f"signed {bound.purpose} {bound.session}":
            raise DeviceRefused
        return ()


class Tokens:
    """Tokens that show 123456, once."""

    def __init__(self) -> None:
        self.used = False

    async def holds(self, customer_id: str) -> bool:
        return True

    async def verify(self, customer_id: str, code: Secret[str]) -> OtpAccepted | None:
        return OtpAccepted() if code == Secret("123456") and not self.used else None


def bound(purpose: Purpose = Purpose.REGISTRATION) -> Bound:
    return Bound(HONG.customer_id, purpose, "flow", "session")


def service(world: World, **changed: Any) -> AdditionalAuth:
    store, clock, limits, sender = world.store, world.clock, world.limits, Sender(Institution())
    given: dict[str, Any] = {
        "sms": world.sms,
        "branch": BranchNumbers(store, clock, world.keys.digests, limits, sender),
        "media": Media(store, clock, world.no_medium, limits),
        "ars": ArsCalls(store, clock, world.keys.digests, limits, sender),
        "devices": Devices(),
    }
    return AdditionalAuth(clock, limits, **(given | changed))


Story = Callable[[World, AdditionalAuth], Awaitable[None]]


def told(url: str, folder: Path, story: Story, **limits: int) -> None:
    async def go() -> None:
        async with opened(url, folder, **limits) as world:
            await story(world, service(world))
            await world.calls.aclose()

    asyncio.run(go())


async def asked(world: World, auth: AdditionalAuth, method: Method, wanted: Bound) -> Requested:
    """A code or a call that was asked for, saved, and on its way."""
    made = await auth.request(HONG, wanted, method, None, "ko")
    await world.store.save(Save(ledger=made.ledger, outbox=made.outbox, rows=made.rows))
    await world.deliver()
    await world.calls.settled()
    return Requested(made.method, made.request_id, made.sent_at, made.expires_at, made.to)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_E1_a_proof_of_every_purpose_is_good_for_that_alone(sqlite_url: str, tmp_path: Path, purpose: Purpose) -> None:
    async def story(world: World, auth: AdditionalAuth) -> None:
        wanted = bound(purpose)
        waiting = await asked(world, auth, Method.ARS, wanted)
        verified = await auth.prove(HONG, wanted, waiting, Typed(Method.ARS))
        await world.store.save(Save(ledger=verified.ledger, rows=verified.rows))
        proof, now = verified.proof.proof_id, world.clock.now()
        others = [
            *(bound(other) for other in Purpose if other is not purpose),
            Bound("c-kim", purpose, "flow", "session"),
            Bound(HONG.customer_id, purpose, "other", "session"),
            Bound(HONG.customer_id, purpose, "flow", "other"),
        ]
        for other in others:
            with pytest.raises(ProofMissing):
                await consume(world.store, proof, other, now)
        await world.store.save(Save(ledger=[await consume(world.store, proof, wanted, now)]))
        with pytest.raises(ProofMissing):
            await consume(world.store, proof, wanted, now)

    told(sqlite_url, tmp_path, story, ars_a_day=20)


def test_an_answer_to_another_way_than_was_asked_for_is_none(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, auth: AdditionalAuth) -> None:
        waiting = await asked(world, auth, Method.SMS, bound())
        with pytest.raises(FactorsRefused) as refused:
            await auth.prove(HONG, bound(), waiting, Typed(Method.ARS))
        assert {name: one.code for name, one in refused.value.errors.items()} == {"call": "ars-not-requested"}
        with pytest.raises(MethodNotOffered):
            await auth.request(HONG, bound(), Method.BRANCH_OTP, None, "ko")

    told(sqlite_url, tmp_path, story)


def test_both_halves_are_looked_at_whatever_the_other_says(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, auth: AdditionalAuth) -> None:
        waiting = await asked(world, auth, Method.SMS, bound())
        wrong = Secret(f"{(int(world.phone.code) + 1) % 1_000_000:06d}")
        with pytest.raises(FactorsRefused) as refused:
            await auth.prove(HONG, bound(), waiting, Typed(Method.SMS, wrong, WRONG))
        assert list(refused.value.errors) == ["code", "number_back"]
        with pytest.raises(FactorsRefused) as refused:
            await auth.prove(HONG, bound(), waiting, Typed(Method.SMS, wrong, RIGHT))
        assert list(refused.value.errors) == ["code"] and list(refused.value.resets) == ["no-medium:c-hong"]

    told(sqlite_url, tmp_path, story)


def test_E9_wrong_numbers_lock_whatever_way_stands_beside_them(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, auth: AdditionalAuth) -> None:
        typed = Typed(Method.BRANCH_OTP, Secret("00000000"), WRONG)
        for _ in range(4):
            with pytest.raises(FactorsRefused):
                await auth.prove(HONG, bound(), Choosing(), typed)
        with pytest.raises(NoMediumLocked):
            await auth.prove(HONG, bound(), Choosing(), typed)

    told(sqlite_url, tmp_path, story)


def test_E4_after_zero_every_way_of_that_flow_is_closed(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, auth: AdditionalAuth) -> None:
        world.telephone.does = [CallState.REFUSED]
        waiting = await asked(world, auth, Method.ARS, bound())
        for method in Method:
            with pytest.raises(ArsRefused):
                await auth.prove(HONG, bound(), waiting, Typed(method))
        with pytest.raises(ArsRefused):
            await auth.request(HONG, bound(), Method.SMS, None, "ko")
        answer = {"device_answer": "signed registration session"}
        with pytest.raises(ArsRefused):
            await auth.by_device(HONG, bound(), answer, RIGHT)

    told(sqlite_url, tmp_path, story)


def test_E8_a_designated_device_takes_the_place_of_the_choice_but_not_of_what_stands_beside_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World, auth: AdditionalAuth) -> None:
        answer = {"device_answer": "signed registration session"}
        with pytest.raises(FactorsRefused) as refused:
            await auth.by_device(HONG, bound(), answer, WRONG)
        assert isinstance(refused.value.errors["number_back"], NoMediumMismatch)
        with pytest.raises(DeviceRefused):
            await auth.by_device(HONG, bound(), {"device_answer": "signed copy-out session"}, RIGHT)
        verified = await auth.by_device(HONG, bound(), answer, RIGHT)
        await world.store.save(Save(ledger=verified.ledger, resets=verified.resets))
        await consume(world.store, verified.proof.proof_id, bound(), world.clock.now())

    told(sqlite_url, tmp_path, story)


def test_E8_a_device_never_designates_another_one_nor_changes_numbers(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, auth: AdditionalAuth) -> None:
        for purpose in NEVER_BY_DEVICE:
            answer = {"device_answer": f"signed {purpose} session"}
            with pytest.raises(DeviceNotExempt):
                await auth.by_device(HONG, bound(purpose), answer, RIGHT)

    told(sqlite_url, tmp_path, story)


def test_who_holds_a_token_is_asked_for_its_code_and_nothing_takes_its_place(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, _auth: AdditionalAuth) -> None:
        media = Media(world.store, world.clock, world.no_medium, world.limits, Tokens())
        auth = service(world, media=media)
        assert (await auth.held(HONG)).token
        with pytest.raises(OtpMissing):
            await media.check(HONG, RIGHT)
        for left in (4, 3, 2, 1):
            with pytest.raises(OtpWrong) as wrong:
                await media.check(HONG, OtpTyped(Secret("000000")))
            assert wrong.value.facts == {"n": left}
        accepted = await media.check(HONG, OtpTyped(Secret("123456")))
        await world.store.save(Save(resets=accepted.resets))
        for _try in range(4):
            with pytest.raises(OtpWrong):
                await media.check(HONG, OtpTyped(Secret("000000")))
        for _try in range(2):
            with pytest.raises(OtpLocked):
                await media.check(HONG, OtpTyped(Secret("000000")))
        with pytest.raises(OtpLocked):
            await media.check(HONG, OtpTyped(Secret("123456")))

    told(sqlite_url, tmp_path, story)


def test_a_further_head_of_a_union_is_not_asked_for_the_medium_of_the_first(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, _auth: AdditionalAuth) -> None:
        for media in (
            Media(world.store, world.clock, world.no_medium, world.limits, Tokens()),
            Media(world.store, world.clock, world.no_medium, world.limits, cards=Cards()),
        ):
            assert await media.held(HONG) != Held() == await media.held(replace(HONG, slot=2))
            assert await media.check(replace(HONG, slot=2), RIGHT)

    told(sqlite_url, tmp_path, story)


class Cards:
    """A card of which 3 and 17 are asked for, until they were answered with 1278."""

    def __init__(self) -> None:
        self.now = Asked(3, 17)

    async def asked(self, customer_id: str) -> Asked | None:
        return self.now

    async def verify(self, customer_id: str, asked: Asked, answer: Secret[str]) -> CardAccepted | None:
        return CardAccepted() if asked == self.now and answer == Secret("1278") else None


class CardsAway(Cards):
    """Their keeper does not answer."""

    async def asked(self, customer_id: str) -> Asked | None:
        raise CardOutage


def test_the_ways_are_offered_although_the_keeper_of_cards_is_away(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, _auth: AdditionalAuth) -> None:
        media = Media(world.store, world.clock, world.no_medium, world.limits, cards=CardsAway())
        auth = service(world, media=media)
        assert (await auth.offered(HONG, "ko")).open  # where nothing is asked beside, it is no outage
        with pytest.raises(CardOutage):
            await auth.held(HONG)

    told(sqlite_url, tmp_path, story)


def test_E9_who_holds_a_card_is_asked_for_its_digits_and_wrong_ones_are_one_counter_with_a_token_s(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World, _auth: AdditionalAuth) -> None:
        cards, tokens = Cards(), Tokens()
        media = Media(world.store, world.clock, world.no_medium, world.limits, cards=cards)
        assert (await service(world, media=media).held(HONG)).card == Asked(3, 17)
        with pytest.raises(CardMissing):
            await media.check(HONG, RIGHT)
        for _stale in range(9):  # a page of before counts nothing, and learns nothing
            with pytest.raises(CardAskedAnew):
                await media.check(HONG, CardTyped(Asked(17, 3), Secret("1278")))
        for left in (4, 3):
            with pytest.raises(CardWrong) as wrong:
                await media.check(HONG, CardTyped(Asked(3, 17), Secret("0000")))
            assert wrong.value.facts == {"n": left}
        with_token = Media(world.store, world.clock, world.no_medium, world.limits, tokens)
        with pytest.raises(OtpWrong) as of_token:
            await with_token.check(HONG, OtpTyped(Secret("000000")))
        assert of_token.value.facts == {"n": 2}
        accepted = await media.check(HONG, CardTyped(Asked(3, 17), Secret("1278")))
        await world.store.save(Save(resets=accepted.resets))
        for _try in range(4):
            with pytest.raises(CardWrong):
                await media.check(HONG, CardTyped(Asked(3, 17), Secret("0000")))
        for answer in ("0000", "1278"):  # the last one is right, and too late
            with pytest.raises(CardLocked):
                await media.check(HONG, CardTyped(Asked(3, 17), Secret(answer)))

    told(sqlite_url, tmp_path, story)
