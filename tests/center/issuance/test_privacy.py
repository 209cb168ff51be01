"""H1, H6, H8: nothing of a person stands in clear in the database, the log, an audit line, an address or a page."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path

from tests.ca.world import RANDOM
from tests.center.issuance.phone import Phone, Refused
from tests.center.issuance.test_walk import begun
from tests.center.issuance.world import JPEG, MASKED, World, photograph, told

from ingam.npki import der
from ingam.ports.card_reader import CardKind
from ingam.sandbox.people import BANKING_PASSWORD, Person, person
from ingam.sandbox.phone_identity import ci, di

HONG, KIM = person("hong"), person("kim")


def spellings(text: str) -> list[bytes]:
    """How a text could lie there."""
    return [text.encode(), text.encode("utf-16-le"), json.dumps(text)[1:-1].encode(), base64.b64encode(text.encode())]


def canaries(one: Person) -> dict[str, str]:
    """What is known of a person before anything is issued."""
    assert one.bank is not None and one.address is not None and one.licence is not None
    return {
        "number": one.idn, "back half": one.idn[6:], "mobile": one.mobile, "name": one.name, "e-mail": one.email,
        "account": one.bank.account, "road": one.address.road, "licence": one.licence.number,
        "password": BANKING_PASSWORD, "ci": ci(one), "di": di(one),
    }  # fmt: skip


async def misfortunes(one: Phone) -> None:
    """Refusals on the way, which are recorded as well."""
    await one.until("consents")
    await one.name(idn=KIM.idn)
    await one.name(name="")
    await one.until("identity")
    await one.ask_code(mobile=KIM.mobile)
    await one.until("card")
    for image in (b"no picture", JPEG + b"blurred"):
        with contextlib.suppress(Refused):
            await one.shoot(image=image)
    await one.shoot()
    await one.card(CardKind.RESIDENT, name=KIM.name)
    await one.until("account")
    assert KIM.bank is not None
    await one.ask_one_won(bank_code=KIM.bank.bank_code, account=KIM.bank.account)
    await one.until("onewon")
    await one.prove_one_won("0000" if one.digits != "0000" else "1111")


def test_H1_nothing_personal_is_kept_in_clear(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG)
        await misfortunes(one)
        await one.until("otp" if one.screen == "identity" else "details")
        otps = list(world.texts(HONG))
        await one.until("requested")
        registered, ir = one.vault.registered, one.vault.ask(one.vault.registered)
        kept = [world.everything_kept()]
        await one.until("issued")
        kept.append(world.everything_kept())
        await world.deliver()
        kept.append(world.everything_kept())
        secrets = canaries(HONG) | {f"{name} of another": text for name, text in canaries(KIM).items()}
        secrets |= {"code": registered["code"], "reference": registered["reference"]}
        secrets |= {f"sms {number}": text for number, text in enumerate(otps)}
        secrets |= {f"mail {number}": mail.text[:30] for number, mail in enumerate(world.mails(HONG))}
        blobs = {
            "R": one.vault.r, "R octets": one.vault.r[-20:], "ir": ir, "certConf": one.vault.cert_conf,
            "masked": MASKED, "photograph": photograph(HONG, CardKind.RESIDENT),
            "certificate": one.vault.certificate.der, "other R": der.bits(RANDOM),
        }  # fmt: skip
        assert secrets["code"] and len(otps) >= 1
        for number, everything in enumerate(kept):
            for name, text in secrets.items():
                assert not [form for form in spellings(text) if form in everything], (name, number)
            for name, blob in blobs.items():
                assert blob not in everything, (name, number)
                assert base64.b64encode(blob) not in everything, (name, number)

    told(sqlite_url, tmp_path, story)


def test_H9_audit_lines_hold_codes_and_counts(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG)
        await misfortunes(one)
        await one.until("issued")
        secrets = (canaries(HONG) | canaries(KIM) | {"digits": one.digits}).values()
        rows = await world.rows("audit")
        assert len(rows) > 20
        for row in rows:
            told_ = str({name: value for name, value in row.items() if name not in ("at", "seq")})
            assert not [secret for secret in secrets if secret in told_ and len(secret) > 4], told_
            assert one.digits not in str(row["facts"])
            assert row["address"] != "127.0.0.1"

    told(sqlite_url, tmp_path, story)


def test_nothing_personal_is_in_an_address(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG)
        await misfortunes(one)
        await one.until("issued")
        (flow,) = await world.rows("flow", machine="issuance")
        number = str(flow["flow_id"]).rpartition(":")[2]
        picture = f"card?run={number}&kind=resident"
        asked = "\n".join(one.asked)
        assert set(one.asked) <= {
            "/login", "/login/id", "/issuance/new", "/issuance/new/issue",
            f"/issuance/new/{picture}", *(path for path, _ in one.sent),
        }  # fmt: skip
        assert "?" not in asked.replace(picture, "")

    told(sqlite_url, tmp_path, story)


def test_no_page_shows_more_of_a_number_or_an_account_than_its_mask(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG)
        await misfortunes(one)
        await one.until("issued")
        pages = "".join(one.seen)
        assert HONG.bank is not None and KIM.bank is not None
        for secret in (HONG.idn, HONG.idn[6:], KIM.idn, HONG.bank.account, KIM.bank.account, BANKING_PASSWORD,
                       ci(HONG), di(HONG), one.vault.registered["code"]):  # fmt: skip
            assert secret not in pages
        for page in one.seen:
            assert "<script>" not in page  # F3: what is typed is never a page's own

    told(sqlite_url, tmp_path, story)


def test_H6_what_is_sealed_for_one_customer_does_not_open_for_another(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        kim = await begun(world, KIM, "requested", key=5)
        states = {
            who: json.loads(str((await world.rows("flow", machine="issuance", customer_id=f"c-{who}"))[0]["state"]))
            for who in ("hong", "kim")
        }
        assert states["hong"] != states["kim"]
        assert one.vault.registered["code"] != kim.vault.registered["code"]
        again = await one.again()
        assert again["code"] == one.vault.registered["code"] and again["idn"] == HONG.idn

    told(sqlite_url, tmp_path, story)
