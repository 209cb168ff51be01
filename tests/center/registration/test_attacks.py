"""What somebody with another person's ID and password still cannot do at 타기관인증서등록 (A16, E3, F9)."""

from __future__ import annotations

from pathlib import Path

from tests.center.registration.test_walk import told
from tests.center.registration.world import HONG, PASSWORD, Browser, World

from ingam.customer.session import Level, Session
from ingam.kernel.secret import Secret
from ingam.ports.store import Save


async def log_in_again(world: World) -> None:
    """A right login, which forgives the failures of that ID's login."""
    session = Session("0" * 64, Level.PRE, None, "", None, world.clock.now(), world.clock.now(), world.clock.now())
    await world.accounts.check_password(HONG.banking_id, Secret(PASSWORD), session, "192.0.2.7")
    await world.store.save(Save(resets=await world.accounts.forgive(HONG.banking_id, session)))


async def guess(world: World, browser: Browser, number: str) -> str:
    await log_in_again(world)
    return await identify_anew(browser, idn=number)


async def identify_anew(browser: Browser, **changed: str) -> str:
    """① of another run, where the last one ended in a lock."""
    await browser.get("/registration?new=1")
    typed = {"banking_id": HONG.banking_id, "password": PASSWORD, "idn": HONG.idn.reveal()} | changed
    return await browser.post("/registration/identify", typed)


def test_A16_guesses_at_the_number_are_counted_by_person_and_no_login_forgives_them(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World, browser: Browser) -> None:
        for number in range(5):
            page = await guess(world, browser, f"751005212345{number}")
            assert "일치하는 고객을 찾지 못했습니다" in page
        page = await guess(world, browser, HONG.idn.reveal())
        assert "보안매체 미소지고객 인증" not in page  # the right one, too late: nobody learns that it was
        assert await world.results("registration.identify") == ["customer-mismatch"] * 5 + ["registration-locked"]
        other = await world.browser()
        assert "보안매체 미소지고객 인증" not in await other.identify()
        world.clock.forward(86_401)
        tomorrow = await world.browser()
        assert "보안매체 미소지고객 인증" in await tomorrow.identify()

    told(sqlite_url, tmp_path, story)


def test_a_right_number_forgives_the_wrong_ones_before_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        for _ in range(3):
            for number in range(4):
                await guess(world, browser, f"751005212345{number}")
            assert "보안매체 미소지고객 인증" in await guess(world, browser, HONG.idn.reveal())
            await browser.post("/registration/cancel")

    told(sqlite_url, tmp_path, story)


def test_E3_locks_called_again_and_again_send_the_person_one_message_a_day(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        for _ in range(5):
            await browser.identify(password="wrong-password")
        await world.deliver()
        first = len(world.phone.sent)
        assert first >= 1
        for _ in range(10):
            await identify_anew(browser, password="wrong-password")
            await world.deliver()
        assert len(world.phone.sent) == first
        assert (await world.results("registration.identify")).count("login-locked") == 11

    told(sqlite_url, tmp_path, story)
