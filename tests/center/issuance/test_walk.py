"""The whole route of 신규공동인증서신청 by HTTP, from the ID login to a login with the new certificate."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.ca.world import RANDOM
from tests.center.issuance.phone import WALK, Phone, Refused
from tests.center.issuance.world import MASKED, World, customer, told

from ingam.center.terms.registry import Registry
from ingam.kernel.words import say
from ingam.npki import der
from ingam.ports.books import State
from ingam.ports.card_reader import CardKind
from ingam.sandbox.people import PEOPLE, Person, person

HONG, KIM = person("hong"), person("kim")
WITH_CARD = [one for one in PEOPLE if one.licence is not None and one.key != "hong"]


async def bound(world: World, one: Person) -> list[str]:
    """Fingerprints of what logs in."""
    rows = await world.rows("binding", customer_id=customer(one).customer_id, status="ACTIVE")
    return [str(row["fingerprint"]) for row in rows]


async def begun(world: World, one: Person = HONG, screen: str = "password", key: int = 3) -> Phone:
    """Somebody logged in by ID, as far as a screen."""
    phone = world.phone(one, key)
    await phone.log_in()
    await phone.until(screen)
    return phone


async def logs_in(world: World, phone: Phone) -> None:
    """With the new certificate, from another browser."""
    other = world.phone(phone.who)
    other.vault = phone.vault
    answer = await other.log_in_with(phone.party)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/mybank"), answer.text


def test_the_whole_route_ends_in_a_certificate_that_logs_in(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world)
        seen = [one.screen]
        while one.screen != "issued":
            await one.on()
            seen.append(one.screen)
        assert seen == [screen for screen in WALK if screen != "delivered"]
        assert await world.certificates(HONG) == [State.VALID]
        assert await bound(world, HONG) == [one.vault.certificate.fingerprint.hex()]
        assert f"{one.vault.certificate.serial:x}" in one.page
        await logs_in(world, one)

    told(sqlite_url, tmp_path, story)


def test_what_is_kept_of_it_is_complete(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begun(world, HONG, "issued")
        (flow,) = await world.rows("flow", machine="issuance")
        consents = {str(row["code"]): row for row in await world.rows("consent", customer_id="c-hong")}
        assert sorted(consents) == [f"T{number}" for number in range(1, 10)]
        terms = Registry.read()
        for code, row in consents.items():
            document = terms.current(code, world.clock.now())
            assert (row["version"], row["hash"]) == (document.version, document.sha256("ko"))
            assert (row["flow_id"], row["channel"], row["withdrawn_at"]) == (flow["flow_id"], "mobile-web", None)
        (image,) = await world.rows("id_card_image", customer_id="c-hong")
        assert image["kind"] == "resident"
        assert image["delete_at"] == world.clock.now() + timedelta(seconds=world.settings.limits.idcard_keep_s)
        sealed = image["image"]
        assert isinstance(sealed, bytes) and MASKED not in sealed
        clear = await world.ports.fields.open("c-hong", "id_card_image", "image", str(image["image_id"]), sealed)
        assert clear == MASKED
        assert [row["method"] for row in await world.rows("identity_proof", customer_id="c-hong")] == ["phone"]
        (binding,) = await world.rows("binding", customer_id="c-hong")
        assert binding["status"] == "ACTIVE"
        (flow,) = await world.rows("flow", machine="issuance")
        assert '"Issued"' in str(flow["state"])
        for action in ("begin", "name", "phone", "phone-proof", "card-read", "card", "onewon", "onewon-proof",
                       "details", "key", "product", "certificate", "issued"):  # fmt: skip
            assert await world.results(f"issuance.{action}") == ["ok"], action

    told(sqlite_url, tmp_path, story)


def test_D2_the_customer_is_told_by_sms_and_e_mail_and_the_authority_tells_by_itself(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await begun(world, HONG, "details")
        before = len(world.texts(HONG))
        one = await begun(world, HONG, "issued")
        assert world.mails(HONG) == []  # nothing leaves before the transaction that tells of it
        await world.deliver()
        await world.deliver()
        texts = world.texts(HONG)[: len(world.texts(HONG)) - before]
        assert len([text for text in texts if "발급" in text]) == 1
        (mail,) = world.mails(HONG)
        assert "발급" in mail.subject
        assert f"{one.vault.certificate.not_after:%Y-%m-%d}"[:7] in mail.text
        assert HONG.idn not in mail.text and HONG.idn[6:] not in mail.text
        assert any(notice.startswith(HONG.mobile) for notice in world.ca.notices())

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("one", WITH_CARD, ids=lambda one: one.key)
def test_everybody_gets_one_with_a_licence(sqlite_url: str, tmp_path: Path, one: Person) -> None:
    """Foreigners, numbers without a check digit, long and Latin names, MVNO carriers, no telephone at home."""

    async def story(world: World) -> None:
        phone = await begun(world, one, "card")
        read = await phone.shoot(CardKind.LICENCE)
        assert read["fields"]["licence_number"]
        await phone.card(CardKind.LICENCE)
        await phone.until("issued")
        assert await world.certificates(one) == [State.VALID]
        assert (phone.vault.certificate.subject.value("CN") or "").startswith(one.name)
        await world.deliver()
        assert len(world.mails(one)) == 1
        await logs_in(world, phone)

    told(sqlite_url, tmp_path, story)


def test_another_brokers_certificate_is_named_then_revoked_and_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        old = await world.holds(HONG, 4)
        one = await begun(world, HONG, "key")
        assert "다온증권" in one.page
        assert f"{old.certificate.serial:x}" in one.page
        with pytest.raises(Refused) as refused:
            await one.make_key()
            await one.get()
            await one.choose(revoke="")
        assert (refused.value.status, refused.value.code) == (422, "issuance-end-not-agreed")
        assert await world.certificates(HONG) == [State.VALID]
        await one.until("issued")
        assert await world.certificates(HONG) == [State.REVOKED, State.VALID]
        answer = await world.phone(HONG).log_in_with(old)
        assert answer.status_code == 422 and say("refusal.cert-revoked", "ko")[:8] in answer.text, answer.text
        await logs_in(world, one)

    told(sqlite_url, tmp_path, story)


def test_a_second_run_supersedes_the_first_and_tells_of_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        first = await begun(world, HONG, "issued")
        second = await begun(world, HONG, "issued", key=4)
        assert second is not first
        await second.get("/issuance/new?new=1")
        assert second.screen == "password"
        await second.enter()
        await second.until("issued")
        assert await world.certificates(HONG) == [State.REVOKED, State.VALID]
        assert await bound(world, HONG) == [second.vault.certificate.fingerprint.hex()]
        await world.deliver()
        assert sorted("폐지" in mail.subject for mail in world.mails(HONG)) == [False, False, True]
        await logs_in(world, second)

    told(sqlite_url, tmp_path, story)


# ── ① by certificate, or in the carrier's app ──


def test_a_certificate_stands_in_for_the_telephone(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        old = await world.holds(HONG, 4)
        one = await begun(world, HONG, "identity")
        page = await one.prove_certificate(old, der.bits(RANDOM))
        assert one.screen == "card", page
        assert await bound(world, HONG) == []  # it proves a person; nothing is registered by it
        assert world.texts(HONG) == []
        await one.until("issued")
        assert await world.certificates(HONG) == [State.REVOKED, State.VALID]
        codes = [row["code"] for row in await world.rows("consent", customer_id="c-hong")]
        assert "T8" not in codes

    told(sqlite_url, tmp_path, story)


def test_somebody_elses_certificate_proves_nobody(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        kims = await world.holds(KIM, 4)
        one = await begun(world, HONG, "identity")
        await one.prove_certificate(kims, der.bits(RANDOM))
        assert (one.screen, one.status) == ("identity", 422)
        challenge = await one.challenge()
        own = await world.holds(HONG, 5)
        await one.prove_certificate(own, der.bits(RANDOM), challenge)
        assert one.screen == "card"
        # the nonce is used up, and another run's is not taken
        assert await world.results("issuance.certificate-proof") == ["owner-mismatch", "ok"]

    told(sqlite_url, tmp_path, story)


def test_the_carriers_app_asks_and_nothing_is_typed(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "identity")
        await one.ask_code(method="APP")
        await one.prove_phone("")
        assert one.screen == "otp" and one.status != 200
        (waiting,) = world.around.box.identities.waiting(HONG.mobile, world.clock.now())
        world.around.box.identities.approve(HONG.mobile, waiting.id, world.clock.now())
        await one.prove_phone("")
        assert one.screen == "card"

    told(sqlite_url, tmp_path, story)


def test_a_code_is_sent_again_and_the_one_before_is_void(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "otp")
        first = one.otp
        await one.post("phone-again")
        second = one.otp
        if first != second:
            await one.prove_phone(first)
            assert one.screen == "otp"
        await one.prove_phone(second)
        assert one.screen == "card"

    told(sqlite_url, tmp_path, story)


def test_a_code_after_its_three_minutes_is_asked_for_anew(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "otp")
        code = one.otp
        world.clock.forward(181)
        await one.prove_phone(code)
        assert one.screen == "identity"
        await one.until("card")

    told(sqlite_url, tmp_path, story)


# ── ② to ④ ──


def test_the_back_half_of_a_number_is_on_no_screen_and_an_unsure_field_is_pointed_out(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        read = await one.shoot()
        assert read["fields"]["number_front"] == HONG.idn[:7]
        assert read["unsure"] == ["issued_on"]
        assert HONG.idn[7:] not in str(read)
        await one.card()
        assert one.screen == "account"

    told(sqlite_url, tmp_path, story)


def test_a_card_may_be_taken_again_and_the_newest_picture_alone_is_kept(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        await one.shoot()
        await one.shoot(CardKind.LICENCE)
        await one.card(CardKind.LICENCE)
        assert one.screen == "account"
        await one.post("back")
        assert one.screen == "card"
        await one.shoot(CardKind.RESIDENT)
        (image,) = await world.rows("id_card_image", customer_id="c-hong")
        assert image["kind"] == "resident"
        await one.card()
        assert one.screen == "account"

    told(sqlite_url, tmp_path, story)


def test_1_won_arrives_with_four_digits_and_no_name_of_ours(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "onewon")
        (deposit,) = world.deposits(HONG)
        assert one.digits in deposit
        assert HONG.bank is not None
        (row,) = world.around.box.deposits.statement(HONG.bank.bank_code, HONG.bank.account)
        assert row.amount == 1
        assert HONG.bank.account not in one.page  # masked: only four digits of it

    told(sqlite_url, tmp_path, story)


def test_digits_run_out_after_thirty_minutes_and_another_1_won_goes_on(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "onewon")
        for _ in range(6):  # a page that is looked at now and then
            world.clock.forward(299)
            await one.get()
            assert one.screen == "onewon"
        world.clock.forward(10)
        await one.get()
        assert one.screen == "account"
        assert say("issuance.onewon_over", "ko") in one.page
        await one.until("details")
        assert len(world.deposits(HONG)) == 2

    told(sqlite_url, tmp_path, story)


def test_the_details_are_filled_in_from_the_record_and_kept_as_history(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "details")
        assert 'value="hong"' in one.page and 'value="example.test"' in one.page
        found = await one.tell("address", {"keyword": "시험로 1"})
        assert found["addresses"][0]["zip5"] == HONG.address.zip5  # type: ignore[union-attr]
        await one.describe(email_local="someone", detail="별관 2층")
        await one.until("issued")
        again = world.phone(HONG, 4)
        await again.log_in()
        await again.get("/issuance/new?new=1")
        await again.enter()
        await again.until("details")
        assert 'value="someone"' in again.page and "별관 2층" in again.page
        found_customer = await world.ports.customers.by_id("c-hong")
        assert found_customer is not None and found_customer.mobile == HONG.mobile

    told(sqlite_url, tmp_path, story)


def test_another_telephone_number_than_the_proven_one_needs_a_proof_of_its_own(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "details")
        await one.describe(mobile="01085139876")
        assert (one.screen, one.status) == ("details", 422)
        assert say("refusal.mobile-not-proven", "ko") in one.page
        await one.describe()
        assert one.screen == "key"

    told(sqlite_url, tmp_path, story)


def test_back_and_cancel_as_long_as_nothing_was_asked_of_the_authority(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "identity")
        await one.post("back")
        assert one.screen == "consents"
        await one.until("onewon")
        digits = one.digits
        await one.post("back")
        assert one.screen == "account"
        ledger = await world.rows("ledger_used")
        assert any(str(row["kind"]).startswith("onewon:") for row in ledger)  # void at once (E5)
        await one.until("product")
        await one.post("cancel")
        await one.get()
        assert one.screen == "password"
        assert await world.results("issuance.cancel") == ["ok"]
        await one.until("requested")
        await one.post("cancel")
        await one.get()
        assert one.screen == "requested"
        await one.until("issued")
        assert digits and await world.certificates(HONG) == [State.VALID]

    told(sqlite_url, tmp_path, story)


# ── ⑥: which one ──


def test_universal_is_issued_where_it_is_offered_and_ends_nothing_of_securities(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        await world.holds(HONG, 4)
        one = await begun(world, HONG, "product")
        one.vault.registered = await one.choose(product="universal")
        await one.get()
        await one.fetch()
        assert await world.certificates(HONG) == [State.VALID, State.VALID]
        await one.get()
        assert one.screen == "issued"

    told(sqlite_url, tmp_path, story, products=("gold", "universal"))


def test_what_is_not_offered_is_not_issued(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "product")
        for product in ("universal", "", "ra", "server"):
            with pytest.raises(Refused) as refused:
                await one.choose(product=product)
            assert (refused.value.status, refused.value.code) == (422, "issuance-product-unknown")
        await one.get()
        assert one.screen == "product"

    told(sqlite_url, tmp_path, story)


def test_the_end_of_the_new_one_is_within_what_was_told(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "issued")
        lasts = one.vault.certificate.not_after.date()
        assert date(2027, 11, 20) <= lasts <= date(2027, 12, 31)
        assert f"{lasts:%Y-%m-%d}" in one.page or lasts.strftime("%Y-%m") in one.page

    told(sqlite_url, tmp_path, story)
