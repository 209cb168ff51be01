"""마이뱅크: every certificate ever issued to whoever looks, of nobody else; the history here when the CA is down."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, PackageLoader
from tests.ca import world as authority
from tests.center.world import HONG, KIM, Browser, World, party, told

from ingam.adapters.certification.absent import AbsentCertification
from ingam.adapters.certification.cmp import CmpCertification, RegistrationAuthority
from ingam.ca.facts import Facts
from ingam.center.mybank.service import LOOKS, MyBank, line
from ingam.center.mybank.web import TEMPLATES, MyBankWeb
from ingam.customer.binding.bindings import Bindings
from ingam.kernel.secret import Secret
from ingam.kernel.words import table
from ingam.npki import certificate
from ingam.ports.certification import (
    Certification,
    CertificationRefused,
    EverIssued,
    IssuedCertificate,
    Standing,
)

AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
POLICY = "2.25.87309791621482727547270451842754097887.1.9"
VALID = IssuedCertificate(
    "1f3a", "ab" * 32, "CN=홍길동-1", "예시증권", "securities", POLICY, AT, AT, AT + timedelta(days=365),
    Standing.VALID, issuer_name=b"", subject_name=b"",
)  # fmt: skip


class Authority(AbsentCertification):
    """An authority that knows some people; `away` and `refusing`: it tells nothing."""

    def __init__(self, known: dict[str, EverIssued] | None = None, *, refusing: bool = False) -> None:
        self.known, self.refusing, self.asked = known or {}, refusing, 0

    async def issued(self, idn: Secret[str]) -> EverIssued:
        self.asked += 1
        if self.refusing:
            raise CertificationRefused(fail_info="notAuthorized", said="cmp-not-authorized")
        return self.known.get(idn.reveal(), EverIssued())


def held(state: Standing, reason: int | None = None, serial: str = "1f3b") -> IssuedCertificate:
    """Another one, in a state."""
    ended = AT + timedelta(days=2) if reason is not None else None
    return IssuedCertificate(
        serial, "cd" * 32, "CN=홍길동-2", "", "securities", POLICY, AT, AT, VALID.not_after, state, reason, ended,
        issuer_name=b"", subject_name=b"",
    )  # fmt: skip


def with_mybank(world: World, certification: Certification) -> None:
    """The page in this world, over this authority."""
    ports = world.ports
    bindings = Bindings(ports.store, ports.digests, ports.fields)
    mybank = MyBank(ports.customers, certification, bindings, ports.ephemeral, world.clock)
    world.app.router.routes[:0] = MyBankWeb(mybank).routes()
    loader = world.app.state.pages.environment.loader
    assert isinstance(loader, ChoiceLoader)
    loader.loaders = [*loader.loaders, PackageLoader(TEMPLATES)]


async def looked(browser: Browser, lang: str = "ko") -> str:
    """The page's words."""
    browser.plant("lang", lang)
    answer = await browser.get("/mybank")
    assert answer.status_code == 200, answer.text
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main))


def of(*certificates: IssuedCertificate, more: bool = False) -> Authority:
    return Authority({HONG.idn.reveal(): EverIssued.of(certificates, more=more)})


def test_who_is_not_logged_in_is_led_to_the_login_and_back(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with_mybank(world, Authority())
        answer = await world.browser().get("/mybank")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?way=id&then=/mybank")

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "ko",
            ("증권/보험용(개인)", "예시증권", "유효", "2026-11-01 ~ 2027-11-01", "1f3a", "폐지", "새 인증서로 대체"),
        ),
        (
            "en",
            ("Securities and insurance", "예시증권", "Valid", "2026-11-01 ~ 2027-11-01", "1f3a", "Revoked", "replaced"),
        ),
    ],
)
def test_D2_every_certificate_is_shown_with_kind_firm_serial_time_and_state(
    sqlite_url: str, tmp_path: Path, lang: str, words: tuple[str, ...]
) -> None:
    async def story(world: World) -> None:
        with_mybank(world, of(VALID, held(Standing.REVOKED, 4)))
        browser = world.browser()
        await browser.log_in()
        page = await looked(browser, lang)
        for word in (*words, "2026-11-03 18:00"):
            assert word in page, word

    told(sqlite_url, tmp_path, story)


