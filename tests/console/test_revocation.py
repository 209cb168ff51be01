"""폐지 대행: two officers sign the same change, and the authority itself checks both before anything ends (D14)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from tests.ca.world import HONG as HOLDER
from tests.ca.world import World as Authority
from tests.ca.world import enrolled
from tests.ca.world import world as authority
from tests.console.world import KIM, OPERATORS, Desk, World, opened

from ingam.adapters.certification.absent import AbsentCertification
from ingam.ca.revoking.statement import Operator
from ingam.console.revocation.kinds import OUTBOX, Sent
from ingam.customer.binding.bindings import Bindings, ToBind
from ingam.kernel.errors import Refusal
from ingam.npki import certificate, policies
from ingam.ports.books import State
from ingam.ports.certification import CertificationRefused
from ingam.ports.store import Save
from ingam.protocols.cmp.on_behalf import OperatorSignature
from ingam.protocols.webauthn.as_key import pack, unpack
from ingam.run import console
from ingam.run.on_behalf import deliver_revocations


@dataclass
class Scene:
    """A console, the authority behind it, and a certificate of KIM that is registered here."""

    console: World
    ca: Authority
    one: certificate.Certificate
    anew: list[certificate.Certificate] = field(default_factory=list)

    async def asked_anew(self, one: certificate.Certificate) -> None:
        """Of which certificates the center forgets what it remembered."""
        self.anew.append(one)

    def state(self) -> State:
        """As the authority's books have it."""
        return self.ca.revoking.find(1, self.one.serial).state

    async def asked(self, desk: Desk, **fields: str) -> str:
        """An officer's change, up to its page; the path."""
        path = f"/customers/{KIM.customer_id}/revocation"
        await desk.get(path)
        wanted = {"certificate": self.one.fingerprint.hex(), "basis": "death", "reason": "cessationOfOperation"}
        answer = await desk.send(path, wanted | fields)
        if answer.status_code != 303:
            return ""
        await desk.follow(answer)
        return str(answer.headers["location"])

    async def delivered(self, known: Sequence[str]) -> None:
        """What the worker does; the authority knows the passkeys of these operators."""
        given = Wire(self, [await self.operator(who) for who in known])
        store, clock = self.console.ports.store, self.console.clock
        deliver = deliver_revocations(store, clock, self.console.ports.digests, given, self.asked_anew)[OUTBOX]
        for message in await store.claim(clock.now(), 60, 10):
            if message.kind == OUTBOX:
                await deliver(message)

    async def operator(self, who: str) -> Operator:
        """As the authority's list has them: the key stands on the officer's own page."""
        employee = OPERATORS[who][0]
        key, *_ = await self.console.operators.keys(employee)
        packed = pack(key.credential)
        assert unpack(packed) is not None
        return Operator(employee.lower(), employee, packed)


class Wire(AbsentCertification):
    """The center's way to the authority, without the messages between (tests/adapters/certification has those)."""

    def __init__(self, scene: Scene, operators: list[Operator]) -> None:
        self._scene, self._operators = scene, {one.name: one for one in operators}

    async def revoke_on_behalf(self, text: str, signatures: Sequence[OperatorSignature]) -> None:
        rp = console.relying_party(self._scene.console.settings)
        try:
            await self._scene.ca.revoking.on_approval(text.encode(), signatures, self._operators, rp)
        except Refusal as refused:
            raise CertificationRefused(said=f"{refused.code} {refused.facts.get('part', '')}") from None


