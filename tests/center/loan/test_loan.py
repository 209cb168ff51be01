"""대출신청: what is shown is what is signed; application, evidence and audit line are there together or not at all."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.center.world import HONG, KIM, Browser, World, party, signed, told
from tests.npki import certs
from tests.npki.certs import Party
from tests.protocols.ocsp.test_ocsp import answer, responder

from ingam.center.loan.forms import application
from ingam.center.task.forms import FormRefused
from ingam.customer.evidence import Evidences
from ingam.kernel.errors import Failure
from ingam.npki.chain import Anchors
from ingam.ports.status import Good, Revoked, Source, StatusUnavailable
from ingam.ports.store import StoreOutage
from ingam.protocols import evidence as form
from ingam.protocols.evidence.examining import Verdict, examine

FIELDS = {"kind": "stock", "amount": "1,000", "months": "12", "account": "110-234-567890"}
TEXT = """대출신청서
접수번호: {number}
받는 곳: 증권금융
신청인: 홍길동
대출 종류: 우리사주 취득자금 대출
신청 금액: 10,000,000원
기간: 12개월
입금 계좌: 110234567890

위와 같이 대출을 신청합니다."""


def good(world: World, holder: Party) -> None:
    """The authority's answer is there to be kept."""
    now = world.clock.now()
    world.statuses.answers[holder.certificate.fingerprint] = Good(Source.OCSP, now, answer())


async def entered(world: World, holder: Party | None = None) -> Browser:
    """Somebody who is logged in by certificate, at the form."""
    holder = holder or party()
    good(world, holder)
    await world.bind(HONG, holder)
    browser = world.browser()
    assert (await browser.present(holder)).status_code == 303
    await browser.get("/loan")
    return browser


async def allotted(browser: Browser, **changed: str) -> str:
    """The number that the page to be signed brings, as its form carries it."""
    await browser.send("/loan/review", FIELDS | changed)
    found = re.search(r'name="number" value="([^"]*)"', browser.page)
    assert found is not None
    return found[1]


async def asked(browser: Browser, **changed: str) -> dict[str, Any]:
    """A challenge over the page; `number` beside it is what the form of the page carries."""
    number = changed.get("number") or await allotted(browser, **changed)
    answered = await browser.send("/loan/challenge", FIELDS | {"number": number} | changed, Accept="application/json")
    found: dict[str, Any] = answered.json()
    return found | {"number": number}


async def sent(browser: Browser, given: dict[str, Any], holder: Party | None = None, **changed: str) -> Any:
    made = signed(holder or party(), given, browser.world.clock.now())
    facts = {"nonce": given["nonce"], "signed": made, "number": given.get("number") or await allotted(browser)}
    return await browser.send("/loan/sign", FIELDS | facts | changed)


async def nothing_kept(world: World) -> None:
    assert await world.rows("evidence") == [] and await world.rows("loan_application") == []


