"""What an operator is shown of a customer: masked facts, what is under way, what stops them, and what happened last.

Every code that the customer met stands with the very sentence that they read, and with what to say to them now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from ingam.console.revocation.kinds import OUTCOME
from ingam.customer.additional_auth.branch import ISSUED, BranchNumber, BranchNumbers
from ingam.customer.binding.bindings import Bindings
from ingam.customer.locks import Lock, Locks
from ingam.customer.masking import mask_email, mask_idn, mask_name, mask_phone
from ingam.kernel.errors import Refusal
from ingam.kernel.words import has, say, table
from ingam.npki import policies
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers, Phone
from ingam.ports.keys import Digests
from ingam.ports.store import Row, Store

LINES: Final = 30
FLOWS: Final = 20
OURS: Final = "console."
REVOKED: Final = "revoked"
_PLACE: Final = re.compile(r"\{[a-z_]+\}")
ENDED: Final = frozenset(
    {
        "Registered", "Issued", "Renewed", "Done", "Cancelled", "Expired", "Refused", "Failed", "Locked", "Over",
        "Copied", "Stopped", "Given", "Admitted", "Used", "Applied", "Declined", "Voided", "Idle",
    }
)  # fmt: skip
"""States that nothing goes on from: they are history, not where somebody stands. `Idle`: nothing was begun."""

CAUSES: Final[Mapping[str, Mapping[str, str]]] = {
    "recheck.binding": {"found-expired": "expired", "found-revoked": "revoked", "found-suspended": "held"},
    "incident.suspend": {"ok": "lost"},
    "management.suspension": {"ok": "own-hold"},
    "management.revocation": {"ok": "own-end"},
}
"""Why a registration does not speak for anybody now: act and result of the audit's line of the same instant."""


class CustomerUnknown(Refusal):
    """No customer has this banking ID."""

    code = "customer-unknown"


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of what happened: `act` is a code; `said` the sentence that the customer read; `answer` what to say."""

    at: datetime
    act: str
    word: str
    result: str
    said: str
    answer: str
    operator: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A flow that waits for its next step. `answer`: what to say about it; "" where there is nothing special."""

    word: str
    state: str
    until: datetime
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """A certificate that is or was registered here. `state`: a word of the binding; `answer`: what to say about it."""

    use: str
    state: str
    since: datetime
    until: datetime
    ended_at: datetime | None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The page's facts. `facts`: pairs of a word and a masked value; `awaited`: since when imported ones wait."""

    customer: Customer
    facts: Sequence[tuple[str, str]]
    new_numbers: Sequence[str]
    under_way: Sequence[UnderWay]
    locks: Sequence[Lock]
    happened: Sequence[Happened]
    registrations: Sequence[Registration]
    awaited: Sequence[datetime]
    devices: int
    numbers: Sequence[BranchNumber]