def told(folder: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def go() -> None:
        ca = authority(folder / "ca")
        async with opened(folder) as world:
            ca.clock.at = world.clock.now()
            one = certificate.parse(await enrolled(ca, HOLDER))
            bindings = Bindings(world.ports.store, world.ports.digests, world.ports.fields)
            policy = policies.lookup(one.issuer, one.policy_oid)
            assert policy is not None
            change = await bindings.change(ToBind(KIM, one, policy, world.clock.now(), "0" * 64), None)
            await world.ports.store.save(Save(rows=change.rows))
            try:
                await story(Scene(world, ca, one))
            finally:
                await ca.shut()

    asyncio.run(go())


def test_D14_two_officers_sign_and_the_authority_ends_the_certificate(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        maker = await scene.console.at_customer(KIM, "security", "request")
        assert "폐지 대행" in maker.text
        path = await scene.asked(maker)
        assert f"{scene.one.serial:x}" in maker.text and "death" in maker.text
        await maker.follow(await maker.send(f"{path}/submit", {"answer": maker.signed()}))
        checker = await scene.console.signed_in("administrator")
        await scene.delivered(("security", "administrator"))
        assert scene.state() is State.VALID  # one person's signature sends nothing
        await checker.get(path)
        assert (await checker.send(f"{path}/approve", {"answer": checker.signed()})).status_code in (200, 303)
        await scene.delivered(("security", "administrator"))
        assert scene.state() is State.REVOKED
        assert [one.der for one in scene.anew] == [scene.one.der]
        await maker.get("/revocations")
        assert "폐지됨" in maker.text and f"{scene.one.serial:x}" in maker.text
        ((result, facts),) = await scene.console.audit("revocation.on-behalf")
        assert (result, facts["reason"]) == ("ok", "cessationOfOperation")
        seen = await scene.console.at_customer(KIM, "clerk")
        assert '<span class="chip bad">폐지됨</span>' in seen.page

    told(tmp_path, story)


def test_D14_a_stop_between_the_revocation_and_its_line_is_made_good_by_asking_again(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        maker = await scene.console.at_customer(KIM, "security", "request")
        path = await scene.asked(maker)
        await maker.follow(await maker.send(f"{path}/submit", {"answer": maker.signed()}))
        checker = await scene.console.signed_in("administrator")
        await checker.get(path)
        await checker.send(f"{path}/approve", {"answer": checker.signed()})
        store, clock, digests = scene.console.ports.store, scene.console.clock, scene.console.ports.digests
        known = [await scene.operator(who) for who in ("security", "administrator")]
        (message,) = [one for one in await store.claim(clock.now(), 60, 10) if one.kind == OUTBOX]
        sent = msgspec.json.decode(message.payload, type=Sent)
        await Wire(scene, known).revoke_on_behalf(sent.text, sent.signatures)  # and its sender stops here
        assert scene.state() is State.REVOKED
        await deliver_revocations(store, clock, digests, Wire(scene, known), scene.asked_anew)[OUTBOX](message)
        ((result, _),) = await scene.console.audit("revocation.on-behalf")
        assert (result, [one.der for one in scene.anew]) == ("ok", [scene.one.der])

    told(tmp_path, story)


def test_D14_officers_whom_the_authority_does_not_know_end_nothing_and_that_is_seen(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        maker = await scene.console.at_customer(KIM, "security", "request")
        path = await scene.asked(maker)
        await maker.follow(await maker.send(f"{path}/submit", {"answer": maker.signed()}))
        checker = await scene.console.signed_in("administrator")
        await checker.get(path)
        await checker.send(f"{path}/approve", {"answer": checker.signed()})
        await scene.delivered(("security",))
        assert (scene.state(), scene.anew) == (State.VALID, [])
        await maker.get("/revocations")
        assert "인증기관이 거절" in maker.text
        ((result, facts),) = await scene.console.audit("revocation.on-behalf")
        assert (result, facts["said"]) == ("certification-refused", "ca-statement-refused operator-unknown")

    told(tmp_path, story)


def test_G2_nobody_checks_their_own_change_and_a_clerk_makes_none(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        maker = await scene.console.at_customer(KIM, "security", "request")
        path = await scene.asked(maker)
        await maker.follow(await maker.send(f"{path}/submit", {"answer": maker.signed()}))
        assert "data-given" not in maker.page
        clerk = await scene.console.at_customer(KIM, "clerk")
        assert "폐지 대행" not in clerk.text
        assert (await clerk.get(f"/customers/{KIM.customer_id}/revocation")).status_code == 403
        await scene.delivered(("security",))
        assert scene.state() is State.VALID

    told(tmp_path, story)


def test_a_reason_a_basis_or_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        maker = await scene.console.at_customer(KIM, "security", "request")
        for wrong in ({"reason": "certificateHold"}, {"basis": "mood"}, {"certificate": "0" * 64}):
            assert await scene.asked(maker, **wrong) == ""
            assert "폐지된 것은 없습니다" in maker.text
        assert await scene.console.rows("operator_change") == []

    told(tmp_path, story)
