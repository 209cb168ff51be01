"""인증서 보기·검증: what the page tells the desk, and the verdicts of a certificate that somebody looks at (W7, H5)."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.center.management.manager import Authority, manager
from tests.center.world import HONG, KIM, Browser, World, party, told
from tests.npki import certs

from ingam.center.management.desk_web import LOOKS, WANTED
from ingam.kernel.words import say
from ingam.npki.certificate import Certificate
from ingam.ports.status import Revoked, Source, StatusUnavailable, Suspended

HERE, VERIFY = "/management/certificates", "/management/verify"


async def page(browser: Browser) -> dict[str, Any]:
    """What the page tells the desk; also leaves the browser with this page's token."""
    answer = await browser.get(HERE)
    assert answer.status_code == 200
    found = re.search(r'data-manage="([^"]*)"', answer.text)
    token = re.search(r'data-csrf="([^"]*)"', answer.text)
    assert found is not None
    assert token is not None
    browser.csrf = token[1]
    facts: dict[str, Any] = json.loads(html.unescape(found[1]))
    return facts


async def verdicts(browser: Browser, certificate: Certificate | bytes) -> dict[str, tuple[str, str | None]]:
    """Verdict and code of each check."""
    der = certificate if isinstance(certificate, bytes) else certificate.der
    answer = await browser.send(VERIFY, {"certificate": base64.b64encode(der).decode()}, accept="application/json")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return {one["check"]: (one["verdict"], one["code"]) for one in answer.json()["checks"]}


def test_the_desk_hears_of_the_registered_certificate_of_whoever_is_logged_in_and_of_nobody_else(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        holder = party(HONG)
        await world.bind(HONG, holder)
        visitor, kim, hong = world.browser(), world.browser(), world.browser()
        await kim.log_in(KIM)
        await hong.log_in(HONG)
        assert [(await page(one))["known"] for one in (visitor, kim, hong)] == [False, True, True]
        assert [(await page(one))["registered"] for one in (visitor, kim)] == [None, None]
        facts = await page(hong)
        assert facts["registered"] == holder.certificate.fingerprint.hex()
        (authority,) = world.ports.authorities.by_fingerprint.values()
        assert base64.b64decode(facts["anchors"][0]) == authority.certificate.der

    told(sqlite_url, tmp_path, story)


def test_the_desk_hears_of_our_own_authority_and_opens_where_that_one_is_silent(
    sqlite_url: str, tmp_path: Path
) -> None:
    class Own(Authority):
        async def authorities(self) -> tuple[bytes, ...]:
            above = await super().authorities()
            return (*above, certs.root().certificate.der)

    async def story(world: World) -> None:
        own = Own()
        one = await manager(world, own)
        anchors = (await page(one.browser))["anchors"]
        assert base64.b64encode(certs.root().certificate.der).decode() in anchors
        assert len(set(anchors)) == len(anchors)
        own.down = True
        assert (await page(one.browser))["known"]

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("wanted", WANTED)
def test_what_the_menu_names_of_the_desk_has_its_own_address_and_is_marked_without_a_script(
    wanted: str, sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        assert (await page(browser))["wanted"] == "list"
        answer = await browser.get(f"{HERE}/{wanted}")
        word = say(f"page.menu_management_{wanted}", "ko")
        marked = re.findall(r'<a href="(/management[^"]*)" aria-current="page">([^<]*)<', answer.text)
        assert set(marked) == {(f"{HERE}/{wanted}", word)}
        assert f"&#34;wanted&#34;: &#34;{wanted}&#34;" in answer.text and f"<title>{word}" in answer.text

    told(sqlite_url, tmp_path, story)


def test_a_good_certificate_is_good_in_every_check_and_whose_it_is_changes_nothing_of_the_answer(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        holder = party(HONG)
        visitor, kim = world.browser(), world.browser()
        await page(visitor)
        before = await verdicts(visitor, holder.certificate)
        assert set(before.values()) == {("good", None)}
        assert list(before) == ["form", "path", "policy", "validity", "status"]
        await world.bind(HONG, holder)
        await kim.log_in(KIM)
        await page(kim)
        assert await verdicts(kim, holder.certificate) == before

    told(sqlite_url, tmp_path, story)


def test_a_status_is_told_as_its_authority_tells_it_and_no_answer_is_neither_good_nor_bad(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        holder, browser = party(HONG), world.browser()
        await page(browser)
        now = world.clock.now()
        for answer, expected in (
            (Revoked(Source.CRL, now, now, "keyCompromise"), ("bad", "cert-revoked")),
            (Suspended(Source.OCSP, now, now), ("bad", "cert-suspended")),
            (StatusUnavailable("status-slow"), ("open", "status-unavailable")),
        ):
            world.statuses.answers[holder.certificate.fingerprint] = answer
            assert (await verdicts(browser, holder.certificate))["status"] == expected

    told(sqlite_url, tmp_path, story)


def test_one_that_has_ended_or_whose_authority_is_nobodys_is_told_so_and_its_status_not_asked(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        holder, browser = party(HONG), world.browser()
        (authority,) = world.ports.authorities.by_fingerprint.values()
        await page(browser)
        world.clock.at = holder.certificate.not_after.replace(year=holder.certificate.not_after.year + 1)
        await page(browser)
        found = await verdicts(browser, holder.certificate)
        assert found["validity"] == ("bad", "cert-expired")
        world.statuses.asked.clear()
        found = await verdicts(browser, authority.certificate)
        assert found["form"][0] == "bad" or found["path"][0] == "bad"
        assert found["status"] == ("open", "not-asked")
        assert world.statuses.asked == []

    told(sqlite_url, tmp_path, story)


def test_what_is_no_certificate_or_too_much_is_refused_by_its_code(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        holder, browser = party(HONG), world.browser()
        await page(browser)
        for sent in ("", "?", base64.b64encode(b"0" * 40).decode(), "A" * 20_000):
            answer = await browser.send(VERIFY, {"certificate": sent}, accept="application/json")
            assert (answer.status_code, answer.json()["code"]) == (422, "verify-malformed")
        given = {"certificate": base64.b64encode(holder.certificate.der).decode()}
        codes = [(await browser.send(VERIFY, given, accept="application/json")).status_code for _ in range(LOOKS)]
        assert codes[-1] == 429
        answer = await browser.send(VERIFY, {**given, "csrf": "0" * 64}, accept="application/json")
        assert answer.status_code == 403

    told(sqlite_url, tmp_path, story)
