"""The center's half of C1, C2, C3, C12 and C14: each with somebody who would like it otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.center.copying.world import ELSEWHERE, FINGERPRINT, HOME, KIM, MAILBOX, PHONE, Copy, End, deliver, end, told
from tests.center.registration.world import HONG, party
from tests.center.world import WRONG

from ingam.ports.status import Revoked, Source
from ingam.ports.store import Delete, Save, StoreOutage

KIMS = party(KIM, key_name="rsa2048-03", serial=0x77)
NEW = party(key_name="rsa2048-04", serial=0x99)


def test_C1_a_ticket_is_given_only_for_a_mailbox_of_the_same_person(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        await copy.receiver.show_number()
        thief = await end(copy.world, KIM, agent=PHONE)
        await thief.announce()
        await thief.show_number(mailbox="66666")
        assert await copy.sender.refused("send/join", mailbox="66666") == "copy-number-unknown"
        mine = copy.sender.ticket(await copy.sender.done("send/join", mailbox=MAILBOX))
        theirs = thief.ticket(await thief.done("receive/open"))
        assert mine.who != theirs.who and theirs.mailbox is None

    told(sqlite_url, tmp_path, story)


ROUTES = (
    "receive/begin", "receive/open", "receive/opened", "receive/join", "receive/arrived", "receive/stored",
    "receive/leave", "send/look", "send/confirm", "send/deny", "send/code", "send/factor", "send/challenge",
    "send/prove", "send/open", "send/opened", "send/join", "send/copied", "send/leave",
)  # fmt: skip


def test_C1_nobody_else_moves_a_copy_by_any_route(sqlite_url: str, tmp_path: Path) -> None:
    """The matrix: every route × another person, another session of the person, nobody."""

    async def story(copy: Copy) -> None:
        await copy.to_allowed()
        kept = await copy.world.ports.store.flow("copying:c-hong")
        assert kept is not None
        state = kept.state
        fields = {
            "mailbox": MAILBOX, "ticket": state.partition('"ticket":"')[2][:32], "fingerprint": FINGERPRINT,
            "receiver": state.partition('"id":"')[2][:32], "code": "123456", "nonce": "0" * 64, "signed": "AAAA",
        }  # fmt: skip
        kim, other = await end(copy.world, KIM), await end(copy.world)
        nobody = End(copy.world.browser())
        await nobody.browser.get("/login")
        for route in ROUTES:
            for one in (nobody,) if route == "receive/begin" else (kim, other, nobody):
                answer = await one.post(route, **fields)
                assert one.status >= 400 or route == "send/look", route
                assert one is not nobody or answer["code"] == "login-required"
        assert await copy.world.ports.store.flow("copying:c-hong") == kept
        assert (await other.look())["receiver"]["id"] == fields["receiver"]
        assert (await kim.look())["receiver"] is None
        await copy.receiver.done("receive/arrived", fingerprint=FINGERPRINT)

    told(sqlite_url, tmp_path, story, copy_runs=50)


def test_C1_one_end_has_none_of_the_other_s_routes(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_allowed()
        for route in ROUTES:
            if route in ("send/look", "receive/begin"):
                continue
            wrong = copy.sender if route.startswith("receive") else copy.receiver
            code = await wrong.refused(
                route, mailbox=MAILBOX, ticket="0" * 32, fingerprint=FINGERPRINT, receiver="0" * 32, code="123456",
                nonce="0" * 64, signed="AAAA",
            )  # fmt: skip
            assert code in ("copy-other-session", "copy-order", "nonce-invalid"), route
        assert await copy.state() == "Allowed"

    told(sqlite_url, tmp_path, story, copy_runs=50)


def test_C1_one_copy_a_person_at_a_time_whoever_posts_at_once(store_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        ends = [await end(copy.world, agent=PHONE) for _ in range(5)]
        await asyncio.gather(*(one.announce() for one in ends))
        answers = await asyncio.gather(*(one.post("receive/open") for one in ends))
        assert [one.status for one in ends].count(200) == 1
        assert {answer.get("code", "copy-other-session") for answer in answers} == {"copy-other-session"}
        rows = await copy.world.rows("flow", machine="copying")
        assert len(rows) == 1

    told(store_url, tmp_path, story)


def test_C1_two_tickets_for_one_number_are_never_given(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        await copy.receiver.show_number()
        answers = await asyncio.gather(*(copy.sender.post("send/join", mailbox=MAILBOX) for _ in range(4)))
        assert len([one for one in answers if "ticket" in one]) == 1
        assert {one["code"] for one in answers if "code" in one} == {"copy-number-used"}

    told(sqlite_url, tmp_path, story)


def test_C2_a_login_by_id_alone_makes_no_device_known(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.browser.log_in(HONG)
        await copy.receiver.browser.get("/cert-center")
        await copy.receiver.announce()
        assert (await copy.sender.look())["receiver"]["known"] is False
        assert await copy.sender.say_yes() is True
        assert await copy.sender.refused("send/challenge") == "copy-order"

    told(sqlite_url, tmp_path, story)


def test_C2_a_certificate_login_makes_its_device_known(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        answer = await copy.receiver.browser.present(party())
        assert answer.status_code == 303
        await copy.receiver.browser.get("/cert-center")
        await copy.receiver.announce()
        assert (await copy.sender.look())["receiver"]["known"] is True
        assert await copy.sender.say_yes() is False
        assert copy.world.phone.texts == []
        assert await copy.sender.sign() == {}

    told(sqlite_url, tmp_path, story)


def test_C2_a_device_is_known_to_its_own_person_only(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.world.bind(KIM, KIMS)
        await copy.receiver.browser.present(KIMS)  # Kim's certificate on the browser that Hong uses next
        await copy.receiver.browser.log_in(HONG)
        await copy.receiver.browser.get("/cert-center")
        await copy.receiver.announce()
        assert (await copy.sender.look())["receiver"]["known"] is False

    told(sqlite_url, tmp_path, story)


def test_E1_a_proof_is_this_copy_s_and_used_up_with_the_certificate_s(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        proofs = await copy.world.rows("ledger_issued", kind="proof")
        used = await copy.world.rows("ledger_used", kind="proof")
        assert len(proofs) == 1 and [row["id"] for row in used] == [proofs[0]["id"]] and not used[0]["voided"]
        facts = str(proofs[0]["facts"])
        assert '"copy-out"' in facts and '"copying:c-hong:' in facts
        await copy.receiver.done("receive/leave")
        copy.world.clock.forward(61)
        await copy.receiver.announce()
        assert await copy.sender.say_yes() is True  # another copy, another code

    told(sqlite_url, tmp_path, story)


def test_E1_a_proof_that_ran_out_is_asked_for_again(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_clear()
        copy.world.clock.forward(200)
        challenge = await copy.sender.done("send/challenge")
        copy.world.clock.forward(101)
        assert (await copy.sender.look())["step"] == "factor"
        assert await copy.sender.refused("send/prove", **copy.sender.signed(challenge)) == "copy-order"
        await copy.sender.type_code()
        assert await copy.sender.sign() == {}

    told(sqlite_url, tmp_path, story)


def test_E1_a_proof_is_void_once_the_copy_goes_another_way(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_clear()
        await copy.sender.done("send/leave")
        (used,) = await copy.world.rows("ledger_used", kind="proof")
        assert used["voided"]

    told(sqlite_url, tmp_path, story)


def test_E2_wrong_codes_open_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        await copy.sender.say_yes()
        await copy.sender.done("send/code")
        await deliver(copy.world)
        wrong = "000000" if copy.world.phone.code != "000000" else "000001"
        assert await copy.sender.refused("send/factor", code="12345") == "copy-code-incomplete"
        codes = [await copy.sender.refused("send/factor", code=wrong) for _ in range(5)]
        assert codes == ["sms-wrong"] * 4 + ["sms-expired"]
        assert await copy.sender.refused("send/factor", code=copy.world.phone.code) == "sms-expired"
        assert await copy.sender.refused("send/challenge") == "copy-order"

    told(sqlite_url, tmp_path, story)


def test_C3_the_sender_sees_what_the_center_knows_of_the_receiver(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        far = await end(copy.world, agent=PHONE, address=ELSEWHERE)
        await far.announce()
        seen = (await copy.sender.look())["receiver"]
        assert (seen["region"], seen["same_network"]) == ("지역 정보 없음", False)
        near = await end(copy.world, agent=PHONE, address=HOME)
        copy.world.clock.forward(30)
        await near.announce()
        seen = (await copy.sender.look())["receiver"]
        assert (seen["region"], seen["same_network"], seen["opened"]) == ("서울", True, "2026-11-22T12:00:30Z")

    told(sqlite_url, tmp_path, story)


def test_C3_a_receiver_that_is_suddenly_elsewhere_is_another_one_to_say_yes_to(sqlite_url: str, tmp_path: Path) -> None:
    """A session that was stolen after the yes, or a telephone that left the house: the person looks again."""

    async def story(copy: Copy) -> None:
        await copy.to_proved()
        stolen = End(copy.world.browser(ELSEWHERE))
        for name, value in copy.receiver.browser.cookies.items():
            stolen.browser.plant(name, value)
        stolen.browser.client.headers["User-Agent"] = PHONE
        stolen.browser.csrf = copy.receiver.browser.csrf
        await stolen.announce()
        look = await copy.sender.look()
        assert (look["step"], look["receiver"]["same_network"]) == ("receiver", False)
        assert await copy.sender.refused("send/join", mailbox=MAILBOX) == "copy-order"

    told(sqlite_url, tmp_path, story)


def test_C3_no_ends_the_copy_and_the_session_that_announced_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.receiver.announce()
        seen = (await copy.sender.look())["receiver"]["id"]
        answer = await copy.sender.done("send/deny", receiver=seen)
        assert answer["code"] == "copy-stopped" and "로그아웃되었습니다" in answer["message"]
        assert await copy.state() == "Failed"
        assert await copy.receiver.refused("receive/open") == "session-over"
        assert (await copy.sender.look())["receiver"] is None
        assert await copy.world.results("copying.denied") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_C3_the_certificate_signs_for_the_receiver_that_was_shown_and_no_other(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_clear()
        challenge = await copy.sender.done("send/challenge")
        await copy.receiver.done("receive/leave")
        copy.world.clock.forward(61)
        await copy.to_clear()
        assert await copy.sender.refused("send/prove", **copy.sender.signed(challenge)) == "nonce-invalid"
        told_anew = await copy.sender.done("send/challenge")
        other_body = copy.sender.signed(told_anew | {"body": "0" * 64})
        assert await copy.sender.refused("send/prove", **other_body) == "signature-invalid"
        assert await copy.state() == "Cleared"

    told(sqlite_url, tmp_path, story)


def test_F5_only_the_registered_certificate_proves_a_copy(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_clear()
        for holder, code in ((NEW, "copy-not-registered"), (KIMS, "copy-not-registered")):
            answer = await copy.sender.sign(holder)
            assert (answer["code"], copy.sender.status) == (code, 422)
        challenge = await copy.sender.done("send/challenge")
        login = await copy.sender.browser.challenge()
        assert await copy.sender.refused("send/prove", **copy.sender.signed(login)) == "nonce-invalid"
        assert await copy.sender.post("send/prove", **copy.sender.signed(challenge)) == {}
        assert await copy.sender.refused("send/prove", **copy.sender.signed(challenge)) == "nonce-invalid"

    told(sqlite_url, tmp_path, story)


def test_A12_a_revoked_certificate_proves_no_copy(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_clear()
        now = copy.world.clock.now()
        copy.world.statuses.answers[party().certificate.fingerprint] = Revoked(Source.OCSP, now, now, "keyCompromise")
        assert (await copy.sender.sign())["code"] == "cert-revoked"
        assert await copy.state() == "Cleared"

    told(sqlite_url, tmp_path, story)


def test_C12_tickets_say_no_more_than_the_relay_needs(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        opened = copy.receiver.ticket(await copy.receiver.done("receive/open"))
        await copy.receiver.done("receive/opened", ticket=opened.id, mailbox=MAILBOX)
        joined = copy.sender.ticket(await copy.sender.done("send/join", mailbox=MAILBOX))
        assert (opened.role, opened.act, opened.mailbox, opened.peer) == ("receiver", "open", None, None)
        assert opened.relay == "http://localhost:8705" and opened.who == joined.who
        assert opened.exp - opened.iat == 180 and opened.id != joined.id
        assert HONG.customer_id not in str(opened) and HONG.banking_id not in str(opened)
        digests = copy.world.ports.digests
        assert opened.who == digests.digest("copy-person", "c-hong:2026-11")

    told(sqlite_url, tmp_path, story)


def test_C12_both_ends_have_one_pseudonym_although_the_month_ends_between(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        opened = copy.receiver.ticket(await copy.receiver.done("receive/open"))
        copy.world.clock.at = copy.world.clock.at.replace(day=30, hour=23, minute=59)
        again = await end(copy.world, agent=PHONE)
        await again.announce()
        first = again.ticket(await again.done("receive/open"))
        copy.world.clock.forward(120)
        second = again.ticket(await again.done("receive/open"))
        assert opened.who == first.who == second.who

    told(sqlite_url, tmp_path, story, session_idle_s=10**6, session_max_s=10**6)


def test_C12_numbers_and_runs_are_counted_by_person(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        for _ in range(30):
            await copy.receiver.done("receive/open")
        assert await copy.receiver.refused("receive/open") == "copy-opens-spent"
        assert copy.receiver.status == 429
        for _ in range(5):
            assert await copy.sender.refused("send/join", mailbox="00000") == "copy-number-unknown"
        assert await copy.sender.refused("send/join", mailbox="00000") == "copy-runs-spent"
        other = await end(copy.world, agent=PHONE)  # another session is the same person
        await other.announce()
        assert await other.refused("receive/open") == "copy-opens-spent"
        copy.world.clock.forward(601)
        await other.announce()
        await other.done("receive/open")

    told(sqlite_url, tmp_path, story, session_idle_s=10**6)


def test_C12_announcements_are_counted_as_well(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        for _ in range(2):
            await copy.receiver.announce()
            await copy.receiver.done("receive/leave")
        assert await copy.receiver.refused("receive/begin") == "copy-opens-spent"

    told(sqlite_url, tmp_path, story, copy_opens=2)


def test_C12_without_a_counter_there_is_no_ticket(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        await copy.receiver.show_number()

        async def away(*_: Any) -> int:
            raise StoreOutage

        monkeypatch.setattr(copy.world.ports.store, "count", away)
        assert await copy.receiver.refused("receive/open") == "store-outage"
        assert await copy.sender.refused("send/join", mailbox=MAILBOX) == "store-outage"
        assert copy.sender.status == 503
        assert await copy.state() == "Proved"

    told(sqlite_url, tmp_path, story)


def test_C12_a_mailbox_is_told_for_the_newest_ticket_of_the_same_end_only(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        old = copy.receiver.ticket(await copy.receiver.done("receive/open")).id
        new = copy.receiver.ticket(await copy.receiver.done("receive/open")).id
        assert await copy.receiver.refused("receive/opened", ticket=old, mailbox=MAILBOX) == "copy-number-unknown"
        assert await copy.sender.refused("send/opened", ticket=new, mailbox=MAILBOX) == "copy-number-unknown"
        await copy.receiver.done("receive/opened", ticket=new, mailbox=MAILBOX)
        assert await copy.receiver.refused("receive/opened", ticket=new, mailbox="00001") == "copy-number-used"
        mine = copy.sender.ticket(await copy.sender.done("send/open")).id
        assert await copy.receiver.refused("receive/opened", ticket=mine, mailbox=MAILBOX) == "copy-number-unknown"

    told(sqlite_url, tmp_path, story)


def test_C14_a_certificate_of_another_customer_is_never_stored_and_ends_the_copy(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(copy: Copy) -> None:
        await copy.world.bind(KIM, KIMS)
        await copy.to_allowed()
        kims = KIMS.certificate.fingerprint.hex()
        assert await copy.receiver.refused("receive/arrived", fingerprint=kims) == "bound-to-other"
        assert await copy.state() == "Failed"
        for fingerprint in (kims, FINGERPRINT, "ab" * 32):  # nobody learns by trying whose a certificate is
            assert await copy.receiver.refused("receive/arrived", fingerprint=fingerprint) == "copy-over"
        assert await copy.receiver.refused("receive/stored", fingerprint=FINGERPRINT) == "copy-over"
        look = await copy.sender.look()
        assert (look["step"], look["code"]) == ("over", "bound-to-other")

    told(sqlite_url, tmp_path, story)


def test_C14_another_certificate_than_the_proved_one_is_never_stored(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_allowed()
        other = NEW.certificate.fingerprint.hex()
        assert await copy.receiver.refused("receive/arrived", fingerprint=other) == "copy-other-certificate"
        assert await copy.state() == "Failed"
        copy.world.clock.forward(61)
        await copy.to_arrived()
        assert await copy.receiver.refused("receive/stored", fingerprint=other) == "copy-other-certificate"
        assert await copy.state() == "Arrived"
        assert not [text for text in copy.world.phone.texts if "복사되었습니다" in text]

    told(sqlite_url, tmp_path, story)


def test_C14_what_is_no_longer_registered_does_not_arrive(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_allowed()
        await copy.world.ports.store.save(Save(rows=[Delete("binding", {"customer_id": HONG.customer_id})]))
        assert await copy.receiver.refused("receive/arrived", fingerprint=FINGERPRINT) == "copy-not-registered"
        assert await copy.state() == "Failed"

    told(sqlite_url, tmp_path, story)


def test_C13_the_sender_s_word_completes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_arrived()
        assert await copy.sender.refused("receive/stored", fingerprint=FINGERPRINT) == "copy-other-session"
        assert (await copy.sender.look())["step"] == "vault"
        await copy.receiver.done("receive/stored", fingerprint=FINGERPRINT)
        assert (await copy.sender.look())["step"] == "copied"

    told(sqlite_url, tmp_path, story)


def test_F3_a_post_from_elsewhere_or_without_the_token_moves_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        for route in ROUTES:
            foreign = await copy.sender.browser.send(
                f"/copying/{route}", Accept="application/json", Origin="https://evil.example"
            )
            assert foreign.json()["code"] == "origin-refused", route
            copy.sender.browser.csrf, kept = WRONG, copy.sender.browser.csrf
            assert await copy.sender.refused(route) == "csrf-refused", route
            copy.sender.browser.csrf = kept
        assert await copy.state() == ""

    told(sqlite_url, tmp_path, story)


def test_H1_nothing_secret_of_a_copy_is_kept_or_logged(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        await copy.to_proved()
        texts = [(await copy.receiver.done("receive/open"))["ticket"]]
        ticket = copy.receiver.ticket({"ticket": texts[0]})
        await copy.receiver.done("receive/opened", ticket=ticket.id, mailbox=MAILBOX)
        texts.append((await copy.sender.done("send/join", mailbox=MAILBOX))["ticket"])
        secret_digits = "7654321"
        assert await copy.sender.refused("send/join", mailbox=MAILBOX + secret_digits) == "bad-request"
        await copy.receiver.done("receive/arrived", fingerprint=FINGERPRINT)
        await copy.receiver.done("receive/stored", fingerprint=FINGERPRINT)
        kept = copy.world.everything_kept()
        signature = texts[0].partition(".")[2].encode()
        assert all(text.encode() not in kept for text in texts) and signature not in kept
        assert secret_digits.encode() not in kept and HOME.encode() not in kept
        assert copy.world.phone.code.encode() not in kept.replace(ticket.id.encode(), b"")

    told(sqlite_url, tmp_path, story)


def test_E9_a_number_that_changed_lately_is_not_used_for_copying(sqlite_url: str, tmp_path: Path) -> None:
    async def story(copy: Copy) -> None:
        customers: Any = copy.world.ports.customers
        found = await customers.by_id(HONG.customer_id)
        changed = replace(found, mobile_changed_at=copy.world.clock.now())

        async def by_id(_: str) -> Any:
            return changed

        await copy.receiver.announce()
        await copy.sender.say_yes()
        customers.by_id = by_id
        assert await copy.sender.refused("send/code") == "number-too-new"

    told(sqlite_url, tmp_path, story)