class Standings:
    """Reads it all; nothing here changes anything. `quarantine_s`: how long a new telephone number is not used (E9)."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        customers: Customers,
        digests: Digests,
        bindings: Bindings,
        locks: Locks,
        numbers: BranchNumbers,
        quarantine_s: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._customers = customers
        self._digests = digests
        self._bindings = bindings
        self._locks = locks
        self._numbers = numbers
        self._quarantine = timedelta(seconds=quarantine_s)

    async def find(self, banking_id: str) -> Customer:
        """The customer of a banking ID. Raises CustomerUnknown."""
        customer = await self._customers.by_banking_id(banking_id)
        if customer is None:
            raise CustomerUnknown
        return customer

    async def customer(self, customer_id: str) -> Customer:
        """The customer of a key. Raises CustomerUnknown."""
        customer = await self._customers.by_id(customer_id)
        if customer is None:
            raise CustomerUnknown
        return customer

    async def of(self, customer: Customer, lang: str) -> Standing:
        """Where this customer stands now."""
        mine: Row = {"customer_id": customer.customer_id}
        devices = await self._store.many("designated_device", {**mine, "status": "ACTIVE"})
        return Standing(
            customer=customer,
            facts=[*_facts(customer, lang), await self._medium(mine, lang)],
            new_numbers=self._new_numbers(customer, lang),
            under_way=await self._under_way(mine, lang),
            locks=await self._locks.of(customer),
            happened=await self._happened(customer, lang),
            registrations=[*await self._registrations(customer, lang), *await self._finance(mine, lang)],
            awaited=await self._awaited(mine),
            devices=len(devices),
            numbers=await self._live_numbers(customer),
        )

    async def _medium(self, mine: Row, lang: str) -> tuple[str, str]:
        """What kind of 보안매체 is asked for in place of 미소지고객 인증; never a number of it."""
        row = await self._store.one("customer_medium", mine)
        kind = "none" if row is None else str(row["kind"])
        return say("console-standing.medium", lang), say(f"console-standing.medium_{kind}", lang)

    def _new_numbers(self, customer: Customer, lang: str) -> list[str]:
        """Telephone numbers that changed so lately that no code goes to them yet (E9)."""
        now = self._clock.now()
        changed = {phone: phone.changed_at(customer) for phone in Phone}
        return [
            say(f"console-standing.{phone}", lang)
            for phone, at in changed.items()
            if at is not None and now < at + self._quarantine
        ]

    async def _under_way(self, mine: Row, lang: str) -> list[UnderWay]:
        rows = await self._store.many("flow", mine, order="expires_at", descending=True, limit=FLOWS)
        now, found = self._clock.now(), []
        for row in rows:
            until, state = row["expires_at"], str(msgspec.json.decode(str(row["state"]))["state"])
            if isinstance(until, datetime) and until > now and state not in ENDED:
                found.append(_under_way(str(row["machine"]), state, str(row["state"]), until, lang))
        return found

    async def _awaited(self, mine: Row) -> list[datetime]:
        """When an import brought what the customer has yet to confirm by logging in with it."""
        rows = await self._store.many("binding_claim", {**mine, "ended_at": None}, limit=20)
        return sorted(at for row in rows if isinstance(at := row["at"], datetime))

    async def _happened(self, customer: Customer, lang: str) -> list[Happened]:
        subject = self._digests.digest("banking-id", customer.banking_id)
        rows = await self._store.many("audit", {"subject": subject}, order="seq", descending=True, limit=LINES)
        return _together([_happened(row, lang) for row in rows])

    async def _registrations(self, customer: Customer, lang: str) -> list[Registration]:
        names = {policy.oid: policy.name_ko if lang == "ko" else policy.name_en for policy in policies.policies()}
        revoked, found = await self._revoked_on_behalf(customer), []
        why = await self._causes(customer)
        for one in await self._bindings.history(customer.customer_id):
            use, at = names.get(one.policy_oid, one.policy_oid), one.ended_at
            state = one.status.lower()
            if revoked and (serial := (await self._bindings.details(one)).serial) in revoked:
                state, at = REVOKED, revoked[serial]
            cause = why.get(at, "") if at is not None and state in ("suspended", "stale") else ""
            told = _answer(f"console-standing.binding_{state}_{cause}", f"console-standing.binding_{state}_do", lang)
            found.append(Registration(use, state, one.bound_at, one.not_after, at, told))
        return found

    async def _finance(self, mine: Row, lang: str) -> list[Registration]:
        """The 금융인증서 of theirs."""
        rows = await self._store.many("finance_binding", mine, order="bound_at", descending=True, limit=20)
        found = []
        for row in rows:
            since, until, ended = row["bound_at"], row["not_after"], row["ended_at"]
            assert isinstance(since, datetime) and isinstance(until, datetime)
            assert ended is None or isinstance(ended, datetime)
            state = str(row["status"]).lower()
            told = _answer(f"console-standing.finance_{state}_do", "", lang)
            found.append(Registration(say("console-standing.finance", lang), state, since, until, ended, told))
        return found

    async def _causes(self, customer: Customer) -> dict[datetime, str]:
        """By the instant at which a registration was suspended or went stale: a word of why."""
        subject, found = self._digests.digest("banking-id", customer.banking_id), {}
        for action, words in CAUSES.items():
            rows = await self._store.many(
                "audit", {"subject": subject, "action": action}, order="seq", descending=True, limit=FLOWS
            )
            for row in rows:
                if isinstance(at := row["at"], datetime) and (word := words.get(str(row["result"]))):
                    found[at] = word
        return found

    async def _revoked_on_behalf(self, customer: Customer) -> dict[str, datetime]:
        """Serial number → when the authority ended it because two officers had signed."""
        subject = self._digests.digest("banking-id", customer.banking_id)
        rows = await self._store.many("audit", {"subject": subject, "action": OUTCOME, "result": "ok"}, order="seq")
        told = [(row["at"], str(msgspec.json.decode(str(row["facts"] or "{}")).get("serial", ""))) for row in rows]
        return {serial: at for at, serial in told if isinstance(at, datetime)}

    async def _live_numbers(self, customer: Customer) -> list[BranchNumber]:
        where: Row = {"customer_id": customer.customer_id, "state": ISSUED}
        rows = await self._store.many("branch_number", where, order="issued_at", descending=True, limit=20)
        found = [await self._numbers.one(str(row["number_id"])) for row in rows]
        return [one for one in found if one is not None and one.state == ISSUED]


def _facts(customer: Customer, lang: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str | None]] = [
        ("name", mask_name(customer.name)),
        ("kind", say(f"console-standing.kind_{customer.kind}", lang)),
        ("banking_id", customer.banking_id),
        ("idn", mask_idn(customer.idn.reveal())),
        ("mobile", mask_phone(customer.mobile)),
        ("home_phone", customer.home_phone and mask_phone(customer.home_phone)),
        ("work_phone", customer.work_phone and mask_phone(customer.work_phone)),
        ("third_phone", customer.third_phone and mask_phone(customer.third_phone)),
        ("email", customer.email and mask_email(customer.email)),
    ]
    return [
        (say(f"console-standing.{name}", lang), value or say("console-standing.none", lang)) for name, value in pairs
    ]


def _under_way(machine: str, state: str, kept: str, until: datetime, lang: str) -> UnderWay:
    """A task of several, such as those of 인증서관리, is named by its kind."""
    task = msgspec.json.decode(kept)["facts"].get("task")
    kind = str(task["kind"]) if isinstance(task, dict) and "kind" in task else ""
    word = act_word(f"{machine}.{kind}" if has(f"console-act.{machine}-{kind}") else machine, lang)
    told = _answer(f"console-standing.under_way_{machine}_{state}", f"console-standing.under_way_{machine}", lang)
    return UnderWay(word, state_word(machine, state, lang), until, told)


def _answer(key: str, otherwise: str, lang: str) -> str:
    """What to say; "" where neither key has a sentence."""
    return next((say(one, lang) for one in (key, otherwise) if one and has(one)), "")


def _happened(row: Row, lang: str) -> Happened:
    at, action, result = row["at"], str(row["action"]), str(row["result"])
    assert isinstance(at, datetime)
    facts: Mapping[str, Any] = msgspec.json.decode(str(row["facts"] or "{}"))
    ours = action.startswith(OURS)
    code = "" if ours or result in ("ok", "done") else result
    return Happened(
        at=at,
        act=action,
        word=act_word(action, lang),
        result=result,
        said=said(code, facts, lang) if code else "",
        answer=answer(code, lang) if code else "",
        operator=str(row["operator"] or facts.get("operator", "")),
    )


def _together(lines: Sequence[Happened]) -> list[Happened]:
    """Lines one after another that say the same, as one with their number."""
    found: list[Happened] = []
    for line in lines:
        before = found[-1] if found else None
        if before is not None and (before.act, before.result, before.operator) == (
            line.act,
            line.result,
            line.operator,
        ):
            found[-1] = replace(before, times=before.times + 1)
        else:
            found.append(line)
    return found


def act_word(action: str, lang: str) -> str:
    """An act in words: as it is named, or by what it belongs to (`registration.factor` → `registration`)."""
    family = action.partition(".")[0]
    for key in (f"console-act.{action.replace('.', '-')}", f"console-act.{family}"):
        if has(key):
            return say(key, lang)
    return action


def state_word(machine: str, state: str, lang: str) -> str:
    """A state in words; one that has none stays as it is named."""
    for key in (f"console-state.{machine}-{state}", f"console-state.{state}"):
        if has(key):
            return say(key, lang)
    return state


def said(code: str, facts: Mapping[str, Any], lang: str) -> str:
    """The sentence that the customer read; "" where the code has none."""
    key = f"refusal.{code}"
    if not has(key):
        return ""
    try:
        return say(key, lang, **facts) if facts else _without_facts(table(lang)[key])
    except (KeyError, IndexError, ValueError):
        return _without_facts(table(lang)[key])


def answer(code: str, lang: str) -> str:
    """What to say to a customer who met a code."""
    key = f"say.{code}"
    return say(key, lang) if has(key) else say("say.default", lang)


def codes(lang: str) -> list[tuple[str, str, str]]:
    """Every code with an answer of its own: (code, what the customer reads, what to say)."""
    found = (key.removeprefix("say.") for key in table(lang) if key.startswith("say."))
    return [(code, said(code, {}, lang), answer(code, lang)) for code in sorted(found) if code != "default"]


def _without_facts(text: str) -> str:
    """A sentence whose counts are not known here: `{n}번` is `…번`."""
    return _PLACE.sub("…", text)
