"""갱신 at the center, with the real authority behind it: what is carried, what is bound, what is refused (D10, A17)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.ca.world import Holder, by_certificate, held, only_certificate, request, vid_of
from tests.center.issuance.phone import Phone
from tests.center.issuance.world import World, told
from tests.npki.certs import Party

from ingam.customer.binding.bindings import ACTIVE, Bindings, ToBind
from ingam.kernel.words import say
from ingam.npki import certificate, policies
from ingam.npki.certificate import Certificate
from ingam.ports.books import State
from ingam.ports.store import Save
from ingam.protocols.cmp import bodies, message
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.status import Status, StatusInfo
from ingam.sandbox.people import PEOPLE

DAY_S = 86_400
ONE = next(one for one in PEOPLE if one.kind == "personal" and one.banking_id and one.resident_card is not None)
OLD, NEW = 5, 6


async def bind(world: World, party: Party) -> None:
    """The certificate is registered here."""
    policy = policies.lookup(party.certificate.issuer, party.certificate.policy_oid)
    assert policy is not None
    bindings = Bindings(world.ports.store, world.ports.digests, world.ports.fields)
    kept = await world.ports.customers.by_id(f"c-{ONE.key}")
    assert kept is not None
    one = ToBind(kept, party.certificate, policy, world.clock.now(), "0" * 64)
    await world.ports.store.save(Save(rows=(await bindings.change(one, None)).rows))


@dataclass
class Renewal:
    """A person with a certificate that ends in twenty days, at the page, with a vault that is honest."""

    world: World
    old: Party
    phone: Phone
    signer: Holder = field(init=False)
    numbers: dict[str, str] = field(default_factory=dict)
    transaction: bytes = b""
    number: str | None = None
    """What the last answer brought of the person."""

    def __post_init__(self) -> None:
        self.signer = by_certificate(self.world.ca, self.old.certificate.der, held("person", OLD))
        self.transaction = self.transaction or self.world.random(16)

    @property
    def fingerprint(self) -> str:
        return self.old.certificate.fingerprint.hex()

    async def page(self) -> str:
        answer = await self.phone.client.get("/issuance/renewal", follow_redirects=True)
        found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
        self.phone.csrf = found[1] if found else self.phone.csrf
        return answer.text

    async def tell(self, step: str, **fields: str) -> tuple[int, dict[str, Any]]:
        """One JSON answer of the page, with its status."""
        page = await self.page()
        self.numbers |= dict(re.findall(r'data-(run|version)="(\d+)"', page))
        sent = {"csrf": self.phone.csrf, **self.numbers, **fields}
        headers = {"Accept": "application/json", "Origin": "http://localhost:8700", "X-Ingam-CSRF": self.phone.csrf}
        answer = await self.phone.client.post(f"/issuance/renewal/{step}", data=sent, headers=headers)
        return answer.status_code, answer.json()

    async def key(self) -> tuple[int, dict[str, Any]]:
        return await self.tell(
            "key", spki=hashlib.sha256(held("person", NEW).public.spki).hexdigest(), renews=self.fingerprint
        )

    async def agree(self) -> tuple[int, dict[str, Any]]:
        page = await self.page()
        ticks = dict(re.findall(r'name="(consent_T\d)" value="([^"]+)"', page))
        return await self.tell("product", product="gold", **ticks)

    def kur(self) -> bytes:
        body = request(held("person", NEW), BodyKind.KUR, encrypted=vid_of(self.world.ca))
        return self.signer.compose(body, transaction=self.transaction)

    async def carry(self, data: bytes) -> message.UnverifiedMessage:
        status, found = await self.tell("carry", message=base64.b64encode(data).decode())
        assert status == 200, found
        self.number = found.pop("idn", None)
        assert list(found) == ["message"]
        return message.parse(base64.b64decode(found["message"]))

    def confirming(self, answer: message.UnverifiedMessage, verdict: Status = Status.ACCEPTED) -> bytes:
        found = certificate.parse(only_certificate(answer))
        body = bodies.write_cert_conf(bodies.confirm(found, 0, StatusInfo(verdict)))
        return self.signer.compose(body, transaction=self.transaction, recip_nonce=answer.header.sender_nonce)

    async def active(self) -> list[str]:
        rows = await self.world.rows("binding", customer_id=f"c-{ONE.key}", status=ACTIVE)
        return [str(row["fingerprint"]) for row in rows]

    async def run(self) -> str:
        """The state of the newest run, as it is stored."""
        rows = await self.world.rows("flow", customer_id=f"c-{ONE.key}", machine="renewal")
        return str(json.loads(str(max(rows, key=lambda row: str(row["flow_id"]))["state"]))["state"])

    async def elsewhere(self) -> Renewal:
        """The same person with password alone, in another browser."""
        phone = self.world.phone(ONE)
        await phone.log_in()
        return Renewal(self.world, self.old, phone, transaction=self.transaction)

    def state(self, one: Certificate) -> State:
        found = self.world.ca.books.standing(1, one.serial)
        assert found is not None
        return found.state


async def begun(
    world: World, *, bound: bool = True, days: int = 346, profile: str = "securities"
) -> Renewal:  # fmt: skip
    old = await world.holds(ONE, OLD, profile, branch="증권금융")
    if bound:
        await bind(world, old)
    world.clock.forward(days * DAY_S)
    phone = world.phone(ONE)
    await phone.log_in()
    return Renewal(world, old, phone)


def test_D10_the_registration_goes_over_in_the_transaction_that_sees_the_pkiconf(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        assert "data-renews" in await at.page()
        assert (await at.key())[0] == 200
        status, measured = await at.agree()
        assert (status, list(measured)) == (200, ["not_after_at_most"])
        kup = await at.carry(at.kur())
        new = certificate.parse(only_certificate(kup))
        assert await at.active() == [at.fingerprint]
        certconf = at.confirming(kup)
        pkiconf = await at.carry(certconf)
        assert pkiconf.body.kind is BodyKind.PKICONF
        assert await at.active() == [new.fingerprint.hex()]
        assert (at.state(at.old.certificate), at.state(new)) == (State.REVOKED, State.VALID)
        assert new.not_after.year == at.old.certificate.not_after.year + 1
        await world.deliver()
        assert [text for text in world.texts(ONE) if "갱신되어" in text]
        assert "renewal.renewed" in [str(row["action"]) for row in await world.rows("audit")]
        # Its pkiConf was lost: said again, and nothing more is bound or told.
        notices = len(await world.rows("binding", customer_id=f"c-{ONE.key}"))
        assert (await at.carry(certconf)).body.kind is BodyKind.PKICONF
        assert len(await world.rows("binding", customer_id=f"c-{ONE.key}")) == notices

    told(sqlite_url, tmp_path, story)


def test_B8_whose_former_certificate_had_a_simple_pin_is_led_to_set_it_again_and_nobody_else(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        await at.key()
        await at.agree()
        await at.carry(at.confirming(await at.carry(at.kur())))
        led = '/management/certificates/simple">' + say("renewal.set_simple", "ko")
        assert led not in await at.page()
        ended = await at.phone.client.get("/issuance/renewal?simple=1")
        assert say("renewal.simple", "ko") in ended.text
        assert re.findall(r'<a class="primary" href="([^"]+)"', ended.text) == ["/management/certificates/simple"]

    told(sqlite_url, tmp_path, story)


def test_A17_what_was_not_registered_here_is_renewed_and_nothing_is_bound(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await begun(world, bound=False)
        await at.key()
        await at.agree()
        await at.carry(at.confirming(await at.carry(at.kur())))
        assert await at.active() == []

    told(sqlite_url, tmp_path, story)


def test_A17_a_certificate_renewed_elsewhere_moves_no_registration(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        answer = await world.ca.ask(at.kur())
        await world.ca.ask(at.confirming(answer))
        await at.page()
        assert await at.active() == [at.fingerprint]

    told(sqlite_url, tmp_path, story)


def test_what_the_vault_gives_back_ends_the_run_and_the_old_one_stands(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        await at.key()
        await at.agree()
        kup = await at.carry(at.kur())
        body = bodies.write_cert_conf()
        await at.carry(at.signer.compose(body, transaction=at.transaction, recip_nonce=kup.header.sender_nonce))
        assert (await at.active(), at.state(at.old.certificate)) == ([at.fingerprint], State.VALID)
        assert "받지 않았습니다" in await at.page()

    told(sqlite_url, tmp_path, story)


def test_another_persons_certificate_is_not_renewed_here(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        spki = hashlib.sha256(held("person", NEW).public.spki).hexdigest()
        status, found = await at.tell("key", spki=spki, renews="a" * 64)
        assert (status >= 400, found["code"]) == (True, "renewal-not-yours")

    told(sqlite_url, tmp_path, story)


def test_D10_a_suspended_registration_is_not_renewed(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        entry = world.ca.books.certificate(1, at.old.certificate.serial)
        assert entry is not None
        await world.ca.revoking.suspend(entry, by="test")
        status, found = await at.key()
        assert (status >= 400, found["code"]) == (True, "renewal-not-yours")

    told(sqlite_url, tmp_path, story)


def test_without_the_terms_nothing_may_be_asked_for(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        await at.key()
        status, _ = await at.tell("product", product="gold")
        assert status >= 400

        status, found = await at.tell("carry", message=base64.b64encode(at.kur()).decode())
        assert (status, found["code"]) == (409, "true-step")

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("what", ["rubbish", "other"])
def test_only_messages_of_this_renewal_are_carried(sqlite_url: str, tmp_path: Path, what: str) -> None:
    async def story(world: World) -> None:

        at = await begun(world)
        await at.key()
        await at.agree()
        other = await world.holds(PEOPLE[1], 7, branch="증권금융")
        by_other = by_certificate(world.ca, other.certificate.der, held("person", 7))
        body = request(held("person", NEW), BodyKind.KUR, encrypted=vid_of(world.ca))
        sent = b"\x30\x00" if what == "rubbish" else by_other.compose(body)
        status, found = await at.tell("carry", message=base64.b64encode(sent).decode())
        assert (status >= 400, found["code"]) == (True, "renewal-not-carried")

    told(sqlite_url, tmp_path, story)


def test_D10_the_number_comes_with_the_certificate_of_the_registered_key_and_with_nothing_before(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        told = (await at.phone.client.get("/issuance/renewal/issue")).text
        told += await at.page() + str(await at.key()) + str(await at.agree())
        told += str(await at.tell("product", again="yes"))
        # Whoever has the old certificate, but not its key, gets the authority's no.
        thief = by_certificate(world.ca, at.old.certificate.der, held("person", 7))
        body = request(held("person", NEW), BodyKind.KUR, encrypted=vid_of(world.ca))
        _, refused = await at.tell("carry", message=base64.b64encode(thief.compose(body)).decode())
        assert ONE.idn not in told + str(refused)

    told(sqlite_url, tmp_path, story)


def test_D9_D10_the_number_comes_again_with_the_repeated_kup_and_to_no_other_browser(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        await at.key()
        await at.agree()
        kur = at.kur()
        kup = await at.carry(kur)
        assert at.number == ONE.idn
        other = await at.elsewhere()
        other.numbers = dict(at.numbers)
        for step, fields in (("product", {"again": "yes"}), ("carry", {"message": base64.b64encode(kur).decode()})):
            status, found = await other.tell(step, **fields)
            assert (status, found["code"], "idn" in found) == (409, "true-step", False)
        # After a reload in the state Delivered, the same in the same browser.
        assert (await at.carry(kur)).raw == kup.raw
        assert at.number == ONE.idn
        await at.carry(at.confirming(kup))
        assert at.number is None

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("what", ["another key", "another person"])
def test_D10_a_certificate_that_is_not_this_persons_of_this_key_brings_no_number(
    sqlite_url: str, tmp_path: Path, what: str
) -> None:
    async def story(world: World) -> None:
        theirs = await world.holds(PEOPLE[1], 7, branch="증권금융")
        at = await begun(world)
        await at.key()
        await at.agree()
        # The center trusts no authority to have looked at whom it serves.
        if what == "another person":
            signer, new = by_certificate(world.ca, theirs.certificate.der, held("person", 7)), held("person", NEW)
        else:
            signer, new = at.signer, held("person", 8)
        body = request(new, BodyKind.KUR, encrypted=vid_of(world.ca))
        answer = await world.ca.ask(signer.compose(body))
        assert answer.body.kind is BodyKind.KUP

        sent, asked = at.kur(), world.wire.post

        async def post(url: str, body: bytes, content_type: str, limit: int) -> bytes:
            return answer.raw if sent in body else await asked(url, body, content_type, limit)

        world.wire.post = post  # type: ignore[method-assign]
        status, found = await at.tell("carry", message=base64.b64encode(sent).decode())
        assert (status, found["code"], "idn" in found) == (503, "certification-outage", False)
        assert (await at.run(), await world.results("renewal.carry")) == ("Requested", ["renewal-other-key"])

    told(sqlite_url, tmp_path, story)


def test_F10_a_copied_session_cookie_does_not_get_into_a_renewal(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        await at.key()
        await at.page()
        thief = world.client()
        for name in ("ingam-center", "ingam-center-device"):
            thief.cookies.set(name, at.phone.client.cookies[name], domain="localhost.local")
        answer = await thief.get("/issuance/renewal")
        assert (answer.status_code, answer.headers["location"]) == (
            303, "/login?way=id&then=/issuance/renewal&ended=over",
        )  # fmt: skip
        told_by_script = await thief.get("/issuance/renewal/issue", headers={"Accept": "application/json"})
        assert (told_by_script.status_code, told_by_script.json()["code"]) == (422, "flow-elsewhere")

    told(sqlite_url, tmp_path, story)


def test_D10_another_browser_is_told_of_the_renewal_and_ends_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        other = await at.elsewhere()
        await at.key()
        await at.agree()
        assert "다른 기기나 브라우저에서 시작한 갱신" in await other.page()
        kup = await at.carry(at.kur())
        assert "다른 기기나 브라우저에서 시작한 갱신" in await other.page()
        (flow,) = await world.rows("flow", machine="renewal")
        number = str(flow["flow_id"]).rpartition(":")[2]
        for step in ("key", "product", "carry", "cancel"):
            await other.phone.send(f"/issuance/renewal/{step}", {"run": number, "version": "3", "spki": "a" * 64})
        assert await at.run() == "Delivered"
        await at.carry(at.confirming(kup))
        assert (await at.run(), await at.active()) == (
            "Renewed",
            [certificate.parse(only_certificate(kup)).fingerprint.hex()],
        )

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("late", [False, True])
def test_D10_a_look_from_elsewhere_while_the_authority_confirms_stops_no_registration(
    sqlite_url: str, tmp_path: Path, late: bool
) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        other = await at.elsewhere()
        await at.key()
        await at.agree()
        kup = await at.carry(at.kur())
        asked, at_the_authority, go_on = world.wire.post, asyncio.Event(), asyncio.Event()

        async def slow(url: str, body: bytes, content_type: str, limit: int) -> bytes:
            answer = await asked(url, body, content_type, limit)
            if message.parse(answer).body.kind is BodyKind.PKICONF:
                at_the_authority.set()
                await go_on.wait()
            return answer

        world.wire.post = slow  # type: ignore[method-assign]
        confirming = asyncio.create_task(at.carry(at.confirming(kup)))
        await at_the_authority.wait()
        if late:
            world.clock.forward(world.settings.limits.issuance_fetch_s)
            other = await at.elsewhere()  # their sessions are over, too
        # Late, the look asks the authority itself, which has confirmed it.
        assert ("인증서를 갱신했습니다" if late else "다른 기기나 브라우저에서 시작한 갱신") in await other.page()
        await at.phone.client.get("/issuance/renewal")
        go_on.set()
        assert (await confirming).body.kind is BodyKind.PKICONF
        assert await at.active() == [certificate.parse(only_certificate(kup)).fingerprint.hex()]

    told(sqlite_url, tmp_path, story)


def test_a_run_in_which_nothing_was_asked_for_ends_where_another_browser_begins(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        at = await begun(world)
        await at.key()
        other = await at.elsewhere()
        assert (await other.key())[0] == 200
        assert (await at.agree())[0] == 409

    told(sqlite_url, tmp_path, story)