def test_nothing_is_shown_of_anybody_else(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with_mybank(world, of(VALID))
        browser = world.browser()
        await browser.log_in(KIM)
        page = await looked(browser)
        assert "1f3a" not in page
        assert "아직 없습니다" in page and "/issuance" in browser.page and "/registration" in browser.page

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("authority", [AbsentCertification(), Authority(refusing=True)])
def test_an_authority_that_does_not_tell_leaves_the_history_here(
    sqlite_url: str, tmp_path: Path, authority: Certification
) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        with_mybank(world, authority)
        browser = world.browser()
        await browser.log_in()
        page = await looked(browser)
        assert "인증기관의 상태를 확인하지 못했습니다. 잠시 후 다시 시도해 주세요. (certification-" in page
        assert "이 인증센터에 등록한 이력" in page and f"{party().certificate.serial:x}" in page
        assert "코스콤" in page and "등록됨" in page and "아직 없습니다" not in page
        assert "certification-" in world.log.getvalue()

    told(sqlite_url, tmp_path, story)


def test_the_one_that_is_registered_here_is_marked(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        bound = replace(VALID, fingerprint=party().certificate.fingerprint.hex())
        with_mybank(world, of(bound, held(Standing.REVOKED, 4)))
        browser = world.browser()
        await browser.log_in()
        assert (await looked(browser)).count("여기에 등록됨") == 1

    told(sqlite_url, tmp_path, story)


def test_it_is_said_when_there_are_more(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for more in (False, True):
            with_mybank(world, of(VALID, more=more))
            browser = world.browser()
            await browser.log_in()
            assert ("그 전의 것은" in await looked(browser)) is more

    told(sqlite_url, tmp_path, story)


def test_the_authority_is_not_asked_without_end(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        authority = of(VALID)
        with_mybank(world, authority)
        browser = world.browser()
        await browser.log_in()
        answers = [(await browser.get("/mybank")).status_code for _ in range(LOOKS + 1)]
        assert answers == [200] * LOOKS + [429]
        assert authority.asked == LOOKS
        world.clock.at += timedelta(minutes=2)
        assert (await browser.get("/mybank")).status_code == 200

    told(sqlite_url, tmp_path, story)


def test_H1_nothing_that_the_authority_told_is_kept_or_logged(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with_mybank(world, of(held(Standing.HELD, 6, serial="5eca1" * 6)))
        browser = world.browser()
        await browser.log_in()
        assert "5eca1" * 6 in await looked(browser)
        kept = world.everything_kept()
        for secret in ("5eca1" * 6, HONG.idn.reveal()):
            assert secret.encode() not in kept

    told(sqlite_url, tmp_path, story)


def test_a_state_is_what_the_authority_says_and_what_time_ended() -> None:
    after = VALID.not_after + timedelta(seconds=1)
    found = [line(one, "", "ko", AT) for one in (VALID, held(Standing.PENDING), held(Standing.HELD, 6))]
    assert [(one.state, one.reason) for one in found] == [("valid", None), ("pending", None), ("held", 6)]
    for one in (VALID, held(Standing.HELD, 6)):
        expired = line(one, "", "ko", after)
        assert (expired.state, expired.reason, expired.ended_at) == ("expired", None, VALID.not_after)
    revoked = line(held(Standing.REVOKED, 0), "", "ko", after)
    assert (revoked.state, revoked.reason, revoked.ended_at) == ("revoked", None, AT + timedelta(days=2))


def test_a_policy_that_is_in_no_table_is_told_in_the_authoritys_own_word() -> None:
    found = line(replace(VALID, policy="1.2.3"), "", "ko", AT)
    assert (found.use, found.issuer) == ("securities", "")


def test_every_state_and_reason_has_a_word() -> None:
    from ingam.center.mybank.service import REASONS

    wanted = [f"state_{one}" for one in (*Standing, "expired")] + [f"reason_{one}" for one in REASONS]
    wanted += [f"bound_{one}" for one in ("ACTIVE", "REPLACED", "RELEASED", "STALE")]
    for lang in ("ko", "en"):
        assert all(f"mybank.{one}" in table(lang) for one in wanted)


def test_a_whole_authority_is_asked_over_cmp(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        ca = authority.world(tmp_path)
        world.clock.at = ca.clock.now()
        ra = await authority.registrar(ca)
        root, above, speaker, _ = authority.certificates("ingam")
        signing = RegistrationAuthority(
            certificate.parse(ra.extra[0]), (above.der, root.der), authority.held("ra", 101)
        )

        class Wire:
            async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
                return (await ca.endpoint.answer(body, "127.0.0.1"))[1]

        with_mybank(
            world,
            CmpCertification(
                "http://ca.ingam.test/", "http://localhost", Wire(), signing, (speaker,), ca.clock, ca.random
            ),
        )
        made = [
            certificate.parse(await authority.enrolled(ca, Facts(HONG.name, HONG.idn, branch=branch), key))
            for branch, key in (("예시증권", 3), ("증권금융", 4))
        ]
        await authority.enrolled(ca, Facts(KIM.name, KIM.idn), 5)
        browser = world.browser()
        await browser.log_in()
        page = await looked(browser)
        for one in made:
            assert f"{one.serial:x}" in page
        assert page.index("증권금융") < page.index("예시증권") and "새 인증서로 대체" in page
        await ca.shut()

    told(sqlite_url, tmp_path, story)
