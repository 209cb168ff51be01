"""공동인증서 로그인 over HTTP: whom it lets in, and the own code of everything that it does not."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from tests.center.world import HONG, KIM, Browser, World, party, signed, told
from tests.npki import certs

from ingam.kernel.errors import Failure
from ingam.ports.customers import Customer
from ingam.ports.status import Revoked, Source, Status, StatusUnavailable, Suspended, Unknown
from ingam.ports.store import Row, Save, Update


async def codes(world: World) -> list[str]:
    return await world.results("login.certificate")


async def nobody_got_in(world: World, browser: Browser) -> None:
    assert all(row["level"] == "pre" for row in await world.rows("session"))
    assert (await browser.client.get("/loan")).status_code == 303


def test_a_registered_certificate_opens_the_loan_page_and_says_who_is_here(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        answer = await browser.present(party())
        assert (answer.status_code, answer.headers["location"]) == (303, "/loan")
        page = (await browser.get("/loan")).text
        assert "홍길동" in page
        (line,) = await world.rows("audit", action="login.certificate")
        assert (
            line["result"] == "ok" and '"source": "ocsp"' in str(line["facts"]) and '"age_s": 0' in str(line["facts"])
        )
        assert world.statuses.asked == [(party().certificate.fingerprint, False)]

    told(store_url, tmp_path, story)


def test_login_by_id_does_not_open_what_needs_a_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.log_in()
        answer = await browser.get("/loan")
        assert answer.headers["location"] == "/login?way=cert&then=/loan"

    told(sqlite_url, tmp_path, story)


def test_A6_a_replayed_message_is_refused_whatever_became_of_the_first(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login?way=cert")
        challenge = await browser.challenge()
        assert (await browser.present(party(), challenge)).status_code == 403
        await world.bind(HONG, party())
        answer = await browser.present(party(), challenge)
        assert answer.status_code == 409
        assert await codes(world) == ["login-unregistered", "nonce-invalid"]
        await nobody_got_in(world, browser)

    told(sqlite_url, tmp_path, story)


def test_A6_another_sessions_nonce_is_unknown_here(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        victim, thief = world.browser(), world.browser()
        await victim.get("/login?way=cert")
        await thief.get("/login?way=cert")
        challenge = await victim.challenge()
        assert (await thief.present(party(), challenge)).status_code == 409
        assert await codes(world) == ["nonce-invalid"]
        await nobody_got_in(world, thief)
        assert (await victim.present(party(), challenge)).status_code == 303

    told(sqlite_url, tmp_path, story)


def test_A6_a_stale_nonce_and_one_that_never_was_are_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        await browser.get("/login?way=cert")
        challenge = await browser.challenge()
        world.clock.forward(180)
        assert (await browser.present(party(), challenge)).status_code == 409
        assert (await browser.present(party(), challenge | {"nonce": "ab" * 32})).status_code == 409
        assert await codes(world) == ["nonce-invalid", "nonce-invalid"]
        await nobody_got_in(world, browser)

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "http://localhost:8800"},
        {"purpose": "registration"},
        {"purpose": "rebind"},
        {"issued": "2026-11-22T11:59:59Z"},
        {"expires": "2026-11-22T13:00:00Z"},
        {"session": "ab" * 32},
        {"body": "ab" * 32},
    ],
    ids=str,
)
def test_A1_A2_a_text_that_differs_in_one_line_is_no_signature_of_ours(
    sqlite_url: str, tmp_path: Path, changed: dict[str, str]
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        await browser.get("/login?way=cert")
        challenge = await browser.challenge()
        assert (await browser.present(party(), challenge, **changed)).status_code == 422
        assert await codes(world) == ["signature-invalid"]
        await nobody_got_in(world, browser)

    told(sqlite_url, tmp_path, story)


def test_A6_a_nonce_for_registration_logs_nobody_in(sqlite_url: str, tmp_path: Path) -> None:
    """A challenge of another purpose in the very session: its text is right, its purpose is not."""

    async def story(world: World) -> None:
        from ingam.customer.binding.challenges import Challenges
        from ingam.protocols.challenge import Purpose
        from ingam.settings import Limits

        await world.bind(HONG, party())
        browser = world.browser()
        await browser.get("/login?way=cert")
        ports = world.ports
        challenges = Challenges(ports.store, ports.ephemeral, world.clock, Limits(), world.origin)
        session = str((await world.rows("session"))[0]["session"])
        given = await challenges.issue(Purpose.REGISTRATION, session, "127.0.0.1")
        challenge = given.for_window(seal=False, customer_kind=None, lang="ko")
        assert (await browser.present(party(), challenge)).status_code == 409
        (line,) = await world.rows("audit", action="login.certificate")
        assert (line["result"], line["facts"]) == ("nonce-invalid", '{"cause": "other-purpose"}')
        await nobody_got_in(world, browser)

    told(sqlite_url, tmp_path, story)


def test_A6_more_challenges_than_a_person_needs_are_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login?way=cert")
        for _ in range(5):
            assert "nonce" in await browser.challenge()
        answer = await browser.send("/login/challenge", Accept="application/json")
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-challenges")

    told(sqlite_url, tmp_path, story)


def test_F1_A6_the_same_message_twice_at_once_opens_one_session(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        await browser.get("/login?way=cert")
        challenge = await browser.challenge()
        fields = {"nonce": challenge["nonce"], "signed": signed(party(), challenge, world.clock.now())}
        answers = await asyncio.gather(*(browser.send("/login/certificate", fields) for _ in range(6)))
        # Whoever comes after the cookie was replaced is led to the login instead; nobody else gets in.
        led = [answer.headers.get("location", "") for answer in answers if answer.status_code == 303]
        assert [place for place in led if not place.startswith("/login")] == ["/cert-center"]
        assert {answer.status_code for answer in answers} <= {303, 409}
        assert len(await world.rows("session", level="cert")) == 1
        results = await codes(world)
        assert results.count("ok") == 1
        assert set(results) <= {"ok", "nonce-invalid"}

    told(store_url, tmp_path, story)


def test_A17_a_certificate_that_is_replaced_while_it_logs_in_opens_nothing(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        await browser.get("/login?way=cert")
        challenge = await browser.challenge()
        asked = world.statuses.check

        async def replaced_meanwhile(*asked_of: Any, **how: Any) -> Status:
            where: Row = {"fingerprint": party().certificate.fingerprint.hex(), "status": "ACTIVE"}
            found = await world.ports.customers.by_id(HONG.customer_id)
            assert found is not None
            original = world.ports.customers.by_id

            async def then_replaced(customer_id: str) -> Customer | None:
                await world.ports.store.save(Save(rows=[Update("binding", where, {"status": "REPLACED"})]))
                world.ports.customers.by_id = original  # type: ignore[method-assign]
                return await original(customer_id)

            world.ports.customers.by_id = then_replaced  # type: ignore[method-assign]
            return await asked(*asked_of, **how)

        world.statuses.check = replaced_meanwhile  # type: ignore[method-assign]
        answer = await browser.present(party(), challenge)
        assert answer.status_code == 409
        await nobody_got_in(world, browser)

    told(store_url, tmp_path, story)


def test_A17_an_unknown_certificate_of_a_bound_person_is_led_to_registration_without_a_session(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        reissued = party(serial=0x085222, key_name="rsa2048-03")
        browser = world.browser()
        answer = await browser.present(reissued)
        assert answer.status_code == 403
        assert "새로 발급된 인증서로 보입니다" in answer.text and 'href="/registration"' in answer.text
        assert "홍길동" not in answer.text
        assert await codes(world) == ["login-rebind"]
        await nobody_got_in(world, browser)

    told(sqlite_url, tmp_path, story)


def test_A17_a_replaced_binding_opens_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        from ingam.ports.store import Save, Update

        await world.bind(HONG, party())
        old = {"fingerprint": party().certificate.fingerprint.hex()}
        await world.ports.store.save(Save(rows=[Update("binding", old, {"status": "REPLACED"})]))
        assert (await world.browser().present(party())).status_code == 403
        assert await codes(world) == ["login-unregistered"]

    told(sqlite_url, tmp_path, story)


def test_a_customer_who_left_is_not_let_in_by_certificate_or_password(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        from ingam.ports.store import Save, Update

        await world.bind(HONG, party())
        gone = Update("customer", {"customer_id": HONG.customer_id}, {"status": "CLOSED"})
        await world.ports.store.save(Save(rows=[gone]))
        assert (await world.browser().present(party())).status_code == 403
        assert (await world.browser().log_in()).status_code == 401

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Revoked(Source.OCSP, certs.NOW, certs.NOW, "keyCompromise"), "cert-revoked"),
        (Suspended(Source.CRL, certs.NOW, certs.NOW), "cert-suspended"),
        (Unknown(Source.OCSP, certs.NOW), "status-unknown"),
        (StatusUnavailable("status-slow"), "status-slow"),
        (StatusUnavailable("root-list-unavailable"), "root-list-unavailable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_A12_only_a_good_status_logs_in(sqlite_url: str, tmp_path: Path, answer: object, code: str) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        world.statuses.answers[party().certificate.fingerprint] = answer  # type: ignore[assignment]
        browser = world.browser()
        refused = await browser.present(party())
        assert refused.status_code == (503 if isinstance(answer, Failure) else 422)
        told_why = f"인증기관의 상태를 확인하지 못했습니다. 잠시 후 다시 시도해 주세요. ({code})" in refused.text
        assert told_why == isinstance(answer, Failure)
        assert await codes(world) == [code]
        await nobody_got_in(world, browser)

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    "sent", [{}, {"nonce": "xyz", "signed": "AAAA"}, {"nonce": "ab" * 32, "signed": "%%%"}], ids=str
)
def test_a_form_without_a_signature_is_asked_for_one(sqlite_url: str, tmp_path: Path, sent: dict[str, str]) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login?way=cert")
        assert (await browser.send("/login/certificate", sent)).status_code == 422
        assert await codes(world) == []

    told(sqlite_url, tmp_path, story)


def test_A4_what_is_no_signed_message_is_refused_by_code(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        await browser.get("/login?way=cert")
        challenge = await browser.challenge()
        answer = await browser.send("/login/certificate", {"nonce": challenge["nonce"], "signed": "MAA="})
        assert answer.status_code == 422
        assert await codes(world) == ["signature-invalid"]

    told(sqlite_url, tmp_path, story)


def test_a_certificate_login_in_another_persons_session_leaves_that_person(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(KIM, party(KIM))
        browser = world.browser()
        await browser.log_in(HONG)
        before = browser.cookie
        await browser.present(party(KIM))
        assert browser.cookie != before
        page = (await browser.get("/loan")).text
        assert "김증권" in page and "홍길동" not in page

    told(sqlite_url, tmp_path, story)


def test_H1_H2_nothing_of_a_certificate_or_its_message_is_left_by_a_login(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        stranger = party(KIM, key_name="rsa2048-03")
        await world.bind(HONG, party())
        for holder in (party(), stranger):
            await world.browser().present(holder)
        kept = world.everything_kept()
        for holder in (party(), stranger):
            der = holder.certificate.der
            assert der not in kept and der[40:80] not in kept and b"6422061" not in kept
            assert base64.b64encode(der)[60:120] not in kept
        for name in (HONG.name, KIM.name):
            assert name.encode() not in kept

    told(sqlite_url, tmp_path, story)
