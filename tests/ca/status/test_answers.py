"""The responder beside the books: one signature for many questions, and nothing said that is no longer true."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from cryptography import x509
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.ca.status.ground import (
    GOOD,
    NOW,
    REVOKED,
    UNKNOWN,
    Clock,
    Framed,
    LiveBooks,
    TestFraming,
    asking,
    counted,
    entered,
    generation,
    read,
    second_ca,
    status,
    told,
)
from tests.npki import certs

from ingam.ca.status.answers import Answers
from ingam.ca.status.framing import Bare
from ingam.ca.status.limits import StatusLimits, StatusLimitsRefused
from ingam.ca.status.responders import Generations
from ingam.kernel.errors import Defect
from ingam.ports.books import BooksOutage, State
from ingam.ports.signing import Intent
from ingam.protocols.ocsp import answering

T = TypeVar("T")
NONCE = bytes(range(32))


class World:
    """Answers over books in memory."""

    def __init__(self, limits: StatusLimits | None = None, known: Generations | None = None, days: int = 90) -> None:
        self.books, self.clock, self.signer = LiveBooks(), Clock(), counted()
        self.defects: list[BaseException] = []
        found = known or Generations([generation(self.signer, days=days)])
        self.answers: Answers[Framed] = Answers(
            self.books, found, TestFraming(), self.clock, limits or StatusLimits(), self.defects.append
        )

    async def ask(self, raw: bytes) -> Framed:
        return await told(self.answers.ask(raw))

    async def get(self, raw: bytes) -> Framed:
        return await told(self.answers.ask_path(b64encode(raw)))

    async def status_of(self, serial: int) -> object:
        return status(await self.ask(asking(serial)))


def run(walk: Callable[[World], Awaitable[T]], world: World | None = None) -> T:
    async def go() -> T:
        found = world or World()
        try:
            return await asyncio.wait_for(walk(found), 30)
        finally:
            found.signer.open.set()
            found.answers.close()

    return asyncio.run(go())


# Signed ahead


def test_the_second_question_is_answered_by_the_first_ones_signature_at_once() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        first = await world.ask(asking(7))
        second = world.answers.ask(asking(7))
        assert second is first and status(first) is GOOD and first.how == "posted"
        assert world.signer.signed == 1

    run(walk)


def test_an_answer_says_when_it_was_made_and_how_long_it_is_good_in_whole_seconds() -> None:
    async def walk(world: World) -> None:
        world.clock.now += 0.75
        world.books.issue(7)
        found = read(await world.ask(asking(7)))
        single = next(iter(found.responses))
        assert found.produced_at_utc == single.this_update_utc == NOW
        assert single.next_update_utc == NOW + timedelta(hours=1)

    run(walk)


def test_a_question_put_in_another_way_shares_the_signature_and_another_hash_has_its_own() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        await world.ask(asking(7))
        got = await world.get(asking(7))
        assert got.how == "fetched" and world.signer.signed == 1
        assert world.answers.ask_path(b64encode(asking(7))) is got
        by_sha256 = await world.ask(asking(7, sha256=True))
        assert world.signer.signed == 2 and read(by_sha256).responses is not None
        assert next(iter(read(by_sha256).responses)).hash_algorithm.name == "sha256"

    run(walk)


def test_identical_first_questions_at_once_share_one_signature() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        world.signer.open.clear()
        asked = [asyncio.create_task(world.ask(asking(7))) for _ in range(50)]
        await entered(world.signer)
        world.signer.open.set()
        found = await asyncio.gather(*asked)
        assert world.signer.signed == 1 and len({id(one) for one in found}) == 1

    run(walk)


@pytest.mark.parametrize(
    ("state", "reason", "said", "flag"),
    [
        (State.PENDING, None, GOOD, None),
        (State.HELD, 6, REVOKED, x509.ReasonFlags.certificate_hold),
        (State.HELD, None, REVOKED, x509.ReasonFlags.certificate_hold),
        (State.REVOKED, 1, REVOKED, x509.ReasonFlags.key_compromise),
        (State.REVOKED, 4, REVOKED, x509.ReasonFlags.superseded),
        (State.REVOKED, None, REVOKED, None),
    ],
)
def test_every_state_of_the_books_is_said(
    state: State, reason: int | None, said: object, flag: x509.ReasonFlags | None
) -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        world.books.change(7, state, reason, at=NOW - timedelta(days=2))
        found = next(iter(read(await world.ask(asking(7))).responses))
        assert found.certificate_status is said and found.revocation_reason is flag
        if said is REVOKED:
            assert found.revocation_time_utc == NOW - timedelta(days=2)

    run(walk)


# Changes


def test_a_revocation_is_in_the_very_next_answer() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        world.books.issue(8)
        assert await world.status_of(7) is GOOD and await world.status_of(8) is GOOD
        await world.get(asking(7))
        world.books.change(7, State.REVOKED, 1)
        assert await world.status_of(7) is REVOKED
        assert status(await world.get(asking(7))) is REVOKED
        assert world.answers.ask(asking(8)) is not None and world.signer.signed == 3

    run(walk)


def test_what_was_forgotten_for_want_of_room_is_not_answered_from_a_memo() -> None:
    async def walk(world: World) -> None:
        for serial in (7, 8):
            world.books.issue(serial)
        carrier = Bare(asking(7))
        assert status(await told(world.answers.carried(carrier))) is GOOD
        assert isinstance(world.answers.carried(carrier), Framed) and carrier.memo is not None
        await world.status_of(8)  # there is room for one
        world.books.change(7, State.REVOKED, 1)
        assert status(await told(world.answers.carried(carrier))) is REVOKED

    run(walk, World(StatusLimits(kept=1)))


def test_a_hold_and_its_release_are_in_the_very_next_answers() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        for state, said in (
            (State.HELD, REVOKED),
            (State.VALID, GOOD),
            (State.HELD, REVOKED),
            (State.REVOKED, REVOKED),
        ):
            world.books.change(7, state, 6)
            assert await world.status_of(7) is said

    run(walk)


@pytest.mark.parametrize("nonce", [None, NONCE])
def test_a_revocation_while_the_answer_is_signed_is_in_that_answer(nonce: bytes | None) -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        world.signer.open.clear()
        asked = asyncio.create_task(world.ask(asking(7, nonce=nonce)))
        await entered(world.signer)
        world.books.change(7, State.REVOKED, 1)
        world.signer.open.set()
        assert status(await asked) is REVOKED
        assert world.signer.signed == 2
        assert await world.status_of(7) is REVOKED

    run(walk)


def test_a_revocation_between_the_signature_and_the_turn_of_who_waits_is_in_his_answer() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        world.signer.open.clear()
        waits = asyncio.create_task(world.ask(asking(7)))
        await entered(world.signer)
        first = next(iter(world.answers._firsts.values()))

        def revoke(_done: object) -> None:
            world.books.change(7, State.REVOKED, 1)
            world.answers.ask(b"")  # somebody else's question sees the change

        first.add_done_callback(revoke)
        world.signer.open.set()
        assert status(await waits) is REVOKED

    run(walk)


def test_a_status_that_never_rests_is_try_later() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        plain = world.signer.sign

        def restless(intent: Intent) -> bytes:
            world.books.change(7, State.HELD, 6)
            return plain(intent)

        world.signer.sign = restless  # type: ignore[method-assign]
        assert await world.status_of(7) == "TRY_LATER"
        world.signer.sign = plain  # type: ignore[method-assign]
        assert await world.status_of(7) is REVOKED

    run(walk)


def test_a_great_many_changes_empty_the_memory_instead_of_stopping_the_questions() -> None:
    async def walk(world: World) -> None:
        for serial in range(1, 6):
            world.books.issue(serial)
            await world.status_of(serial)
        for _ in range(3000):
            world.books.change(1, State.REVOKED, 1)
        world.books.change(5, State.REVOKED, 1)
        assert await world.status_of(5) is REVOKED and world.answers.kept == 1
        assert await world.status_of(2) is GOOD and world.answers.seen == 3001

    run(walk)


def test_books_put_back_to_an_earlier_day_empty_the_memory() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        world.books.change(7, State.REVOKED, 1)
        assert await world.status_of(7) is REVOKED
        world.books.log.clear()
        world.books.issue(7)
        assert await world.status_of(7) is GOOD

    run(walk)


# Never issued, not ours, no question


def test_what_was_never_issued_is_unknown_and_good_once_it_is_issued() -> None:
    async def walk(world: World) -> None:
        found = await world.ask(asking(99))
        assert status(found) is UNKNOWN and found.how == "once" and world.answers.kept == 0
        single = next(iter(read(found).responses))
        assert single.next_update_utc == NOW + timedelta(seconds=120)
        world.books.issue(99)
        assert await world.status_of(99) is GOOD
        assert await world.status_of(-5) is UNKNOWN and await world.status_of(0) is UNKNOWN

    run(walk)


def test_another_authoritys_certificate_is_unauthorized_and_nothing_is_signed() -> None:
    async def walk(world: World) -> None:
        assert status(await world.ask(asking(7, issuer=certs.root()))) == "UNAUTHORIZED"
        assert world.signer.signed == 0

    run(walk)


def test_no_question_is_malformed_and_nothing_is_looked_up() -> None:
    async def walk(world: World) -> None:
        assert status(await world.ask(b"\x30\x03\x02\x01\x01")) == "MALFORMED_REQUEST"
        assert status(await told(world.answers.ask_path(b"%%%"))) == "MALFORMED_REQUEST"
        assert world.books.looked == 0

    run(walk)


def test_several_certificates_get_one_answer_in_their_order() -> None:
    async def walk(world: World) -> None:
        world.books.issue(1)
        world.books.issue(2)
        world.books.change(2, State.REVOKED, 1)
        found = await world.ask(asking(2, 1, 3))
        assert [one.certificate_status for one in read(found).responses] == [REVOKED, GOOD, UNKNOWN]
        assert found.how == "once" and world.answers.kept == 0

    run(walk)


def test_each_generation_is_answered_by_its_own_responder() -> None:
    first, second = counted(), counted("rsa2048-07")
    known = Generations([generation(first), generation(second, 2, key_name="rsa2048-07")])

    async def walk(world: World) -> None:
        world.books.issue(7, ca=1)
        world.books.issue(7, State.PENDING, ca=2)
        world.books.change(7, State.REVOKED, 1, ca=2)
        assert await world.status_of(7) is GOOD
        assert status(await world.ask(asking(7, issuer=second_ca()))) is REVOKED
        assert (first.signed, second.signed) == (1, 1)
        mixed = b"".join((asking(7), asking(7, issuer=second_ca())))
        assert status(await world.ask(mixed)) == "MALFORMED_REQUEST"

    run(walk, World(known=known))


# D13


def test_D13_a_nonce_is_answered_on_demand_comes_back_and_is_kept_by_nobody() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        found = await world.ask(asking(7, nonce=NONCE))
        assert read(found).extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == NONCE
        assert found.how == "once" and status(found) is GOOD
        await world.ask(asking(7, nonce=NONCE))
        assert world.signer.signed == 2 and world.answers.kept == 0

    run(walk)


def test_D13_beyond_the_rate_it_is_try_later_and_what_is_ready_is_answered_all_the_same() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        await world.ask(asking(7))
        said = [status(await world.ask(asking(7, nonce=NONCE))) for _ in range(5)]
        assert said == [GOOD, GOOD, GOOD, "TRY_LATER", "TRY_LATER"]
        assert status(await world.ask(asking(99))) == "TRY_LATER"
        assert await world.status_of(7) is GOOD
        world.books.issue(8)
        assert await world.status_of(8) is GOOD  # a first question is not on demand
        world.clock.now += 1
        assert status(await world.ask(asking(7, nonce=NONCE))) is GOOD

    run(walk, World(StatusLimits(demand_rate=2, demand_burst=3)))


def test_D13_beyond_the_queue_it_is_try_later() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        world.signer.open.clear()
        waiting = [asyncio.create_task(world.ask(asking(7, nonce=NONCE))) for _ in range(2)]
        await entered(world.signer)
        assert status(await world.ask(asking(7, nonce=NONCE))) == "TRY_LATER"
        world.signer.open.set()
        assert [status(one) for one in await asyncio.gather(*waiting)] == [GOOD, GOOD]
        assert status(await world.ask(asking(7, nonce=NONCE))) is GOOD

    run(walk, World(StatusLimits(demand_queue=2)))


def test_D13_first_questions_have_a_queue_that_ends_too() -> None:
    async def walk(world: World) -> None:
        for serial in range(1, 5):
            world.books.issue(serial)
        world.signer.open.clear()
        waiting = [asyncio.create_task(world.ask(asking(serial))) for serial in (1, 2, 1)]
        await entered(world.signer)
        assert await world.status_of(3) == "TRY_LATER"
        world.signer.open.set()
        assert [status(one) for one in await asyncio.gather(*waiting)] == [GOOD] * 3

    run(walk, World(StatusLimits(first_queue=2)))


def test_D13_caches_may_keep_no_answer_longer_than_the_bound_nor_past_its_end() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        assert (await world.get(asking(7))).max_age == 300
        ends = World(days=90)
        try:
            ends.books.issue(7)
            ends.clock.now += 89 * 86_400 - 200  # the responder ends in 200 seconds
            found = await ends.get(asking(7))
            single = next(iter(read(found).responses))
            assert single.next_update_utc is not None
            assert found.max_age == 140 and single.next_update_utc.timestamp() == ends.clock.now + 200
        finally:
            ends.answers.close()

    run(walk)


@pytest.mark.parametrize(
    "limits", [{"cdn_max_age_s": 301}, {"cdn_max_age_s": -1}, {"valid_s": 300}, {"kept": 0}, {"demand_queue": 0}]
)
def test_D13_limits_that_contradict_each_other_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(StatusLimitsRefused):
        StatusLimits(**limits)


# Time


def test_what_is_asked_often_is_signed_anew_half_way_and_nobody_waits() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        world.books.issue(8)
        for _ in range(3):
            first = await world.ask(asking(7))
        await world.ask(asking(8))
        world.clock.now += 1801
        begun = world.answers.refresh()
        assert world.answers.ask(asking(7)) is first  # the older one serves until then
        await asyncio.gather(*begun)
        newer = world.answers.ask(asking(7))
        assert isinstance(newer, Framed) and newer is not first and len(begun) == 1
        assert next(iter(read(newer).responses)).this_update_utc == NOW + timedelta(seconds=1801)

    run(walk)


def test_an_answer_is_never_given_out_so_late_that_a_cache_could_outlive_it() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        await world.ask(asking(7))
        world.clock.now += 3600 - 300 - 60 - 1
        await world.ask(asking(7))
        assert world.signer.signed == 1
        world.clock.now += 1
        await world.ask(asking(7))
        assert world.signer.signed == 2

    run(walk)


def test_a_responder_near_its_end_is_not_ready_and_one_past_it_signs_nothing() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        assert world.answers.troubles() == []
        world.clock.now += 82 * 86_400
        assert world.answers.troubles() == [] and await world.status_of(7) is GOOD
        world.clock.now += 2 * 86_400
        assert world.answers.troubles() == ["ocsp-responder-ending"] and await world.status_of(7) is GOOD
        world.clock.now += 5 * 86_400
        assert await world.status_of(7) == "TRY_LATER"

    run(walk)


def test_D12_a_new_responder_certificate_answers_from_the_next_question_on() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        await world.ask(asking(7))
        newer = counted("rsa2048-07")
        world.answers.replace(Generations([generation(newer, key_name="rsa2048-07")]))
        found = await world.ask(asking(7))
        assert newer.signed == 1 and status(found) is GOOD

    run(walk)


# Outages


def test_books_that_are_away_are_try_later_and_what_changed_meanwhile_is_not_missed() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        assert await world.status_of(7) is GOOD
        world.books.away = True
        assert await world.status_of(7) == "TRY_LATER"
        assert status(await world.get(asking(7))) == "TRY_LATER"
        assert world.answers.troubles() == ["books-outage"]
        world.books.change(7, State.REVOKED, 1)
        world.answers._behind = True
        world.books.away = False
        assert await world.status_of(7) is REVOKED

    run(walk)


def test_changes_that_could_not_be_read_are_read_before_the_next_answer() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        assert await world.status_of(7) is GOOD
        world.books.change(7, State.REVOKED, 1)
        plain = world.books.last_change

        def away() -> int:
            raise BooksOutage

        world.books.last_change = away  # type: ignore[method-assign]
        assert await world.status_of(7) == "TRY_LATER"
        assert not world.books.changed()
        world.books.last_change = plain  # type: ignore[method-assign]
        assert await world.status_of(7) is REVOKED

    run(walk)


def test_a_signer_that_is_away_is_try_later_and_not_ready_until_it_is_back() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        world.signer.away = True
        assert await world.status_of(7) == "TRY_LATER"
        assert world.answers.troubles() == ["signing-outage"]
        world.signer.away = False
        assert await world.status_of(7) is GOOD
        world.clock.now += 10
        assert world.answers.troubles() == []

    run(walk)


def test_a_defect_of_the_signer_is_told_and_is_try_later() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)

        def broken(intent: Intent) -> bytes:
            raise Defect("signing-intent")

        world.signer.sign = broken  # type: ignore[method-assign]
        assert await world.status_of(7) == "TRY_LATER"
        assert [str(one) for one in world.defects] == ["signing-intent"]

    run(walk)


def test_who_waits_for_a_change_is_told_at_once_or_when_his_time_is_over() -> None:
    async def walk(world: World) -> None:
        world.books.issue(7)
        await world.answers.change_after(0, 0.01)
        assert world.answers.seen == 0
        waits = asyncio.create_task(world.answers.change_after(0, 20))
        tending = asyncio.create_task(world.answers.tend(0.001))
        await asyncio.sleep(0)
        world.books.change(7, State.REVOKED, 1)
        await waits
        assert world.answers.seen == 1
        await world.answers.change_after(0, 20)  # behind already: at once
        tending.cancel()

    run(walk)


class AnyWalk(RuleBasedStateMachine):
    """Whatever happens in whatever order, an answer says what the books say now, and is in time."""

    @initialize(waits=st.booleans())
    def begin(self, waits: bool) -> None:
        self.loop = asyncio.new_event_loop()
        self.again: dict[bytes, Bare] = {}  # the same bytes that come again, as the exchange remembers them
        self.world = World(StatusLimits(kept=3, valid_s=720, demand_rate=1000, demand_burst=1000))
        self.world.signer.waits = waits

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.answers.close()
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    @rule(serial=st.integers(1, 5))
    def issue(self, serial: int) -> None:
        if (1, serial) not in self.world.books.rows:
            self.world.books.issue(serial)

    @rule(serial=st.integers(1, 5), state=st.sampled_from([State.VALID, State.HELD, State.REVOKED]))
    def change(self, serial: int, state: State) -> None:
        row = self.world.books.rows.get((1, serial))
        if row is not None and row.state is not State.REVOKED:
            self.world.books.change(serial, state, 6 if state is State.HELD else 1)

    @rule(seconds=st.integers(1, 800))
    def wait(self, seconds: int) -> None:
        self.world.clock.now += seconds

    @rule()
    def refresh(self) -> None:
        async def go() -> None:
            await asyncio.gather(*self.world.answers.refresh())

        self.loop.run_until_complete(go())

    @rule(serial=st.integers(1, 5), how=st.sampled_from(["post", "get", "sha256", "nonce"]))
    def ask(self, serial: int, how: str) -> None:
        raw = asking(serial, sha256=how == "sha256", nonce=NONCE if how == "nonce" else None)
        carrier = self.again.setdefault(raw, Bare(raw))
        answers = self.world.answers

        async def go() -> Framed:
            return await told(answers.ask_path(b64encode(raw)) if how == "get" else answers.carried(carrier))

        found = self.loop.run_until_complete(go())
        row = self.world.books.rows.get((1, serial))
        expected = UNKNOWN if row is None else GOOD if row.state is State.VALID else REVOKED
        assert status(found) is expected
        single = next(iter(read(found).responses))
        assert single.next_update_utc is not None
        assert single.this_update_utc.timestamp() <= self.world.clock.now
        assert single.next_update_utc.timestamp() - self.world.clock.now > found.max_age
        assert self.world.answers.kept <= 3
        assert answering.question(raw).asked[0].raw in found.der


TestAnyWalk = AnyWalk.TestCase
TestAnyWalk.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
