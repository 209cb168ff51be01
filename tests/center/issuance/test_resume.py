"""Interrupted people go on (F10), lost answers are fetched again (D9), and nothing is ever issued twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.center.issuance.phone import Phone, Refused
from tests.center.issuance.test_walk import begun, bound, logs_in
from tests.center.issuance.world import World, told

from ingam.kernel.words import say
from ingam.ports.books import State
from ingam.sandbox.people import person

HONG, KIM = person("hong"), person("kim")
DEVICE = "ingam-center-device"


def again_on_this_device(world: World, one: Phone) -> Phone:
    """A browser with the same device cookie and no session; the vault's records are there."""
    other = world.phone(one.who)
    other.client.cookies.set(DEVICE, one.client.cookies[DEVICE], domain="localhost.local")
    other.vault = one.vault
    return other


# ── F10 ──


@pytest.mark.parametrize(
    "screen", ["consents", "identity", "otp", "card", "account", "onewon", "details", "key", "product"]
)
def test_F10_an_interrupted_run_goes_on_at_its_last_finished_step(sqlite_url: str, tmp_path: Path, screen: str) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, screen)
        other = again_on_this_device(world, one)
        world.clock.forward(100)
        await other.log_in()
        await other.get()
        assert other.screen == "password"
        assert say("issuance.resumable", "ko") in other.page
        await other.enter("Wrong!2026")
        assert (other.screen, other.status) == ("password", 401)
        await other.enter()
        assert other.screen == screen
        await one.get()
        assert one.screen == "password"  # the first session is no longer the run's
        await other.until("issued")
        assert await world.certificates(HONG) == [State.VALID]
        assert await world.results("issuance.resume") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_F10_not_after_ten_minutes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "details")
        world.clock.forward(599)
        await one.get()  # whoever only looks has finished nothing
        world.clock.forward(2)
        other = again_on_this_device(world, one)
        await other.log_in()
        await other.get()
        assert say("issuance.resumable", "ko") not in other.page
        assert say("issuance.elsewhere", "ko") in other.page
        await other.enter()
        assert other.screen == "consents"
        await one.get()
        assert one.screen == "password"

    told(sqlite_url, tmp_path, story)


def test_F10_not_on_another_device_and_the_run_there_ends(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "onewon")
        thief = world.phone(HONG)
        await thief.log_in()
        await thief.get()
        assert thief.screen == "password"
        assert say("issuance.elsewhere", "ko") in thief.page
        await thief.enter()
        assert thief.screen == "consents"
        stale = await one.prove_one_won()
        assert one.screen == "password", stale
        states = [str(row["state"]) for row in await world.rows("flow", machine="issuance")]
        assert len(states) == 2 and sum('"Expired"' in state for state in states) == 1

    told(sqlite_url, tmp_path, story)


def test_F10_a_post_of_the_session_before_does_nothing_after_the_resume(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "details")
        other = again_on_this_device(world, one)
        await other.log_in()
        await other.get()
        await other.enter()
        assert other.screen == "details"
        await one.describe(email_local="stranger")
        assert one.screen == "password"
        await other.get()
        assert other.screen == "details" and "stranger" not in other.page
        assert await world.rows("contact") == []

    told(sqlite_url, tmp_path, story)


def test_wrong_passwords_of_a_resume_lock_the_login_and_not_the_run(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        other = again_on_this_device(world, one)
        await other.log_in()
        await other.get()
        for _ in range(5):
            await other.enter("Wrong!2026")
        await other.enter()
        assert (other.screen, other.status) == ("password", 403)  # locked, although it was the right one
        await one.get()
        assert one.screen == "card"

    told(sqlite_url, tmp_path, story)


def test_a_run_is_over_after_its_thirty_minutes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "identity")
        for _ in range(6):
            world.clock.forward(300)
            await one.get()
        assert one.screen == "password"
        assert say("issuance.expired", "ko") in one.page
        await one.enter()
        assert one.screen == "consents"

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("state", ["requested", "confirmed"])
def test_what_the_authority_may_have_issued_is_fetched_for_an_hour_on_the_same_device(
    sqlite_url: str, tmp_path: Path, state: str
) -> None:
    """`confirmed`: the authority has the certConf, and the center died before it knew."""

    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        if state == "confirmed":
            conf = one.vault.confirm(await one.carry(one.vault.ask(one.vault.registered)))
            world.wire.lost = True
            with pytest.raises(Refused):
                await one.carry(conf)
            world.wire.lost = False
            assert await world.certificates(HONG) == [State.VALID]
        world.clock.forward(55 * 60)
        other = again_on_this_device(world, one)
        await other.log_in()
        await other.get()
        assert say("issuance.resumable", "ko") in other.page
        await other.enter()
        assert other.screen == ("requested" if state == "requested" else "delivered")
        await other.fetch()
        await other.get()
        assert other.screen == "issued"
        assert await world.certificates(HONG) == [State.VALID]

    told(sqlite_url, tmp_path, story)


