"""Notices to the customer's registered contact: what was done, when, and whom to call; no number, no link (flows.md).

They leave through the outbox in the transaction of what they tell of, as SMS and e-mail, in the person's language;
`table` lists them. For a while after a change of the mobile number the former one hears of everything too (E9).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeAlias

import msgspec

from ingam.customer.account.accounts import LockNotice
from ingam.customer.notice.quiet import Quiet
from ingam.customer.notice.table import KINDS
from ingam.kernel.instants import korean_day, korean_minute
from ingam.kernel.secret import Secret
from ingam.kernel.words import has, say
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
    @property
    def quiet_hours(self) -> str: ...


class Words(NamedTuple):
    """A fact that each language has a word for."""

    ko: str
    en: str


Facts: TypeAlias = Mapping[str, str | Words]


class Sender:
    """Who signs the messages, and when what can wait is not sent."""

    def __init__(self, institution: Institution) -> None:
        self._institution = institution
        self.quiet = Quiet.read(institution.quiet_hours)

    @property
    def hours(self) -> str:
        """The quiet hours as people read them; "" where there are none."""
        return self._institution.quiet_hours

    def name(self, lang: str) -> str:
        """`증권금융`, or its English name."""
        return self._institution.name_ko if lang == "ko" else self._institution.name_en

    @property
    def tel(self) -> str:
        """The number that a person calls who did not do it."""
        return self._institution.tel


class Notices:
    """The texts, as messages to save in `outbox`, in the language that the person chose, unless somebody who is
    logged in asks for what they tell of.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def tell(self, customer: Customer, key: str, *, at: datetime, dedup: str, **facts: str | Words) -> list[Outgoing]:
        """A notice of the table, as SMS and e-mail; nothing where the person does without it. Save all with the deed.

        `facts`: what the texts name beside institution, tel and time (of `at`). `dedup`: one of it is sent, ever.
        """
        kind, told = KINDS[key], customer.told
        if not kind.wanted(told):
            return []
        due = self._sender.quiet.after(at) if kind.quiet else at
        mail = (customer.email or "") if kind.mails and told.mails else ""
        return self._both(customer, mail, key, due, dedup, {"time": korean_minute(at)} | facts)

    def registered(
        self, customer: Customer, *, use: str | Words, not_after: datetime, at: datetime, replaced: bool, dedup: str
    ) -> list[Outgoing]:
        """등록 or 교체 완료. `use`: the 용도 as the policy table names it."""
        key = "replaced" if replaced else "registered"
        return self.tell(customer, key, at=at, dedup=dedup, use=use, date=korean_day(not_after))

    def locked(self, customer: Customer, at: datetime, dedup: str) -> list[Outgoing]:
        """비밀번호 오류로 로그인이 막혔다."""
        return self.tell(customer, "locked", at=at, dedup=dedup)

    def registration_locked(self, customer: Customer, at: datetime, dedup: str) -> list[Outgoing]:
        """타기관인증서등록이 막혔다."""
        return self.tell(customer, "registration-locked", at=at, dedup=dedup)

    def unlocked(self, customer: Customer, *, branch: str, at: datetime, dedup: str) -> list[Outgoing]:
        """A branch released what was locked."""
        return self.tell(customer, "unlocked", at=at, dedup=dedup, branch=branch)

    def new_device(self, customer: Customer, at: datetime, dedup: str) -> list[Outgoing]:
        """A login by certificate or passkey on a device that was new to this person (F6)."""
        return self.tell(customer, "new-device", at=at, dedup=dedup)

    def logged_in(self, customer: Customer, way: str, at: datetime, dedup: str) -> list[Outgoing]:
        """A login, to whoever wants to hear of each. `way`: id, cert or passkey."""
        return self.tell(customer, "logged-in", at=at, dedup=dedup, way=_words(f"notice_way.{way}"))

    def device_changed(self, customer: Customer, key: str, browser: str, at: datetime, dedup: str) -> list[Outgoing]:
        """A device or passkey was added or removed. `key`: device-added, device-removed, passkey-added …

        `browser`: words of a closed list; the alias that somebody typed stays out of messages.
        """
        return self.tell(customer, key, at=at, dedup=dedup, browser=browser)

    def protection_cancelled(self, customer: Customer, at: datetime, dedup: str) -> list[Outgoing]:
        """전자금융사기 예방서비스 was cancelled, and every designation with it."""
        return self.tell(customer, "protection-cancelled", at=at, dedup=dedup)

    def protection_locked(self, customer: Customer, at: datetime, dedup: str) -> list[Outgoing]:
        """A task of 전자금융사기 예방서비스 was stopped."""
        return self.tell(customer, "protection-locked", at=at, dedup=dedup)

    def suspended(
        self, customer: Customer, *, use: str | Words, at: datetime, dedup: str, mails: bool
    ) -> list[Outgoing]:
        """사고신고: the registered certificate is suspended, and how it is resumed (M-SUS-01, E11)."""
        to = (customer.email or "") if mails else ""
        return self._both(customer, to, "suspended", at, dedup, {"use": use, "time": korean_minute(at)})

    def nothing_suspended(self, customer: Customer, *, at: datetime, dedup: str) -> list[Outgoing]:
        """사고신고 of a person who has nothing registered here."""
        return self.tell(customer, "nothing-suspended", at=at, dedup=dedup)

    def resumed(
        self, customer: Customer, *, use: str | Words, not_after: datetime, at: datetime, dedup: str, mails: bool
    ) -> list[Outgoing]:
        """회복 (M-SUS-02)."""
        to = (customer.email or "") if mails else ""
        facts: Facts = {"use": use, "date": korean_day(not_after), "time": korean_minute(at)}
        return self._both(customer, to, "resumed", at, dedup, facts)

    def incident_locked(self, customer: Customer, at: datetime, dedup: str) -> list[Outgoing]:
        """회복 was stopped."""
        return self.tell(customer, "incident-locked", at=at, dedup=dedup)

    def incident_code(
        self, customer: Customer, *, code: str, host: str, lang: str, at: datetime, dedup: str
    ) -> Outgoing:
        """The number by which the registered telephone confirms a report; origin-bound as any code is (E2)."""
        text = Secret(f"{self._said('incident-code', lang, code=code)}\n@{host} #{code}")
        return sms_outgoing(customer.mobile, text, dedup, at)

    def contact_changed(
        self, numbers: Iterable[str], which: str | Words, h: int, at: datetime, dedup: str, lang: str = "ko"
    ) -> list[Outgoing]:
        """A registered number was changed, told to each of `numbers`: the old one too, whoever holds the new one (E9).

        `which`: a word of the number, as text; `h`: hours until it is used for codes.
        """
        text = Secret(self._said("contact-changed", lang, which=which, time=korean_minute(at), h=str(h)))
        return [sms_outgoing(to, text, f"{dedup}:{place}", at) for place, to in enumerate(numbers)]

    def issued(
        self,
        customer: Customer,
        *,
        use: str | Words,
        not_after: datetime,
        at: datetime,
        dedup: str,
        email: str | None = None,
        replaced: str | Words | None = None,
        again: bool = False,
    ) -> list[Outgoing]:
        """신규발급, by SMS and e-mail; `use` and `replaced` as the policy table names them, the latter of what ended.

        `again`: 재발급, whose text says of the former one what `replaced` would.

        `email`: an address that was just said, beside which the registered one hears of it too: whoever typed another
        one silences nobody. "" is none.
        """
        to = (customer.email or "") if email is None else email
        facts: Facts = {"use": use, "date": korean_day(not_after), "time": korean_minute(at)}
        made = self._both(customer, to, "reissued" if again else "issued", at, dedup, facts)
        return made if replaced is None else made + self._superseded(customer, to, replaced, at, f"{dedup}:superseded")

    def superseded(
        self, customer: Customer, *, use: str | Words, at: datetime, dedup: str, email: str | None = None
    ) -> list[Outgoing]:
        """A certificate whose place a new one took is revoked. `use`: the revoked one's; `email`: as in `issued`."""
        return self._superseded(customer, (customer.email or "") if email is None else email, use, at, dedup)

    def copied(
        self, customer: Customer, *, lang: str, use: str | Words, device: str, at: datetime, dedup: str, mails: bool
    ) -> list[Outgoing]:
        """복사 완료, to the registered contact alone. `lang`: the sender's; `device`: what received it, as text."""
        facts: Facts = {"use": use, "device": device, "time": korean_minute(at)}
        to = (customer.email or "") if mails else ""
        return self._both(customer, to, "copied", at, dedup, facts, lang)

    def copy_begun(
        self, customer: Customer, *, lang: str, device: str, at: datetime, dedup: str, mails: bool
    ) -> list[Outgoing]:
        """A copy to `device` begins; the rest as in `copied`."""
        to = (customer.email or "") if mails else ""
        return self._both(customer, to, "copy-begun", at, dedup, {"device": device, "time": korean_minute(at)}, lang)

    def _superseded(self, customer: Customer, to: str, use: str | Words, at: datetime, dedup: str) -> list[Outgoing]:
        return self._both(customer, to, "superseded", at, dedup, {"use": use, "time": korean_minute(at)})

    def _both(
        self, customer: Customer, to: str, key: str, at: datetime, dedup: str, facts: Facts, lang: str = ""
    ) -> list[Outgoing]:
        lang = lang or customer.told.lang
        text = Secret(self._said(key, lang, **facts))
        made = [sms_outgoing(customer.mobile, text, dedup, at), *_to_former(customer, text, dedup, at)]
        mails = _addresses(customer, to, dedup)
        if not mails:
            return made
        subject, mail = self._said(f"{key}-subject", lang, **facts), self._mail(key, lang, facts)
        return [*made, *(email_outgoing(each, subject, Secret(mail), name, at) for name, each in mails.items())]

    def _mail(self, key: str, lang: str, facts: Facts) -> str:
        """The text of its own, or the SMS in the frame of a mail."""
        if has(f"notice.{key}-mail"):
            return self._said(f"{key}-mail", lang, **facts)
        said = self._said(key, lang, **facts).removeprefix(f"[{self._sender.name(lang)}] ")
        return self._said("mail-frame", lang, said=said)

    def _said(self, key: str, lang: str, **facts: str | Words) -> str:
        said = {name: fact if isinstance(fact, str) else fact[lang == "en"] for name, fact in facts.items()}
        return say(f"notice.{key}", lang, institution=self._sender.name(lang), tel=self._sender.tel, **said)


