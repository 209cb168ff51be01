"""What the cloud does: codes by SMS, certificates of yessign's house, signatures. No web here."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ingam.npki import cms, der, shapes
from ingam.ports.clock import Clock
from ingam.ports.sms import Sms, SmsSender
from ingam.sandbox.authorities.houses import YESSIGN
from ingam.sandbox.authorities.keys import KeySource, load
from ingam.sandbox.behind import Enroller, Order
from ingam.sandbox.finance_cloud.holders import Holder, Holders
from ingam.sandbox.finance_cloud.windows import CODE_TRIES, Window, Windows, opened, who
from ingam.sandbox.people import Person

PROFILE: Final = "finance"
"""yessign's word for it."""

CODE: Final = 4
POSITIONS: Final = ("normal", "slow", "off")
SLOW_S: Final = 2.0


@dataclass(slots=True)
class Cloud:
    """Over the houses' counter and an SMS provider. `position`: how it behaves towards programs."""

    holders: Holders
    counter: Enroller
    sms: SmsSender
    keys: KeySource
    clock: Clock
    windows: Windows = field(default_factory=Windows)
    position: str = "normal"
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    # ── for the center ──

    def ask(self, id: str, client: str, purpose: str, text: bytes, return_to: str, lang: str) -> Window | None:
        """A new window; None where the id was used before."""
        made = opened(id, client, purpose, text, return_to, lang, self.clock.now())
        return made if self.windows.open(made) else None

    def take(self, id: str, proof: str) -> tuple[str, Window | None]:
        """What became of a window, and the window where its signature is given out, which happens once."""
        found = self.windows.of_center(id)
        if found is None or found.stage == "taken":
            return "unknown", None
        if found.stage != "signed":
            return self.stage(found), None
        if not secrets.compare_digest(proof.encode(), found.proof.encode()):
            return "unknown", None
        found.stage = "taken"
        return "signed", found

    def stage(self, one: Window) -> str:
        """`expired` where its time ran out while it was open."""
        return "expired" if one.stage == "open" and self.clock.now() >= one.expires else one.stage

    # ── for the person ──

    async def connect(self, one: Window, name: str, mobile: str, born: str) -> None:
        """이름 + 휴대폰 + 생년월일: a code goes to the telephone, if there is such a person; the page says the same."""
        one.sent_to, one.code, one.asked = who(name, mobile, born), f"{secrets.randbelow(10**CODE):0{CODE}}", True
        if one.sent_to is None:
            return
        text = f"[금융인증서] 회신번호 {one.code}\n다른 사람에게 알려 주지 마세요."
        await self.sms.send(Sms(to=one.sent_to.mobile, text=text, reference=f"fincert:{secrets.token_hex(8)}"))

    def reply(self, one: Window, code: str) -> bool:
        """The code of the SMS. Too many wrong ones end the window."""
        if one.sent_to is not None and secrets.compare_digest(code.encode(), one.code.encode()):
            one.person = one.sent_to
            return True
        one.code_wrong += 1
        if one.code_wrong >= CODE_TRIES:
            one.stage = "locked"
        return False

    async def issue(self, person: Person, pin: str) -> Holder:
        """A new certificate of yessign's house, in the place of an older one.

        Raises CertificationRefused, CertificationOutage, HousesAway.
        """
        r = secrets.token_bytes(20)
        order = Order(YESSIGN, PROFILE, person, f"{self.clock.now():%Y%m%d%H%M%S}{secrets.randbelow(1000):03}")
        issued, key = await self.counter.enrol(order, lambda: self.keys.make(2048), r)
        made = Holder(person.key, issued, shapes.private_key_info(key, None), r)
        self.holders.keep(made, pin)
        return made

    def ended(self, holder: Holder) -> bool:
        """Whether it has expired, or the cloud's own page says so."""
        return holder.ended or holder.parsed.not_after < self.clock.now()

    async def sign(self, one: Window, pin: str) -> bool:
        """The PIN: signs, or counts. A key that is locked by it locks the window."""
        assert one.person is not None
        right = await asyncio.to_thread(self.holders.open, one.person.key, pin)
        holder = self.holders.find(one.person.key)
        if holder is None or not right:
            if holder is not None and holder.locked:
                one.stage = "locked"
            return False
        one.signed = await asyncio.to_thread(_signed, holder, one.text, self.clock.now())
        one.proof, one.stage = secrets.token_urlsafe(24), "signed"
        return True


def random_of(holder: Holder) -> bytes:
    """DER of R's BIT STRING."""
    return der.bits(holder.r)


def _signed(holder: Holder, text: bytes, at: datetime) -> bytes:
    return cms.sign_data(text, holder.parsed, load(holder.key), signing_time=at)
