"""The twelve checks, each with its own code, over HTTP; and the rules A1, A6-A11, A14-A17, F1, F3, H1, H2 and H5."""

from __future__ import annotations

import ast
import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.center.registration.world import (
    FIRM,
    HONG,
    KIM,
    NOW,
    OTHER_R,
    PASSWORD,
    Browser,
    R,
    Window,
    World,
    opened,
    party,
)  # fmt: skip
from tests.npki import certs
from tests.npki.certs import Party

import ingam.customer.binding.proof as proof_module
import ingam.customer.finance.proof as finance_proof
from ingam.customer.binding.proof import CHECKS, LOGIN, REGISTRATION
from ingam.kernel.words import say, table
from ingam.npki import certificate, der
from ingam.ports.status import Good, Revoked, Source, StatusUnavailable, Suspended, Unknown
from ingam.ports.store import Insert, Row, Save
from ingam.protocols.challenge import Purpose, text

Story = Callable[[World, Browser], Awaitable[None]]


def told(url: str, folder: Path, story: Story, **limits: int) -> None:
    """Run a story with a browser that stands at ③."""

    async def go() -> None:
        async with opened(url, folder, **limits) as world:
            browser = await world.browser()
            await browser.to_certificate()
            await story(world, browser)

    asyncio.run(go())


async def refused(world: World, browser: Browser, window: Window, code: str, status: int = 422) -> None:
    """The presentation is refused with this code: on the page, in the audit line, and nothing is bound."""
    before = await world.store.many("binding", {})
    page = await browser.present(window)
    assert browser.status == status, (browser.status, page)
    results = await world.results("registration.certificate")
    assert results[-1] == code
    assert await world.store.many("binding", {}) == before
    assert "data-certificate-window" in page


async def refusal_of(world: World, browser: Browser, made: Party, code: str, status: int = 422) -> None:
    await refused(world, browser, Window(world, made, await browser.challenge()), code, status)


def test_the_checks_are_numbered_one_to_twelve_and_every_code_has_its_text() -> None:
    assert tuple(number for number, _, _ in CHECKS) == REGISTRATION == tuple(range(1, 13))
    assert set(LOGIN) == {2, 3, 4, 5, 6, 7, 8, 10}
    codes = [code for _, _, codes in CHECKS for code in codes]
    assert len(codes) == len(set(codes))
    for code in codes:
        for lang in ("ko", "en"):
            assert f"refusal.{code}" in table(lang), (lang, code)


# ── check 2: the nonce ──────────────────────────────────────────────────────────────────────────────────────────


