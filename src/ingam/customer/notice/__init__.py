"""Notices to the customer's registered contact: what was done, when, and whom to call; no number, no link (flows.md).

They leave through the outbox in the transaction of what they tell of, as SMS and – of issuance and copying – as e-mail
too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Final, Protocol

import msgspec

from ingam.customer.account.accounts import LockNotice
from ingam.kernel.instants import korean_day, korean_minute
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.ports.customers import Customer
from ingam.ports.email import Email, EmailSender
from ingam.ports.sms import Sms, SmsSender
from ingam.ports.store import Claimed, Outgoing

SMS: Final = "sms"
"""The outbox kind; `deliver_sms` is its handler."""

EMAIL: Final = "email"
"""The outbox kind; `deliver_email` is its handler."""


class Institution(Protocol):
    """The names and the telephone number that messages carry."""

    @property
    def name_ko(self) -> str: ...
    @property
    def name_en(self) -> str: ...
    @property
    def tel(self) -> str: ...


class Sender:
    """Who signs the messages."""

    def __init__(self, institution: Institution) -> None:
        self._institution = institution

    def name(self, lang: str) -> str:
        """`증권금융`, or its English name."""
        return self._institution.name_ko if lang == "ko" else self._institution.name_en

    @property
    def tel(self) -> str:
        """The number that a person calls who did not do it."""
        return self._institution.tel


class Notices:
    """The texts, as messages to save in `outbox`. They speak Korean, since the record keeps no language of a person,
    unless somebody who is logged in asks for what they tell of.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def registered(
        self, customer: Customer, *, use: str, not_after: datetime, at: datetime, replaced: bool, dedup: str
    ) -> Outgoing:
        """등록 or 교체 완료. `use`: the 용도 as the policy table names it."""
        key = "notice.replaced" if replaced else "notice.registered"
        facts = {"use": use, "date": korean_day(not_after), "time": korean_minute(at)}
        return self._outgoing(customer, key, at, dedup, **facts)

    def locked(self, customer: Customer, at: datetime, dedup: str) -> Outgoing:
        """비밀번호 오류로 로그인이 막혔다."""
        return self._outgoing(customer, "notice.locked", at, dedup, time=korean_minute(at))

    def registration_locked(self, customer: Customer, at: datetime, dedup: str) -> Outgoing:
        """타기관인증서등록이 막혔다."""
        return self._outgoing(customer, "notice.registration-locked", at, dedup, time=korean_minute(at))

    def unlocked(self, customer: Customer, *, branch: str, at: datetime, dedup: str) -> Outgoing:
        """A branch released what was locked."""
        return self._outgoing(customer, "notice.unlocked", at, dedup, branch=branch, time=korean_minute(at))

    def new_device(self, customer: Customer, at: datetime, dedup: str) -> Outgoing:
        """A login by certificate or passkey on a device that was new to this person (F6)."""
        return self._outgoing(customer, "notice.new-device", at, dedup, time=korean_minute(at))

    def device_changed(self, customer: Customer, key: str, browser: str, at: datetime, dedup: str) -> Outgoing:
        """A device or passkey was added or removed. `key`: device-added, device-removed, passkey-added …

        `browser`: words of a closed list; the alias that somebody typed stays out of messages.
        """
        return self._outgoing(customer, f"notice.{key}", at, dedup, browser=browser, time=korean_minute(at))

    def protection_cancelled(self, customer: Customer, at: datetime, dedup: str) -> Outgoing:
        """전자금융사기 예방서비스 was cancelled, and every designation with it."""
        return self._outgoing(customer, "notice.protection-cancelled", at, dedup, time=korean_minute(at))

    def protection_locked(self, customer: Customer, at: datetime, dedup: str) -> Outgoing:
        """A task of 전자금융사기 예방서비스 was stopped."""
        return self._outgoing(customer, "notice.protection-locked", at, dedup, time=korean_minute(at))

    def suspended(self, customer: Customer, *, use: str, at: datetime, dedup: str, mails: bool) -> list[Outgoing]:
        """사고신고: the registered certificate is suspended, and how it is resumed (M-SUS-01, E11)."""
        to = (customer.email or "") if mails else ""
        return self._both(customer, to, "notice.suspended", at, dedup, use=use, time=korean_minute(at))

    def nothing_suspended(self, customer: Customer, *, at: datetime, dedup: str) -> list[Outgoing]:
        """사고신고 of a person who has nothing registered here."""
        return [self._outgoing(customer, "notice.nothing-suspended", at, dedup, time=korean_minute(at))]

    def resumed(
        self, customer: Customer, *, use: str, not_after: datetime, at: datetime, dedup: str, mails: bool
    ) -> list[Outgoing]:
        """회복 (M-SUS-02)."""
        to = (customer.email or "") if mails else ""
        facts = {"use": use, "date": korean_day(not_after), "time": korean_minute(at)}
        return self._both(customer, to, "notice.resumed", at, dedup, **facts)

    def incident_locked(self, customer: Customer, at: datetime, dedup: str) -> Outgoing:
        """회복 was stopped."""
        return self._outgoing(customer, "notice.incident-locked", at, dedup, time=korean_minute(at))

    def incident_code(
        self, customer: Customer, *, code: str, host: str, lang: str, at: datetime, dedup: str
    ) -> Outgoing:
        """The number by which the registered telephone confirms a report; origin-bound as any code is (E2)."""
        text = Secret(f"{self._said('notice.incident-code', lang, code=code)}\n@{host} #{code}")
        return sms_outgoing(customer.mobile, text, dedup, at)

    def contact_changed(self, numbers: Iterable[str], which: str, h: int, at: datetime, dedup: str) -> list[Outgoing]:
        """A registered number was changed, told to each of `numbers`: the old one too, whoever holds the new one (E9).

        `which`: a word of the number, as text; `h`: hours until it is used for codes.
        """
        text = Secret(self._said("notice.contact-changed", "ko", which=which, time=korean_minute(at), h=str(h)))
        return [sms_outgoing(to, text, f"{dedup}:{place}", at) for place, to in enumerate(numbers)]

    def issued(
        self,
        customer: Customer,
        *,
        use: str,
        not_after: datetime,
        at: datetime,
        dedup: str,
        email: str | None = None,
        replaced: str | None = None,
    ) -> list[Outgoing]:
        """신규발급, by SMS and e-mail; `use` and `replaced` as the policy table names them, the latter of what ended.

        `email`: an address that was just said, beside which the registered one hears of it too: whoever typed another
        one silences nobody. "" is none.
        """
        to = (customer.email or "") if email is None else email
        facts = {"use": use, "date": korean_day(not_after), "time": korean_minute(at)}
        made = self._both(customer, to, "notice.issued", at, dedup, **facts)
        return made if replaced is None else made + self._superseded(customer, to, replaced, at, f"{dedup}:superseded")

    def superseded(
        self, customer: Customer, *, use: str, at: datetime, dedup: str, email: str | None = None
    ) -> list[Outgoing]:
        """A certificate whose place a new one took is revoked. `use`: the revoked one's; `email`: as in `issued`."""
        return self._superseded(customer, (customer.email or "") if email is None else email, use, at, dedup)

    def copied(
        self, customer: Customer, *, lang: str, use: str, device: str, at: datetime, dedup: str, mails: bool
    ) -> list[Outgoing]:
        """복사 완료, to the registered contact alone. `lang`: the sender's; `device`: what received it, as text."""
        facts = {"use": use, "device": device, "time": korean_minute(at)}
        to = (customer.email or "") if mails else ""
        return self._both(customer, to, "notice.copied", at, dedup, lang, **facts)

    def copy_begun(
        self, customer: Customer, *, lang: str, device: str, at: datetime, dedup: str, mails: bool
    ) -> list[Outgoing]:
        """A copy to `device` begins; the rest as in `copied`."""
        to = (customer.email or "") if mails else ""
        return self._both(customer, to, "notice.copy-begun", at, dedup, lang, device=device, time=korean_minute(at))

    def _superseded(self, customer: Customer, to: str, use: str, at: datetime, dedup: str) -> list[Outgoing]:
        return self._both(customer, to, "notice.superseded", at, dedup, use=use, time=korean_minute(at))

    def _both(
        self, customer: Customer, to: str, key: str, at: datetime, dedup: str, lang: str = "ko", **facts: str
    ) -> list[Outgoing]:
        sms = self._outgoing(customer, key, at, dedup, lang, **facts)
        if not to:
            return [sms]
        subject, text = (self._said(f"{key}-{part}", lang, **facts) for part in ("subject", "mail"))
        mails = {f"{dedup}:email": to}
        if customer.email and customer.email != to:
            mails[f"{dedup}:email-registered"] = customer.email
        return [sms, *(email_outgoing(each, subject, Secret(text), name, at) for name, each in mails.items())]

    def _outgoing(
        self, customer: Customer, key: str, at: datetime, dedup: str, lang: str = "ko", **facts: str
    ) -> Outgoing:
        return sms_outgoing(customer.mobile, Secret(self._said(key, lang, **facts)), dedup, at)

    def _said(self, key: str, lang: str, **facts: str) -> str:
        return say(key, lang, institution=self._sender.name(lang), tel=self._sender.tel, **facts)


