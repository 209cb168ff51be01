"""Bad forms, documents that were not agreed to, photographs that are none: the screen stays and says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.issuance.phone import Fields, Phone, Refused
from tests.center.issuance.test_attacks import flow, words
from tests.center.issuance.test_walk import begun
from tests.center.issuance.world import JPEG, World, told

from ingam.kernel.words import say
from ingam.ports.card_reader import MOST_BYTES, CardKind
from ingam.sandbox.people import person

HONG = person("hong")

BAD: dict[str, list[tuple[str, str]]] = {
    "consents": [
        ("name", ""), ("name", "홍"), ("name", "홍" * 41), ("name", "홍<b>길동"), ("name", "\u202e홍길동"),
        ("idn", ""), ("idn", "751005"), ("idn", "7513051000001"), ("idn", "75100510000010"), ("idn", "七五一〇〇五"),
    ],
    "identity": [
        ("mobile", ""), ("mobile", "0285130001"), ("mobile", "010-12"), ("mobile", "1" * 401),
        ("carrier", ""), ("carrier", "AAA"), ("method", ""), ("method", "FAX"),
    ],
    "otp": [("otp", "12345"), ("otp", "abcdef"), ("otp", "1234567")],
    "card": [
        ("kind", ""), ("kind", "passport"), ("name", ""), ("number_front", "751005"), ("number_front", HONG.idn),
        ("issued_on", ""), ("issued_on", "20301301"), ("issued_on", "19900101"), ("issued_on", "20991231"),
    ],
    "account": [("bank_code", ""), ("account", ""), ("account", "12345"), ("account", "1" * 17), ("account", "a" * 10)],
    "onewon": [("code", ""), ("code", "123"), ("code", "12a4"), ("code", "12345")],
    "details": [
        ("email_local", ""), ("email_local", "a@b"), ("email_local", "x" * 65), ("email_domain", "nodot"),
        ("email_domain", ""), ("home_phone", "123"), ("mobile", "abc"), ("zip5", "1234"), ("zip5", ""),
        ("road", ""), ("road", "<script>"), ("detail", "호" * 101),
    ],
}  # fmt: skip
LICENCE = [
    ("birth_date", ""), ("birth_date", "20300101"), ("birth_date", "19750231"), ("licence_number", ""),
    ("licence_number", "11-95-130001"), ("licence_number", "가-95-130001-01"), ("licence_serial", "ABC"),
    ("licence_serial", "ABCDEFG"),
]  # fmt: skip


async def post(one: Phone, screen: str, changed: Fields) -> str:
    """The form of a screen, right but for what is changed."""
    match screen:
        case "consents":
            return await one.name(**changed)
        case "identity":
            return await one.ask_code(**changed)
        case "otp":
            return await one.post("phone-proof", changed)
        case "card":
            return await one.post("card-fields", one.ticks | one.card_fields() | changed)
        case "account":
            return await one.ask_one_won(**changed)
        case "onewon":
            return await one.post("onewon-proof", changed)
    return await one.describe(**changed)


@pytest.mark.parametrize("screen", BAD)
def test_a_wrong_field_is_said_beside_it_and_nothing_happens(sqlite_url: str, tmp_path: Path, screen: str) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, screen)
        if screen == "card":
            await one.shoot()
        before, asked = dict(await flow(world)), len(await world.rows("audit"))
        for name, value in BAD[screen]:
            page = await post(one, screen, {name: value})
            assert (one.screen, one.status) == (screen, 422), (name, value)
            assert one.errors(), (name, value)
            if name in ("idn", "otp", "account", "code") and len(value) > 4:
                assert f'value="{value}"' not in page
        assert dict(await flow(world)) == before
        assert len(await world.rows("audit")) == asked  # no party was asked, nothing was counted
        await one.on() if screen != "card" else await one.card()
        assert one.screen != screen

    told(sqlite_url, tmp_path, story)


def test_the_fields_of_a_licence(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        await one.shoot(CardKind.LICENCE)
        for name, value in LICENCE:
            await one.card(CardKind.LICENCE, **{name: value})
            assert (one.screen, one.status) == ("card", 422), (name, value)
        await one.card(CardKind.LICENCE, licence_number="경기북부-95-130001-01")  # well-formed, and not the person's
        assert words("id-card-mismatch") in one.page
        await one.card(CardKind.LICENCE, licence_serial="")  # older cards have none
        assert one.screen == "account"

    told(sqlite_url, tmp_path, story)


def test_a_bank_that_there_is_not_has_no_accounts(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "account")
        for code in ("999", "../", "가나다"):
            await one.ask_one_won(bank_code=code)
            assert (one.screen, one.status) == ("account", 422), code
        assert world.deposits(HONG) == []

    told(sqlite_url, tmp_path, story)


# ── documents ──

ASKED = [("consents", f"T{number}") for number in range(1, 7)] + [("identity", "T8"), ("card", "T9"), ("account", "T7")]


@pytest.mark.parametrize(("screen", "code"), ASKED)
def test_without_a_document_or_with_another_text_of_it_nothing_goes_on(
    sqlite_url: str, tmp_path: Path, screen: str, code: str
) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, screen)
        if screen == "card":
            await one.shoot()
        version, _, digest = one.ticks[f"consent_{code}"].partition(":")
        kept = len(await world.rows("consent"))
        for tick, said in (
            ("", "consent-missing"),
            (f"2020-01-01:{digest}", "consent-outdated"),
            (f"{version}:{'0' * 64}", "consent-outdated"),
            ("on", "consent-outdated"),
            (f"{version}:{digest} ", "consent-outdated"),
        ):
            await post(one, screen, {f"consent_{code}": tick})
            assert (one.screen, one.status) == (screen, 422)
            assert words(said).partition("(")[0][:10] in one.page, said
        assert len(await world.rows("consent")) == kept
        if screen == "identity":
            assert world.texts(HONG) == []
        await post(one, screen, {})
        assert one.screen != screen
        (row,) = await world.rows("consent", code=code)
        assert (row["version"], row["hash"]) == (version, digest)

    told(sqlite_url, tmp_path, story)


# ── F11: photographs ──


def test_F11_what_is_no_photograph_is_refused_and_not_kept(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        for image, code in (
            (b"", "card-not-an-image"),
            (b"%PDF-1.7 a page", "card-not-an-image"),
            (JPEG + b"blurred", "card-unreadable"),
        ):
            with pytest.raises(Refused) as refused:
                await one.shoot(image=image)
            assert (refused.value.status, refused.value.code) == (422, code)
            assert refused.value.message.startswith(words(code)[:8])
        assert await world.rows("id_card_image") == []
        await one.get()
        assert one.screen == "card"

    told(sqlite_url, tmp_path, story)


def test_F11_six_mebibytes_are_the_most_of_an_image_and_64_kibibytes_of_anything_else(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        with pytest.raises(Refused) as refused:
            await one.shoot(image=JPEG + bytes(MOST_BYTES))
        assert (refused.value.status, refused.value.code) == (413, "too-large")
        with pytest.raises(Refused) as refused:
            await one.shoot(image=JPEG + bytes(MOST_BYTES - 4))
        assert refused.value.code == "card-unreadable"  # it was looked at
        path = f"/issuance/new/card?run={one.turn['run']}&kind=resident"
        for kind in ("application/octet-stream", "text/plain", "application/x-www-form-urlencoded"):
            answer = await one.send(path, content=JPEG + bytes(65 * 1024), Content_Type=kind, Accept="application/json")
            assert answer.status_code == 413, kind
        answer = await one.send(
            path, content=b"--x\r\n\r\n--x--", Content_Type="multipart/form-data; boundary=x", Accept="application/json"
        )
        assert answer.status_code == 400
        assert await world.rows("id_card_image") == []

    told(sqlite_url, tmp_path, story)


def test_the_other_kind_is_read_as_what_it_is_said_to_be(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        answer = await one.send(
            f"/issuance/new/card?run={one.turn['run']}&kind=passport", content=b"x", Content_Type="image/png",
            Accept="application/json",
        )  # fmt: skip
        assert answer.json()["code"] == "card-not-an-image"
        answer = await one.send("/issuance/new/card?run=7", content=b"x", Content_Type="image/png", Accept="x")
        assert answer.status_code == 409
        assert say("refusal.true-step", "ko") in answer.json()["message"]

    told(sqlite_url, tmp_path, story)