def _addresses(customer: Customer, to: str, dedup: str) -> dict[str, str]:
    """Where the e-mail goes, by its reference. The registered address only where the person wants e-mail at all."""
    registered = customer.email if customer.told.mails else None
    found = {f"{dedup}:email": to} if to and (to == registered or to != customer.email) else {}
    if to and registered and registered != to:
        found[f"{dedup}:email-registered"] = registered
    return found


def _words(key: str) -> Words:
    return Words(say(key, "ko"), say(key, "en"))


def _to_former(customer: Customer, text: Secret[str], dedup: str, at: datetime) -> list[Outgoing]:
    told = customer.told
    if not told.former_mobile or told.former_until is None or told.former_until <= at:
        return []
    return [sms_outgoing(told.former_mobile, text, f"{dedup}:former", at)]


class LoginLockNotice(LockNotice):
    """What `customer.account` asks for when an ID's login is stopped."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def outgoing(self, customer: Customer, at: datetime, dedup: str) -> list[Outgoing]:
        """The lock's messages to the registered contact."""
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
    """Every handler of the worker. Without `email` an institution sends none: the SMS of the same notice went."""
    return {SMS: deliver_sms(sms), EMAIL: _unsent if email is None else deliver_email(email)}


async def _unsent(claimed: Claimed) -> None:
    """An e-mail of an institution that sends none."""
