"""Reading and changing how a person wants to be told. A change is told too, in every way that stood before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ingam.customer.heads import in_session
from ingam.customer.masking import mask_email, mask_phone
from ingam.customer.notice import Notices
from ingam.customer.notice.wishes import Wish, Wishes
from ingam.customer.session import Session
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import to_micros
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Save, Store


class NobodyToTell(Refusal):
    """The session's customer is no longer served; nothing was changed."""

    code = "session-over"


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service works on."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests


@dataclass(frozen=True, slots=True)
class Shown:
    """The page. `mobile`, `email`: masked; "" is none. `former_until`: while the number before is told too."""

    wish: Wish
    mobile: str
    email: str
    former_until: datetime | None


class NoticeSettings:
    """The service."""

    def __init__(self, ports: Ports, wishes: Wishes, notices: Notices) -> None:
        self._store, self._clock = ports.store, ports.clock
        self._customers, self._digests = ports.customers, ports.digests
        self._wishes, self._notices = wishes, notices

    async def shown(self, session: Session) -> Shown:
        """As it stands. Raises NobodyToTell."""
        customer = await self._customer(session)
        told, now = customer.told, self._clock.now()
        stands = bool(told.former_mobile) and told.former_until is not None and told.former_until > now
        return Shown(
            wish_of(customer),
            mask_phone(customer.mobile),
            mask_email(customer.email) if customer.email else "",
            told.former_until if stands else None,
        )

    async def change(self, session: Session, address: str, wish: Wish) -> bool:
        """Whether there was anything to change. Raises NobodyToTell, Stale."""
        customer, now = await self._customer(session), self._clock.now()
        if wish == wish_of(customer):
            return False
        to = replace(customer, told=replace(customer.told, lang=wish.lang))
        subject = self._digests.digest("banking-id", customer.banking_id)
        facts: dict[str, str | int] = {
            "lang": wish.lang, "mails": int(wish.mails), "expiry": int(wish.expiry), "logins": int(wish.logins),
        }  # fmt: skip
        line = Audit(
            now, "notice.wishes", "ok", subject, session.session, self._digests.digest("address", address), facts
        )  # fmt: skip
        dedup = f"wishes:{customer.customer_id}:{to_micros(now)}"
        await self._store.save(
            Save(
                rows=[await self._wishes.wish(customer.customer_id, wish, now)],
                outbox=self._notices.tell(to, "wishes-changed", at=now, dedup=dedup),
                audit=[line],
            )
        )
        return True

    async def speak(self, session: Session, lang: str) -> None:
        """The pages' language was switched by somebody who is logged in."""
        if session.customer_id is not None:
            await self._wishes.speak(session.customer_id, lang, self._clock.now())

    async def _customer(self, session: Session) -> Customer:
        kept = None if session.customer_id is None else await self._customers.by_id(session.customer_id)
        customer = None if kept is None else in_session(self._digests, kept, session)
        if customer is None:
            raise NobodyToTell
        return customer


def wish_of(customer: Customer) -> Wish:
    """What stands."""
    told = customer.told
    return Wish(told.lang, told.mails, told.expiry, told.logins)
