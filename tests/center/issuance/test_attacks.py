"""What somebody with another person's ID and password still cannot do, and what nobody can: E5, E7, F3, F9, F10, D1."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.ca.world import RANDOM, by_code, held, request, vid_of
from tests.center.issuance.phone import HERE, WALK, Fields, Phone, Refused
from tests.center.issuance.test_walk import begun, bound
from tests.center.issuance.world import World, told

from ingam.ca.facts import Facts
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.npki import der
from ingam.ports.books import State
from ingam.ports.card_reader import CardKind
from ingam.ports.store import Row, Save, Update
from ingam.sandbox.people import Person, person

HONG, KIM, GAON = person("hong"), person("kim"), person("gaon")


def words(code: str) -> str:
    """How a refusal's text begins, up to its first fact."""
    return say(f"refusal.{code}", "ko", n="{n}", s="{s}", cause="{cause}", most_mib="{most_mib}").partition("{")[0]


async def flow(world: World, one: Person = HONG) -> Row:
    """The person's last run, as it is stored."""
    rows = await world.rows("flow", machine="issuance", customer_id=f"c-{one.key}")
    return max(rows, key=lambda row: str(row["flow_id"]))


async def wrong(one: Phone) -> str:
    """Four digits that nobody sent."""
    return f"{(int(one.digits) + 1) % 10_000:04}"


# ── E5: 1원 ──


def test_E5_five_wrong_digits_void_them(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "onewon")
        right = one.digits
        for left in (4, 3, 2, 1):
            await one.prove_one_won(await wrong(one))
            assert one.screen == "onewon"
            assert say("refusal.onewon-wrong", "ko", n=left) in one.page
        await one.prove_one_won(await wrong(one))
        assert one.screen == "account"
        await one.prove_one_won(right)
        assert one.screen == "account"
        assert await world.results("issuance.onewon-proof") == ["onewon-wrong"] * 4 + ["ok"]  # the fifth went back
        await one.ask_one_won()
        if one.digits != right:
            await one.prove_one_won(right)
            assert one.screen == "onewon"  # E5: digits of an earlier transfer
        await one.prove_one_won()
        assert one.screen == "details"

    told(sqlite_url, tmp_path, story)


def test_E5_digits_of_an_earlier_transfer_are_worth_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "onewon")
        first = one.digits
        for _ in range(2):
            await one.post("back")
            await one.ask_one_won()
            if one.digits != first:
                await one.prove_one_won(first)
                assert one.screen == "onewon"
        await one.prove_one_won()
        assert one.screen == "details"

    told(sqlite_url, tmp_path, story)


def test_E5_digits_after_their_time_are_worth_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "onewon")
        digits = one.digits
        world.clock.forward(300)
        await one.get()
        world.clock.forward(61)
        await one.prove_one_won(digits)
        assert one.screen == "account"

    told(sqlite_url, tmp_path, story, onewon_ttl_s=360)


def test_E5_the_earlier_digits_are_void_before_another_1_won_is_asked_for(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "onewon")
        first, turn = one.digits, one.turn
        ticks = {"consent_T7": next(fields["consent_T7"] for _, fields in one.sent if "consent_T7" in fields)}
        world.around.switches.turn("party", "bank", "off")
        await one.ask_one_won(**ticks)  # no button of this screen, and a form all the same
        world.around.switches.reset()
        await one.get()
        assert one.screen == "account"
        await one.send("/issuance/new/onewon-proof", {**turn, "code": first})
        await one.get()
        assert one.screen == "account"
        voided = [row["voided"] for row in await world.rows("ledger_used") if str(row["kind"]).startswith("onewon:")]
        assert voided == [True]
        await one.ask_one_won()
        assert one.screen == "onewon"

    told(sqlite_url, tmp_path, story)


def test_F9_an_account_gets_three_transfers_a_day_and_a_person_five(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "account")
        for _ in range(3):
            await one.ask_one_won()
            assert one.screen == "onewon"
            await one.post("back")
        await one.ask_one_won()
        assert (one.screen, one.status) == ("account", 422)
        assert words("onewon-too-many") in one.page
        assert len(world.deposits(HONG)) == 3
        await world.restart()
        await one.get()
        await one.ask_one_won()
        assert one.screen == "account" and len(world.deposits(HONG)) == 3
        world.clock.forward(86_400)
        tomorrow = await begun(world, HONG, "onewon")
        assert tomorrow.screen == "onewon"

    told(sqlite_url, tmp_path, story)