def test_A6_a_nonce_is_good_for_one_presentation_even_a_refused_one(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        challenge = await browser.challenge()
        await refused(world, browser, Window(world, party(KIM), challenge), "owner-mismatch")
        await refused(world, browser, Window(world, party(), challenge), "nonce-invalid", 409)
        assert "완료 되었습니다" in await browser.register(party())

    told(sqlite_url, tmp_path, story)


def test_A6_a_replay_after_success_binds_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        fields = {**browser.hidden(), **Window(world, party(), await browser.challenge()).fields}
        await browser.send("/registration/certificate", fields)
        await browser.get("/registration?new=1")
        world.clock.forward(61)
        await browser.post(
            "/registration/identify",
            {"banking_id": HONG.banking_id, "password": PASSWORD, "idn": HONG.idn.reveal()},
        )
        await browser.request_code()
        await browser.prove()
        page = await browser.post("/registration/certificate", {**fields, **browser.hidden()})
        assert browser.status == 409 and "이미 보낸 요청입니다" in page
        assert (await world.results("registration.certificate"))[-1] == "nonce-invalid"

    told(sqlite_url, tmp_path, story)


def test_A6_a_stale_nonce_another_sessions_nonce_and_an_invented_one_are_refused(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World, browser: Browser) -> None:
        stale = await browser.challenge()
        world.clock.forward(181)
        await refused(world, browser, Window(world, party(), stale), "nonce-invalid", 409)
        elsewhere = await world.browser(KIM)
        foreign = await world.challenges.issue(Purpose.REGISTRATION, elsewhere.session, "127.0.0.1")
        shown = foreign.for_window(seal=True, customer_kind="personal", lang="ko")
        await refused(world, browser, Window(world, party(), dict(shown)), "nonce-invalid", 409)
        invented = await browser.challenge() | {"nonce": "ab" * 32}
        await refused(world, browser, Window(world, party(), invented), "nonce-invalid", 409)

    told(sqlite_url, tmp_path, story)


def test_A6_a_nonce_for_the_login_is_none_for_the_registration(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        given = await world.challenges.issue(Purpose.LOGIN, browser.session, "127.0.0.1")
        shown: dict[str, Any] = dict(given.for_window(seal=True, customer_kind="personal", lang="ko"))
        await refused(world, browser, Window(world, party(), shown), "nonce-invalid", 409)
        row = await world.store.issued(f"challenge:{browser.session}", given.challenge.nonce)
        assert row is not None and row.used_at is not None, "it is spent all the same"

    told(sqlite_url, tmp_path, story)


def test_A6_five_challenges_may_be_open_and_thirty_an_hour(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        for _ in range(5):
            assert "nonce" in await browser.challenge()
        answer = await browser.challenge()
        assert (answer["code"], browser.status) == ("too-many-challenges", 429)

    told(sqlite_url, tmp_path, story)


def test_A6_the_hours_ceiling_holds_when_none_is_open(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        for _ in range(3):
            challenge = await browser.challenge()
            await browser.send("/registration/certificate", {**browser.hidden(), "nonce": challenge["nonce"]})
            await world.challenges.claim(Purpose.REGISTRATION, browser.session, challenge["nonce"])
        assert (await browser.challenge())["code"] == "too-many-challenges"

    told(sqlite_url, tmp_path, story, nonces_an_hour=3)


def test_A6_one_address_has_a_ceiling_over_all_its_sessions(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        assert "nonce" in await browser.challenge()
        assert "nonce" in await browser.challenge()
        assert (await browser.challenge())["code"] == "too-many-challenges"

    told(sqlite_url, tmp_path, story, address_nonces_an_hour=2)


# ── checks 3 and 4: the certificate's form and the signature ────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://localhost:9999"},
        {"session": "0" * 64},
        {"body": "0" * 64},
        {"body": None},
        {"issued": "2026-11-22T11:59:59Z"},
        {"expires": "2026-11-22T23:59:59Z"},
        {"purpose": "login"},
        {"purpose": "rebind"},
    ],
    ids=["origin", "session", "body", "no body", "issued", "expires", "login", "rebind"],
)
def test_A1_every_line_of_the_signed_text_is_the_servers_own(
    sqlite_url: str, tmp_path: Path, change: dict[str, str | None]
) -> None:
    async def story(world: World, browser: Browser) -> None:
        window = Window(world, party(), await browser.challenge(), changed=change)
        await refused(world, browser, window, "signature-invalid")

    told(sqlite_url, tmp_path, story)


def test_A1_the_text_names_the_certificate_and_the_sealed_blob_that_came(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        window = Window(world, party(), await browser.challenge())
        window.signed_text = text(window.challenge, party().certificate.der, None)
        await refused(world, browser, window, "signature-invalid")
        window = Window(world, party(), await browser.challenge())
        other = party(key_name="rsa2048-03", serial=7)
        window.signed_text = text(window.challenge, other.certificate.der, None)
        await refused(world, browser, window, "signature-invalid")

    told(sqlite_url, tmp_path, story)


def test_A2_the_context_of_another_purpose_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        window = Window(world, party(), await browser.challenge(), purpose="login")
        await refused(world, browser, window, "signature-invalid")
        row = (await world.store.many("audit", {"result": "signature-invalid"}))[-1]
        assert '"cms-context"' in str(row["facts"])

    told(sqlite_url, tmp_path, story)


def test_A19_the_body_is_the_hash_of_the_very_text_that_is_shown(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        from hashlib import sha256

        challenge = await browser.challenge()
        assert challenge["body"] == sha256(challenge["body_text"].encode()).hexdigest()
        assert challenge["body_text"] == say("registration.body", "ko", institution="증권금융")

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("spoilt", ["", "AA==", "bm90IGJhc2U2NA", "%%%%"])
def test_bytes_that_are_no_message_are_refused(sqlite_url: str, tmp_path: Path, spoilt: str) -> None:
    async def story(world: World, browser: Browser) -> None:
        challenge = await browser.challenge()
        page = await browser.post(
            "/registration/certificate", {"nonce": challenge["nonce"], "signed": spoilt, "sealed": ""}
        )
        assert browser.status == 422 and "data-certificate-window" in page

    told(sqlite_url, tmp_path, story)


def test_a_certificate_whose_own_bytes_were_altered_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        fields = Window(world, party(), await browser.challenge()).fields
        signed = base64.b64decode(fields["signed"]).replace("홍길동-6422061".encode(), "임꺽정-6422061".encode())
        await browser.post("/registration/certificate", fields | {"signed": base64.b64encode(signed).decode()})
        assert (await world.results("registration.certificate"))[-1] == "signature-invalid"

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    ("put", "code"),
    [
        ({"usage": certs.usage(certs.CRYPT)}, "cert-malformed"),
        ({"eku": certs.eku("1.3.6.1.5.5.7.3.2")}, "cert-malformed"),
        ({"basic": certs.basic(ca=True)}, "cert-malformed"),
        ({"strange": certs.extension("1.2.3.4", b"\x05\x00", critical=True)}, "cert-malformed"),
    ],
    ids=["no digitalSignature", "extended key usage", "a CA", "unknown critical extension"],
)
def test_A8_a_certificate_of_the_wrong_form_is_refused(
    sqlite_url: str, tmp_path: Path, put: dict[str, bytes], code: str
) -> None:
    async def story(world: World, browser: Browser) -> None:
        await refusal_of(world, browser, party(put=put), code)

    told(sqlite_url, tmp_path, story)


# ── check 5: the path ───────────────────────────────────────────────────────────────────────────────────────────


def test_A7_a_certificate_of_an_authority_that_is_not_configured_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        stranger = certs.ca("rsa2048-05", 77, certs.name(("C", "KR"), ("O", "SignKorea"), ("CN", "SignKorea CA9")))
        await refusal_of(world, browser, party(issuer=stranger), "untrusted-issuer")
        forged = party(signer=certs.key("rsa2048-06"))
        await refusal_of(world, browser, forged, "untrusted-issuer")
        assert world.statuses.asked == [], "A13: nobody is asked before signature and path hold"

    told(sqlite_url, tmp_path, story)


def test_A10_a_ca_that_its_root_revoked_issues_nobody(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        world.statuses.revoked_authorities = frozenset({certs.ca().certificate.serial})
        await refusal_of(world, browser, party(), "untrusted-issuer")
        row = (await world.store.many("audit", {"result": "untrusted-issuer"}))[-1]
        assert '"ca-revoked"' in str(row["facts"])

    told(sqlite_url, tmp_path, story)


def test_A10_an_old_list_of_the_root_confirms_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        world.statuses.list_until = NOW - timedelta(seconds=1)
        await refusal_of(world, browser, party(), "root-list-unavailable", 503)

    told(sqlite_url, tmp_path, story)


# ── check 6: the policy ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("policy", "code", "message"),
    [
        ("1.2.410.200004.5.1.1.7", "kind-clash", "개인 고객은 개인 인증서만"),
        ("1.2.410.200004.5.1.1.1", "policy-not-accepted", "증권용 또는 범용을 선택해 주세요."),
        ("1.2.410.200005.1.1.1", "policy-not-accepted", "증권용 또는 범용을 선택해 주세요."),
        ("2.5.29.32.0", "policy-not-accepted", "증권용 또는 범용을 선택해 주세요."),
    ],
    ids=["corporate", "limited", "A9: universal of another authority's arc", "anyPolicy"],
)
def test_A9_only_a_policy_of_this_issuer_for_this_customer_is_accepted(
    sqlite_url: str, tmp_path: Path, policy: str, code: str, message: str
) -> None:
    async def story(world: World, browser: Browser) -> None:
        await refusal_of(world, browser, party(policy=policy), code)
        assert message in browser.page
        assert "등록할 수 있는 인증서는 다음과 같습니다. 코스콤: 범용(개인), 증권/보험용" in browser.page

    told(sqlite_url, tmp_path, story)


def test_A9_a_corporate_customer_cannot_register_a_personal_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            browser = await world.browser(FIRM)
            await browser.to_certificate(FIRM)
            await refusal_of(world, browser, party(FIRM), "kind-clash")
            assert "등록할 수 있는 인증서는 다음과 같습니다. 코스콤: 범용(법인), 증권/보험용(법인)" in browser.page

    asyncio.run(go())


# ── check 7: validity ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_expired_and_a_future_certificate_have_codes_of_their_own(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        expired = party(not_before=datetime(2024, 1, 1, tzinfo=UTC), not_after=datetime(2025, 1, 1, tzinfo=UTC))
        await refusal_of(world, browser, expired, "cert-expired")
        assert "만료된 인증서입니다(2025-01-01)." in browser.page
        future = party(not_before=NOW + timedelta(days=1), not_after=NOW + timedelta(days=300))
        await refusal_of(world, browser, future, "cert-not-yet-valid")
        bank_and_old = party(policy="1.2.410.200004.5.1.1.1", not_after=datetime(2026, 4, 1, tzinfo=UTC))
        await refusal_of(world, browser, bank_and_old, "policy-not-accepted")

    told(sqlite_url, tmp_path, story)


# ── check 8: the status ─────────────────────────────────────────────────────────────────────────────────────────


def test_each_status_but_good_has_its_code_and_none_is_taken_from_a_cache(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        made = party()
        key = made.certificate.fingerprint
        for answer, code, status in (
            (Revoked(Source.OCSP, NOW, NOW, "keyCompromise"), "cert-revoked", 422),
            (Suspended(Source.CRL, NOW, NOW), "cert-suspended", 422),
            (Unknown(Source.OCSP, NOW), "status-unknown", 422),
            (StatusUnavailable("status-slow"), "status-slow", 503),
        ):
            world.statuses.answers[key] = answer
            await refusal_of(world, browser, made, code, status)
        assert "인증기관의 상태를 확인하지 못했습니다. 잠시 후 다시 시도해 주세요. (status-slow)" in browser.page
        world.statuses.answers[key] = Good(Source.CRL, NOW - timedelta(hours=2))
        assert "완료 되었습니다" in await browser.register(made)
        assert {fresh for _, fresh in world.statuses.asked} == {True}
        facts = str(
            (await world.store.many("audit", {"action": "registration.certificate", "result": "ok"}))[0]["facts"]
        )
        assert '"crl"' in facts and "7200" in facts, "A12: source and age stand in the audit line"

    told(sqlite_url, tmp_path, story)


# ── check 9: the VID ────────────────────────────────────────────────────────────────────────────────────────────


def test_A14_a_certificate_without_a_vid_and_a_key_without_r_cannot_be_registered(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World, browser: Browser) -> None:
        await refusal_of(world, browser, party(put={"san": b""}), "vid-missing")
        window = Window(world, party(), await browser.challenge(), random=None)
        await refused(world, browser, window, "vid-missing")
        assert await world.store.counted("vid-fail:c-hong", 86400, NOW) == 0, "nobody guessed anything"

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    "random",
    [
        OTHER_R,
        der.bits(bytes(19)),
        der.bits(bytes(65)),
        b"\x03\x15\x01" + bytes(20),
        b"\x04\x14" + bytes(20),
        R + b"\0",
    ],
    ids=["another R", "too short", "too long", "unused bits", "no bit string", "trailing byte"],
)
def test_A14_r_has_to_be_the_one_bit_string_of_the_certificate(sqlite_url: str, tmp_path: Path, random: bytes) -> None:
    async def story(world: World, browser: Browser) -> None:
        window = Window(world, party(), await browser.challenge(), random=random)
        await refused(world, browser, window, "owner-mismatch")

    told(sqlite_url, tmp_path, story)


def test_somebody_elses_certificate_is_refused_by_its_vid(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await refusal_of(world, browser, party(KIM), "owner-mismatch")
        assert "고객님의 인증서가 아닙니다." in browser.page

    told(sqlite_url, tmp_path, story)


def test_A15_a_blob_of_another_challenge_or_another_key_does_not_open(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        from ingam.center.seal_key import SealKeys
        from ingam.kernel.secret import Secret
        from ingam.npki import cms
        from ingam.protocols.challenge import seal

        made = party()
        for ours in (True, False):
            first = Window(world, made, await browser.challenge())
            second = Window(world, made, await browser.challenge())
            key = world.seal_keys.current.public if ours else SealKeys(world.clock, 180).current.public
            blob = seal(key, Secret(R), first.challenge if ours else second.challenge, made.certificate.der)
            content = text(second.challenge, made.certificate.der, blob)
            signed = cms.sign(content, made.certificate, made.key, purpose="registration", signing_time=NOW)
            fields = {
                "nonce": second.challenge.nonce,
                "signed": base64.b64encode(signed).decode(),
                "sealed": base64.b64encode(blob).decode(),
            }
            await browser.post("/registration/certificate", fields)
            assert (await world.results("registration.certificate"))[-1] == "seal-unreadable"

    told(sqlite_url, tmp_path, story)


def test_A16_mismatches_lock_registration_and_not_the_login(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        for _ in range(4):
            await refusal_of(world, browser, party(KIM), "owner-mismatch")
        page = await browser.register(party(KIM))
        assert "오늘은 등록할 수 없습니다" in page and "data-certificate-window" not in page
        await world.deliver()
        assert "타기관인증서등록을 멈췄습니다" in world.phone.texts[-1]
        elsewhere = await world.browser()
        page = await elsewhere.identify()
        assert "오늘은 등록할 수 없습니다" in page
        session = await _session(world, elsewhere)
        found = await world.accounts.check_password(HONG.banking_id, _secret(PASSWORD), session, "127.0.0.1")
        assert found.customer_id == HONG.customer_id

    told(sqlite_url, tmp_path, story)


def test_A16_no_vid_is_looked_at_without_a_signature_by_the_same_certificate(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        window = Window(world, Party(party(KIM).certificate, certs.key("rsa2048-02")), await browser.challenge())
        fields = window.fields
        signed = bytearray(base64.b64decode(fields["signed"]))
        signed[-1] ^= 1
        await browser.post("/registration/certificate", fields | {"signed": base64.b64encode(bytes(signed)).decode()})
        assert (await world.results("registration.certificate"))[-1] == "signature-invalid"
        assert await world.store.counted("vid-fail:c-hong", 86400, NOW) == 0

    told(sqlite_url, tmp_path, story)


# ── checks 10 and 11: whose it is ───────────────────────────────────────────────────────────────────────────────


async def bound_to_kim(world: World, made: Party) -> None:
    row: Row = {
        "binding_id": "b-kim", "customer_id": KIM.customer_id, "fingerprint": made.certificate.fingerprint.hex(),
        "name_key": world.bindings.name_key(made.certificate), "policy_oid": "1.2.410.200004.5.1.1.9",
        "not_after": made.certificate.not_after, "details": b"", "status": "ACTIVE", "bound_at": NOW, "ended_at": None,
    }  # fmt: skip
    await world.store.save(Save(rows=[Insert("binding", row)]))


def test_H5_bound_to_another_is_said_only_to_the_proven_owner(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        theirs = party(KIM)
        await bound_to_kim(world, theirs)
        await refusal_of(world, browser, theirs, "owner-mismatch")
        assert "다른 고객" not in browser.page

    told(sqlite_url, tmp_path, story)


def test_H5_the_owner_of_a_certificate_bound_elsewhere_is_told(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await bound_to_kim(world, party())
        await refusal_of(world, browser, party(), "bound-to-other")
        assert "다른 고객 정보에 등록된 인증서입니다." in browser.page

    told(sqlite_url, tmp_path, story)


def test_A17_a_binding_is_a_fingerprint_and_a_name_alone_binds_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await browser.register(party())
        renewed = party(key_name="rsa2048-03", serial=7)
        assert await world.bindings.by_fingerprint(renewed.certificate.fingerprint.hex()) is None
        (found,) = await world.bindings.of_same_name(renewed.certificate)
        assert found.fingerprint == party().certificate.fingerprint.hex()
        printable = certs.name(("C", "kr"), ("O", "signkorea"), ("OU", "증권"), ("OU", "동양"), ("OU", "hts"),
                               ("CN", "홍길동-6422061"), tag=der.BMP_STRING)  # fmt: skip
        same = certificate.parse(certs.person_der(subject=printable))
        assert len(await world.bindings.of_same_name(same)) == 1
        other = certificate.parse(certs.person_der(subject=certs.name(("C", "KR"), ("CN", "홍길동"))))
        assert await world.bindings.of_same_name(other) == []

    told(sqlite_url, tmp_path, story)


def test_A17_a_proof_for_a_first_registration_is_none_for_a_replacement(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        made = party(key_name="rsa2048-03", serial=7)
        row: Row = {
            "binding_id": "b", "customer_id": HONG.customer_id, "fingerprint": made.certificate.fingerprint.hex(),
            "name_key": "n", "policy_oid": "1", "not_after": NOW, "details": b"", "status": "ACTIVE",
            "bound_at": NOW, "ended_at": None,
        }  # fmt: skip
        challenge = await browser.challenge()
        await world.store.save(Save(rows=[Insert("binding", row)]))
        assert (await browser.challenge())["code"] == "flow-expired"
        await refused_without_screen(world, browser, Window(world, party(), challenge), "replace-confirm")

    told(sqlite_url, tmp_path, story)


async def refused_without_screen(world: World, browser: Browser, window: Window, code: str) -> None:
    await browser.send("/registration/certificate", {**browser.hidden(), **window.fields})
    assert (await world.results("registration.certificate"))[-1] == code


# ── check 1, and what stands around ─────────────────────────────────────────────────────────────────────────────


def test_E1_a_proof_of_another_session_person_or_flow_is_no_proof(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        from ingam.customer.additional_auth import Purpose as For
        from ingam.customer.additional_auth.proof import Bound, ProofMissing, consume

        (row,) = await world.store.many("ledger_issued", {"kind": "proof"})
        proof_id, flow = str(row["id"]), f"registration:{browser.session}:1"
        good = Bound(HONG.customer_id, For.REGISTRATION, flow, browser.session)
        await consume(world.store, proof_id, good, world.clock.now())
        for wrong in (
            Bound(KIM.customer_id, For.REGISTRATION, flow, browser.session),
            Bound(HONG.customer_id, For.COPY_OUT, flow, browser.session),
            Bound(HONG.customer_id, For.REGISTRATION, flow + "1", browser.session),
            Bound(HONG.customer_id, For.REGISTRATION, flow, "0" * 64),
        ):
            with pytest.raises(ProofMissing):
                await consume(world.store, proof_id, wrong, world.clock.now())

    told(sqlite_url, tmp_path, story)


def test_F3_a_post_from_elsewhere_or_without_the_token_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        fields = {**browser.hidden(), **Window(world, party(), await browser.challenge()).fields}
        answer = await browser.send("/registration/certificate", fields, Origin="http://evil.test")
        assert answer.status_code == 403
        answer = await browser.send("/registration/certificate", fields | {"csrf": "x"})
        assert answer.status_code == 403
        assert await world.store.many("binding", {}) == []

    told(sqlite_url, tmp_path, story)


def test_H1_no_number_password_code_or_r_lies_anywhere_afterwards(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, browser: Browser) -> None:
        await refusal_of(world, browser, party(KIM), "owner-mismatch")
        code = world.phone.code
        blob = Window(world, party(), await browser.challenge())
        sealed = base64.b64decode(blob.fields["sealed"])
        await browser.present(blob)
        assert "완료 되었습니다" in browser.page
        canaries = [
            HONG.idn.reveal().encode(), HONG.idn.reveal()[6:].encode(), PASSWORD.encode(), R[3:], sealed,
            HONG.mobile.encode(), HONG.name.encode(),
        ]  # fmt: skip
        held = b"".join(path.read_bytes() for path in world.database.parent.glob("center.db*"))
        for canary in canaries:
            assert canary not in held, canary
            assert canary.hex().encode() not in held
            assert base64.b64encode(canary).rstrip(b"=")[:-1] not in held
            assert canary.decode("latin-1") not in world.log.getvalue()
        rows = await world.store.many("audit", {}, limit=1000)
        audit = repr([{name: value for name, value in row.items() if name != "at"} for row in rows])
        for word in (HONG.idn.reveal(), PASSWORD, HONG.name, HONG.mobile, HONG.banking_id, f'"{code}"'):
            assert word not in audit
        assert f"{code}".encode() not in held.replace(b"1970", b""), "the code is kept as a digest only"
        assert HONG.name not in world.log.getvalue() and PASSWORD not in world.log.getvalue()

    told(sqlite_url, tmp_path, story)


def test_H2_one_function_alone_sees_vid_and_r_together() -> None:
    tree = ast.parse(Path(proof_module.__file__).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    opening = [one.name for one in functions if "keys.open(" in ast.unparse(one)]
    comparing = [one.name for one in functions if "check_vid(" in ast.unparse(one)]
    assert opening == comparing == ["prove_ownership"]
    source = Path(proof_module.__file__).parents[3]
    # Of a 금융인증서 R comes from its provider and is never sealed: one function of its own, and no third one.
    finance = ast.parse(Path(finance_proof.__file__).read_text(encoding="utf-8"))
    theirs = [node for node in ast.walk(finance) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [one.name for one in theirs if "random" in ast.unparse(one)] == ["prove_ownership"]
    places = (Path(proof_module.__file__), Path(finance_proof.__file__))
    for path in source.rglob("*.py"):
        if "npki" in path.parts or path in places or "sandbox" in path.parts:
            continue
        assert "check_vid(" not in path.read_text(encoding="utf-8"), path


async def _session(world: World, browser: Browser) -> Any:
    return await world.sessions.find(str(browser.client.cookies["ingam-center"]))


def _secret(value: str) -> Any:
    from ingam.kernel.secret import Secret

    return Secret(value)