def test_a_certificate_that_nobody_confirmed_in_its_ten_minutes_is_given_up_and_the_old_one_stands(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.holds(HONG, 4)
        one = await begun(world, HONG, "requested")
        ip = await one.carry(one.vault.ask(one.vault.registered))
        for _ in range(3):
            world.clock.forward(290)
            await one.get()
        one.vault.issue = await one.issue()
        await one.carry(one.vault.confirm(ip))
        await one.get()
        assert one.screen == "refused"
        assert await bound(world, HONG) == []
        old, new = await world.certificates(HONG)
        assert old is State.VALID and new is not State.VALID

    told(sqlite_url, tmp_path, story)


# ── lost answers ──


def test_a_key_is_told_twice_and_is_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "key")
        first = await one.make_key()
        assert await one.make_key() == first  # the answer was lost; the page still has its old version
        one.fresh_vault(4)  # the record was lost: the vault makes another key
        second = await one.make_key()
        assert second["version"] == first["version"] + 1
        await one.get()
        assert f'data-spki="{one.vault.spki}"' in one.page
        await one.until("issued")
        assert await world.certificates(HONG) == [State.VALID]

    told(sqlite_url, tmp_path, story)


def test_D3_the_codes_of_a_lost_answer_are_told_again_and_are_the_same(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "product")
        registered = await one.choose()
        again = await one.again()
        assert {**again, "not_after_at_most": ""} == {**registered, "not_after_at_most": ""}
        with pytest.raises(Refused) as refused:
            await one.choose()
        assert (refused.value.status, refused.value.code) == (409, "true-step")
        with pytest.raises(Refused):
            await one.make_key()
        one.vault.registered = await one.again()
        await one.get()
        await one.fetch()
        with pytest.raises(Refused):
            await one.again()  # nobody gets them any more
        assert await world.certificates(HONG) == [State.VALID]
        flows = "".join(str(row["state"]) for row in await world.rows("flow"))
        assert registered["code"] not in flows and registered["reference"] not in flows

    told(sqlite_url, tmp_path, story)


def test_D9_every_message_may_be_carried_again_and_has_its_answer(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.holds(HONG, 4)
        one = await begun(world, HONG, "requested")
        ir = one.vault.ask(one.vault.registered)
        ip = await one.carry(ir)
        world.clock.forward(7 * 60)  # longer than a message's time is good for
        assert await one.carry(ir) == ip
        assert await world.certificates(HONG) == [State.VALID, State.PENDING]
        assert await bound(world, HONG) == []
        one.vault.issue = await one.issue()
        conf = one.vault.confirm(ip)
        pki_conf = await one.carry(conf)
        world.clock.forward(7 * 60)
        assert await one.carry(conf) == pki_conf  # the run is Issued, the vault had not heard
        one.vault.finish(pki_conf)
        assert await world.certificates(HONG) == [State.REVOKED, State.VALID]
        assert len(await world.rows("binding")) == 1
        assert await world.results("issuance.issued") == ["ok"]
        await world.deliver()
        assert len(world.mails(HONG)) == 1
        await logs_in(world, one)

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("trouble", ["away", "lost"])
def test_D9_an_authority_out_of_reach_keeps_the_run_where_it_was(sqlite_url: str, tmp_path: Path, trouble: str) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "product")
        setattr(world.wire, trouble, True)
        with pytest.raises(Refused) as refused:
            await one.choose()
        assert (refused.value.status, refused.value.code) == (503, "certification-outage")
        setattr(world.wire, trouble, False)
        await one.get()
        assert one.screen == "product"
        one.vault.registered = await one.choose()
        ir = one.vault.ask(one.vault.registered)
        setattr(world.wire, trouble, True)
        with pytest.raises(Refused) as refused:
            await one.carry(ir)
        assert refused.value.status == 503
        setattr(world.wire, trouble, False)
        await one.get()
        assert one.screen == "requested"
        conf = one.vault.confirm(await one.carry(ir))
        setattr(world.wire, trouble, True)
        with pytest.raises(Refused):
            await one.carry(conf)
        assert await bound(world, HONG) == []
        setattr(world.wire, trouble, False)
        await one.get()
        assert one.screen == "delivered"
        one.vault.finish(await one.carry(conf))
        await one.get()
        assert one.screen == "issued"
        assert await world.certificates(HONG) == [State.VALID]

    told(sqlite_url, tmp_path, story)