def test_F9_transfers_of_a_person_over_all_accounts(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "account")
        for _ in range(2):
            await one.ask_one_won()
            assert one.screen == "onewon"
            await one.post("back")
        await one.ask_one_won()
        assert words("onewon-too-many") in one.page

    told(sqlite_url, tmp_path, story, onewon_person_a_day=2)


def test_E3_wrong_digits_are_counted_for_thirty_days_over_all_transfers(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "onewon")
        for _ in range(2):
            await one.prove_one_won(await wrong(one))
            await one.post("back")
            await one.ask_one_won()
        right = one.digits
        await one.prove_one_won(await wrong(one))  # the third and last of the month
        assert one.screen == "refused"
        assert words("onewon-budget-spent") in one.page
        await one.prove_one_won(right)
        assert one.screen == "refused"
        world.clock.forward(86_400 * 29)
        later = await begun(world, HONG, "account")
        await later.ask_one_won()
        assert later.screen == "refused"
        assert words("onewon-budget-spent") in later.page
        world.clock.forward(86_400 * 2)
        month = await begun(world, HONG, "details")
        assert month.screen == "details"

    told(sqlite_url, tmp_path, story, onewon_wrong_a_month=3)


def test_E5_somebody_elses_account_is_no_match(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert KIM.bank is not None
        one = await begun(world, HONG, "account")
        await one.ask_one_won(bank_code=KIM.bank.bank_code, account=KIM.bank.account)
        assert (one.screen, one.status) == ("account", 422)
        assert KIM.name not in one.page
        assert world.deposits(KIM) == []
        world.around.switches.turn("party", "bank", "wrong-holder")
        await one.ask_one_won()
        assert words("onewon-holder-mismatch") in one.page and one.screen == "account"
        world.around.switches.reset()
        assert world.deposits(HONG) == []
        await one.ask_one_won()
        assert one.screen == "onewon"

    told(sqlite_url, tmp_path, story)


# ── ① ──


def test_A16_guesses_at_the_number_are_counted_by_person_and_end_the_run(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "consents")
        for number in range(5):
            await one.name(idn=f"751005212345{number}")
            assert (one.screen, one.status) == ("consents", 422)
            assert words("issuance-person-mismatch") in one.page
        await one.name()
        assert one.screen == "refused"  # the right one, too late: nobody learns that it was
        await one.get(f"{HERE}?new=1")
        await one.enter()
        await one.name()
        assert one.screen == "refused"
        world.clock.forward(86_401)
        tomorrow = await begun(world, HONG, "identity")
        assert tomorrow.screen == "identity"

    told(sqlite_url, tmp_path, story)


def test_a_wrong_name_and_a_wrong_number_look_alike(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "consents")
        said = []
        for changed in ({"name": KIM.name}, {"idn": KIM.idn}, {"name": KIM.name, "idn": KIM.idn}):
            await one.name(**changed)
            assert (one.screen, one.status) == ("consents", 422)
            assert KIM.idn not in one.page
            said.append(one.errors())
        assert len(set(said)) == 1
        assert await world.rows("consent") == []
        world.around.switches.turn("party", "real-name", "wrong-holder")
        await one.name()
        assert words("real-name-mismatch") in one.page
        world.around.switches.reset()
        await one.name()
        assert one.screen == "identity"

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    "changed", [{"mobile": KIM.mobile, "carrier": KIM.carrier}, {"carrier": "KT"}, {"carrier": "SKT_MVNO"}]
)
def test_E7_another_persons_telephone_or_carrier_is_refused(sqlite_url: str, tmp_path: Path, changed: Fields) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "identity")
        await one.ask_code(**changed)
        assert (one.screen, one.status) == ("identity", 422)
        assert words("phone-identity-mismatch") in one.page
        assert world.texts(HONG) == world.texts(KIM) == []

    told(sqlite_url, tmp_path, story)