def test_A19_the_text_of_the_page_is_the_text_of_the_window_and_the_one_that_is_kept(
    store_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        page = (await browser.send("/loan/review", FIELDS)).text
        found = re.search(r'<pre class="signed-text">(.*?)</pre>', page, re.DOTALL)
        hidden = re.search(r'name="number" value="([^"]*)"', page)
        assert found is not None and hidden is not None
        number = hidden[1].partition(".")[0]
        shown = TEXT.format(number=number)
        assert found[1] == shown
        given = await asked(browser, number=hidden[1])
        assert given["purpose"] == "loan" and given["body_text"] == shown and not given["seal"]
        done = await sent(browser, given)
        assert done.status_code == 303 and done.headers["location"] == f"/loan/{number}"
        receipt = (await browser.get(f"/loan/{number}")).text
        assert number in receipt and "10,000,000원" in receipt and "110234567890" in receipt
        evidence = form.read((await browser.client.get(f"/loan/{number}/evidence.json")).content)
        assert evidence.text == shown and evidence.number == number and form.digest(evidence) in receipt
        assert "10,000,000" in (await browser.get("/loan")).text

    told(store_url, tmp_path, story)


def test_the_evidence_holds_years_later_and_its_digest_is_in_the_audit(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        assert (await sent(browser, await asked(browser))).status_code == 303
        world.clock.forward(timedelta(days=3650).total_seconds())
        (row,) = await world.rows("evidence")
        evidence = await Evidences(world.ports.store, world.ports.fields).opened(str(row["number"]))
        heard = msgspec.structs.replace(evidence, responders=(responder().certificate.der,))
        report = examine(heard, Anchors.sorted_out([certs.root().certificate, certs.ca().certificate]))
        assert [one.verdict for one in report.checks] == [Verdict.OK] * 5 + [Verdict.ABSENT], report
        (line,) = await world.rows("audit", action="loan.sign")
        assert json.loads(str(line["facts"])) == {"evidence": form.digest(evidence)} == {"evidence": row["digest"]}

    told(sqlite_url, tmp_path, story)


def test_F5_another_text_than_the_one_that_was_signed_is_refused_and_nothing_is_kept(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        for changed in ({"amount": "9000"}, {"account": "110999999999"}, {"months": "36"}, {"kind": "collateral"}):
            done = await sent(browser, await asked(browser), None, **changed)
            assert done.status_code == 409
        assert await world.results("loan.sign") == ["act-changed"] * 4
        await nothing_kept(world)

    told(sqlite_url, tmp_path, story)


def test_A6_a_signature_is_good_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        given = await asked(browser)
        first = await sent(browser, given)
        again = await sent(browser, given)
        assert first.status_code == again.status_code == 303 and first.headers["location"] == again.headers["location"]
        assert (await sent(browser, given, None, number=await allotted(browser))).status_code == 409
        assert await world.results("loan.sign") == ["ok", "nonce-invalid"]
        assert len(await world.rows("evidence")) == len(await world.rows("loan_application")) == 1

    told(sqlite_url, tmp_path, story)


def test_A19_the_number_of_the_receipt_is_signed_and_nobody_chooses_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        given = await asked(browser)
        other = await allotted(browser)
        assert (await sent(browser, given, None, number=other)).status_code == 409
        assert await world.results("loan.sign") == ["act-changed"]
        chosen = f"20260101-0000000001.{other.partition('.')[2]}"
        for wrong in (chosen, "20260101-0000000001", "", "x" * 400):
            answered = await browser.send("/loan/challenge", FIELDS | {"number": wrong}, Accept="application/json")
            assert answered.status_code == 409 and answered.json()["code"] == "receipt-number"
            given = await asked(browser)
            assert (await sent(browser, given, None, number=wrong)).status_code == 409
        await nothing_kept(world)

    told(sqlite_url, tmp_path, story)


def test_A19_a_number_is_the_sessions_that_it_was_allotted_to(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        other = world.browser()
        assert (await other.present(party())).status_code == 303
        await other.get("/loan")
        given = await asked(browser)
        theirs = await allotted(other)
        assert (await sent(browser, given, None, number=theirs)).status_code == 409
        await nothing_kept(world)

    told(sqlite_url, tmp_path, story)


def test_one_page_that_was_read_is_received_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        given = await asked(browser)
        again = await asked(browser, number=given["number"])
        number = given["number"].partition(".")[0]
        assert (await sent(browser, given)).status_code == 303
        # The window of the page behind was open still, and its button is pressed again afterwards.
        done = await sent(browser, again)
        assert done.status_code == 303 and done.headers["location"] == f"/loan/{number}"
        answered = await browser.send(
            "/loan/challenge", FIELDS | {"number": given["number"]}, Accept="application/json"
        )
        assert answered.status_code == 409 and answered.json()["code"] == "loan-received-already"
        assert len(await world.rows("evidence")) == len(await world.rows("loan_application")) == 1

    told(sqlite_url, tmp_path, story)


def test_A2_a_signature_of_a_login_is_no_application(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        given = await browser.challenge()
        assert (await sent(browser, given)).status_code == 409
        await nothing_kept(world)

    told(sqlite_url, tmp_path, story)


def test_another_persons_certificate_signs_nothing_here(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        other = party(KIM, key_name="rsa2048-03", serial=0x77)
        await world.bind(KIM, other)
        world.statuses.answers[other.certificate.fingerprint] = Good(Source.OCSP, world.clock.now(), b"x")
        browser = await entered(world)
        assert (await sent(browser, await asked(browser), other)).status_code == 422
        assert await world.results("loan.sign") == ["sign-other-certificate"]
        await nothing_kept(world)

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("state", ["revoked", "away"])
def test_a_certificate_that_is_not_good_at_this_moment_signs_nothing(
    sqlite_url: str, tmp_path: Path, state: str
) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        now = world.clock.now()
        said: Failure | Revoked = (
            Revoked(Source.OCSP, now, now, "keyCompromise")
            if state == "revoked"
            else StatusUnavailable("status-unreachable")
        )
        world.statuses.answers[party().certificate.fingerprint] = said
        assert (await sent(browser, await asked(browser))).status_code in (422, 503)
        await nothing_kept(world)

    told(sqlite_url, tmp_path, story)


def test_F1_where_the_evidence_cannot_be_kept_there_is_no_application(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        given = await asked(browser)
        save = world.ports.store.save

        async def failing(one: Any) -> None:
            if any(getattr(row, "table", "") == "evidence" for row in one.rows):
                raise StoreOutage
            await save(one)

        monkeypatch.setattr(world.ports.store, "save", failing)
        assert (await sent(browser, given)).status_code == 503
        await nothing_kept(world)

    told(sqlite_url, tmp_path, story)


def test_nobody_sees_the_receipt_or_the_evidence_of_somebody_else(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        number = (await sent(browser, await asked(browser))).headers["location"].removeprefix("/loan/")
        other = world.browser()
        assert (await other.get(f"/loan/{number}")).status_code == 303
        kim = party(KIM, key_name="rsa2048-03", serial=7)
        await world.bind(KIM, kim)
        assert (await other.present(kim)).status_code == 303
        for path in (f"/loan/{number}", f"/loan/{number}/evidence.json"):
            assert (await other.get(path)).status_code == 404
            assert "110234567890" not in other.page

    told(sqlite_url, tmp_path, story)


def test_F5_an_id_and_its_password_alone_open_no_receipt_and_no_evidence(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        number = (await sent(browser, await asked(browser))).headers["location"].removeprefix("/loan/")
        thief = world.browser()
        await thief.log_in(HONG)
        for path in (f"/loan/{number}", f"/loan/{number}/evidence.json"):
            assert (await thief.get(path)).status_code == 303
            assert "110234567890" not in thief.page

    told(sqlite_url, tmp_path, story)


def test_H6_what_is_kept_of_an_application_is_encrypted(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = await entered(world)
        await sent(browser, await asked(browser))
        kept = world.everything_kept()
        for clear in (b"110234567890", "대출신청서".encode(), base64.b64encode(party().certificate.der)[:40]):
            assert clear not in kept

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "other"), ("amount", "9"), ("amount", "100001"), ("amount", "x"), ("months", "13"), ("account", "12")],
)
def test_a_wrong_field_is_said_beside_it(field: str, value: str) -> None:
    with pytest.raises(FormRefused) as refused:
        application(FIELDS | {field: value}, certs.NOW.date())
    assert list(refused.value.errors) == [field]


def test_an_amount_may_be_written_as_people_write_it() -> None:
    for text in ("1000", "1,000", " 1 000 ", "１０００"):
        assert application(FIELDS | {"amount": text}, certs.NOW.date()).won == "10,000,000"
