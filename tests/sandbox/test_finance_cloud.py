"""금융인증서: the adapter and the sandbox cloud as one contract; a person at its window between the two."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient
from tests.sandbox.conftest import SetClock, copied

from ingam.adapters.finance_cert.http import HttpFinanceCert
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.npki import cms, policies, vid
from ingam.npki.certificate import Certificate
from ingam.page import Bundle
from ingam.ports.finance_cert import (
    Asked,
    FinanceCertOutage,
    FinanceCertUnfinished,
    Purpose,
    Signed,
    Started,
)
from ingam.ports.sms import Sms
from ingam.run import finance_cloud
from ingam.run.houses import opened
from ingam.run.houses_line import Within
from ingam.run.houses_places import world_folder
from ingam.sandbox.authorities.keys import FreshKeys
from ingam.sandbox.behind import Line
from ingam.sandbox.people import person
from ingam.settings import Settings

ORIGIN = "http://localhost:18708"
CENTER = "http://localhost:18700"
TEXT = b"INGAM-FINANCE/1\npurpose: login\n"
PIN = "260127"


class Inbox:
    """Takes what the cloud sends."""

    def __init__(self) -> None:
        self.taken: list[Sms] = []

    async def send(self, sms: Sms) -> str:
        """Keeps it."""
        self.taken.append(sms)
        return "1"

    def code(self) -> str:
        """Of the newest message."""
        found = re.search(r"회신번호 (\d{4})", self.taken[-1].text)
        assert found
        return found[1]


@dataclasses.dataclass(frozen=True)
class Ground:
    """A cloud at work, a browser in front of it, and the center's adapter."""

    browser: TestClient
    adapter: HttpFinanceCert
    inbox: Inbox
    clock: SetClock

    def start(self, purpose: Purpose = Purpose.LOGIN) -> Started:
        """A new window."""
        return asyncio.run(self.adapter.start(Asked(TEXT, purpose, f"{CENTER}/finance-cert/back")))

    def verify(self, started: Started, proof: str) -> Signed:
        """What the center gets."""
        return asyncio.run(self.adapter.verify(started.transaction, proof))

    def post(self, started: Started, step: str, **fields: str) -> str:
        """A form of the window; the text of the page that follows."""
        path = httpx2.URL(started.window).path
        return self.browser.post(f"{path}/{step}", data=fields).text

    def connect(self, started: Started, who: str = "hong") -> None:
        """Name, mobile and birth date, then the code."""
        one = person(who)
        self.post(started, "connect", name=one.name, mobile=one.mobile, born=f"{one.birth_date:%Y%m%d}")
        self.post(started, "reply", code=self.inbox.code())

    def sign(self, started: Started, pin: str = PIN) -> str:
        """The PIN; the proof that the browser is given, "" where there is none."""
        found = re.search(r"proof=([A-Za-z0-9_-]+)", self.post(started, "sign", pin=pin))
        return found[1] if found else ""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One cloud, in which 홍길동 has a certificate from the first test on."""
    folder = copied(tmp_path_factory, tmp_path_factory.mktemp("cloud"))
    yield from made(folder)


def made(folder: Path) -> Iterator[Ground]:
    plain = Settings()
    settings = dataclasses.replace(
        plain,
        mode="test",
        data=folder / "data",
        center_origin=CENTER,
        finance=dataclasses.replace(plain.finance, origin=ORIGIN),
    )
    clock, inbox = SetClock(), Inbox()

    @asynccontextmanager
    async def line() -> AsyncIterator[Line]:
        async with opened(settings, world_folder(settings), clock) as houses:
            yield Within(houses)

    app = finance_cloud.app(settings, line=line, sms=inbox, bundle=Bundle.empty(), clock=clock, keys=FreshKeys())
    with TestClient(app, base_url=ORIGIN) as browser:
        adapter = HttpFinanceCert(
            ORIGIN, origin=ORIGIN, client="test", key=Secret("sandbox"), clock=clock,
            transport=httpx2.ASGITransport(app=app),
        )  # fmt: skip
        yield Ground(browser, adapter, inbox, clock)


def issued(ground: Ground) -> None:
    """A certificate for 홍길동, where there is none."""
    started = ground.start()
    ground.connect(started)
    ground.post(started, "issue", pin=PIN, again=PIN)


def test_a_person_connects_makes_a_certificate_and_signs(ground: Ground) -> None:
    started = ground.start()
    assert "금융인증서 연결" in ground.browser.get(started.window).text
    assert ground.browser.get("/").status_code == 200
    ground.connect(started)
    assert "3년" in ground.post(started, "issue", pin=PIN, again="260128")
    ground.post(started, "issue", pin=PIN, again=PIN)
    proof = ground.sign(started)
    signed = ground.verify(started, proof)
    assert (signed.name, signed.birth_date) == ("홍길동", date(1975, 10, 5))
    found: Certificate = cms.verify_data(cms.parse(signed.signed), content=TEXT).certificate
    policy = policies.lookup(found.issuer, found.policy_oid)
    assert policy is not None and policy.use == "finance"
    assert found.identify_data is not None and signed.random is not None
    vid.check_vid(vid.parse_identify_data(found.identify_data).vid, person("hong").idn, signed.random.reveal())
    years = (found.not_after - found.not_before).days / 365
    assert 2.9 < years < 3.1


def test_E7_a_signature_is_given_out_once_and_only_with_what_that_browser_brought(ground: Ground) -> None:
    issued(ground)
    started = ground.start()
    ground.connect(started)
    proof = ground.sign(started)
    with pytest.raises(FinanceCertUnfinished) as other:
        ground.verify(started, "A" * 32)
    assert other.value.facts["stage"] == "unknown"
    ground.verify(started, proof)
    with pytest.raises(FinanceCertUnfinished):
        ground.verify(started, proof)


def test_five_wrong_pins_lock_the_key_and_a_new_certificate_opens_it_again(ground: Ground) -> None:
    issued(ground)
    started = ground.start()
    ground.connect(started)
    told = [ground.post(started, "sign", pin="000000") for _ in range(5)]
    assert "남은 횟수 4번" in told[0]
    with pytest.raises(FinanceCertUnfinished) as locked:
        ground.verify(started, "A" * 32)
    assert locked.value.facts["stage"] == "locked"
    again = ground.start()
    ground.connect(again)
    assert ground.sign(again) == ""
    ground.post(again, "issue", pin=PIN, again=PIN)
    assert ground.sign(again) != ""


def test_a_wrong_code_connects_nobody_and_five_end_the_window(ground: Ground) -> None:
    one, started = person("hong"), ground.start()
    ground.post(started, "connect", name=one.name, mobile=one.mobile, born="19751005")
    wrong = "0000" if ground.inbox.code() != "0000" else "1111"
    for _ in range(5):
        ground.post(started, "reply", code=wrong)
    ground.post(started, "reply", code=ground.inbox.code())
    assert "서명하지 않았습니다" in ground.browser.get(httpx2.URL(started.window).path).text


def test_a_stranger_is_told_the_same_and_gets_no_message(ground: Ground) -> None:
    before, started = len(ground.inbox.taken), ground.start()
    assert "회신번호" in ground.post(started, "connect", name="아무개", mobile="01099990000", born="19900101")
    assert len(ground.inbox.taken) == before


def test_an_expired_certificate_signs_nothing(ground: Ground) -> None:
    issued(ground)
    ground.browser.post("/switches", json={"person": "hong", "act": "expire"})
    started = ground.start()
    ground.connect(started)
    assert ground.sign(started) == ""
    assert "만료된" in ground.browser.get(httpx2.URL(started.window).path).text
    ground.browser.post("/switches", json={"person": "hong", "act": "unlock"})


def test_a_window_that_waits_too_long_and_one_that_was_left_end_unsigned(ground: Ground) -> None:
    left, waiting = ground.start(), ground.start()
    ground.post(left, "cancel")
    with pytest.raises(FinanceCertUnfinished) as cancelled:
        ground.verify(left, "A" * 32)
    assert cancelled.value.facts["stage"] == "cancelled"
    ground.clock.pass_time(seconds=301)
    with pytest.raises(FinanceCertUnfinished) as expired:
        ground.verify(waiting, "A" * 32)
    assert expired.value.facts["stage"] == "expired"


def test_B5_nobody_is_led_to_a_window_anywhere_but_at_the_configured_origin() -> None:
    async def elsewhere(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"window": "https://elsewhere.test/window/x", "expiresIn": 300})

    adapter = HttpFinanceCert(
        ORIGIN, origin=ORIGIN, client="test", key=Secret("sandbox"), clock=SetClock(),
        transport=httpx2.MockTransport(elsewhere),
    )  # fmt: skip
    with pytest.raises(FinanceCertOutage) as outage:
        asyncio.run(adapter.start(Asked(TEXT, Purpose.LOGIN, f"{CENTER}/x")))
    assert outage.value.facts["cause"] == "window-elsewhere"


def test_a_cloud_that_is_off_is_an_outage(ground: Ground) -> None:
    ground.browser.post("/switches", json={"position": "off"})
    with pytest.raises(FinanceCertOutage):
        ground.start()
    ground.browser.post("/switches", json={"position": "normal"})


def test_G7_production_has_no_sandbox_cloud(tmp_path: Path) -> None:
    settings = dataclasses.replace(Settings(), mode="production", data=tmp_path)

    @asynccontextmanager
    async def none() -> AsyncIterator[Line]:
        raise AssertionError
        yield

    with pytest.raises(Refusal, match="sandbox-in-production"):
        finance_cloud.app(settings, line=none, sms=Inbox())