def test_a_request_that_never_arrived_is_composed_at_a_newer_time(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        old = one.vault.ask(one.vault.registered)
        world.clock.forward(9 * 60)  # it was stored, and the telephone was put away
        other = again_on_this_device(world, one)
        await other.log_in()
        await other.get()
        await other.enter()
        assert other.screen == "requested"
        await other.carry(old)  # the authority answers badTime: it has never taken this message
        await other.get()
        assert other.screen == "requested"
        other.vault.issue, other.vault.ir = await other.issue(), b""
        await other.fetch()
        await other.get()
        assert other.screen == "issued"
        assert await world.certificates(HONG) == [State.VALID]

    told(sqlite_url, tmp_path, story)


def test_a_confirmation_that_never_arrived_is_composed_at_a_newer_time(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        ip = await one.carry(one.vault.ask(one.vault.registered))
        before = one.vault.going
        old = one.vault.confirm(ip)
        world.clock.forward(9 * 60)
        await one.get()
        await one.carry(old)
        await one.get()
        assert one.screen == "delivered"
        one.vault.going, one.vault.cert_conf, one.vault.issue = before, b"", await one.issue()
        await one.fetch()
        await one.get()
        assert one.screen == "issued"
        assert await world.certificates(HONG) == [State.VALID]

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("screen", ["requested", "delivered"])
def test_a_center_that_came_back_goes_on(sqlite_url: str, tmp_path: Path, screen: str) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        if screen == "delivered":
            await one.carry(one.vault.ask(one.vault.registered))
        await world.restart()
        await one.get()
        assert one.screen == screen
        await one.until("issued")
        assert await world.certificates(HONG) == [State.VALID]
        await logs_in(world, one)

    told(sqlite_url, tmp_path, story)


# ── the end without a certificate ──


def test_a_certificate_that_the_vault_declines_is_revoked_and_the_old_one_stands(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        old = await world.holds(HONG, 4)
        one = await begun(world, HONG, "requested")
        ip = await one.carry(one.vault.ask(one.vault.registered))
        await one.carry(one.vault.decline(ip))
        await one.get()
        assert one.screen == "refused"
        assert say("refusal.issuance-declined-by-device", "ko") in one.page or "폐지" in one.page
        assert await bound(world, HONG) == []
        assert await world.certificates(HONG) == [State.VALID, State.REVOKED]
        await world.deliver()
        assert world.mails(HONG) == []
        assert (await world.phone(HONG).log_in_with(old)).status_code != 303  # it was never registered here
        await one.get("/issuance/new?new=1")
        one.fresh_vault(5)
        await one.enter()
        await one.until("issued")
        assert await world.certificates(HONG) == [State.REVOKED, State.REVOKED, State.VALID]

    told(sqlite_url, tmp_path, story)


def test_D1_another_key_than_the_registered_one_is_refused_by_the_authority(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        registered, issue = one.vault.registered, one.vault.issue
        one.fresh_vault(4)
        one.vault.issue = issue
        await one.carry(one.vault.ask(registered))
        await one.get()
        assert one.screen == "refused"
        assert await world.certificates(HONG) == []
        assert await bound(world, HONG) == []
        assert not re.search(registered["code"], one.page)

    told(sqlite_url, tmp_path, story)


def test_after_the_hour_the_run_is_over_and_the_next_one_issues_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        await one.carry(one.vault.ask(one.vault.registered))
        world.clock.forward(3601)
        one.fresh_vault(4)
        await one.log_in()
        await one.get()
        assert one.screen == "password"
        await one.enter()
        await one.until("issued")
        states = await world.certificates(HONG)
        assert states.count(State.VALID) == 1
        assert await bound(world, HONG) == [one.vault.certificate.fingerprint.hex()]

    told(sqlite_url, tmp_path, story)