def test_E7_the_record_decides_whose_telephone_it_is(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "otp")
        world.around.switches.turn("party", "phone-identity", "other-person")
        code = one.otp
        await one.prove_phone(code)
        assert (one.screen, one.status) == ("otp", 422)
        assert words("identity-mismatch") in one.page
        assert await world.rows("identity_proof") == []
        world.around.switches.reset()
        await one.until("card")

    told(sqlite_url, tmp_path, story)


def test_E7_a_person_whose_ci_changed_is_not_the_person(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begun(world, HONG, "card")
        change = Update("identity_proof", {"customer_id": "c-hong"}, {"ci_key": "0" * 64})
        await world.ports.store.save(Save(rows=[change]))
        again = world.phone(HONG)
        await again.log_in()
        await again.get()
        await again.enter()
        await again.until("otp")
        await again.prove_phone()
        assert (again.screen, again.status) == ("otp", 422)
        assert words("identity-mismatch") in again.page

    told(sqlite_url, tmp_path, story)


def test_E7_somebody_elses_transaction_is_of_no_use(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        kim = await begun(world, KIM, "otp")
        one = await begun(world, HONG, "otp")
        theirs = str((await flow(world, KIM))["state"])
        transaction = next(text for text in theirs.split('"') if len(text) == 32)
        assert transaction not in kim.page  # no page, form or address holds one
        for extra in ({"transaction": transaction}, {"asked": transaction, "transaction_id": transaction}):
            await one.post("phone-proof", {"otp": kim.otp, **extra})
            assert one.screen == "otp"
        await kim.prove_phone()
        assert kim.screen == "card"
        await one.prove_phone()
        assert one.screen == "card"

    told(sqlite_url, tmp_path, story)


def test_E3_wrong_codes_of_a_telephone_are_counted_over_all_its_codes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "identity")
        for _ in range(5):
            await one.ask_code()
            for _ in range(4):
                await one.prove_phone("000000" if one.otp != "000000" else "111111")
        said = await world.results("issuance.phone-proof")
        assert said == ["phone-identity-wrong"] * 15 + ["phone-identity-too-many"] * 5
        await one.prove_phone()
        assert one.screen == "otp"  # the right one, too late
        assert words("phone-identity-too-many") in one.page
        world.clock.forward(86_401)
        assert (await begun(world, HONG, "card")).screen == "card"

    told(sqlite_url, tmp_path, story)


# ── ② ──


@pytest.mark.parametrize(
    "changed", [{"name": KIM.name}, {"number_front": KIM.idn[:7]}, {"name": KIM.name, "number_front": KIM.idn[:7]}]
)
def test_another_persons_card_is_refused_before_its_issuer_is_asked(
    sqlite_url: str, tmp_path: Path, changed: Fields
) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        await one.shoot()
        for _ in range(4):  # more often than an issuer is asked in a day
            await one.card(CardKind.RESIDENT, **changed)
            assert (one.screen, one.status) == ("card", 422)
            assert words("id-card-person-mismatch") in one.page
        await one.card()
        assert one.screen == "account"

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(("position", "code"), [("lost", "id-card-lost"), ("mismatch", "id-card-mismatch")])
def test_what_the_issuer_says_of_a_card_is_said_and_counted(
    sqlite_url: str, tmp_path: Path, position: str, code: str
) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        await one.shoot()
        world.around.switches.turn("party", "id-card", position)
        for _ in range(3):
            await one.card()
            assert (one.screen, one.status) == ("card", 422)
            assert words(code) in one.page
        world.around.switches.reset()
        await one.card()
        assert words("id-card-tries") in one.page
        world.clock.forward(86_401)
        assert (await begun(world, HONG, "account")).screen == "account"

    told(sqlite_url, tmp_path, story)


def test_fields_without_a_photograph_are_no_card(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        await one.card()
        assert (one.screen, one.status) == ("card", 422)
        assert words("id-card-not-read") in one.page

    told(sqlite_url, tmp_path, story)


def test_F11_five_photographs_a_run(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        for _ in range(5):
            await one.shoot()
        with pytest.raises(Refused) as refused:
            await one.shoot()
        assert refused.value.code == "id-card-tries"
        assert len(await world.rows("id_card_image")) == 1

    told(sqlite_url, tmp_path, story)


# ── whose run it is, and where it stands ──

PLAUSIBLE: dict[str, Fields] = {
    "password": {"password": "Bank!2026"},
    "name": {"name": HONG.name, "idn": HONG.idn},
    "phone": {"mobile": HONG.mobile, "carrier": "SKT", "method": "SMS"},
    "phone-again": {},
    "phone-proof": {"otp": "123456"},
    "certificate-proof": {"nonce": "0" * 64, "signed": "MAA=", "sealed": "MAA="},
    "challenge": {},
    "card-fields": {"kind": "resident", "name": HONG.name, "number_front": HONG.idn[:7], "issued_on": "20150505"},
    "onewon": {"bank_code": "004", "account": "85130000000001"},
    "onewon-proof": {"code": "1234"},
    "address": {"keyword": "시험로 1"},
    "details": {"email_local": "hong", "email_domain": "example.test", "home_phone_none": "yes", "zip5": "00001",
                "mobile": HONG.mobile, "road": "서울특별시 예시구 시험로 1"},
    "key": {"spki": "ab" * 32},
    "product": {"product": "gold", "revoke": "yes"},
    "carry": {"message": base64.b64encode(b"0\x00").decode()},
}  # fmt: skip
OWN = {
    "password": ("password",), "consents": ("name",),
    "identity": ("phone", "phone-again", "phone-proof", "challenge", "certificate-proof"),
    "otp": ("phone", "phone-again", "phone-proof", "challenge", "certificate-proof"),
    "card": ("card-fields",), "account": ("onewon",), "onewon": ("onewon", "onewon-proof"),
    "details": ("details", "address"), "key": ("key",), "product": ("key", "product"),
    "requested": ("carry",), "delivered": ("carry",), "issued": ("carry", "password"),
}  # fmt: skip
"""What each screen may post."""


@pytest.mark.parametrize("screen", [screen for screen in WALK if screen != "delivered"])
def test_a_step_that_is_not_the_true_one_does_nothing(sqlite_url: str, tmp_path: Path, screen: str) -> None:
    """Product before key, key before the details, carry before the product, and every other such pair."""

    async def story(world: World) -> None:
        one = await begun(world, HONG, screen)
        before = dict(await flow(world)) if screen != "password" else None
        ticks = {f"consent_T{number}": "x" for number in range(1, 10)}
        kept = {table: len(await world.rows(table)) for table in ("consent", "contact", "binding", "identity_proof")}
        for step, fields in PLAUSIBLE.items():
            if step in OWN[screen]:
                continue
            turn = one.turn or {"run": one.run, "version": "0"}
            answer = await one.send(f"{HERE}/{step}", {**turn, **ticks, **fields}, Accept="application/json")
            assert answer.status_code in (303, 409), (step, answer.status_code, answer.text)
            if before is not None:
                assert dict(await flow(world)) == before, step
        assert kept == {table: len(await world.rows(table)) for table in kept}

    told(sqlite_url, tmp_path, story)


def test_F10_another_customers_session_does_not_reach_a_run(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        before = dict(await flow(world))
        kim = await begun(world, KIM, "consents")
        for step, fields in PLAUSIBLE.items():
            if step in ("name", "password"):
                continue
            answer = await kim.send(f"{HERE}/{step}", {**one.turn, **fields}, Accept="application/json")
            assert answer.status_code in (303, 409), step
        assert dict(await flow(world)) == before
        with pytest.raises(Refused) as refused:
            await kim.again()
        assert refused.value.status == 409
        assert (await kim.client.get(f"{HERE}/issue")).status_code == 409
        await one.until("issued")
        assert await world.certificates(KIM) == []

    told(sqlite_url, tmp_path, story)


def test_F3_every_post_asks_for_token_origin_and_login(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "consents")
        visitor = world.phone(HONG)
        await visitor.get("/login")
        before = dict(await flow(world))
        for step, fields in {**PLAUSIBLE, "back": {}, "cancel": {}, "card": {}}.items():
            path, all_fields = f"{HERE}/{step}", {**one.turn, **fields}
            for refused in (
                await one.send(path, {**all_fields, "csrf": ""}),
                await one.send(path, {**all_fields, "csrf": visitor.csrf}),
                await one.send(path, all_fields, Origin="https://attacker.test"),
                await one.send(path, all_fields, Sec_Fetch_Site="cross-site"),
            ):
                assert refused.status_code == 403, (step, refused.status_code)
            nobody = await visitor.send(path, all_fields, Accept="application/json")
            assert nobody.status_code in (303, 401, 403), (step, nobody.status_code)
        assert dict(await flow(world)) == before

    told(sqlite_url, tmp_path, story)


def test_a_corporation_is_refused_before_anything_begins(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = world.phone(GAON)
        await one.log_in()
        await one.get()
        await one.enter()
        assert one.screen == "password" and 400 <= one.status < 500
        assert words("issuance-personal-only") in one.page
        assert await world.rows("flow", machine="issuance") == []

    told(sqlite_url, tmp_path, story)


# ── what is carried ──


async def other_message(world: World) -> bytes:
    """An ir of Kim, registered by somebody else."""
    facts = Facts(name=KIM.name, idn=Secret(KIM.idn), mobile=KIM.mobile)
    holder = by_code(world.ca, await world.ca.register("securities", facts))
    return holder.compose(request(held("kim", 7), encrypted=vid_of(world.ca)))


@pytest.mark.parametrize("screen", ["requested", "issued"])
def test_D3_only_messages_of_this_registration_are_carried(sqlite_url: str, tmp_path: Path, screen: str) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, screen)
        before, sent = dict(await flow(world)), len(world.wire.sent)
        foreign = await other_message(world)
        for message in (foreign, b"", b"0\x00", b"\x30\x82\xff\xff", world.wire.sent[0], RANDOM * 100):
            with pytest.raises(Refused) as refused:
                await one.carry(message)
            assert (refused.value.status, refused.value.code) == (422, "issuance-not-carried")
        for text in ("!", "A" * 90_001, "가"):
            with pytest.raises(Refused) as refused:
                await one.tell("carry", {"run": one.run, "message": text})
            assert refused.value.code in ("bad-request", "too-large")
        assert len(world.wire.sent) == sent
        assert await world.certificates(KIM) == []
        assert dict(await flow(world)) == before

    told(sqlite_url, tmp_path, story)


def test_a_confirmation_before_the_certificate_is_not_carried(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        answer = await world.ca.endpoint.answer(one.vault.ask(one.vault.registered), "127.0.0.1")
        with pytest.raises(Refused) as refused:
            await one.carry(one.vault.confirm(answer[1]))
        assert refused.value.code == "issuance-not-carried"
        assert await world.certificates(HONG) == [State.PENDING]

    told(sqlite_url, tmp_path, story)


def test_D1_an_answer_with_a_certificate_for_another_key_is_not_believed(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        _, others = await world.ca.endpoint.answer(await other_message(world), "127.0.0.1")

        async def lies(*_: object) -> bytes:
            return others

        honest, world.wire.post = world.wire.post, lies  # type: ignore[method-assign, assignment]
        with pytest.raises(Refused) as refused:
            await one.carry(one.vault.ask(one.vault.registered))
        assert refused.value.status == 503
        world.wire.post = honest  # type: ignore[method-assign]
        await one.get()
        assert one.screen == "requested"
        assert await world.results("issuance.carry") == ["issuance-other-key"]
        assert await bound(world, HONG) == []
        await one.until("issued")

    told(sqlite_url, tmp_path, story)


def test_a_certificate_proof_of_another_run_or_twice_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        old = await world.holds(HONG, 4)
        one = await begun(world, HONG, "identity")
        challenge = await one.challenge()
        fields = await one.signed(old, challenge, der.bits(RANDOM))
        await one.post("cancel")
        await one.get()
        await one.until("identity")
        await one.post("certificate-proof", fields)
        assert one.screen == "identity" and words("nonce-invalid") in one.page
        await one.post("certificate-proof", fields)
        assert one.screen == "identity"
        await one.prove_certificate(old, der.bits(RANDOM))
        assert one.screen == "card"

    told(sqlite_url, tmp_path, story)
