"""How long an answer is believed, and what the adapter does when the root's list is away (security A10-A12)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.adapters.status.conftest import Outside

from ingam.adapters.status.online import OnlineStatus
from ingam.ports.status import Good, Revoked, Source, Status, StatusUnavailable
from ingam.protocols import crl

Asking = Callable[[bool], Awaitable[Status]]


def asked(outside: Outside, story: Callable[[Asking, OnlineStatus], Awaitable[None]], **facts: Any) -> None:
    """Run a story with one adapter; its first argument asks for `securities`, with `fresh` or without."""

    async def go() -> None:
        person, issuer = outside.holder("securities")
        async with outside.asking(**facts) as status:

            async def ask(fresh: bool) -> Status:
                return await status.check(person, issuer, fresh=fresh, at=outside.box.clock.now())

            await story(ask, status)

    asyncio.run(go())


def test_A11_a_login_lives_ten_minutes_on_an_answer_and_registration_never(outside: Outside) -> None:
    async def story(ask: Asking, _: OnlineStatus) -> None:
        first = await ask(False)
        assert isinstance(first, Good) and first.source is Source.OCSP
        outside.box.world.act("securities", "revoke", outside.box.clock.now())
        outside.box.clock.pass_time(seconds=590)
        assert await ask(False) == first  # and the audit line tells its age
        assert isinstance(await ask(True), Revoked)
        assert isinstance(await ask(False), Revoked)  # what registration learned, login knows

    asked(outside, story)


def test_A11_after_ten_minutes_the_responder_is_asked_again(outside: Outside) -> None:
    async def story(ask: Asking, _: OnlineStatus) -> None:
        assert isinstance(await ask(False), Good)
        outside.box.world.act("securities", "revoke", outside.box.clock.now())
        outside.box.clock.pass_time(seconds=600)
        assert isinstance(await ask(False), Revoked)

    asked(outside, story)


def test_A12_what_is_not_good_is_never_remembered(outside: Outside) -> None:
    async def story(ask: Asking, _: OnlineStatus) -> None:
        outside.box.world.act("securities", "suspend", outside.box.clock.now())
        assert not isinstance(await ask(False), Good)
        outside.switches.turn("responder", "signkorea", "malformed")
        with pytest.raises(StatusUnavailable):
            await ask(False)
        outside.switches.reset()
        outside.box.world.act("securities", "release", outside.box.clock.now())
        assert isinstance(await ask(False), Good)

    asked(outside, story)


def test_A12_where_the_list_may_not_stand_in_a_silent_responder_confirms_nothing(outside: Outside) -> None:
    async def story(ask: Asking, _: OnlineStatus) -> None:
        for position, code in (
            ("off", "status-unreachable"),
            ("slow", "status-slow"),
            ("try-later", "status-try-later"),
        ):
            outside.switches.turn("responder", "signkorea", position)
            with pytest.raises(StatusUnavailable) as caught:
                await ask(True)
            assert caught.value.code == code

    asked(outside, story, crl_fallback=False, seconds=0.7)


def test_A10_the_roots_list_is_kept_for_an_hour_and_stands_in_while_it_is_in_force(outside: Outside) -> None:
    async def story(ask: Asking, status: OnlineStatus) -> None:
        _, issuer = outside.holder("securities")
        serials, until = await status.root_list(issuer, outside.box.clock.now())
        assert serials == frozenset() and until > outside.box.clock.now()
        outside.switches.turn("list", "rootca", "off")
        assert isinstance(await ask(True), Good)
        outside.box.clock.pass_time(hours=2)
        assert await status.root_list(issuer, outside.box.clock.now()) == (serials, until)
        outside.box.clock.pass_time(days=15)
        with pytest.raises(StatusUnavailable) as caught:
            await status.root_list(issuer, outside.box.clock.now())
        assert caught.value.code == "root-list-unavailable"

    asked(outside, story)


@pytest.mark.parametrize("position", ["off", "stale", "wrong-signature", "malformed"])
def test_A10_without_the_roots_list_nothing_is_good(outside: Outside, position: str) -> None:
    async def story(ask: Asking, _: OnlineStatus) -> None:
        outside.switches.turn("list", "rootca", position)
        with pytest.raises(StatusUnavailable) as caught:
            await ask(True)
        assert caught.value.code == "root-list-unavailable"

    asked(outside, story)


def test_A10_a_revoked_authority_is_on_the_list_after_an_hour(outside: Outside) -> None:
    async def story(_: Asking, status: OnlineStatus) -> None:
        _holder, issuer = outside.holder("securities")
        now = outside.box.clock.now
        assert (await status.root_list(issuer, now()))[0] == frozenset()
        outside.box.world.act("signkorea-ca4", "revoke", now())
        outside.box.clock.pass_time(minutes=61)
        assert (await status.root_list(issuer, now()))[0] == frozenset({issuer.serial})

    asked(outside, story)


def test_A12_lists_seen_at_once_never_take_the_number_back(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older of two lists that arrive together loses, whichever is saved first."""

    async def story(ask: Asking, status: OnlineStatus) -> None:
        outside.switches.turn("responder", "signkorea", "off")
        assert isinstance(await ask(True), Good)
        seen = status._highest_seen

        async def behind(where: Any) -> int:
            monkeypatch.setattr(status, "_highest_seen", seen)
            return -1  # as it was before the other request saved its list

        monkeypatch.setattr(status, "_highest_seen", behind)
        outside.switches.turn("list", "signkorea", "older-number")
        with pytest.raises(StatusUnavailable) as caught:
            await ask(True)
        assert caught.value.code == "status-crl-older"

    asked(outside, story)


def test_A7_a_certificate_of_an_authority_that_is_not_configured_is_asked_nowhere(outside: Outside) -> None:
    async def story(_: Asking, status: OnlineStatus) -> None:
        person, _issuer = outside.holder("securities")
        for check in (
            status.check(person, person, fresh=True, at=outside.box.clock.now()),
            status.root_list(person, outside.box.clock.now()),
        ):
            with pytest.raises(StatusUnavailable) as caught:
                await check
            assert caught.value.code == "status-not-configured"

    asked(outside, story)


def test_A12_a_list_for_many_is_one_request_and_passes_every_check_of_a_list(outside: Outside) -> None:
    async def story(_: Asking, status: OnlineStatus) -> None:
        person, issuer = outside.holder("securities")
        now, partition = outside.box.clock.now, crl.partition_of(person) or ""
        outside.switches.turn("responder", "signkorea", "off")  # nobody asks it
        listed = await status.whole_list(issuer, partition, now())
        assert isinstance(listed.status(person.serial), Good)
        ended, _issuer = outside.holder("revoked")  # of the same partition
        assert crl.partition_of(ended) == partition and isinstance(listed.status(ended.serial), Revoked)
        for position, code in (("older-number", "status-crl-older"), ("off", "status-unreachable")):
            outside.switches.turn("list", "signkorea", position)
            with pytest.raises(StatusUnavailable) as caught:
                await status.whole_list(issuer, partition, now())
            assert caught.value.code == code
        with pytest.raises(StatusUnavailable) as caught:
            await status.whole_list(person, partition, now())
        assert caught.value.code == "status-not-configured"

    asked(outside, story)
