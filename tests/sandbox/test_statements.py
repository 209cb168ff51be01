"""The bank statement and the mailbox of a demo person, and the SMTP server that the sandbox's process keeps."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient
from tests.sandbox.conftest import KEYS, ORIGIN, Box, SetClock, copied

from ingam.adapters.bank.open_banking import Contract, OpenBanking
from ingam.adapters.email.smtp import SmtpEmail, Tls
from ingam.kernel import words
from ingam.kernel.secret import Secret
from ingam.page import Bundle
from ingam.ports.bank import Transfer
from ingam.ports.email import Email
from ingam.run import sandbox
from ingam.sandbox.bank import Deposit, Deposits
from ingam.sandbox.people import PEOPLE, person
from ingam.sandbox.statements import OPENING_WON

HONG = person("hong")
assert HONG.bank is not None
PAGES = ["/bank/hong", "/mail/hong", "/mail/gaon", "/", "/phone/01085130001"]


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_speaks_both_languages_and_links_to_the_others(kept: Box, path: str, lang: str) -> None:
    answer = kept.client.get(path, headers={"cookie": f"lang={lang}"})
    assert answer.status_code == 200
    assert f'<html lang="{lang}"' in answer.text
    assert words.say("sandbox.to_mail" if "mail" not in path else "sandbox.to_phone", lang) in answer.text
    for inline in (" style=", "<style", " onclick="):
        assert inline not in answer.text


def test_everybody_with_an_account_has_a_statement_and_everybody_a_mailbox(kept: Box) -> None:
    for one in PEOPLE:
        assert kept.client.get(f"/bank/{one.key}").status_code == (200 if one.bank else 422)
        assert kept.client.get(f"/mail/{one.key}").status_code == 200
    for path in ("/bank/nobody", "/bank/nobody.json", "/bank/gaon.json", "/mail/nobody", "/mail/nobody.json"):
        assert kept.client.get(path).status_code == 422


def sent(box: Box, reference: str, print_content: str) -> None:
    """As the center sends, through the adapter; on the ledger of the box's own sandbox."""
    assert HONG.bank is not None
    app = sandbox.app(box.settings, bundle=Bundle.empty(), clock=box.clock, demo=box.demo)
    contract = Contract("M202600001", "client", Secret("secret"), Secret("1"), Secret("phrase"))
    bank_code, account = HONG.bank.bank_code, Secret(HONG.bank.account)

    async def through() -> None:
        transport = httpx2.ASGITransport(app)
        async with OpenBanking(
            f"{ORIGIN}/openbanking", contract=contract, clock=box.clock, transport=transport
        ) as bank:
            await bank.send_one_won(Transfer(reference, bank_code, account, print_content, HONG.name))

    asyncio.run(through())


def test_the_digits_of_one_won_are_read_from_the_statement_newest_first(box: Box) -> None:
    sent(box, "A" * 20, "4829")
    box.clock.pass_time(seconds=60)
    sent(box, "B" * 20, "0071")
    found = box.client.get("/bank/hong.json").json()
    assert [(one["print_content"], one["amount"], one["balance"]) for one in found] == [
        ("0071", 1, OPENING_WON + 2),
        ("4829", 1, OPENING_WON + 1),
    ]
    page = box.client.get("/bank/hong").text
    assert page.index("0071") < page.index("4829")
    assert "10,002" in page
    assert box.client.get("/bank/kim.json").json() == []


def test_a_remitter_is_shown_as_text_and_never_as_markup(box: Box) -> None:
    sent(box, "C" * 20, "<script>alert(1)")
    assert "<script>alert" not in box.client.get("/bank/hong").text


def test_a_transaction_is_booked_once_a_day(tmp_path: Path) -> None:
    at = SetClock().now()
    for path in (None, tmp_path / "bank.db"):
        ledger = Deposits(path)
        one = Deposit("M202600001UABCDEFGHI", "20261122", "004", "1", 1, "4829", at)
        assert ledger.put(one)
        assert not ledger.put(one)
        assert ledger.put(Deposit(one.transaction, "20261123", "004", "1", 1, "1111", at))
        assert [found.print_content for found in ledger.statement("004", "1")] == ["1111", "4829"]
        assert ledger.find(one.transaction, "20261122") == one
        assert ledger.find(one.transaction, "20261124") is None
        ledger.close()


def test_the_process_speaks_smtp_and_the_mail_is_on_the_page(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.sandbox.conftest import prepared

    monkeypatch.setenv("INGAM_SANDBOX_KEYS", str(KEYS))
    folder, clock = copied(tmp_path_factory, tmp_path), SetClock()
    settings = prepared(folder, monkeypatch)
    app = sandbox.app(settings, bundle=Bundle.empty(), clock=clock, demo=folder / "demo", mail_port=0)

    async def post(port: int) -> None:
        sender = SmtpEmail("127.0.0.1", port, sender="no-reply@ingam.test", name="증권금융", clock=clock, tls=Tls.NONE)
        await sender.send(Email(HONG.email, "제목 <b>", "첫 줄\n둘째 줄 <script>alert(1)</script>", "r-1"))
        await sender.send(Email(HONG.email, "제목 <b>", "첫 줄\n둘째 줄 <script>alert(1)</script>", "r-1"))

    with TestClient(app, base_url=ORIGIN) as client:
        asyncio.run(post(app.state.mail_port))
        [one] = client.get("/mail/hong.json").json()
        assert (one["from"], one["subject"]) == ("no-reply@ingam.test", "제목 <b>")
        assert one["text"].startswith("첫 줄\n둘째 줄")
        page = client.get("/mail/hong").text
        assert "제목 &lt;b&gt;" in page
        assert "<script>alert" not in page
        assert words.say("sandbox.mails", n=1) in client.get("/").text
