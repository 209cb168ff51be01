"""A person at /management in memory, and an authority whose CA is the tests' own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tests.center.protection.person import Person, deliver
from tests.center.world import HONG, World, party, signed
from tests.npki import certs

from ingam.adapters.certification.absent import AbsentCertification
from ingam.customer.notice import SMS, deliver_sms
from ingam.page import Bundle
from ingam.ports.certification import CertificationOutage, CertificationRefused
from ingam.run import center
from ingam.run.incidents import incident_deliveries
from ingam.run.managing import management_deliveries
from ingam.run.worker import once
from ingam.settings import Settings

EXPLAIN = "/management/{}"
TASK = "/management/task"


@dataclass
class Authority(AbsentCertification):
    """It notes what it is asked to do to certificates."""

    down: bool = False
    refuses: bool = False
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def authorities(self) -> tuple[bytes, ...]:
        if self.down:
            raise CertificationOutage
        return (certs.ca().certificate.der,)

    async def revoke(self, issuer: bytes, serial: int, reason: int, subject: bytes) -> None:
        assert issuer == certs.ca().certificate.subject.raw
        if self.down:
            raise CertificationOutage
        self.asked.append((serial, reason))
        if self.refuses:
            raise CertificationRefused(fail_info="certRevoked", said="revoked")


@dataclass
class Manager(Person):
    """Whose certificate is registered, and who is logged in by ID."""

    authority: Authority | None = None

    async def begin_task(self, kind: str, **fields: str) -> str:
        """From the page that explains it."""
        await self.look(EXPLAIN.format(kind))
        (binding, *_) = [row for row in await self.world.rows("binding") if row["status"] in ("ACTIVE", "SUSPENDED")]
        return await self.post(f"{TASK}/begin", {"kind": kind, "binding": str(binding["binding_id"]), **fields})

    async def prove(self) -> str:
        """휴대폰 SMS 인증 and 미소지고객 인증."""
        await self.post(f"{TASK}/factor/request", {"method": "sms"})
        await deliver(self.world)
        return await self.post(f"{TASK}/factor", self.proof())

    async def finish(self, **fields: str) -> str:
        """The last press."""
        return await self.post(f"{TASK}/finish", fields)

    async def signature(self) -> dict[str, str]:
        """The fields of a form that the registered certificate signed in the window."""
        asked: dict[str, Any] = await self.ask(f"{TASK}/sign", {"by": "certificate"})
        assert self.status == 200, asked
        return {"by": "certificate", "nonce": asked["nonce"], "signed": signed(party(), asked, self.now)}

    async def heard(self) -> list[str]:
        """What the worker does until nothing is due; the texts that left."""
        before, ports = set(self.world.phone.sent), replace(self.world.ports, certification=self.authority)
        handlers = {SMS: deliver_sms(self.world.phone), **management_deliveries(ports)}
        handlers |= incident_deliveries(Settings(mode="test", center_origin=self.world.origin), ports)
        while await once(self.world.ports.store, handlers, self.world.clock):
            pass
        return [sms.text for reference, sms in self.world.phone.sent.items() if reference not in before]

    async def statuses(self) -> list[str]:
        """Of every binding that there is."""
        return [str(row["status"]) for row in await self.world.rows("binding")]


async def manager(world: World, authority: Authority | None = None) -> Manager:
    """HONG with a registered certificate, at a center with this authority."""
    settings = Settings(mode="test", center_origin=world.origin)
    ports = replace(world.ports, certification=authority)
    world.app = center.app(settings, ports, Bundle({"center.css": "center-0.css"}))
    await world.bind(HONG, party())
    one = Manager(world, world.browser(), authority=authority)
    await one.log_in()
    return one