class LoginLockNotice(LockNotice):
    """What `customer.account` asks for when an ID's login is stopped."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def outgoing(self, customer: Customer, at: datetime, dedup: str) -> Outgoing | None:
        """The lock's message to the registered contact."""
        return self._notices.locked(customer, at, dedup)


def sms_outgoing(to: str, text: Secret[str], dedup: str, at: datetime) -> Outgoing:
    """An SMS in the outbox. `to`: digits; the store seals the payload; `dedup` is the provider's reference too."""
    return Outgoing(SMS, msgspec.json.encode({"to": to, "text": text.reveal()}), dedup, at)


def deliver_sms(sender: SmsSender) -> Callable[[Claimed], Awaitable[None]]:
    """The worker's handler for `SMS`: one message, one reference, however often it is tried. Raises SmsOutage."""

    async def deliver(claimed: Claimed) -> None:
        message = msgspec.json.decode(claimed.payload, type=dict[str, str])
        await sender.send(Sms(to=message["to"], text=message["text"], reference=claimed.dedup))

    return deliver


def email_outgoing(to: str, subject: str, text: Secret[str], dedup: str, at: datetime) -> Outgoing:
    """An e-mail in the outbox; the store seals the payload; the Message-ID comes of `dedup`."""
    payload = {"to": to, "subject": subject, "text": text.reveal()}
    return Outgoing(EMAIL, msgspec.json.encode(payload), dedup, at)


def deliver_email(sender: EmailSender) -> Callable[[Claimed], Awaitable[None]]:
    """The worker's handler for `EMAIL`: one message, one Message-ID, however often it is tried. Raises EmailOutage."""

    async def deliver(claimed: Claimed) -> None:
        message = msgspec.json.decode(claimed.payload, type=dict[str, str])
        await sender.send(Email(message["to"], message["subject"], message["text"], claimed.dedup))

    return deliver


def deliveries(sms: SmsSender, email: EmailSender | None) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
    """Every handler of the worker. Without `email` (nothing is issued) no e-mail is ever queued."""
    found = {SMS: deliver_sms(sms)}
    return found if email is None else found | {EMAIL: deliver_email(email)}
